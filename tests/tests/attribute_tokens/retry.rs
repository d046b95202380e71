//! `retry_if` for tokens.

use std::sync::Mutex;

use agentcore_identity::{Error, PendingAuthorization, requires_access_token};
use agentcore_identity_tests::wire::{Sent, Wire};

#[derive(Debug)]
enum Failure {
    Identity(#[allow(dead_code, reason = "shown when a test fails")] Error),
    /// The vendor refused this token.
    Unauthorized(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Identity(error)
    }
}

impl Failure {
    fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Unauthorized(_))
    }
}

#[derive(Clone, Default)]
struct Vendor {
    accepts: &'static str,
    told: Vec<String>,
}

impl Vendor {
    fn check(&self, token: &str) -> Result<String, Failure> {
        if token == self.accepts { Ok(token.to_owned()) } else { Err(Failure::Unauthorized(token.to_owned())) }
    }

    #[requires_access_token(
        provider = "github",
        scopes = ["repo"],
        auth_flow = "M2M",
        retry_if = Failure::is_unauthorized,
    )]
    async fn call(&mut self, prompt: String, access_token: &str) -> Result<String, Failure> {
        self.told.push(format!("{prompt} {access_token}"));
        self.check(access_token)
    }

    /// The handler borrows what the body changes or consumes.
    #[requires_access_token(
        provider = "github",
        auth_flow = "USER_FEDERATION",
        on_auth_url = |pending: PendingAuthorization| {
            links.lock().unwrap().push(format!("{} {first} {}", pending.url(), self.accepts));
        },
        retry_if = |error: &Failure| error.is_unauthorized() && !self.accepts.is_empty(),
    )]
    async fn call_for_user(
        mut self,
        links: &Mutex<Vec<String>>,
        (first, second): (String, String),
        access_token: String,
    ) -> Result<Vec<String>, Failure> {
        self.told.push(first + &second);
        self.check(&access_token)?;
        Ok(self.told)
    }
}

/// The first, the second, … token.
fn numbered(before: usize, _: &Sent) -> String {
    format!(r#"{{"accessToken": "token-{before}"}}"#)
}

fn forced(wire: &Wire) -> Vec<bool> {
    wire.sent().iter().map(|sent| sent.json()["forceAuthentication"] == true).collect()
}

#[tokio::test]
async fn a_token_that_is_no_longer_good_is_fetched_anew() {
    let wire = Wire::new(numbered);
    let mut vendor = Vendor { accepts: "token-1", ..Vendor::default() };
    let answer = wire.agent().scope(super::assert_send(vendor.call("p".to_owned()))).await.unwrap();
    assert_eq!(answer, "token-1");
    assert_eq!(vendor.told, ["p token-0", "p token-1"]);
    let sent = wire.sent();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].json(), sent[1].json());
}

#[tokio::test]
async fn the_body_runs_twice_at_most() {
    let wire = Wire::new(numbered);
    let mut vendor = Vendor { accepts: "none", ..Vendor::default() };
    let error = wire.agent().scope(vendor.call("p".to_owned())).await.unwrap_err();
    assert!(matches!(&error, Failure::Unauthorized(token) if token == "token-1"), "{error:?}");
    assert_eq!((vendor.told.len(), wire.sent().len()), (2, 2));
}

#[tokio::test]
async fn the_same_token_is_not_tried_again() {
    let wire = Wire::granting();
    let mut vendor = Vendor { accepts: "another", ..Vendor::default() };
    let error = wire.agent().scope(vendor.call("p".to_owned())).await.unwrap_err();
    assert!(matches!(&error, Failure::Unauthorized(token) if token == "token"), "{error:?}");
    assert_eq!((vendor.told.len(), wire.sent().len()), (1, 2));
}

#[tokio::test]
async fn no_token_is_the_callers_error() {
    let wire = Wire::new(|_, _| "{}".to_owned());
    let mut vendor = Vendor::default();
    let error = wire.agent().scope(vendor.call("p".to_owned())).await.unwrap_err();
    assert!(matches!(error, Failure::Identity(_)), "{error:?}");
    assert!(vendor.told.is_empty());
}

/// A user's token that the service goes on returning is one that it has to discard, which asks the user.
#[tokio::test(start_paused = true)]
async fn a_users_token_is_replaced_with_their_consent() {
    let wire = Wire::new(|before, _| {
        match before {
            0 | 1 => r#"{"accessToken": "old"}"#,
            2 => {
                r#"{"authorizationUrl": "https://idp.example", "sessionUri": "urn:ietf:params:oauth:request_uri:s", "sessionStatus": "IN_PROGRESS"}"#
            }
            _ => r#"{"accessToken": "new"}"#,
        }
        .to_owned()
    });
    let vendor = Vendor { accepts: "new", ..Vendor::default() };
    let links = Mutex::default();
    let call = super::assert_send(vendor.call_for_user(&links, ("a".to_owned(), "b".to_owned())));
    assert_eq!(wire.agent().scope(call).await.unwrap(), ["ab"]);
    assert_eq!(links.into_inner().unwrap(), ["https://idp.example a new"]);
    assert_eq!(forced(&wire), [false, false, true, false]);
}
