//! The service over HTTP: signatures, answers, tags, and what it keeps out.

mod support;

use std::time::Duration;

use agentcore_identity_local::{EndUser, LocalIdentity, Operation, StartError};
use serde_json::{Value, json};
use support::{API_KEY, Client, builder, head, start};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[tokio::test]
async fn a_signed_call_gets_the_key() {
    let local = start().await;
    let client = Client::of(&local);
    let answer = client.api_key(&client.token().await).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), json!({ "apiKey": API_KEY }));
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["x-amzn-requestid"].len(), 36);
    assert!(answer.headers.contains_key("date"));
}

#[tokio::test]
async fn statuses_and_bodies_follow_the_model() {
    let local = start().await;
    let client = Client::of(&local);
    let created = client.call("CreateWorkloadIdentity", json!({ "name": "another" })).await;
    assert_eq!(created.status, 201);
    let conflict = client.call("CreateWorkloadIdentity", json!({ "name": "another" })).await;
    assert_eq!((conflict.status.as_u16(), conflict.error()), (409, "ConflictException"));
    let deleted = client.call("DeleteWorkloadIdentity", json!({ "name": "another" })).await;
    assert_eq!((deleted.status.as_u16(), deleted.body.len()), (204, 0));
    let invalid = client.call("GetWorkloadIdentity", json!({ "name": "x" })).await;
    assert_eq!((invalid.status.as_u16(), invalid.error()), (400, "ValidationException"));
    assert_eq!(
        invalid.json(),
        json!({
            "message": "name: \"x\" has 1 character, at least 3 required",
            "reason": "FieldValidationFailed",
            "fieldList": [{ "name": "name", "message": "\"x\" has 1 character, at least 3 required" }],
        })
    );
    let vault = client.call("GetTokenVault", json!({})).await.json();
    assert_eq!(vault["kmsConfiguration"], json!({ "keyType": "ServiceManagedKey" }));
    assert!(vault["lastModifiedDate"].is_f64());
}

#[tokio::test]
async fn what_is_no_operation_says_what_is() {
    let local = start().await;
    let client = Client::of(&local);
    let answer = client.plain("POST", "/identities/set-token-vault-cmk", &[], "{}").await;
    assert_eq!((answer.status.as_u16(), answer.error()), (404, "UnknownOperationException"));
    assert!(answer.message().contains("GetResourceApiKey"), "{}", answer.message());
    assert!(answer.headers.contains_key("x-amzn-requestid"));
}

#[tokio::test]
async fn unsigned_and_wrongly_signed_calls_are_refused() {
    let local = start().await;
    let client = Client::of(&local);
    let unsigned = client.plain("POST", "/identities/api-key", &[], "{}").await;
    assert_eq!((unsigned.status.as_u16(), unsigned.error()), (403, "MissingAuthenticationTokenException"));
    for (client, code) in [
        (Client { secret_access_key: "wrong".into(), ..client.clone() }, "InvalidSignatureException"),
        (Client { access_key_id: "AKIDEXAMPLE".into(), ..client.clone() }, "UnrecognizedClientException"),
        (Client { region: "eu-west-1".into(), ..client.clone() }, "InvalidSignatureException"),
    ] {
        let answer = client.call("GetTokenVault", json!({})).await;
        assert_eq!((answer.status.as_u16(), answer.error()), (403, code));
    }
    let mut tampered = client.signed("POST", "/identities/get-token-vault", b"{}");
    *tampered.body_mut() = "{ }".into();
    assert_eq!(client.send(tampered).await.unwrap().error(), "InvalidSignatureException");
    let errors: Vec<_> = local.calls().into_iter().map(|call| (call.operation, call.status)).collect();
    assert_eq!(errors[0], (Operation::GetResourceApiKey, 403));
    assert_eq!(errors[1..], [(Operation::GetTokenVault, 403); 4]);
}

#[tokio::test]
async fn tags_travel_in_path_and_query() {
    let local = start().await;
    let client = Client::of(&local);
    let described = client.call("GetApiKeyCredentialProvider", json!({ "name": "openai" })).await.json();
    let arn = described["credentialProviderArn"].as_str().unwrap();
    for arn in [arn.to_owned(), arn.replace("bedrock-agentcore", "acps")] {
        let path = format!("/tags/{}", percent_encoded(&arn));
        let tag = client.signed("POST", &path, br#"{"tags": {"team": "blue", "cost center": "a/b", "c+d": "e@f"}}"#);
        let tagged = client.send(tag).await.unwrap();
        assert_eq!((tagged.status.as_u16(), tagged.body.len()), (204, 0));
        let query = format!("{path}?tagKeys={}&tagKeys=team&tagKeys=c%2Bd", percent_encoded("cost center"));
        let listed = client.send(client.signed("GET", &path, b"")).await.unwrap().json();
        assert_eq!(listed, json!({ "tags": { "team": "blue", "cost center": "a/b", "c+d": "e@f" } }));
        assert_eq!(client.send(client.signed("DELETE", &query, b"")).await.unwrap().status, 204);
        let listed = client.send(client.signed("GET", &path, b"")).await.unwrap().json();
        assert_eq!(listed, json!({ "tags": {} }));
    }
    // The keys are the query's: one without any has none, whatever the body says.
    for (query, body) in [("", ""), ("?other=x", ""), ("", r#"{"tagKeys": ["team"]}"#)] {
        let target = format!("/tags/{}{query}", percent_encoded(arn));
        let answer = client.send(client.signed("DELETE", &target, body.as_bytes())).await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.message().as_str()), (400, "tagKeys: is required"));
    }
}

#[tokio::test]
async fn web_pages_are_kept_out() {
    let local = start().await;
    let client = Client::of(&local);
    for headers in [
        &[("host", "evil.example.com")][..],
        &[("origin", "https://evil.example.com")],
        &[("origin", "null")],
        &[("host", "127.0.0.1"), ("origin", "https://evil.example.com")],
    ] {
        for (method, path) in [("GET", "/_local/calls"), ("POST", "/identities/api-key"), ("GET", "/")] {
            let answer = client.plain(method, path, headers, "").await;
            assert_eq!((answer.status.as_u16(), answer.error()), (403, "AccessDeniedException"), "{headers:?} {path}");
        }
    }
    assert!(local.calls().is_empty());
}

#[tokio::test]
async fn a_large_body_is_refused() {
    let local = start().await;
    let client = Client::of(&local);
    let largest = "k".repeat(65_536);
    assert_eq!(
        client.call("CreateApiKeyCredentialProvider", json!({ "name": "large", "apiKey": largest })).await.status,
        201
    );
    let input = json!({ "name": "too-large", "apiKey": format!("{largest}k") });
    let answer = client.call("CreateApiKeyCredentialProvider", input).await;
    assert_eq!(answer.message(), "apiKey: the value has 65537 characters, at most 65536 allowed");
    let body = vec![b' '; 1024 * 1024 + 1];
    let answer = client.send(client.signed("POST", "/identities/get-token-vault", &body)).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.error()), (413, "RequestEntityTooLargeException"));

    // A client that reads nothing before it has written all.
    let body = vec![b' '; 16 * 1024 * 1024];
    let mut head = head(&client.signed("POST", "/identities/get-token-vault", &body));
    head.insert_str(head.len() - 2, &format!("connection: close\r\ncontent-length: {}\r\n", body.len()));
    let mut stream = TcpStream::connect(&client.authority).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn tokens_are_for_one_workload_and_user_and_end() {
    let local = start().await;
    let client = Client::of(&local);
    let user = json!({ "workloadName": "my-agent", "userId": "ada" });
    let token = client.call("GetWorkloadAccessTokenForUserId", user).await.json()["workloadAccessToken"].clone();
    let token = token.as_str().unwrap();
    assert_eq!(client.api_key(token).await.status, 200);
    let last = local.calls().pop().unwrap();
    assert_eq!((last.workload.as_deref(), last.user.as_deref()), (Some("my-agent"), Some("ada")));
    assert_eq!(last.provider.as_deref(), Some("openai"));

    local.advance_clock(Duration::from_mins(15));
    let expired = client.api_key(token).await;
    assert_eq!((expired.status.as_u16(), expired.error()), (401, "UnauthorizedException"));
    assert_eq!(expired.message(), "Token has expired");
    assert_eq!(client.api_key(&client.token().await).await.status, 200, "signing does not follow the moved clock");

    let garbage = client.api_key("garbage").await;
    assert_eq!((garbage.status.as_u16(), garbage.error()), (401, "UnauthorizedException"));
}

#[tokio::test]
async fn a_trusted_issuer_s_signature_is_checked() {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    use base64::Engine as _;
    let encode = |bytes: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
    let pair = Ed25519KeyPair::generate().unwrap();
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref()) });
    let jwks = json!({ "keys": [jwk] }).to_string();
    let claims = json!({ "iss": "https://issuer.example.com", "sub": "ada", "exp": 4_102_444_800_u64 }).to_string();
    let text = format!("{}.{}", encode(br#"{"alg":"EdDSA"}"#), encode(claims.as_bytes()));
    let signed = format!("{text}.{}", encode(pair.sign(text.as_bytes()).as_ref()));
    let forged = format!("{text}.{}", encode(&[0; 64]));

    let local = builder().trusted_issuer("https://issuer.example.com", jwks).start().await.unwrap();
    let client = Client::of(&local);
    let get = |user_token: String| {
        let input = json!({ "workloadName": "my-agent", "userToken": user_token });
        let client = client.clone();
        async move { client.call("GetWorkloadAccessTokenForJWT", input).await }
    };
    assert_eq!(get(signed).await.status, 200);
    assert_eq!(local.calls()[0].user.as_deref(), Some("ada"));
    let refused = get(forged).await;
    assert_eq!((refused.status.as_u16(), refused.error()), (401, "UnauthorizedException"));

    let trusting_all = start().await;
    let client = Client::of(&trusting_all);
    let input = json!({ "workloadName": "my-agent", "userToken": format!("{text}.AAAA") });
    assert_eq!(client.call("GetWorkloadAccessTokenForJWT", input).await.status, 200);
}

#[tokio::test]
async fn the_owner_changes_what_clients_see() {
    let local = start().await;
    let client = Client::of(&local);
    let token = local.issue_workload_token("my-agent", Some(EndUser::Id("ada".into()))).await.unwrap();
    local.set_api_key("openai", "sk-rotated").await.unwrap();
    assert_eq!(client.api_key(&token).await.json(), json!({ "apiKey": "sk-rotated" }));
    local.remove_api_key("openai").await.unwrap();
    let missing = client.api_key(&token).await;
    assert_eq!((missing.status.as_u16(), missing.error()), (404, "ResourceNotFoundException"));
    local.set_api_key("openai", "sk-again").await.unwrap();
    local.remove_workload_identity("my-agent").await.unwrap();
    local.add_workload_identity("my-agent").await.unwrap();
    assert_eq!(client.api_key(&token).await.status, 401);

    assert_eq!(local.remove_api_key("none").await.unwrap_err().code(), "ResourceNotFoundException");
    assert_eq!(local.set_api_key("bad name", "k").await.unwrap_err().code(), "ValidationException");
    assert_eq!(local.add_workload_identity("my-agent").await.unwrap_err().code(), "ConflictException");
    let unknown = local.issue_workload_token("nobody", None).await.unwrap_err();
    assert_eq!(unknown.code(), "ResourceNotFoundException");
    assert_eq!(local.call_count(Operation::GetResourceApiKey), 3);
    local.clear_calls();
    assert_eq!(local.call_count(Operation::GetResourceApiKey), 0);
    assert!(local.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn rates_are_enforced_when_asked_for() {
    let local = builder().enforce_rate_quotas().start().await.unwrap();
    let client = Client::of(&local);
    for _ in 0..20 {
        assert_eq!(client.call("GetTokenVault", json!({})).await.status, 200);
    }
    let throttled = client.call("GetTokenVault", json!({})).await;
    assert_eq!((throttled.status.as_u16(), throttled.error()), (429, "ThrottlingException"));
}

#[tokio::test]
async fn settings_that_cannot_be_are_named() {
    let problem = |builder: agentcore_identity_local::LocalIdentityBuilder| async {
        builder.start().await.unwrap_err().to_string()
    };
    let open = builder().bind("0.0.0.0:0".parse().unwrap());
    assert!(problem(open).await.contains("0.0.0.0:0 is not a loopback address"));
    assert!(problem(builder().region("US East")).await.contains("region \"US East\""));
    assert!(problem(builder().account_id("1")).await.contains("account id \"1\""));
    assert!(problem(builder().workload_token_lifetime(Duration::ZERO)).await.contains("lifetime of zero"));
    assert!(problem(builder().trusted_issuer("https://i", "{}")).await.contains("\"https://i\""));
    assert_eq!(
        problem(LocalIdentity::builder().workload_identity("x")).await,
        "cannot seed workload identity \"x\": name: \"x\" has 1 character, at least 3 required"
    );
    let weak = problem(builder().signing_credentials("LOCALACCESSKEYID0000", "hunter2")).await;
    assert!(weak.contains("secret access key") && !weak.contains("hunter2"), "{weak}");
    let first = start().await;
    let taken = first.endpoint_url().strip_prefix("http://").unwrap().parse().unwrap();
    assert!(matches!(builder().bind(taken).start().await, Err(StartError::Listen { .. })));
}

#[tokio::test]
async fn remote_callers_are_served_when_allowed() {
    let local = builder().bind("0.0.0.0:0".parse().unwrap()).allow_remote().start().await.unwrap();
    assert!(local.endpoint_url().starts_with("http://127.0.0.1:"), "{}", local.endpoint_url());
    let client = Client::of(&local);
    let named = client.plain("POST", "/identities/get-token-vault", &[("host", "identity.internal:4566")], "{}").await;
    assert_eq!(named.error(), "MissingAuthenticationTokenException");
    let control = client.plain("GET", "/_local/calls", &[("host", "identity.internal:4566")], "").await;
    assert_eq!(control.error(), "AccessDeniedException");
    assert!(control.message().contains("answer only requests whose Host is localhost"), "{}", control.message());
    assert!(!control.message().contains("--allow-remote"), "{}", control.message());
    let health = client.plain("GET", "/_local/health", &[("host", "identity.internal:4566")], "").await;
    assert_eq!(health.status, 200);
}

#[tokio::test]
async fn whether_a_page_is_there_can_be_asked_without_getting_it() {
    let local = start().await;
    let client = Client::of(&local);
    for path in
        ["/", "/_local/health", "/_local/calls", "/idp/.well-known/openid-configuration", "/sts/.well-known/jwks.json"]
    {
        let (head, get) = (client.plain("HEAD", path, &[], "").await, client.plain("GET", path, &[], "").await);
        assert_eq!((head.status.as_u16(), head.body.len()), (200, 0), "{path}");
        assert_eq!((get.status.as_u16(), get.body.is_empty()), (200, false), "{path}");
        assert_eq!(head.headers["content-type"], get.headers["content-type"], "{path}");
    }
    assert_eq!(client.plain("HEAD", "/oauth2/authorize", &[], "").await.status, 405);
}

#[tokio::test]
async fn it_stops_gracefully_and_at_once() {
    let local = start().await;
    let client = Client::of(&local);
    assert!(!client.token().await.is_empty());
    local.shutdown().await;
    assert!(TcpStream::connect(&client.authority).await.is_err());

    let local = start().await;
    let authority = Client::of(&local).authority;
    drop(local);
    tokio::task::yield_now().await;
    assert!(TcpStream::connect(&authority).await.is_err());
}

#[tokio::test]
async fn a_stop_waits_for_the_calls_that_are_under_way() {
    let local = start().await;
    let client = Client::of(&local);
    let mut call = client.begin("/identities/get-token-vault", b"{}").await;
    let stop = tokio::spawn(local.shutdown());
    while TcpStream::connect(&client.authority).await.is_ok() {
        tokio::task::yield_now().await;
    }
    call.write_all(b"{}").await.unwrap();
    let mut answer = String::new();
    call.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    stop.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stop_cuts_off_a_call_that_does_not_end() {
    let local = start().await;
    let mut call = Client::of(&local).begin("/identities/get-token-vault", b"{}").await;
    let asked = tokio::time::Instant::now();
    local.shutdown().await;
    assert_eq!(asked.elapsed().as_secs(), 5);
    assert_eq!(call.read(&mut [0]).await.unwrap_or_default(), 0);
}

#[tokio::test]
async fn a_directory_carries_over_to_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let with_data = || LocalIdentity::builder().data_dir(directory.path().join("data"));
    let local = with_data().workload_identity("my-agent").api_key("openai", API_KEY).start().await.unwrap();
    let (client, secret) = (Client::of(&local), local.secret_access_key().to_owned());
    let token = client.token().await;
    let before: Value = client.call("GetWorkloadIdentity", json!({ "name": "my-agent" })).await.json();
    local.shutdown().await;

    let local = with_data().workload_identity("my-agent").api_key("openai", "sk-seeded-anew").start().await.unwrap();
    assert_eq!(local.secret_access_key(), secret);
    let client = Client::of(&local);
    assert_eq!(client.call("GetWorkloadIdentity", json!({ "name": "my-agent" })).await.json(), before);
    assert_eq!(client.api_key(&token).await.json(), json!({ "apiKey": "sk-seeded-anew" }));
    local.shutdown().await;
}

#[test]
fn the_environment_leads_here() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let local = runtime.block_on(start());
    let environment: std::collections::BTreeMap<_, _> = local.environment().into_iter().collect();
    assert_eq!(environment["AWS_ENDPOINT_URL_BEDROCK_AGENTCORE"], local.endpoint_url());
    assert_eq!(environment["AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL"], local.endpoint_url());
    for name in ["BEDROCK_AGENTCORE_DP_ENDPOINT", "BEDROCK_AGENTCORE_CP_ENDPOINT"] {
        assert_eq!(environment[name], local.endpoint_url());
    }
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        assert_eq!(environment[name], "us-east-1");
    }
    assert_eq!(environment["AWS_ACCESS_KEY_ID"], local.access_key_id());
    assert_eq!(environment["AWS_SECRET_ACCESS_KEY"], local.secret_access_key());
    assert_eq!(environment["AGENTCORE_WORKLOAD_NAME"], "my-agent");
    let two = runtime.block_on(builder().workload_identity("second").start()).unwrap();
    assert!(!two.environment().iter().any(|(name, _)| *name == "AGENTCORE_WORKLOAD_NAME"));
}

#[cfg(feature = "sdk-config")]
#[tokio::test]
async fn the_sdk_config_leads_here() {
    use aws_credential_types::provider::ProvideCredentials as _;
    let local = start().await;
    let config = local.sdk_config();
    assert_eq!(config.endpoint_url(), Some(local.endpoint_url()));
    assert_eq!(config.region().map(AsRef::as_ref), Some("us-east-1"));
    assert!(config.behavior_version().is_some());
    let credentials = config.credentials_provider().unwrap().provide_credentials().await.unwrap();
    assert_eq!(credentials.secret_access_key(), local.secret_access_key());
}

fn assert_send_sync<T: Send + Sync + 'static>() {}

#[test]
fn the_handle_can_be_shared() {
    assert_send_sync::<LocalIdentity>();
    assert_send_sync::<StartError>();
}
