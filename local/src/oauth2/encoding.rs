//! How the parameters of a token request are written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
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

/// The parameters of a form as a JSON object.
pub(super) fn json(form: &[u8]) -> Vec<u8> {
    let members: Map<String, Value> =
        form_urlencoded::parse(form).map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect();
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
    fn basic_credentials_are_encoded_before_they_are_joined() {
        // "a%3Ab:s+1%2F"
        assert_eq!(*basic("a:b", "s 1/"), "Basic YSUzQWI6cysxJTJG");
    }
}
