//! OAuth2 credential providers over HTTP, and as the owner of the service sets them.

mod support;

use agentcore_identity_local::{LocalIdentity, LocalIdentityBuilder, Operation};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use support::{Answer, Client};

const SECRET: &str = "a-client-secret-0123456789";
const KMS_KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555";
/// A new ECDSA key on P-256: its PKCS #8, the same in PEM, and the x of its public point.
fn p256() -> (Vec<u8>, String, String) {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let pkcs8 = key.to_pkcs8v1().unwrap().as_ref().to_vec();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(&pkcs8));
    (pkcs8, pem, URL_SAFE_NO_PAD.encode(&key.public_key().as_ref()[1..33]))
}

fn github() -> Value {
    json!({
        "name": "github",
        "credentialProviderVendor": "GithubOauth2",
        "oauth2ProviderConfigInput": { "githubOauth2ProviderConfig": { "clientId": "id", "clientSecret": SECRET } },
    })
}

fn private_key_jwt(algorithm: &str) -> Value {
    json!({
        "name": "signing",
        "credentialProviderVendor": "CustomOauth2",
        "oauth2ProviderConfigInput": { "customOauth2ProviderConfig": {
            "oauthDiscovery": { "discoveryUrl": "https://idp.example.com/.well-known/openid-configuration" },
            "clientId": "id",
            "clientAuthenticationMethod": "PRIVATE_KEY_JWT",
            "privateKeyJwtConfig": {
                "privateKeySource": { "kmsKeySource": { "kmsKeyArn": KMS_KEY } },
                "signingAlgorithm": algorithm,
            },
        }},
    })
}

async fn got(client: &Client, name: &str) -> Answer {
    client.call("GetOauth2CredentialProvider", json!({ "name": name })).await
}

async fn kms_keys(client: &Client) -> Value {
    client.plain("GET", "/_local/kms-keys", &[], "").await.json()["keys"].clone()
}

async fn refusal(builder: LocalIdentityBuilder) -> String {
    builder.start().await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_provider_over_http() {
    let local = LocalIdentity::builder().start().await.unwrap();
    let client = Client::of(&local);
    let created = client.call("CreateOauth2CredentialProvider", github()).await;
    assert_eq!(created.status, 201);
    let created = created.json();
    let arn = created["credentialProviderArn"].as_str().unwrap();
    assert!(arn.ends_with(":token-vault/default/oauth2credentialprovider/github"), "{arn}");
    let secret = created["clientSecretArn"]["secretArn"].as_str().unwrap();
    assert!(secret.contains(":secretsmanager:") && secret.contains("/oauth2/github-"), "{secret}");
    assert_eq!((&created["clientSecretSource"], &created["status"]), (&json!("MANAGED"), &json!("READY")));
    let callback = created["callbackUrl"].as_str().unwrap();
    let id = callback.strip_prefix(&format!("{}/oauth2/callback/", local.endpoint_url())).unwrap();
    assert_eq!(id.len(), 36, "{id}");

    let conflict = client.call("CreateOauth2CredentialProvider", github()).await;
    assert_eq!((conflict.status.as_u16(), conflict.error()), (409, "ConflictException"));
    let listed = client.call("ListOauth2CredentialProviders", json!({})).await.json();
    assert_eq!(listed["credentialProviders"][0]["credentialProviderVendor"], "GithubOauth2");
    let deleted = client.call("DeleteOauth2CredentialProvider", json!({ "name": "github" })).await;
    assert_eq!((deleted.status.as_u16(), deleted.body.len()), (204, 0));
    let missing = got(&client, "github").await;
    assert_eq!((missing.status.as_u16(), missing.error()), (404, "ResourceNotFoundException"));
    let call = &local.calls()[0];
    assert_eq!((call.operation, call.provider.as_deref()), (Operation::CreateOauth2CredentialProvider, Some("github")));
}

#[tokio::test]
async fn the_owner_s_providers_lead_to_the_service_s_own_identity_provider() {
    let local = LocalIdentity::builder().oauth2_provider("local").start().await.unwrap();
    let client = Client::of(&local);
    let first = got(&client, "local").await.json();
    let config = |answer: &Value| answer["oauth2ProviderConfigOutput"]["customOauth2ProviderConfig"].clone();
    assert_eq!(
        config(&first)["oauthDiscovery"]["discoveryUrl"],
        format!("{}/idp/.well-known/openid-configuration", local.endpoint_url())
    );
    assert_eq!(config(&first)["onBehalfOfTokenExchangeConfig"]["grantType"], "TOKEN_EXCHANGE");
    assert_eq!(client.call("CreateOauth2CredentialProvider", github()).await.status, 201);
    let before = got(&client, "github").await.json();
    local.set_oauth2_provider("github").await.unwrap();
    let after = got(&client, "github").await.json();
    assert_eq!(after["credentialProviderVendor"], "CustomOauth2");
    assert_eq!(after["callbackUrl"], before["callbackUrl"]);
    local.set_oauth2_provider("local").await.unwrap();
    assert_ne!(config(&got(&client, "local").await.json())["clientId"], config(&first)["clientId"]);

    local.remove_oauth2_provider("local").await.unwrap();
    assert_eq!(got(&client, "local").await.status, 404);
    assert_eq!(local.remove_oauth2_provider("local").await.unwrap_err().code(), "ResourceNotFoundException");
    assert_eq!(local.set_oauth2_provider("bad name").await.unwrap_err().code(), "ValidationException");
    assert_eq!(
        refusal(LocalIdentity::builder().oauth2_provider("bad name")).await,
        "cannot seed OAuth2 provider \"bad name\": name: \"bad name\" holds ' ', allowed are A-Z a-z 0-9 _ -"
    );
}

#[tokio::test]
async fn return_urls_are_those_of_a_workload_identity() {
    let (url, other) = ("http://localhost:8081/callback", "app:back");
    let builder = || LocalIdentity::builder().workload_identity("my-agent");
    let local = builder().return_url("my-agent", url).return_url("my-agent", url).return_url("my-agent", other);
    let local = local.start().await.unwrap();
    let identity = Client::of(&local).call("GetWorkloadIdentity", json!({ "name": "my-agent" })).await.json();
    assert_eq!(identity["allowedResourceOauth2ReturnUrls"], json!([url, other]));
    assert_eq!(
        refusal(builder().return_url("my-agnet", url)).await,
        "cannot seed return URL of workload identity \"my-agnet\": WorkloadIdentity \"my-agnet\" was not found"
    );
    let error = refusal(builder().return_url("my-agent", "localhost")).await;
    assert!(error.contains("\"localhost\" is not a URL to which a browser can be sent back"), "{error}");
}

#[tokio::test]
async fn a_directory_keeps_providers_secrets_and_callback_urls() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let (pkcs8, pem, _) = p256();
    let builder = || {
        LocalIdentity::builder()
            .data_dir(&data)
            .workload_identity("my-agent")
            .oauth2_provider("local")
            .kms_key(KMS_KEY, &pem)
    };
    let local = builder().return_url("my-agent", "https://a.example.com/").start().await.unwrap();
    let client = Client::of(&local);
    assert_eq!(client.call("CreateOauth2CredentialProvider", github()).await.status, 201);
    assert_eq!(client.call("CreateOauth2CredentialProvider", private_key_jwt("ES256")).await.status, 201);
    let port = |local: &LocalIdentity| local.endpoint_url().to_owned();
    let names = ["github", "local", "signing"];
    let mut before = Vec::new();
    for name in names {
        before.push(got(&client, name).await.json());
    }
    let (keys, address) = (kms_keys(&client).await, port(&local));
    local.shutdown().await;

    for entry in std::fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for secret in [SECRET.as_bytes(), &pkcs8] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{}", path.display());
        }
    }

    // Another port: what names the service follows it, and nothing else changes.
    let local = builder().return_url("my-agent", "https://b.example.com/").start().await.unwrap();
    let client = Client::of(&local);
    for (name, before) in names.iter().zip(before) {
        let expected = before.to_string().replace(&address, &port(&local));
        assert_eq!(got(&client, name).await.json(), serde_json::from_str::<Value>(&expected).unwrap());
    }
    assert_eq!(kms_keys(&client).await, keys);
    let identity = client.call("GetWorkloadIdentity", json!({ "name": "my-agent" })).await.json();
    let urls = &identity["allowedResourceOauth2ReturnUrls"];
    assert_eq!(urls, &json!(["https://a.example.com/", "https://b.example.com/"]));
    local.shutdown().await;
}

#[tokio::test]
async fn a_key_of_kms_is_made_or_given() {
    let local = LocalIdentity::builder().start().await.unwrap();
    let client = Client::of(&local);
    assert_eq!(kms_keys(&client).await, json!([]));
    assert_eq!(client.call("CreateOauth2CredentialProvider", private_key_jwt("RS256")).await.status, 201);
    let made = kms_keys(&client).await;
    assert_eq!((&made[0]["kty"], &made[0]["kid"]), (&json!("RSA"), &json!("11111111-2222-3333-4444-555555555555")));
    assert!(made[0].get("d").is_none());

    let (_, pem, x) = p256();
    let local = LocalIdentity::builder().kms_key(KMS_KEY, &pem).start().await.unwrap();
    let client = Client::of(&local);
    let given = kms_keys(&client).await;
    assert_eq!((&given[0]["crv"], &given[0]["x"]), (&json!("P-256"), &json!(x)));
    let refused = client.call("CreateOauth2CredentialProvider", private_key_jwt("RS256")).await;
    assert!(refused.message().contains("ES256 one on P-256"), "{refused:?}");
    assert_eq!(client.call("CreateOauth2CredentialProvider", private_key_jwt("ES256")).await.status, 201);
    assert_eq!(kms_keys(&client).await, given);

    let secret = "MIGHAgEAMBMG";
    for (arn, pem, problem) in [
        ("alias/key", pem.clone(), "KMS key \"alias/key\": keyArn: \"alias/key\" is not the ARN of a KMS key"),
        (KMS_KEY, secret.to_owned(), "privateKey: it is not PEM of one unencrypted PRIVATE KEY"),
        (KMS_KEY, pem.replace(secret, "AAAAAAAAAAAA"), "privateKey: it is neither an RSA key"),
    ] {
        let error = refusal(LocalIdentity::builder().kms_key(arn, pem)).await;
        assert!(error.contains(problem) && !error.contains(secret), "{error}");
    }
}
