//! The forms that an annotated function may ask for its credential in.

use secrecy::SecretString;

use crate::{AccessToken, ApiKey, WorkloadToken};

/// A type that an annotated function may ask for its API key as.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot receive an API key",
    label = "not a type that an API key can be injected as",
    note = "use `ApiKey`, `&ApiKey`, `&str`, `String` or `secrecy::SecretString`"
)]
pub trait ReceiveApiKey<'a>: Sized {
    /// The key in this form.
    fn receive(key: &'a ApiKey) -> Self;
}

/// A type that an annotated function may ask for its access token as.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot receive an access token",
    label = "not a type that an access token can be injected as",
    note = "use `AccessToken`, `&AccessToken`, `&str`, `String` or `secrecy::SecretString`"
)]
pub trait ReceiveAccessToken<'a>: Sized {
    /// The token in this form.
    fn receive(token: &'a AccessToken) -> Self;
}

/// A type that an annotated function may ask for its workload access token as.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot receive a workload access token",
    label = "not a type that a workload access token can be injected as",
    note = "use `WorkloadToken`, `&WorkloadToken`, `&str`, `String` or `secrecy::SecretString`"
)]
pub trait ReceiveWorkloadToken<'a>: Sized {
    /// The token in this form.
    fn receive(token: &'a WorkloadToken) -> Self;
}

macro_rules! received_as {
    ($trait:ident, $credential:ident) => {
        impl $trait<'_> for $credential {
            fn receive(credential: &$credential) -> Self {
                credential.clone()
            }
        }

        impl<'a> $trait<'a> for &'a $credential {
            fn receive(credential: &'a $credential) -> Self {
                credential
            }
        }

        impl<'a> $trait<'a> for &'a str {
            fn receive(credential: &'a $credential) -> Self {
                credential.expose()
            }
        }

        impl $trait<'_> for String {
            fn receive(credential: &$credential) -> Self {
                credential.expose().to_owned()
            }
        }

        impl $trait<'_> for SecretString {
            fn receive(credential: &$credential) -> Self {
                credential.into()
            }
        }
    };
}

received_as!(ReceiveApiKey, ApiKey);
received_as!(ReceiveAccessToken, AccessToken);
received_as!(ReceiveWorkloadToken, WorkloadToken);
