//! Credentials as values: redacted in every output, shared by their clones, wiped when the last clone goes.

use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

/// The text that every credential type wraps.
#[derive(Clone)]
pub(crate) struct Secret(Arc<SecretString>);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(Arc::new(SecretString::from(text.into())))
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether both hold the same text. Not a public `PartialEq`: comparing a credential with what a caller sent is
    /// something else, and must not depend on how many characters agree.
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.expose() == other.expose()
    }
}

macro_rules! secret_type {
    ($(#[$docs:meta])* $name:ident) => {
        $(#[$docs])*
        #[derive(Clone)]
        pub struct $name(pub(crate) Secret);

        impl $name {
            /// Takes over `text`, which is wiped when the last clone of the value is dropped.
            pub fn new(text: impl Into<String>) -> Self {
                Self(Secret::new(text))
            }

            /// The text itself, for the one place that sends it.
            #[must_use]
            pub fn expose(&self) -> &str {
                self.0.expose()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::new(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl From<SecretString> for $name {
            fn from(text: SecretString) -> Self {
                Self(Secret(Arc::new(text)))
            }
        }

        impl From<&$name> for SecretString {
            fn from(value: &$name) -> Self {
                Self::from(value.expose())
            }
        }
    };
}

secret_type! {
    /// An API key from a credential provider of AgentCore Identity.
    ///
    /// It has no `Display` and no `Serialize`, so that it does not end up in a log or an answer by accident; `Debug`
    /// prints it redacted. Clones share one copy of the text.
    ///
    /// ```
    /// use agentcore_identity::ApiKey;
    ///
    /// let key = ApiKey::new("sk-local");
    /// assert_eq!(key.expose(), "sk-local");
    /// assert_eq!(format!("{key:?}"), "ApiKey([redacted])");
    /// ```
    ApiKey
}

secret_type! {
    /// An access token: an OAuth2 one from a credential provider of AgentCore Identity, or a JWT that AWS STS signed.
    ///
    /// It has no `Display` and no `Serialize`, so that it does not end up in a log or an answer by accident; `Debug`
    /// prints it redacted. Clones share one copy of the text.
    ///
    /// ```
    /// use agentcore_identity::AccessToken;
    ///
    /// let token = AccessToken::new("gho_local");
    /// assert_eq!(token.expose(), "gho_local");
    /// assert_eq!(format!("{token:?}"), "AccessToken([redacted])");
    /// ```
    AccessToken
}

secret_type! {
    /// A workload access token: what says to AgentCore Identity which agent is calling, and for which user.
    ///
    /// Opaque, 1 to 131,072 characters. On AgentCore Runtime it arrives with every invocation, in a header; elsewhere
    /// the [`IdentityClient`](crate::IdentityClient) fetches it.
    WorkloadToken
}

secret_type! {
    /// The JWT of a signed-in user, as the identity provider issued it; 1 to 131,072 characters.
    UserToken
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A type that implements a trait cannot also pass as "any type", so `check` is ambiguous, and this file does not
    /// compile, if a credential ever gains a `Display`.
    macro_rules! assert_not_impl {
        ($type:ty: $bound:path) => {
            const _: fn() = || {
                trait AmbiguousIfImplemented<A> {
                    fn check() {}
                }
                impl<T: ?Sized> AmbiguousIfImplemented<()> for T {}
                impl<T: ?Sized + $bound> AmbiguousIfImplemented<u8> for T {}
                let _ = <$type as AmbiguousIfImplemented<_>>::check;
            };
        };
    }

    assert_not_impl!(ApiKey: fmt::Display);
    assert_not_impl!(ApiKey: serde::Serialize);
    assert_not_impl!(AccessToken: fmt::Display);
    assert_not_impl!(AccessToken: serde::Serialize);
    assert_not_impl!(WorkloadToken: fmt::Display);
    assert_not_impl!(WorkloadToken: serde::Serialize);
    assert_not_impl!(UserToken: fmt::Display);
    assert_not_impl!(UserToken: serde::Serialize);

    const _: fn() = || {
        fn assert<T: Send + Sync + 'static>() {}
        assert::<ApiKey>();
        assert::<AccessToken>();
        assert::<WorkloadToken>();
        assert::<UserToken>();
    };

    #[test]
    fn debug_is_redacted_in_both_forms() {
        let key = ApiKey::new("sk-very-secret");
        assert_eq!(format!("{key:?} {key:#?}"), "ApiKey([redacted]) ApiKey([redacted])");
    }

    #[test]
    fn clones_share_one_copy() {
        let key = ApiKey::new("sk-very-secret");
        assert!(std::ptr::eq(key.expose(), key.clone().expose()));
    }

    #[test]
    fn sameness_is_of_the_text() {
        assert!(Secret::new("a").same_as(&Secret::new("a")));
        assert!(!Secret::new("a").same_as(&Secret::new("b")));
    }
}
