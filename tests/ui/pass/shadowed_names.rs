//! Every name that an expansion could reach for means something else here.

#![allow(unused, nonstandard_style)]

mod shadows {
    pub mod core {}
    pub mod std {}
    pub mod agentcore_identity {}
    pub struct Result;
    pub struct Option;
    pub struct String;
    pub struct str;
    pub struct Future;
    pub struct Error;
    pub struct Box;
    pub struct IdentityClient;
    pub struct AuthFlow;
    pub trait IntoFuture {
        fn into_future(self);
    }
    pub trait Request {
        fn scopes(self);
        fn clone(&self);
    }
    impl<T> Request for T {
        fn scopes(self) {}
        fn clone(&self) {}
    }
    pub struct bool;
    pub trait Clone {}
    pub trait Send {}
    pub trait From {}
    pub trait Into {}
    pub trait AsRef {}
    pub trait ToOwned {}
    pub trait Iterator {}
    pub fn Ok() {}
    pub fn Err() {}
    pub fn Some() {}
    pub const None: () = ();
    pub fn drop() {}
    pub fn list() {}
    // In a pattern, unlike a function's, the name of a static, a constant or a unit struct means that.
    pub static client: u8 = 0;
    pub static provider: u8 = 0;
    pub static request: u8 = 0;
    pub static credential: u8 = 0;
    pub static credentials: u8 = 0;
    pub static credential_0: u8 = 0;
    pub static argument_0: u8 = 0;
    pub static parameter_1: u8 = 0;
    pub static attempt: u8 = 0;
    pub static again: u8 = 0;
    pub const value: () = ();
    pub const error: () = ();
    pub const _this: () = ();
    pub struct fresh;
    pub struct kept;
    #[macro_export]
    macro_rules! panic {
        () => {};
    }
}

mod agent {
    use super::shadows::*;
    use ::agentcore_identity::{AccessToken, ApiKey, Error as Refused, requires_access_token, requires_api_key};

    pub type Answer = ::std::result::Result<usize, Refused>;

    #[requires_api_key(provider = "openai")]
    pub async fn ask(prompt: &::std::primitive::str, api_key: ApiKey) -> Answer {
        Answer::Ok(prompt.len() + api_key.expose().len())
    }

    #[requires_api_key(provider = "openai", retry_if = |_| false)]
    pub async fn insist(prompt: ::std::string::String, (a, b): (u8, u8), api_key: &ApiKey) -> Answer {
        // Items of the body are seen by the body alone.
        struct ApiKey;
        let _ = (ApiKey, a, b);
        Answer::Ok(prompt.len() + api_key.expose().len())
    }

    #[derive(::core::clone::Clone)]
    pub struct Agent;

    impl Agent {
        #[requires_api_key(provider = "openai", retry_if = |_| false)]
        pub async fn insist(self, api_key: ApiKey) -> Answer {
            Answer::Ok(api_key.expose().len())
        }

        #[requires_api_key(provider = "openai", retry_if = |_| false)]
        pub async fn insist_again(&mut self, api_key: ApiKey) -> Answer {
            Answer::Ok(api_key.expose().len())
        }
    }

    #[requires_access_token(
        provider = "github",
        scopes = scopes,
        auth_flow = flow,
        on_auth_url = |_| (),
        custom_parameters = [(flow, scopes[0])],
        retry_if = |_| false,
    )]
    #[requires_api_key(provider = flow)]
    pub async fn both(
        flow: &::std::primitive::str,
        scopes: &[&::std::primitive::str],
        access_token: AccessToken,
        api_key: &ApiKey,
    ) -> Answer {
        Answer::Ok(access_token.expose().len() + api_key.expose().len())
    }
}

fn main() {
    ::std::mem::drop((agent::ask("hello"), agent::insist(::std::string::String::new(), (1, 2))));
    ::std::mem::drop((agent::Agent.insist(), agent::Agent.insist_again(), agent::both("M2M", &["repo"])));
}
