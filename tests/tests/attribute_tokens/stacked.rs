//! Several credentials on one function.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use agentcore_identity::{
    AccessToken, ApiKey, Error, requires_access_token, requires_api_key, requires_iam_access_token,
    requires_workload_token,
};
use agentcore_identity_tests::wire::{Sent, Wire, granted};

#[requires_api_key(provider = "openai")]
#[requires_access_token(provider = "github", scopes = ["repo"], auth_flow = "M2M")]
#[tracing::instrument]
#[requires_iam_access_token(audience = "https://a.example", into = jwt)]
#[requires_workload_token]
async fn all(
    prompt: &str,
    workload_token: &str,
    jwt: String,
    access_token: &AccessToken,
    api_key: ApiKey,
) -> Result<String, Error> {
    Ok(format!("{prompt} {workload_token} {jwt} {} {}", access_token.expose(), api_key.expose()))
}

/// Each answer waits until all three requests have been sent.
#[tokio::test(start_paused = true)]
async fn are_fetched_at_the_same_time() {
    let wire = Wire::answering_together(3, |_, sent| granted(sent));
    let call = wire.agent().scope(super::assert_send(all("p")));
    let answer = tokio::time::timeout(Duration::from_secs(1), call).await.expect("nobody waits for another");
    assert_eq!(answer.unwrap(), "p wat jwt token key");
}

#[tokio::test]
async fn fail_together() {
    let wire = Wire::new(|_, sent| if sent.path == "/" { "no XML".to_owned() } else { granted(sent) });
    let error = wire.agent().scope(all("p")).await.unwrap_err();
    assert!(error.to_string().contains("AWS STS"), "{error}");
}

/// What an option is that comes from another one's pattern, in functions that run once and twice.
mod options {
    use super::*;

    #[requires_api_key(provider = names.0)]
    #[requires_access_token(provider = second, scopes = [third], auth_flow = "M2M")]
    async fn once(
        names: (String, u8),
        (second, third): (&str, &str),
        api_key: &str,
        access_token: &str,
    ) -> Result<String, Error> {
        Ok(format!("{} {second} {third} {api_key} {access_token}", names.0))
    }

    #[requires_api_key(provider = names.0)]
    #[requires_access_token(
        provider = second,
        scopes = [third],
        auth_flow = "USER_FEDERATION",
        on_auth_url = |_| drop(third.to_owned()),
        retry_if = |_: &Error| third.is_empty(),
    )]
    #[requires_workload_token]
    async fn twice(
        names: (String, u8),
        (second, third): (&str, &str),
        api_key: &str,
        access_token: &str,
        workload_token: &str,
    ) -> Result<String, Error> {
        Ok(format!("{} {second} {third} {api_key} {access_token} {workload_token}", names.0))
    }

    #[tokio::test]
    async fn are_over_the_parameters() {
        let wire = Wire::granting();
        wire.agent()
            .scope(async {
                let names = || ("openai".to_owned(), 0);
                assert_eq!(once(names(), ("github", "repo")).await.unwrap(), "openai github repo key token");
                assert_eq!(twice(names(), ("github", "repo")).await.unwrap(), "openai github repo key token wat");
            })
            .await;
        let sent: Vec<_> = wire.sent().iter().map(Sent::json).collect();
        assert!(sent.iter().any(|sent| sent["resourceCredentialProviderName"] == "openai"), "{sent:?}");
        assert!(sent.iter().any(|sent| sent["scopes"] == serde_json::json!(["repo"])), "{sent:?}");
    }
}

#[derive(Debug)]
enum Failure {
    Identity(#[allow(dead_code, reason = "shown when a test fails")] Error),
    Refused { key: bool, token: bool },
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Identity(error)
    }
}

#[requires_api_key(provider = "openai", retry_if = |e| matches!(e, Failure::Refused { key: true, .. }))]
#[requires_access_token(
    provider = "github",
    auth_flow = "M2M",
    retry_if = |e| matches!(e, Failure::Refused { token: true, .. }),
)]
async fn demanding(
    key: &str,
    token: &str,
    runs: &AtomicUsize,
    api_key: &str,
    access_token: &str,
) -> Result<(), Failure> {
    runs.fetch_add(1, Ordering::Relaxed);
    let refused = (api_key != key, access_token != token);
    if refused == (false, false) { Ok(()) } else { Err(Failure::Refused { key: refused.0, token: refused.1 }) }
}

/// Key and token are `0` at first, and `1` when they are asked for once more.
fn numbered(before: usize, sent: &Sent) -> String {
    let number = if before < 2 { r#""0""# } else { r#""1""# };
    granted(sent).replace(r#""key""#, number).replace(r#""token""#, number)
}

/// How often the body runs and how many requests there are.
async fn demand(key: &str, token: &str) -> (bool, usize, usize) {
    let wire = Wire::new(numbered);
    let runs = AtomicUsize::new(0);
    let answer = wire.agent().scope(super::assert_send(demanding(key, token, &runs))).await;
    assert!(!matches!(answer, Err(Failure::Identity(_))), "{answer:?}");
    (answer.is_ok(), runs.into_inner(), wire.sent().len())
}

#[tokio::test]
async fn are_renewed_each_on_its_own_or_together() {
    assert_eq!(demand("0", "0").await, (true, 1, 2));
    assert_eq!(demand("1", "0").await, (true, 2, 3));
    assert_eq!(demand("0", "1").await, (true, 2, 3));
    assert_eq!(demand("1", "1").await, (true, 2, 4));
    // The second attempt is the last, even if it fails for a reason of the other's.
    assert_eq!(demand("2", "0").await, (false, 2, 3));
    assert_eq!(demand("2", "1").await, (false, 2, 4));
}
