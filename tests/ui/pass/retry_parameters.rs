//! With `retry_if`, what an attempt is given is as much its own as a parameter is the function's.

use std::cell::Cell;
use std::fmt::Debug;
use std::marker::PhantomData;

use agentcore_identity::{ApiKey, Error, requires_api_key};

#[requires_api_key(provider = "openai", retry_if = Error::is_retryable)]
async fn by_mutable_reference((ref mut text, n): (String, u8), api_key: ApiKey) -> Result<String, Error> {
    text.push_str(api_key.expose());
    Ok(format!("{text}{n}"))
}

#[requires_api_key(provider = format!("{tenant}-openai"), retry_if = |_| size > 1)]
async fn parts_for_options((tenant, _): (&str, u8), [size, _]: [u8; 2], api_key: ApiKey) -> Result<usize, Error> {
    Ok(api_key.expose().len())
}

#[requires_api_key(provider = "openai", retry_if = Error::is_retryable)]
async fn copied<T: Copy + Debug>(value: T, api_key: ApiKey) -> Result<String, Error> {
    Ok(format!("{value:?} {}", api_key.expose().len()))
}

#[derive(Clone, Copy)]
struct Agent(PhantomData<Cell<u8>>);

impl Agent {
    #[requires_api_key(provider = "openai", retry_if = Error::is_retryable)]
    async fn ask(self, api_key: ApiKey) -> Result<usize, Error> {
        let _ = self.0;
        Ok(api_key.expose().len())
    }
}

fn assert_send(_: impl Send) {}

// `Copy` and `Send`, and not `Sync`.
fn copied_is_send<T: Copy + Debug + Send>(value: T) {
    assert_send(copied(value));
}

fn main() {
    drop((by_mutable_reference((String::new(), 1)), parts_for_options(("a", 1), [1, 2])));
    copied_is_send(PhantomData::<Cell<u8>>);
    assert_send(Agent(PhantomData).ask());
}
