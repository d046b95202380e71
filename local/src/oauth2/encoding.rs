//! How the parameters of a token request are written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use serde_json::map::{Entry, Map};
use url::form_urlencoded::{self, Serializer};
use zeroize::Zeroizing;

pub(super) fn form<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    Serializer::new(String::new()).extend_pairs(parameters).finish().into_bytes()
}

/// A form without the parameters of one name.
pub(super) fn without(form: &[u8], name: &str) -> Vec<u8> {
    let kept = form_urlencoded::parse(form).filter(|(found, _)| found != name);
    Serializer::new(String::new()).extend_pairs(kept).finish().into_bytes()
}

/// The parameters of a form as a JSON object. The values of a repeated one are an array, in their order.
pub(super) fn json(form: &[u8]) -> Vec<u8> {
    let mut members = Map::new();
    for (name, value) in form_urlencoded::parse(form) {
        let value = Value::from(value);
        match members.entry(name) {
            Entry::Vacant(entry) => {
                entry.insert(value);
            }
            Entry::Occupied(mut entry) => match entry.get_mut() {
                Value::Array(values) => values.push(value),
                first => *first = Value::Array(vec![first.take(), value]),
            },
        }
    }
    Value::Object(members).to_string().into_bytes()
}

/// The header of `client_secret_basic`: RFC 6749 has both parts encoded as in a form first.
pub(super) fn basic(id: &str, secret: &str) -> Zeroizing<String> {
    let encoded = |text: &str| -> String { form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    let pair = Zeroizing::new(format!("{}:{}", encoded(id), encoded(secret)));
    Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_parameters_in_either_form() {
        let form = form([("grant_type", "authorization_code"), ("code", "a b&c=ü"), ("client_id", "")]);
        assert_eq!(form, b"grant_type=authorization_code&code=a+b%26c%3D%C3%BC&client_id=");
        let shorter = without(&form, "client_id");
        assert_eq!(shorter, b"grant_type=authorization_code&code=a+b%26c%3D%C3%BC");
        let json: Value = serde_json::from_slice(&json(&shorter)).unwrap();
        assert_eq!(json, serde_json::json!({ "grant_type": "authorization_code", "code": "a b&c=ü" }));
    }

    #[test]
    fn repeated_parameters_are_an_array_in_json() {
        let form = form([("resource", "b"), ("audience", "x"), ("resource", "a"), ("scope", "s"), ("resource", "b")]);
        let json: Value = serde_json::from_slice(&json(&form)).unwrap();
        assert_eq!(json, serde_json::json!({ "resource": ["b", "a", "b"], "audience": "x", "scope": "s" }));
    }

    #[test]
    fn basic_credentials_are_encoded_before_they_are_joined() {
        // "a%3Ab:s+1%2F"
        assert_eq!(*basic("a:b", "s 1/"), "Basic YSUzQWI6cysxJTJG");
    }
}
