//! JSON from outside that has to be an object.

use serde::de::{DeserializeOwned, Error as _};

/// Reads an object. A derived `Deserialize` alone takes a list, too, as the members in their order.
///
/// # Errors
/// For anything else, and where `T` does not fit.
pub(crate) fn object<T: DeserializeOwned>(json: &[u8]) -> serde_json::Result<T> {
    if is_object(json) {
        serde_json::from_slice(json)
    } else {
        Err(serde_json::Error::custom("it is not a JSON object"))
    }
}

/// Whether a text can be an object, and nothing else that is JSON.
pub(crate) fn is_object(json: &[u8]) -> bool {
    json.trim_ascii_start().first() == Some(&b'{')
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Pair {
        one: u8,
        two: u8,
    }

    #[test]
    fn a_list_is_no_object() {
        assert_eq!(serde_json::from_slice::<Pair>(b"[1, 2]").unwrap(), Pair { one: 1, two: 2 });
        assert_eq!(object::<Pair>(b" \n{\"one\": 1, \"two\": 2}").unwrap(), Pair { one: 1, two: 2 });
        for other in ["[1, 2]", " [1, 2]", "", "null", "{\"one\": 1}", "{\"one\": 1, \"two\": 2} x"] {
            assert!(object::<Pair>(other.as_bytes()).is_err(), "{other}");
        }
    }
}
