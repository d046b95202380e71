use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::clock::UnixMillis;
use crate::store::{Tags, WorkloadIdentity};

pub(super) fn service() -> Arc<Service> {
    let clock = Clock::default();
    let store = Store::in_memory(clock.now()).unwrap();
    let url = "http://127.0.0.1:4566";
    Arc::new(Service {
        idp: IdentityProvider::new(url, store.sealer("idp").unwrap()).unwrap(),
        sts: Sts::new(url, true).unwrap(),
        url: "http://127.0.0.1:4566".into(),
        place: Place::new("us-east-1".into(), "123456789012".into()).unwrap(),
        tokens: WorkloadTokens::new(store.sealer("token").unwrap(), Duration::from_mins(15)),
        pages: Pages::new(store.sealer("page").unwrap()),
        store,
        issuers: TrustedIssuers::default(),
        clock,
        calls: CallLog::default(),
        faults: Faults::default(),
        quotas: None,
        providers: Providers::new("http://127.0.0.1:4566"),
        authorizations: Authorizations::default(),
        turns: Turns::default(),
        failed_renewals: FailedRenewals::default(),
        background: Background::default(),
    })
}

/// A provider of GitHub's that the service accepts.
pub(super) fn github(name: &str) -> Value {
    json!({
        "name": name,
        "credentialProviderVendor": "GithubOauth2",
        "oauth2ProviderConfigInput": { "githubOauth2ProviderConfig": { "clientId": "id", "clientSecret": "secret" } },
    })
}

pub(super) async fn call(service: &Arc<Service>, operation: Operation, input: Value) -> Output {
    service.call(operation, Input::parse(input.to_string().as_bytes()).unwrap()).await
}

pub(super) async fn ok(service: &Arc<Service>, operation: Operation, input: Value) -> Value {
    call(service, operation, input).await.unwrap_or_else(|error| panic!("{operation}: {error}"))
}

pub(super) async fn refused(service: &Arc<Service>, operation: Operation, input: Value) -> (u16, String) {
    let error = call(service, operation, input).await.unwrap_err();
    (error.status(), error.to_string())
}

#[tokio::test]
async fn a_key_reaches_the_workload_that_asks() {
    let service = service();
    ok(&service, Operation::CreateWorkloadIdentity, json!({ "name": "my-agent" })).await;
    ok(&service, Operation::CreateApiKeyCredentialProvider, json!({ "name": "openai", "apiKey": "sk-1" })).await;
    let token = ok(&service, Operation::GetWorkloadAccessToken, json!({ "workloadName": "my-agent" })).await;
    let input = json!({
        "workloadIdentityToken": token["workloadAccessToken"],
        "resourceCredentialProviderName": "openai",
    });
    assert_eq!(ok(&service, Operation::GetResourceApiKey, input.clone()).await, json!({ "apiKey": "sk-1" }));
    ok(&service, Operation::UpdateApiKeyCredentialProvider, json!({ "name": "openai", "apiKey": "sk-2" })).await;
    assert_eq!(ok(&service, Operation::GetResourceApiKey, input.clone()).await, json!({ "apiKey": "sk-2" }));

    let mut other = input.clone();
    other["resourceCredentialProviderName"] = "anthropic".into();
    assert_eq!(refused(&service, Operation::GetResourceApiKey, other).await.0, 404);
    ok(&service, Operation::DeleteApiKeyCredentialProvider, json!({ "name": "openai" })).await;
    assert_eq!(refused(&service, Operation::GetResourceApiKey, input).await.0, 404);
}

#[tokio::test]
async fn a_token_dies_with_its_identity() {
    let service = service();
    ok(&service, Operation::CreateWorkloadIdentity, json!({ "name": "my-agent" })).await;
    ok(&service, Operation::CreateApiKeyCredentialProvider, json!({ "name": "openai", "apiKey": "sk-1" })).await;
    let token = service.issue_token("my-agent").unwrap();
    let input = json!({ "workloadIdentityToken": token, "resourceCredentialProviderName": "openai" });
    ok(&service, Operation::DeleteWorkloadIdentity, json!({ "name": "my-agent" })).await;
    assert_eq!(refused(&service, Operation::GetResourceApiKey, input.clone()).await.0, 401);
    ok(&service, Operation::CreateWorkloadIdentity, json!({ "name": "my-agent" })).await;
    let (status, message) = refused(&service, Operation::GetResourceApiKey, input).await;
    assert_eq!(status, 401);
    assert!(message.contains("\"my-agent\" of this token was deleted"), "{message}");
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let service = service();
    for (operation, input) in [
        (Operation::CreateWorkloadIdentity, json!({ "name": "my-agent" })),
        (Operation::CreateApiKeyCredentialProvider, json!({ "name": "openai", "apiKey": "sk-1" })),
        (Operation::CreateOauth2CredentialProvider, github("openai")),
    ] {
        ok(&service, operation, input.clone()).await;
        let (status, message) = refused(&service, operation, input).await;
        assert_eq!(status, 409);
        assert!(message.starts_with("ConflictException: ") && message.ends_with("already exists"), "{message}");
    }
}

#[tokio::test]
async fn quotas_hold() {
    let service = service();
    for number in 0..limits::API_KEY_PROVIDERS {
        let input = json!({ "name": format!("p{number}"), "apiKey": "sk" });
        ok(&service, Operation::CreateApiKeyCredentialProvider, input).await;
    }
    let one_more = json!({ "name": "one-more", "apiKey": "sk" });
    let (status, message) = refused(&service, Operation::CreateApiKeyCredentialProvider, one_more.clone()).await;
    assert_eq!(status, 402);
    assert!(message.starts_with("ServiceQuotaExceededException: There are 50 API key"), "{message}");
    ok(&service, Operation::DeleteApiKeyCredentialProvider, json!({ "name": "p0" })).await;
    ok(&service, Operation::CreateApiKeyCredentialProvider, one_more).await;

    for number in 0..limits::OAUTH2_PROVIDERS {
        ok(&service, Operation::CreateOauth2CredentialProvider, github(&format!("p{number}"))).await;
    }
    let (status, message) = refused(&service, Operation::CreateOauth2CredentialProvider, github("one-more")).await;
    assert_eq!(status, 402);
    assert!(message.starts_with("ServiceQuotaExceededException: There are 50 OAuth2"), "{message}");
    ok(&service, Operation::DeleteOauth2CredentialProvider, json!({ "name": "p0" })).await;
    ok(&service, Operation::CreateOauth2CredentialProvider, github("one-more")).await;

    let now = service.clock.now();
    let fill = |change: &mut crate::store::Change<'_>| {
        for number in 0..limits::WORKLOAD_IDENTITIES {
            let name = format!("w{number:05}");
            let (id, tags, return_urls) = (String::new(), Tags::new(), Vec::new());
            change.put(&WorkloadIdentity { name, id, return_urls, tags, created: now, updated: now })?;
        }
        Ok(())
    };
    service.store.change_at_start(fill).unwrap();
    let (status, message) = refused(&service, Operation::CreateWorkloadIdentity, json!({ "name": "one-more" })).await;
    assert_eq!(status, 400);
    assert!(message.contains("11000 workload identities already"), "{message}");
}

#[tokio::test]
async fn lists_come_in_pages_that_meet() {
    let service = service();
    for number in 0..45 {
        ok(&service, Operation::CreateWorkloadIdentity, json!({ "name": format!("agent-{number:02}") })).await;
    }
    for size in [Value::Null, json!(1), json!(7), json!(20)] {
        let mut names = Vec::new();
        let mut token = Value::Null;
        loop {
            let input = json!({ "maxResults": size, "nextToken": token });
            let page = ok(&service, Operation::ListWorkloadIdentities, input).await;
            let items = page["workloadIdentities"].as_array().unwrap();
            assert!(items.len() as u64 <= size.as_u64().unwrap_or(20));
            names.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
            match page.get("nextToken") {
                Some(next) => token = next.clone(),
                None => break,
            }
        }
        let expected: Vec<String> = (0..45).map(|number| format!("agent-{number:02}")).collect();
        assert_eq!(names, expected, "pages of {size}");
    }
}

#[tokio::test]
async fn a_page_token_is_good_for_its_own_list() {
    let service = service();
    for name in ["one", "two"] {
        ok(&service, Operation::CreateWorkloadIdentity, json!({ "name": name })).await;
    }
    let page = ok(&service, Operation::ListWorkloadIdentities, json!({ "maxResults": 1 })).await;
    let input = json!({ "nextToken": page["nextToken"] });
    ok(&service, Operation::ListWorkloadIdentities, input.clone()).await;
    for (operation, input) in [
        (Operation::ListApiKeyCredentialProviders, input),
        (Operation::ListWorkloadIdentities, json!({ "nextToken": "Zm9yZ2Vk" })),
        (Operation::ListWorkloadIdentities, json!({ "nextToken": "" })),
    ] {
        let (status, message) = refused(&service, operation, input).await;
        assert_eq!(status, 400);
        assert!(message.starts_with("ValidationException: nextToken: "), "{message}");
    }
}

#[tokio::test]
async fn only_managed_secrets() {
    let service = service();
    for input in [
        json!({ "name": "p", "apiKeySecretSource": "EXTERNAL" }),
        json!({ "name": "p", "apiKey": "k", "apiKeySecretSource": "EXTERNAL" }),
        json!({ "name": "p", "apiKey": "k", "apiKeySecretConfig": { "secretId": "s", "jsonKey": "j" } }),
    ] {
        let (status, message) = refused(&service, Operation::CreateApiKeyCredentialProvider, input).await;
        assert_eq!(status, 400);
        assert!(message.contains("keeps only MANAGED secrets"), "{message}");
    }
    let managed = json!({ "name": "p", "apiKey": "k", "apiKeySecretSource": "MANAGED" });
    let output = ok(&service, Operation::CreateApiKeyCredentialProvider, managed).await;
    assert_eq!(output["apiKeySecretSource"], "MANAGED");
}

#[tokio::test]
async fn tags_are_kept_merged_and_bounded() {
    let service = service();
    let mut with_tags = github("openai");
    with_tags["tags"] = json!({ "a": "1" });
    let oauth2 =
        ok(&service, Operation::CreateOauth2CredentialProvider, with_tags).await["credentialProviderArn"].clone();
    let created = json!({ "name": "openai", "apiKey": "sk", "tags": { "a": "1" } });
    let api_key =
        ok(&service, Operation::CreateApiKeyCredentialProvider, created).await["credentialProviderArn"].clone();
    for arn in [oauth2, api_key] {
        check_tags(&service, &arn).await;
    }
}

async fn check_tags(service: &Arc<Service>, arn: &Value) {
    let list = json!({ "resourceArn": arn });
    let tag = |tags: Value| json!({ "resourceArn": arn, "tags": tags });
    ok(service, Operation::TagResource, tag(json!({ "a": "2", "b": "" }))).await;
    assert_eq!(
        ok(service, Operation::ListTagsForResource, list.clone()).await,
        json!({ "tags": { "a": "2", "b": "" } })
    );
    let many: serde_json::Map<String, Value> = (0..49).map(|n| (format!("k{n}"), "v".into())).collect();
    assert_eq!(refused(service, Operation::TagResource, tag(many.into())).await.0, 402);
    let untag = json!({ "resourceArn": arn, "tagKeys": ["a", "unknown"] });
    ok(service, Operation::UntagResource, untag).await;
    assert_eq!(ok(service, Operation::ListTagsForResource, list).await, json!({ "tags": { "b": "" } }));
    let gone = arn.as_str().unwrap().replace("openai", "gone");
    for operation in [Operation::TagResource, Operation::UntagResource, Operation::ListTagsForResource] {
        let input = json!({ "resourceArn": gone, "tags": {}, "tagKeys": [] });
        assert_eq!(refused(service, operation, input).await.0, 404);
    }
}

#[tokio::test]
async fn updates_keep_what_they_do_not_name() {
    let service = service();
    let created =
        json!({ "name": "my-agent", "allowedResourceOauth2ReturnUrls": ["https://a/"], "tags": { "k": "v" } });
    let arn = ok(&service, Operation::CreateWorkloadIdentity, created).await["workloadIdentityArn"].clone();
    let updated = ok(&service, Operation::UpdateWorkloadIdentity, json!({ "name": "my-agent" })).await;
    assert_eq!(updated["allowedResourceOauth2ReturnUrls"], json!(["https://a/"]));
    let replaced = json!({ "name": "my-agent", "allowedResourceOauth2ReturnUrls": ["https://b/"] });
    let updated = ok(&service, Operation::UpdateWorkloadIdentity, replaced).await;
    assert_eq!(updated["allowedResourceOauth2ReturnUrls"], json!(["https://b/"]));
    let tags = ok(&service, Operation::ListTagsForResource, json!({ "resourceArn": arn })).await;
    assert_eq!(tags, json!({ "tags": { "k": "v" } }));
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let service = service();
    for (operation, input) in [
        (Operation::GetWorkloadAccessToken, json!({ "workloadName": "nobody" })),
        (Operation::GetWorkloadAccessTokenForUserId, json!({ "workloadName": "nobody", "userId": "ada" })),
        (Operation::GetWorkloadIdentity, json!({ "name": "nobody" })),
        (Operation::UpdateWorkloadIdentity, json!({ "name": "nobody" })),
        (Operation::DeleteWorkloadIdentity, json!({ "name": "nobody" })),
        (Operation::GetApiKeyCredentialProvider, json!({ "name": "none" })),
        (Operation::UpdateApiKeyCredentialProvider, json!({ "name": "none", "apiKey": "sk" })),
        (Operation::DeleteApiKeyCredentialProvider, json!({ "name": "none" })),
        (Operation::GetOauth2CredentialProvider, json!({ "name": "none" })),
        (Operation::UpdateOauth2CredentialProvider, github("none")),
        (Operation::DeleteOauth2CredentialProvider, json!({ "name": "none" })),
        (Operation::GetTokenVault, json!({ "tokenVaultId": "none" })),
    ] {
        let (status, message) = refused(&service, operation, input).await;
        assert_eq!(status, 404, "{operation}");
        assert!(message.contains("\"nobody\"") || message.contains("\"none\""), "{message}");
    }
}

/// Any JSON, with a bias to what could be a member's value.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-zA-Z0-9_.:/-]{0,40}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

const MEMBERS: &[&str] = &[
    "name",
    "workloadName",
    "userId",
    "userToken",
    "workloadIdentityToken",
    "resourceCredentialProviderName",
    "apiKey",
    "apiKeySecretSource",
    "apiKeySecretConfig",
    "credentialProviderVendor",
    "oauth2ProviderConfigInput",
    "allowedResourceOauth2ReturnUrls",
    "tags",
    "tagKeys",
    "resourceArn",
    "maxResults",
    "nextToken",
    "tokenVaultId",
    "oauth2Flow",
    "scopes",
    "sessionUri",
    "userIdentifier",
    "customParameters",
    "forceAuthentication",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_input_makes_the_service_fail(
        operation in proptest::sample::select(Operation::ALL),
        values in proptest::collection::vec((proptest::sample::select(MEMBERS), any_json()), 0..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let input: serde_json::Map<String, Value> =
            values.into_iter().map(|(member, value)| (member.to_owned(), value)).collect();
        let input = Value::Object(input);
        let service = service();
        let parsed = Input::parse(input.to_string().as_bytes()).unwrap();
        let _ = service.subject(operation, &parsed);
        if let Err(error) = runtime.block_on(call(&service, operation, input)) {
            prop_assert!(error.status() < 500, "{}", error);
        }
    }
}

#[tokio::test]
async fn the_log_names_only_valid_values() {
    let service = service();
    let subject = |operation, input: Value| {
        let subject = service.subject(operation, &Input::parse(input.to_string().as_bytes()).unwrap());
        (subject.workload, subject.user, subject.provider)
    };
    let user = json!({ "workloadName": "my-agent", "userId": "ada" });
    assert_eq!(
        subject(Operation::GetWorkloadAccessTokenForUserId, user),
        (Some("my-agent".into()), Some("ada".into()), None)
    );
    let bad = json!({ "workloadName": "no good name", "userId": "x".repeat(129) });
    assert_eq!(subject(Operation::GetWorkloadAccessTokenForUserId, bad), (None, None, None));
    ok(&service, Operation::CreateWorkloadIdentity, json!({ "name": "my-agent" })).await;
    for (sub, user) in [("a".repeat(128), Some("a".repeat(128))), ("a".repeat(129), None)] {
        let claims = URL_SAFE_NO_PAD.encode(json!({ "sub": sub, "exp": 4_102_444_800_u64 }).to_string());
        let jwt = format!("{}.{claims}.c2ln", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#));
        let token = service.issue_token_for_jwt("my-agent", &jwt).unwrap();
        let expected = (Some("my-agent".to_owned()), user);
        let input = json!({ "workloadName": "my-agent", "userToken": jwt });
        let (workload, user, _) = subject(Operation::GetWorkloadAccessTokenForJWT, input);
        assert_eq!((workload, user), expected);
        let (workload, user, _) = subject(Operation::GetResourceApiKey, json!({ "workloadIdentityToken": token }));
        assert_eq!((workload, user), expected);
    }
    let provider = json!({ "name": "openai", "apiKey": "sk-secret" });
    assert_eq!(subject(Operation::CreateApiKeyCredentialProvider, provider), (None, None, Some("openai".into())));
}

#[tokio::test]
async fn when_something_was_made_is_told_by_the_machine_s_clock() {
    let service = service();
    service.clock.advance(Duration::from_hours(1));
    ok(&service, Operation::CreateApiKeyCredentialProvider, json!({ "name": "openai", "apiKey": "sk" })).await;
    ok(&service, Operation::CreateOauth2CredentialProvider, github("github")).await;
    ok(&service, Operation::CreateWorkloadIdentity, json!({ "name": "my-agent" })).await;
    ok(&service, Operation::UpdateWorkloadIdentity, json!({ "name": "my-agent" })).await;
    let now = UnixMillis::of_machine().as_json().as_f64().unwrap();
    for (operation, name) in [
        (Operation::GetApiKeyCredentialProvider, "openai"),
        (Operation::GetOauth2CredentialProvider, "github"),
        (Operation::GetWorkloadIdentity, "my-agent"),
    ] {
        let described = ok(&service, operation, json!({ "name": name })).await;
        for member in ["createdTime", "lastUpdatedTime"] {
            assert!(described[member].as_f64().unwrap() <= now, "{operation} {member}");
        }
    }
}
