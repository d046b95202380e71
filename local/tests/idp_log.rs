//! Nothing that the identity provider hands out is in a log at the finest level: no code, token, cookie, form or
//! secret.

mod support;

use agentcore_identity_local::LocalIdentity;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use support::browser::{Browser, hidden, location, query};
use support::log::Log;
use support::{Answer, Client};

const SECRET: &str = "client-secret-0123456789";

async fn token(client: &Client, secret: &str, fields: &[(&str, &str)]) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let authorization = format!("Basic {}", STANDARD.encode(format!("web:{secret}")));
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("authorization", authorization.as_str())];
    client.plain("POST", "/idp/token", &headers, &body).await
}

#[tokio::test]
async fn the_log_tells_no_secret_of_a_consent() {
    let log = Log::capture();

    let local = LocalIdentity::builder().start().await.unwrap();
    let client = Client::of(&local);
    let discovery = format!("{}/idp/.well-known/openid-configuration", local.endpoint_url());
    let config = json!({ "oauthDiscovery": { "discoveryUrl": discovery }, "clientId": "web", "clientSecret": SECRET });
    let input = json!({
        "name": "web",
        "credentialProviderVendor": "CustomOauth2",
        "oauth2ProviderConfigInput": { "customOauth2ProviderConfig": config },
    });
    assert_eq!(client.call("CreateOauth2CredentialProvider", input).await.status, 201);

    let mut secrets = vec![SECRET.to_owned()];
    let mut browser = Browser::of(&local);
    let page = browser.sign_in("/idp/authorize?client_id=web&response_type=code&scope=openid&state=s", "ada").await;
    secrets.extend(browser.cookies.values().cloned());
    secrets.push(hidden(&page));
    let sent = browser.post("/idp/consent", &[("form", &hidden(&page)), ("decision", "allow")]).await;
    let code = query(&location(&sent))["code"].clone();
    let redeem = [("grant_type", "authorization_code"), ("code", &*code)];
    let answers = [
        token(&client, SECRET, &redeem).await,
        token(&client, SECRET, &redeem).await,
        token(&client, "wrong-secret-42", &redeem).await,
    ];
    assert_eq!(answers[0].status, 200);
    secrets.push("wrong-secret-42".to_owned());
    for name in ["access_token", "refresh_token", "id_token"] {
        secrets.push(answers[0].json()[name].as_str().unwrap().to_owned());
    }
    let refresh = secrets[secrets.len() - 2].clone();
    token(&client, SECRET, &[("grant_type", "refresh_token"), ("refresh_token", &refresh)]).await;
    secrets.push(local.user_jwt("ada").unwrap());
    secrets.push(code);
    local.shutdown().await;

    let mut texts = vec![log.text()];
    assert!(texts[0].contains("authorization code was used twice"), "the log must have been captured");
    texts.extend(answers[1..].iter().map(|answer| Value::to_string(&answer.json())));
    for secret in &secrets {
        assert!(secret.len() > 10);
        for text in &texts {
            assert!(!text.contains(secret.as_str()), "{secret:?} shows in {text}");
        }
    }
}
