//! What the attributes' options may be written as.

use std::collections::{BTreeMap, HashMap};

#[cfg(feature = "iam-access-token")]
use crate::SigningAlgorithm;
use crate::{AuthFlow, Error};

/// One text, such as the name of a provider.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a string",
    label = "not a string",
    note = "use a `&str`, a `String` or anything else that is `AsRef<str>`"
)]
pub trait Text {
    /// The text.
    fn text(&self) -> &str;
}

#[diagnostic::do_not_recommend]
impl<T: AsRef<str> + ?Sized> Text for T {
    fn text(&self) -> &str {
        self.as_ref()
    }
}

/// The text that an expression stands for.
pub fn text<T: Text + ?Sized>(text: &T) -> &str {
    text.text()
}

/// A list of texts, such as scopes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of strings",
    label = "not a list of strings",
    note = "use an array, a slice or a `Vec` of `&str` or `String`, such as `[\"repo\", \"user\"]`"
)]
pub trait TextList {
    /// The texts, in their order.
    fn texts(&self) -> Vec<String>;
}

impl<S: AsRef<str>> TextList for [S] {
    fn texts(&self) -> Vec<String> {
        self.iter().map(|text| text.as_ref().to_owned()).collect()
    }
}

impl<S: AsRef<str>, const N: usize> TextList for [S; N] {
    fn texts(&self) -> Vec<String> {
        self.as_slice().texts()
    }
}

impl<S: AsRef<str>> TextList for Vec<S> {
    fn texts(&self) -> Vec<String> {
        self.as_slice().texts()
    }
}

impl<T: TextList + ?Sized> TextList for &T {
    fn texts(&self) -> Vec<String> {
        (**self).texts()
    }
}

/// The texts that an expression stands for.
pub fn list<L: TextList + ?Sized>(list: &L) -> Vec<String> {
    list.texts()
}

/// One text or a list of them, such as audiences.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a string nor a list of strings",
    label = "neither a string nor a list of strings",
    note = "use a `&str` or `String`, or an array, a slice or a `Vec` of them"
)]
pub trait OneOrMore {
    /// The texts, in their order.
    fn one_or_more(&self) -> Vec<String>;
}

impl OneOrMore for str {
    fn one_or_more(&self) -> Vec<String> {
        vec![self.to_owned()]
    }
}

impl OneOrMore for String {
    fn one_or_more(&self) -> Vec<String> {
        self.as_str().one_or_more()
    }
}

impl<S: AsRef<str>> OneOrMore for [S] {
    fn one_or_more(&self) -> Vec<String> {
        self.texts()
    }
}

impl<S: AsRef<str>, const N: usize> OneOrMore for [S; N] {
    fn one_or_more(&self) -> Vec<String> {
        self.texts()
    }
}

impl<S: AsRef<str>> OneOrMore for Vec<S> {
    fn one_or_more(&self) -> Vec<String> {
        self.texts()
    }
}

impl<T: OneOrMore + ?Sized> OneOrMore for &T {
    fn one_or_more(&self) -> Vec<String> {
        (**self).one_or_more()
    }
}

/// The texts that an expression stands for.
pub fn one_or_more<T: OneOrMore + ?Sized>(texts: &T) -> Vec<String> {
    texts.one_or_more()
}

/// Keys and values, such as custom parameters.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of keys and values",
    label = "not pairs of strings",
    note = "use an array, a slice or a `Vec` of pairs, such as `[(\"key\", \"value\")]`, or a map"
)]
pub trait TextPairs {
    /// The keys and values.
    fn pairs(&self) -> Vec<(String, String)>;
}

fn owned<K: AsRef<str>, V: AsRef<str>>(key: &K, value: &V) -> (String, String) {
    (key.as_ref().to_owned(), value.as_ref().to_owned())
}

impl<K: AsRef<str>, V: AsRef<str>> TextPairs for [(K, V)] {
    fn pairs(&self) -> Vec<(String, String)> {
        self.iter().map(|(key, value)| owned(key, value)).collect()
    }
}

impl<K: AsRef<str>, V: AsRef<str>, const N: usize> TextPairs for [(K, V); N] {
    fn pairs(&self) -> Vec<(String, String)> {
        self.as_slice().pairs()
    }
}

impl<K: AsRef<str>, V: AsRef<str>> TextPairs for Vec<(K, V)> {
    fn pairs(&self) -> Vec<(String, String)> {
        self.as_slice().pairs()
    }
}

impl<K: AsRef<str>, V: AsRef<str>, S> TextPairs for HashMap<K, V, S> {
    fn pairs(&self) -> Vec<(String, String)> {
        self.iter().map(|(key, value)| owned(key, value)).collect()
    }
}

impl<K: AsRef<str>, V: AsRef<str>> TextPairs for BTreeMap<K, V> {
    fn pairs(&self) -> Vec<(String, String)> {
        self.iter().map(|(key, value)| owned(key, value)).collect()
    }
}

impl<T: TextPairs + ?Sized> TextPairs for &T {
    fn pairs(&self) -> Vec<(String, String)> {
        (**self).pairs()
    }
}

/// The keys and values that an expression stands for.
pub fn pairs<P: TextPairs + ?Sized>(pairs: &P) -> Vec<(String, String)> {
    pairs.pairs()
}

/// What an `auth_flow = …` expression may be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name an OAuth2 flow",
    label = "not an OAuth2 flow",
    note = "use `AuthFlow` or a string: \"M2M\", \"USER_FEDERATION\" or \"ON_BEHALF_OF_TOKEN_EXCHANGE\""
)]
pub trait IntoAuthFlow {
    /// The flow.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRequest`] for a text that names none.
    fn into_auth_flow(self) -> Result<AuthFlow, Error>;
}

/// What a `signing_algorithm = …` expression may be.
#[cfg(feature = "iam-access-token")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a signing algorithm",
    label = "not a signing algorithm",
    note = "use `SigningAlgorithm` or a string: \"ES384\" or \"RS256\""
)]
pub trait IntoSigningAlgorithm {
    /// The algorithm.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRequest`] for a text that names none.
    fn into_signing_algorithm(self) -> Result<SigningAlgorithm, Error>;
}

macro_rules! named {
    ($(#[$attr:meta])* $trait:ident, $method:ident, $type:ident) => {
        $(#[$attr])*
        impl $trait for $type {
            fn $method(self) -> Result<$type, Error> {
                Ok(self)
            }
        }

        $(#[$attr])*
        impl $trait for &str {
            fn $method(self) -> Result<$type, Error> {
                self.parse()
            }
        }

        $(#[$attr])*
        impl $trait for String {
            fn $method(self) -> Result<$type, Error> {
                self.parse()
            }
        }

        $(#[$attr])*
        impl<T: $trait + Clone> $trait for &T {
            fn $method(self) -> Result<$type, Error> {
                self.clone().$method()
            }
        }
    };
}

named!(IntoAuthFlow, into_auth_flow, AuthFlow);
named!(
    #[cfg(feature = "iam-access-token")]
    IntoSigningAlgorithm,
    into_signing_algorithm,
    SigningAlgorithm
);

/// The flow that an expression stands for.
///
/// # Errors
///
/// [`Error::InvalidRequest`] for a text that names none.
pub fn auth_flow<F: IntoAuthFlow>(flow: F) -> Result<AuthFlow, Error> {
    flow.into_auth_flow()
}

/// The algorithm that an expression stands for.
///
/// # Errors
///
/// [`Error::InvalidRequest`] for a text that names none.
#[cfg(feature = "iam-access-token")]
pub fn signing_algorithm<A: IntoSigningAlgorithm>(algorithm: A) -> Result<SigningAlgorithm, Error> {
    algorithm.into_signing_algorithm()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_many_forms() {
        let owned = vec!["repo".to_owned(), "user".to_owned()];
        let slice: &[&str] = &["repo", "user"];
        for texts in [list(&["repo", "user"]), list(slice), list(&slice), list(&owned), list(&&owned), list(&owned[..])]
        {
            assert_eq!(texts, owned);
        }
        assert!(list::<[&str; 0]>(&[]).is_empty());
    }

    #[test]
    fn pairs_of_many_forms() {
        let owned = vec![("prompt".to_owned(), "login".to_owned())];
        let borrowed = [("prompt", "login")];
        let map: HashMap<&str, String> = HashMap::from([("prompt", "login".to_owned())]);
        let sorted = BTreeMap::from(borrowed);
        for texts in [pairs(&borrowed), pairs(&borrowed[..]), pairs(&owned), pairs(&map), pairs(&&sorted)] {
            assert_eq!(texts, owned);
        }
    }

    #[test]
    fn flows_by_value_and_by_name() {
        let name = "M2M".to_owned();
        for flow in [auth_flow(AuthFlow::M2m), auth_flow("M2M"), auth_flow(&name), auth_flow(name.clone())] {
            assert_eq!(flow.unwrap(), AuthFlow::M2m);
        }
        assert!(auth_flow("m2m").is_err());
    }
}
