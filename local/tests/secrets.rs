//! No secret leaves by a side door: not in a log at the finest level, not in `Debug`, not in the log of calls, not in
//! an error.

mod support;

use agentcore_identity_local::{EndUser, LocalIdentity};
use serde_json::{Value, json};
use support::log::Log;
use support::{Client, builder, jwt};

#[tokio::test]
async fn no_secret_in_any_text() {
    let log = Log::capture();

    let keys = ["sk-first-key-0001", "sk-second-key-0002", "sk-third-key-0003", "sk-fourth-key-0004"];
    let client_secrets = ["cs-first-secret-0005", "cs-second-secret-0006"];
    let provider = |name: Value, secret: Value| {
        json!({
            "name": name,
            "credentialProviderVendor": "GithubOauth2",
            "oauth2ProviderConfigInput": { "githubOauth2ProviderConfig": { "clientId": "id", "clientSecret": secret } },
        })
    };
    let directory = tempfile::tempdir().unwrap();
    let seeds = builder().api_key("openai", keys[0]).data_dir(directory.path().join("data"));
    let mut texts = vec![format!("{seeds:?}")];
    let local: LocalIdentity = seeds.start().await.unwrap();
    let client = Client::of(&local);
    let jwt = jwt::of("ada");

    let token = client.token().await;
    let for_jwt = client
        .call("GetWorkloadAccessTokenForJWT", json!({ "workloadName": "my-agent", "userToken": jwt }))
        .await
        .json()["workloadAccessToken"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(client.api_key(&for_jwt).await.status, 200);
    client.call("CreateApiKeyCredentialProvider", json!({ "name": "other", "apiKey": keys[1] })).await;
    client.call("UpdateApiKeyCredentialProvider", json!({ "name": "other", "apiKey": keys[2] })).await;
    local.set_api_key("openai", keys[3]).await.unwrap();
    for (operation, secret) in
        ["CreateOauth2CredentialProvider", "UpdateOauth2CredentialProvider"].into_iter().zip(client_secrets)
    {
        let answer = client.call(operation, provider(json!("github"), json!(secret))).await;
        assert!(answer.status.is_success(), "{answer:?}");
        texts.push(format!("{answer:?}"));
    }
    for (operation, input) in
        [("GetOauth2CredentialProvider", json!({ "name": "github" })), ("ListOauth2CredentialProviders", json!({}))]
    {
        texts.push(format!("{:?}", client.call(operation, input).await));
    }

    // Every way to go wrong with a secret in hand.
    let answers = [
        client.call("CreateApiKeyCredentialProvider", json!({ "name": "bad name", "apiKey": keys[1] })).await,
        client.call("CreateApiKeyCredentialProvider", json!({ "name": "n", "apiKey": [keys[1]] })).await,
        client.call("CreateApiKeyCredentialProvider", json!({ "name": "other", "apiKey": keys[1] })).await,
        client.call("UpdateApiKeyCredentialProvider", json!({ "name": "none", "apiKey": keys[1] })).await,
        client.call("GetWorkloadAccessTokenForJWT", json!({ "workloadName": "x", "userToken": jwt })).await,
        client.call("GetWorkloadAccessTokenForJWT", json!({ "workloadName": "my-agent", "userToken": [jwt] })).await,
        client
            .call("GetWorkloadAccessTokenForJWT", json!({ "workloadName": "my-agent", "userToken": &jwt[1..] }))
            .await,
        client.call("CreateOauth2CredentialProvider", provider(json!("bad name"), json!(client_secrets[0]))).await,
        client.call("CreateOauth2CredentialProvider", provider(json!("github"), json!(client_secrets[0]))).await,
        client.call("CreateOauth2CredentialProvider", provider(json!("n"), json!([client_secrets[0]]))).await,
        client.call("CreateOauth2CredentialProvider", provider(json!("n"), json!(client_secrets[0].repeat(110)))).await,
        client.api_key(&format!("{token}x")).await,
        client.api_key(&token[1..]).await,
        Client { secret_access_key: "wrong".into(), ..client.clone() }.api_key(&token).await,
        client
            .send(client.signed("POST", "/identities/api-key", format!("{{\"apiKey\": \"{}\",}}", keys[1]).as_bytes()))
            .await
            .unwrap(),
    ];
    for answer in answers {
        assert!(answer.status.is_client_error(), "{answer:?}");
        texts.push(answer.message());
        texts.push(format!("{answer:?}"));
    }
    for user in [EndUser::Jwt(jwt.clone()), EndUser::Jwt(jwt[1..].to_owned())] {
        texts.push(format!("{user:?}"));
        if let Err(error) = local.issue_workload_token("my-agent", Some(user)).await {
            texts.push(format!("{error} {error:?}"));
        }
    }
    texts.push(format!("{:?}", local.set_api_key("bad name", keys[3]).await));
    texts.push(format!("{local:?} {local:#?}"));
    texts.push(format!("{:?}", local.calls()));
    texts.push(client.plain("GET", "/_local/calls", &[], "").await.json().to_string());
    let secret = local.secret_access_key().to_owned();
    local.shutdown().await;
    let log = log.text();
    assert!(log.contains("GetResourceApiKey"), "the log must have been captured");
    texts.push(log);

    let payload = jwt.split('.').nth(1).unwrap();
    for secret in keys.iter().copied().chain(client_secrets).chain([secret.as_str(), &token, &for_jwt, payload]) {
        for text in &texts {
            assert!(!text.contains(secret), "{secret:?} shows in {text}");
        }
    }
}
