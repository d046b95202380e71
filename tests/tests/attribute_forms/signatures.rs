//! Generics, lifetimes, patterns, results, attributes.

use std::cell::Cell;
use std::fmt::{Debug, Display};
use std::marker::PhantomData;

use agentcore_identity::{Error, requires_api_key};
use agentcore_identity_tests::API_KEY;

use crate::{as_agent, assert_send};

#[requires_api_key(provider = "openai")]
async fn generic<T, const N: usize>(values: [T; N], api_key: &str) -> Result<String, Error>
where
    T: Debug + Send,
{
    Ok(format!("{values:?} {N} {api_key}"))
}

#[requires_api_key(provider = "openai")]
async fn lifetimes<'p, 'k, 'm: 'p>(prompt: &'p str, model: &'m str, api_key: &'k str) -> Result<&'p str, Error>
where
    'k: 'k,
{
    assert_eq!(api_key, API_KEY);
    Ok(if model.is_empty() { prompt } else { model })
}

#[requires_api_key(provider = "openai")]
async fn elided(prompt: &str, api_key: &str) -> Result<&str, Error> {
    assert_eq!(api_key, API_KEY);
    Ok(prompt)
}

#[requires_api_key(provider = "openai")]
async fn opaque(prompt: impl Display, api_key: &str) -> Result<impl Display, Error> {
    Ok(format!("{prompt} {api_key}"))
}

#[requires_api_key(provider = "openai")]
async fn boxed(api_key: String) -> Result<Box<dyn Display + Send>, Box<dyn std::error::Error + Send + Sync>> {
    Ok(Box::new(api_key))
}

#[requires_api_key(provider = "openai")]
async fn aliased(prompt: &str, api_key: &str) -> anyhow::Result<String> {
    anyhow::ensure!(!prompt.is_empty(), "no prompt");
    Ok(format!("{prompt} {api_key}"))
}

#[requires_api_key(provider = "openai")]
async fn patterns(
    (mut a, b): (u8, u8),
    [c, ..]: [u8; 3],
    _: &str,
    mut text: String,
    api_key: &str,
) -> Result<String, Error> {
    a += b + c;
    text.push_str(api_key);
    Ok(format!("{a} {text}"))
}

/// An outer comment.
#[allow(clippy::mixed_attributes_style, reason = "both styles are to work, and at once")]
#[requires_api_key(provider = "openai")]
#[must_use = "the answer is what was asked for"]
#[inline]
pub(crate) async fn attributes(
    /// What to say.
    prompt: &str,
    /// Never seen by the caller.
    #[allow(unused_variables)]
    api_key: &str,
    #[cfg(any())] gone: u8,
) -> Result<String, Error> {
    #![allow(unused_mut)]
    //! An inner comment.
    let mut answer = prompt.to_owned();
    Ok(answer)
}

#[requires_api_key(provider = "openai")]
async fn last(first: u8, #[allow(unused_mut)] mut api_key: String, second: u8) -> Result<String, Error> {
    Ok(format!("{first} {api_key} {second}"))
}

#[requires_api_key(provider = "openai")]
async fn function_pointers(render: fn(&str) -> &str, api_key: &str) -> Result<String, Error> {
    Ok(render(api_key).to_owned())
}

#[requires_api_key(provider = "openai")]
async fn early_return(prompt: &str, api_key: &str) -> Result<usize, Error> {
    if prompt.is_empty() {
        return Ok(0);
    }
    Ok(api_key.len())
}

#[tokio::test]
async fn of_every_kind() {
    as_agent(async {
        assert_eq!(generic([1, 2]).await.unwrap(), format!("[1, 2] 2 {API_KEY}"));
        assert_eq!(lifetimes("p", "").await.unwrap(), "p");
        assert_eq!(elided("p").await.unwrap(), "p");
        assert_eq!(opaque("p").await.unwrap().to_string(), format!("p {API_KEY}"));
        assert_eq!(boxed().await.unwrap().to_string(), API_KEY);
        assert_eq!(aliased("p").await.unwrap(), format!("p {API_KEY}"));
        assert_eq!(aliased("").await.unwrap_err().to_string(), "no prompt");
        assert_eq!(patterns((1, 2), [3, 0, 0], "", String::from("t")).await.unwrap(), format!("6 t{API_KEY}"));
        assert_eq!(attributes("p").await.unwrap(), "p");
        assert_eq!(last(1, 2).await.unwrap(), format!("1 {API_KEY} 2"));
        assert_eq!(function_pointers(|text| &text[..2]).await.unwrap(), "sk");
        assert_eq!(early_return("").await.unwrap(), 0);
        assert_eq!(early_return("p").await.unwrap(), API_KEY.len());
    })
    .await;
}

#[requires_api_key(provider = "openai")]
async fn countdown(n: u8, api_key: &str) -> Result<String, Error> {
    if n == 0 { Ok(api_key.to_owned()) } else { Box::pin(countdown(n - 1)).await }
}

#[tokio::test]
async fn that_recur() {
    as_agent(async { assert_eq!(countdown(3).await.unwrap(), API_KEY) }).await;
}

#[requires_api_key(provider = "openai")]
async fn not_sync(seen: Cell<u8>, marker: PhantomData<Cell<u8>>, api_key: &str) -> Result<u8, Error> {
    tokio::task::yield_now().await;
    seen.set(u8::from(api_key == API_KEY));
    let _ = marker;
    Ok(seen.get())
}

#[tokio::test]
async fn that_are_send() {
    as_agent(async { assert_eq!(assert_send(not_sync(Cell::new(0), PhantomData)).await.unwrap(), 1) }).await;
}
