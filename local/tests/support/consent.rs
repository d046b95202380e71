//! The parties of a consent: the workload that asks, and the browser of the person who is asked.

use agentcore_identity_local::LocalIdentity;
use serde_json::{Value, json};
use url::Url;

use super::provider::Provider;
use super::{Answer, Client};

pub(crate) const RETURN_URL: &str = "http://localhost:8081/callback?from=agent";

/// A workload identity with a return URL, and an OAuth2 provider `idp`.
pub(crate) async fn set_up(local: &LocalIdentity, provider_config: Value) -> Client {
    let client = Client::of(local);
    let identity = json!({ "name": "my-agent", "allowedResourceOauth2ReturnUrls": [RETURN_URL] });
    assert_eq!(client.call("UpdateWorkloadIdentity", identity).await.status, 200);
    add_provider(&client, "idp", provider_config).await;
    client
}

pub(crate) async fn add_provider(client: &Client, name: &str, config: Value) -> Value {
    let created = client
        .call(
            "CreateOauth2CredentialProvider",
            json!({
                "name": name,
                "credentialProviderVendor": "CustomOauth2",
                "oauth2ProviderConfigInput": { "customOauth2ProviderConfig": config },
            }),
        )
        .await;
    assert_eq!(created.status, 201, "{created:?}");
    created.json()
}

/// A service with a workload identity, and a scripted provider `idp` that it finds by discovery.
pub(crate) async fn start() -> (LocalIdentity, Client, Provider) {
    let provider = Provider::start().await;
    let local = super::start().await;
    let client = set_up(&local, provider.discovered()).await;
    (local, client, provider)
}

pub(crate) async fn token_for(client: &Client, user: &str) -> String {
    let input = json!({ "workloadName": "my-agent", "userId": user });
    let answer = client.call("GetWorkloadAccessTokenForUserId", input).await;
    answer.json()["workloadAccessToken"].as_str().unwrap().to_owned()
}

/// A request for a token with the consent of the workload token's user.
pub(crate) fn request(workload_token: &str) -> Value {
    json!({
        "workloadIdentityToken": workload_token,
        "resourceCredentialProviderName": "idp",
        "oauth2Flow": "USER_FEDERATION",
        "scopes": ["repo", "user"],
        "resourceOauth2ReturnUrl": RETURN_URL,
        "customState": "application state",
    })
}

pub(crate) async fn get(client: &Client, request: &Value) -> Answer {
    client.call("GetResourceOauth2Token", request.clone()).await
}

/// The access token of an answer that must have one.
pub(crate) async fn token(client: &Client, request: &Value) -> String {
    let answer = get(client, request).await;
    answer.json()["accessToken"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

/// An authorization that has begun.
#[derive(Debug, Clone)]
pub(crate) struct Begun {
    pub(crate) link: String,
    pub(crate) session: String,
    /// The request with which to poll.
    pub(crate) poll: Value,
}

pub(crate) async fn begin(client: &Client, request: &Value) -> Begun {
    let answer = get(client, request).await.json();
    assert_eq!(answer["sessionStatus"], "IN_PROGRESS", "{answer}");
    let (link, session) = (answer["authorizationUrl"].as_str().unwrap(), answer["sessionUri"].as_str().unwrap());
    let mut poll = request.clone();
    poll["sessionUri"] = session.into();
    poll.as_object_mut().unwrap().remove("forceAuthentication");
    Begun { link: link.to_owned(), session: session.to_owned(), poll }
}

/// How the authorization of a poll stands; `None` when the token is there.
pub(crate) async fn status(client: &Client, begun: &Begun) -> Option<String> {
    let answer = get(client, &begun.poll).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["sessionStatus"].as_str().map(str::to_owned)
}

/// A browser that was sent on to the provider.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) to: Url,
    pub(crate) cookie: String,
}

impl Sent {
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        self.to.query_pairs().filter_map(|(found, value)| (found == name).then(|| value.into_owned())).collect()
    }

    pub(crate) fn one(&self, name: &str) -> Option<String> {
        let mut values = self.all(name);
        assert!(values.len() < 2, "{name} is there more than once: {}", self.to);
        values.pop()
    }

    /// Where the provider sends the browser back to, with these parameters and the state.
    pub(crate) fn back(&self, parameters: &[(&str, &str)]) -> String {
        let mut url = Url::parse(&self.one("redirect_uri").unwrap()).unwrap();
        url.query_pairs_mut().extend_pairs(parameters).append_pair("state", &self.one("state").unwrap());
        url.to_string()
    }
}

/// Path and query of a URL on the service.
pub(crate) fn target(client: &Client, url: &str) -> String {
    url.strip_prefix(&format!("http://{}", client.authority)).unwrap_or_else(|| panic!("{url} is elsewhere")).to_owned()
}

/// Follows the application's link.
pub(crate) async fn open(client: &Client, link: &str) -> Sent {
    let answer = client.plain("GET", &target(client, link), &[], "").await;
    assert_eq!(answer.status, 303, "{answer:?}");
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    let to = Url::parse(answer.headers["location"].to_str().unwrap()).unwrap();
    Sent { to, cookie: cookie.split(';').next().unwrap().to_owned() }
}

/// Brings a browser back from the provider.
pub(crate) async fn come_back(client: &Client, sent: &Sent, parameters: &[(&str, &str)]) -> Answer {
    visit(client, &sent.back(parameters), Some(&sent.cookie)).await
}

pub(crate) async fn visit(client: &Client, url: &str, cookie: Option<&str>) -> Answer {
    let headers: Vec<(&str, &str)> = cookie.map(|cookie| ("cookie", cookie)).into_iter().collect();
    client.plain("GET", &target(client, url), &headers, "").await
}

/// Follows the link, and comes back with consent. Returns where the browser is led.
pub(crate) async fn consent(client: &Client, begun: &Begun) -> Url {
    let sent = open(client, &begun.link).await;
    let answer = come_back(client, &sent, &[("code", "code-1")]).await;
    assert_eq!(answer.status, 303, "{answer:?}");
    Url::parse(answer.headers["location"].to_str().unwrap()).unwrap()
}

pub(crate) async fn complete(client: &Client, session: &str, user: &str) -> Answer {
    let input = json!({ "sessionUri": session, "userIdentifier": { "userId": user } });
    client.call("CompleteResourceTokenAuth", input).await
}

/// From the first call to the token in the vault.
pub(crate) async fn authorized(client: &Client, user: &str) -> Value {
    let request = request(&token_for(client, user).await);
    let begun = begin(client, &request).await;
    consent(client, &begun).await;
    assert_eq!(complete(client, &begun.session, user).await.status, 200);
    request
}

pub(crate) fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.to_vec()).unwrap()
}
