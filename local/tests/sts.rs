//! `GetWebIdentityToken` of STS over HTTP: tokens that verify, and refusals in the form of STS.

mod support;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use agentcore_identity_local::{Fault, LocalIdentity, Operation};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::{Value, json};
use support::{Answer, Client};

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
const GOOD: [(&str, &str); 2] = [("Audience.member.1", "https://api.example.com"), ("SigningAlgorithm", "ES384")];

async fn start() -> (LocalIdentity, Client) {
    let local = LocalIdentity::builder().start().await.unwrap();
    let client = Client::of(&local);
    (local, client)
}

async fn ask(client: &Client, members: &[(&str, &str)]) -> Answer {
    let form = form(&[&[("Action", "GetWebIdentityToken"), ("Version", "2011-06-15")], members].concat());
    client.send(client.signed_for("sts", FORM, "POST", "/", form.as_bytes())).await.unwrap()
}

fn form(members: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish()
}

fn element<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let text = std::str::from_utf8(&answer.body).unwrap();
    let inside = text.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
    inside.unwrap_or_else(|| panic!("no {name} in {text}")).0
}

/// Status, code and message, in the form that SDKs parse.
fn refusal(answer: &Answer) -> (u16, &str, &str) {
    assert_eq!(answer.headers["content-type"], "text/xml");
    assert!(std::str::from_utf8(&answer.body).unwrap().starts_with("<ErrorResponse xmlns="));
    assert_eq!(element(answer, "RequestId"), answer.headers["x-amzn-requestid"]);
    (answer.status.as_u16(), element(answer, "Code"), element(answer, "Message"))
}

/// What a token says, after a check with the keys that its issuer publishes.
async fn claims(local: &LocalIdentity, token: &str) -> Value {
    let client = Client::of(local);
    let issuer = format!("{}/sts", local.endpoint_url());
    let discovery = client.plain("GET", "/sts/.well-known/openid-configuration", &[], "").await.json();
    assert_eq!(discovery["issuer"], issuer);
    let keys = discovery["jwks_uri"].as_str().unwrap().strip_prefix(local.endpoint_url()).unwrap();
    let keys: JwkSet = serde_json::from_value(client.plain("GET", keys, &[], "").await.json()).unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    let key = DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
    let mut validation = Validation::new(header.alg);
    validation.validate_aud = false;
    let claims: Value = jsonwebtoken::decode(token, &key, &validation).unwrap().claims;
    assert_eq!(claims["iss"], issuer);
    claims
}

#[tokio::test]
async fn a_token_says_who_the_caller_is_and_verifies() {
    let (local, client) = start().await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    for algorithm in ["ES384", "RS256"] {
        let members = [
            ("Audience.member.1", "https://api.example.com"),
            ("SigningAlgorithm", algorithm),
            ("Tags.member.1.Key", "team"),
            ("Tags.member.1.Value", "blü"),
        ];
        let answer = ask(&client, &members).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let token = element(&answer, "WebIdentityToken");
        assert_eq!(format!("{:?}", jsonwebtoken::decode_header(token).unwrap().alg), algorithm);
        let claims = claims(&local, token).await;
        assert_eq!(claims["aud"], "https://api.example.com");
        assert_eq!(claims["sub"], "arn:aws:iam::123456789012:role/agentcore-identity-local");
        let issued = claims["iat"].as_u64().unwrap();
        assert!((now..now + 60).contains(&issued));
        assert_eq!(claims["exp"], issued + 300);
        assert_eq!(
            claims["https://sts.amazonaws.com/"],
            json!({ "aws_account": "123456789012", "source_region": "us-east-1", "request_tags": { "team": "blü" } })
        );
        let expiration = element(&answer, "Expiration");
        assert!(expiration.len() == 20 && expiration.ends_with('Z'), "{expiration}");
    }
    let calls: Vec<_> = local.calls().into_iter().map(|call| (call.operation, call.status)).collect();
    assert_eq!(calls, [(Operation::GetWebIdentityToken, 200); 2]);
}

#[tokio::test]
async fn several_audiences_and_a_lifetime() {
    let (local, client) = start().await;
    let members = [
        ("Audience.member.1", "a"),
        ("Audience.member.2", "b"),
        ("SigningAlgorithm", "ES384"),
        ("DurationSeconds", "3600"),
    ];
    let answer = ask(&client, &members).await;
    let claims = claims(&local, element(&answer, "WebIdentityToken")).await;
    assert_eq!(claims["aud"], json!(["a", "b"]));
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 3600);
    assert_eq!(claims["https://sts.amazonaws.com/"].get("request_tags"), None);
}

#[tokio::test]
async fn bad_input_is_a_validation_error_of_sts() {
    let (_local, client) = start().await;
    let eleven: Vec<(String, &str)> = (1..=11).map(|n| (format!("Audience.member.{n}"), "x")).collect();
    let eleven: Vec<(&str, &str)> = eleven.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let long = "x".repeat(1001);
    for (members, problem) in [
        (vec![("SigningAlgorithm", "ES384")], "Audience: is required"),
        (vec![GOOD[0]], "SigningAlgorithm: is required"),
        (vec![GOOD[0], ("SigningAlgorithm", "HS256")], "&quot;HS256&quot; is none of ES384, RS256"),
        (vec![GOOD[0], GOOD[1], ("DurationSeconds", "59")], "59 is not an integer from 60 to 3600"),
        (vec![GOOD[0], GOOD[1], ("DurationSeconds", "3601")], "3601 is not an integer from 60 to 3600"),
        (vec![GOOD[0], GOOD[1], ("DurationSeconds", "soon")], "DurationSeconds: must be an integer"),
        (vec![("Audience.member.1", &long), GOOD[1]], "has 1001 characters, at most 1000 allowed"),
        ([&eleven[..], &[GOOD[1]]].concat(), "Audience: has 11 entries, at most 10 allowed"),
        (vec![GOOD[0], GOOD[1], ("Tags.member.1.Key", "a!"), ("Tags.member.1.Value", "")], "holds '!'"),
        (vec![GOOD[0], GOOD[1], ("Tags.member.1.Key", "a")], "Tags[0].Value: is required"),
        (
            vec![
                GOOD[0],
                GOOD[1],
                ("Tags.member.1.Key", "Team"),
                ("Tags.member.1.Value", "x"),
                ("Tags.member.2.Key", "team"),
                ("Tags.member.2.Value", "y"),
            ],
            "&quot;team&quot; is there twice",
        ),
    ] {
        let answer = ask(&client, &members).await;
        let (status, code, message) = refusal(&answer);
        assert_eq!((status, code), (400, "ValidationError"), "{message}");
        assert!(message.contains(problem), "{message}");
    }
}

#[tokio::test]
async fn only_who_signs_for_sts_gets_a_token() {
    let (local, client) = start().await;
    let form = form(&[&[("Action", "GetWebIdentityToken"), ("Version", "2011-06-15")], &GOOD[..]].concat());
    let unsigned = client.plain("POST", "/", &[("content-type", FORM)], &form).await;
    assert_eq!((refusal(&unsigned).0, refusal(&unsigned).1), (403, "MissingAuthenticationToken"));
    let other = client.signed_for("bedrock-agentcore", FORM, "POST", "/", form.as_bytes());
    let other = client.send(other).await.unwrap();
    assert_eq!((refusal(&other).0, refusal(&other).1), (403, "SignatureDoesNotMatch"));
    let stranger = Client { access_key_id: "AKIDEXAMPLE".into(), ..client.clone() };
    let answer = ask(&stranger, &GOOD).await;
    assert_eq!((refusal(&answer).0, refusal(&answer).1), (403, "InvalidClientTokenId"));
    assert_eq!(local.call_count(Operation::GetWebIdentityToken), 3);
    let unknown = client.plain("POST", "/", &[("content-type", FORM)], "Action=GetCallerIdentity").await;
    assert_eq!((refusal(&unknown).0, refusal(&unknown).1), (400, "InvalidAction"));
}

#[tokio::test]
async fn faults_are_those_of_sts() {
    let (local, client) = start().await;
    for fault in [Fault::Throttle, Fault::InternalError, Fault::AccessDenied, Fault::RejectToken] {
        local.fail_next(Operation::GetWebIdentityToken, 1, fault);
    }
    for expected in
        [(400, "Throttling"), (500, "InternalFailure"), (403, "AccessDenied"), (403, "ExpiredTokenException")]
    {
        let answer = ask(&client, &GOOD).await;
        let (status, code, message) = refusal(&answer);
        assert_eq!((status, code), expected);
        assert!(code != "AccessDenied" || message.contains("sts:GetWebIdentityToken"), "{message}");
    }
    assert_eq!(ask(&client, &GOOD).await.status, 200);
    assert_eq!(local.calls()[0].error.as_deref(), Some("Throttling"));
}

#[tokio::test]
async fn an_account_without_federation_gets_no_token() {
    let local = LocalIdentity::builder().outbound_federation(false).start().await.unwrap();
    let answer = ask(&Client::of(&local), &GOOD).await;
    let (status, code, _) = refusal(&answer);
    assert_eq!((status, code), (403, "OutboundWebIdentityFederationDisabledException"));
}

#[tokio::test]
async fn tokens_follow_the_service_s_clock() {
    let (local, client) = start().await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    local.advance_clock(Duration::from_hours(24 * 365));
    let token = ask(&client, &GOOD).await;
    let claims = claims(&local, element(&token, "WebIdentityToken")).await;
    assert!(claims["iat"].as_u64().unwrap() >= now + 24 * 365 * 3600);
}
