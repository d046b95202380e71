use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use hyper::Request;
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Parts;
use proptest::prelude::*;

use super::*;

const SERVICE: &str = "bedrock-agentcore";
const REGION: &str = "us-east-1";
const SECRET: &str = "wJalrXUtnFEMI0K7MDENG0bPxRfiCYEXAMPLEKEY";

fn credentials() -> SigningCredentials {
    SigningCredentials { access_key_id: "LOCALACCESSKEYID0000".into(), secret_access_key: SECRET.into() }
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_hours(500_000)
}

struct Client {
    access_key_id: String,
    secret: String,
    region: &'static str,
    service: &'static str,
    at: SystemTime,
    checksum: PayloadChecksumKind,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            access_key_id: credentials().access_key_id.clone(),
            secret: SECRET.into(),
            region: REGION,
            service: SERVICE,
            at: now(),
            checksum: PayloadChecksumKind::NoHeader,
        }
    }
}

impl Client {
    fn sign(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Parts {
        let identity = Credentials::new(&self.access_key_id, &self.secret, None, None, "test").into();
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = self.checksum;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Enabled;
        let params = SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(self.at)
            .settings(settings)
            .build()
            .unwrap();
        let headers: Vec<(&str, &str)> =
            std::iter::once(("host", "127.0.0.1:4566")).chain(headers.iter().copied()).collect();
        let uri = format!("http://127.0.0.1:4566{target}");
        let request = SignableRequest::new(method, uri, headers.iter().copied(), SignableBody::Bytes(body)).unwrap();
        let (instructions, _) = sign(request, &params.into()).unwrap().into_parts();
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers.into_iter().chain(instructions.headers()) {
            request = request.header(name, value);
        }
        request.body(()).unwrap().into_parts().0
    }
}

fn verify(parts: &Parts, body: &[u8]) -> Result<(), ServiceError> {
    super::verify(parts, body, &credentials(), &Expected { region: REGION, service: SERVICE }, now())
}

fn refused(parts: &Parts, body: &[u8]) -> (&'static str, u16, String) {
    let error = verify(parts, body).unwrap_err();
    (error.code(), error.status(), error.message().to_owned())
}

fn post(client: &Client) -> Parts {
    client.sign("POST", "/identities/api-key", &[("content-type", "application/json")], b"{}")
}

#[test]
fn a_wrong_secret_is_refused_without_a_hint_of_the_right_signature() {
    let parts = post(&Client { secret: "another".into(), ..Client::default() });
    let (code, status, message) = refused(&parts, b"{}");
    assert_eq!((code, status), ("InvalidSignatureException", 403));
    let right = post(&Client::default());
    let right = right.headers["authorization"].to_str().unwrap().rsplit('=').next().unwrap().to_owned();
    assert!(message.contains("AWS_SECRET_ACCESS_KEY") && !message.contains(&right), "{message}");
}

#[test]
fn an_unknown_key_is_named() {
    let parts = post(&Client { access_key_id: "AKIDEXAMPLE".into(), ..Client::default() });
    let (code, status, message) = refused(&parts, b"{}");
    assert_eq!((code, status), ("UnrecognizedClientException", 403));
    assert!(message.contains("\"AKIDEXAMPLE\"") && message.contains("\"LOCALACCESSKEYID0000\""), "{message}");
}

#[test]
fn the_scope_must_fit() {
    for (client, expected) in [
        (Client { region: "eu-west-1", ..Client::default() }, "region \"eu-west-1\" where \"us-east-1\""),
        (Client { service: "s3", ..Client::default() }, "service \"s3\" where \"bedrock-agentcore\""),
    ] {
        let (code, status, message) = refused(&post(&client), b"{}");
        assert_eq!((code, status), ("InvalidSignatureException", 403));
        assert!(message.contains(expected), "{message}");
    }
    let mut parts = post(&Client::default());
    let header = parts.headers["authorization"].to_str().unwrap().replace("/20270115/", "/20270114/");
    parts.headers.insert("authorization", HeaderValue::try_from(header).unwrap());
    assert!(refused(&parts, b"{}").2.contains("date \"20270114\" where \"20270115\""));
}

#[test]
fn the_clocks_must_be_near() {
    let edge = WINDOW;
    for (at, passes) in [
        (now() - edge, true),
        (now() + edge, true),
        (now() - edge - Duration::from_secs(1), false),
        (now() + edge + Duration::from_secs(1), false),
    ] {
        let parts = post(&Client { at, ..Client::default() });
        assert_eq!(verify(&parts, b"{}").is_ok(), passes, "{at:?}");
    }
    let (code, _, message) = refused(&post(&Client { at: UNIX_EPOCH, ..Client::default() }), b"{}");
    assert_eq!(code, "InvalidSignatureException");
    assert!(message.contains("19700101T000000Z") && message.contains("20270115T080000Z"), "{message}");
}

#[test]
fn an_unsigned_request_is_told_what_to_export() {
    let mut parts = post(&Client::default());
    parts.headers.remove("authorization");
    let (code, status, message) = refused(&parts, b"{}");
    assert_eq!((code, status), ("MissingAuthenticationTokenException", 403));
    assert!(message.contains("AWS_ACCESS_KEY_ID") && message.contains("AWS_REGION"), "{message}");
}

#[test]
fn what_was_signed_must_be_there_once() {
    let mut parts = post(&Client::default());
    parts.headers.remove("content-type");
    assert!(refused(&parts, b"{}").2.contains("\"content-type\" is among the SignedHeaders but not"));

    let mut parts = post(&Client::default());
    parts.headers.remove("x-amz-date");
    assert_eq!(refused(&parts, b"{}").0, "IncompleteSignatureException");

    let mut parts = post(&Client::default());
    let again = parts.headers["authorization"].clone();
    parts.headers.append("authorization", again);
    assert_eq!(refused(&parts, b"{}").0, "IncompleteSignatureException");

    let mut parts = post(&Client::default());
    let header = parts.headers["authorization"].to_str().unwrap().replace("content-type;host;", "content-type;");
    parts.headers.insert("authorization", HeaderValue::try_from(header).unwrap());
    assert!(refused(&parts, b"{}").2.contains("host must be among"));

    let mut parts = post(&Client::default());
    parts.headers.insert("x-amz-target", HeaderValue::from_static("another operation"));
    assert!(refused(&parts, b"{}").2.contains("\"x-amz-target\" is in the request but not among the SignedHeaders"));
    let mut parts = post(&Client::default());
    parts.headers.insert("x-amzn-trace-id", HeaderValue::from_static("Root=1"));
    assert_eq!(verify(&parts, b"{}"), Ok(()));
}

#[test]
fn a_body_hash_that_is_sent_must_be_the_body_s() {
    let client = Client { checksum: PayloadChecksumKind::XAmzSha256, ..Client::default() };
    let parts = post(&client);
    assert!(parts.headers.contains_key("x-amz-content-sha256"));
    assert_eq!(verify(&parts, b"{}"), Ok(()));
    assert!(refused(&parts, b"{} ").2.contains("x-amz-content-sha256"));
    let mut parts = post(&Client::default());
    parts.headers.insert("x-amz-content-sha256", HeaderValue::from_static("UNSIGNED-PAYLOAD"));
    assert!(refused(&parts, b"{}").2.contains("x-amz-content-sha256"));
}

#[test]
fn a_left_over_session_token_does_not_matter() {
    let parts = Client::default().sign("POST", "/identities/api-key", &[("x-amz-security-token", "left over")], b"{}");
    assert_eq!(verify(&parts, b"{}"), Ok(()));
}

/// The targets that clients send: plain ones, an encoded ARN, repeated and awkward query parameters.
fn targets() -> impl Strategy<Value = String> {
    // Not of dots alone: a client takes such a segment out of the path before it signs and sends it.
    let encoded = "[a-zA-Z0-9]([a-zA-Z0-9._~-]|%3A|%2F|%40|%25){0,23}";
    prop_oneof![
        "/identities/[A-Za-z-]{1,24}",
        (encoded, proptest::collection::vec(encoded, 0..4)).prop_map(|(arn, keys)| {
            let query: Vec<String> = keys.iter().map(|key| format!("tagKeys={key}")).collect();
            if query.is_empty() { format!("/tags/{arn}") } else { format!("/tags/{arn}?{}", query.join("&")) }
        }),
    ]
}

proptest! {
    #[test]
    fn what_aws_sigv4_signs_verifies(
        target in targets(),
        body in proptest::collection::vec(any::<u8>(), 0..64),
        value in " {0,2}[!-~]{1,8}( {1,3}[!-~]{1,8}){0,3} {0,2}",
        method in prop_oneof![Just("GET"), Just("POST"), Just("DELETE")],
        checksum in any::<bool>(),
    ) {
        let checksum = if checksum { PayloadChecksumKind::XAmzSha256 } else { PayloadChecksumKind::NoHeader };
        let client = Client { checksum, ..Client::default() };
        let parts = client.sign(method, &target, &[("x-amz-meta", &value), ("user-agent", "test")], &body);
        prop_assert_eq!(verify(&parts, &body), Ok(()));
    }

    #[test]
    fn no_altered_request_verifies(
        target in targets(),
        body in proptest::collection::vec(any::<u8>(), 1..64),
        part in 0..4,
        at in any::<prop::sample::Index>(),
        flip in 1..=u8::MAX,
    ) {
        let mut parts = Client::default().sign("POST", &target, &[("x-amz-meta", "some-value")], &body);
        let mut body = body;
        let altered = |text: &str, from: usize| {
            let mut bytes = text.as_bytes().to_vec();
            let at = from + at.index(bytes.len() - from);
            bytes[at] = if bytes[at] == b'q' { b'r' } else { b'q' };
            String::from_utf8(bytes).unwrap()
        };
        match part {
            0 => {
                let at = at.index(body.len());
                body[at] ^= flip;
            }
            1 => {
                let path = altered(parts.uri.path(), 1);
                parts.uri = path.parse().unwrap();
            }
            2 => {
                let name = HeaderName::from_static("x-amz-meta");
                let value = altered("some-value", 0);
                parts.headers.insert(name, HeaderValue::try_from(value).unwrap());
            }
            _ => {
                let header = parts.headers["authorization"].to_str().unwrap();
                let from = header.find("Signature=").unwrap() + "Signature=".len();
                let header = altered(header, from);
                parts.headers.insert("authorization", HeaderValue::try_from(header).unwrap());
            }
        }
        let error = verify(&parts, &body).unwrap_err();
        prop_assert_eq!(error.code(), "InvalidSignatureException");
    }

    #[test]
    fn no_header_breaks_the_verifier(authorization in "[ -~]{0,100}", date in "[ -~]{0,20}") {
        let mut parts = post(&Client::default());
        parts.headers.insert("authorization", HeaderValue::try_from(authorization).unwrap());
        parts.headers.insert("x-amz-date", HeaderValue::try_from(date).unwrap());
        let outcome = verify(&parts, b"{}");
        prop_assert!(outcome.is_err());
    }
}
