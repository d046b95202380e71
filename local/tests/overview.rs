//! The page at `/`: what it shows, and what it does not.

mod support;

use agentcore_identity_local::{EndUser, LocalIdentity};
use serde_json::json;
use support::Client;
use support::browser::text;

const API_KEY: &str = "sk-local-0123456789";
const CLIENT_SECRET: &str = "client-secret-0123456789";
const RETURN_URL: &str = "http://localhost:8081/callback";

async fn start() -> (LocalIdentity, Client) {
    let local = LocalIdentity::builder()
        .workload_identity("my-agent")
        .return_url("my-agent", RETURN_URL)
        .api_key("openai", API_KEY)
        .oauth2_provider("own")
        .start()
        .await
        .unwrap();
    let client = Client::of(&local);
    let config = json!({ "githubOauth2ProviderConfig": { "clientId": "gh-client", "clientSecret": CLIENT_SECRET } });
    let input =
        json!({ "name": "gh", "credentialProviderVendor": "GithubOauth2", "oauth2ProviderConfigInput": config });
    assert_eq!(client.call("CreateOauth2CredentialProvider", input).await.status, 201);
    (local, client)
}

async fn authorize(client: &Client, token: &str) -> String {
    let input = json!({
        "workloadIdentityToken": token,
        "resourceCredentialProviderName": "own",
        "scopes": ["repo"],
        "oauth2Flow": "USER_FEDERATION",
        "resourceOauth2ReturnUrl": RETURN_URL,
    });
    let request = client.signed("POST", "/identities/oauth2/token", input.to_string().as_bytes());
    client.send(request).await.unwrap().json()["authorizationUrl"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn it_shows_what_there_is_and_no_secret() {
    let (local, client) = start().await;
    let user_jwt = local.user_jwt("ada").unwrap();
    let token = local.issue_workload_token("my-agent", Some(EndUser::Jwt(user_jwt.clone()))).await.unwrap();
    assert_eq!(client.api_key(&token).await.status, 200);
    let url = authorize(&client, &token).await;
    client.call("GetWorkloadIdentity", json!({ "name": "not-there" })).await;

    let page = client.plain("GET", "/", &[], "").await;
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    let shown = text(&page);
    for expected in [
        local.endpoint_url(),
        "us-east-1",
        "my-agent",
        RETURN_URL,
        "openai",
        "GithubOauth2",
        "gh-client",
        "GetResourceApiKey",
        "404 ResourceNotFoundException",
        "for ada",
        &format!("href=\"{}\"", url.replace('&', "&amp;")),
    ] {
        assert!(shown.contains(expected), "{expected} is not in {shown}");
    }
    for (name, value) in local.environment().iter().filter(|(name, _)| !name.contains("ACCESS_KEY")) {
        let line = format!("export {name}={value}\n");
        assert!(*name == "AGENTCORE_WORKLOAD_NAME" || shown.contains(&line), "{line} is not in {shown}");
    }
    for secret in [API_KEY, CLIENT_SECRET, local.secret_access_key(), &token, &user_jwt] {
        assert!(!shown.contains(secret));
    }
    assert!(!shown.contains("<script"));

    let there = local.consent(&url, "ada").await.unwrap();
    assert!(there.starts_with(&format!("{RETURN_URL}?")), "{there}");
}

#[tokio::test]
async fn it_is_for_this_machine_s_people_only() {
    let local = LocalIdentity::builder().allow_remote().start().await.unwrap();
    let client = Client::of(&local);
    for path in ["/", "/idp/.well-known/openid-configuration"] {
        assert_eq!(client.plain("GET", path, &[], "").await.status, 200);
        let rebound = client.plain("GET", path, &[("host", "example.com")], "").await;
        assert_eq!((rebound.status.as_u16(), rebound.error()), (403, "AccessDeniedException"), "{path}");
        let fetched = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors")];
        assert_eq!(client.plain("GET", path, &fetched, "").await.status, 403, "{path}");
    }
    // Whoever checks a token of STS may be anywhere.
    let keys = client.plain("GET", "/sts/.well-known/jwks.json", &[("host", "example.com")], "").await;
    assert_eq!(keys.json()["keys"].as_array().unwrap().len(), 2);
}
