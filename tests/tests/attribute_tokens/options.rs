//! Every option, on its way into the request.

use std::collections::BTreeMap;

use agentcore_identity::{
    AuthFlow, Error, IdentityClient, PendingAuthorization, SigningAlgorithm, requires_access_token,
    requires_iam_access_token,
};
use agentcore_identity_tests::wire::{Wire, granted};
use serde_json::json;

#[requires_access_token(
    provider = "github",
    scopes = ["repo", "read:user"],
    auth_flow = "USER_FEDERATION",
    resources = ["https://api.example"],
    audiences = ["api", "other"],
    on_auth_url = |_| (),
    callback_url = "https://agent.example/callback",
    force_authentication = true,
    custom_state = "state",
    custom_parameters = [("prompt", "consent"), ("hint", "ada")],
)]
async fn literals(access_token: &str) -> Result<String, Error> {
    Ok(access_token.to_owned())
}

struct Mailbox {
    identity: IdentityClient,
    tenant: String,
    flow: AuthFlow,
    scopes: Vec<String>,
    parameters: BTreeMap<String, String>,
}

impl Mailbox {
    #[requires_access_token(
        provider = format!("mail-{}", self.tenant),
        client = self.identity,
        scopes = self.scopes,
        auth_flow = self.flow,
        resources = urls,
        audiences = [&self.tenant, "other"],
        custom_parameters = self.parameters,
        into = token,
    )]
    async fn unread(&self, urls: &[String], token: &str) -> Result<String, Error> {
        Ok(format!("{token} {}", urls.len()))
    }
}

#[requires_access_token(provider = "github", auth_flow = flow, scopes = [])]
async fn by_name_of_flow(flow: &str, access_token: &str) -> Result<String, Error> {
    Ok(access_token.to_owned())
}

#[requires_iam_access_token(
    audience = "https://a.example",
    signing_algorithm = "RS256",
    duration_seconds = 60,
    tags = [("team", "blue")],
)]
async fn claims(access_token: &str) -> Result<String, Error> {
    Ok(access_token.to_owned())
}

#[requires_iam_access_token(
    audience = audience,
    signing_algorithm = SigningAlgorithm::Es384,
    duration_seconds = minutes * 60,
    tags = vec![("team".to_owned(), team)],
)]
async fn computed_claims(audience: &[&str], minutes: u32, team: &str, access_token: &str) -> Result<String, Error> {
    Ok(access_token.to_owned())
}

#[tokio::test]
async fn literals_are_sent_as_they_are() {
    let wire = Wire::granting();
    assert_eq!(wire.agent().scope(literals()).await.unwrap(), "token");
    assert_eq!(
        wire.sent()[0].json(),
        json!({
            "workloadIdentityToken": "wat",
            "resourceCredentialProviderName": "github",
            "scopes": ["repo", "read:user"],
            "oauth2Flow": "USER_FEDERATION",
            "resourceOauth2ReturnUrl": "https://agent.example/callback",
            "forceAuthentication": true,
            "customParameters": {"prompt": "consent", "hint": "ada"},
            "customState": "state",
            "resources": ["https://api.example"],
            "audiences": ["api", "other"],
        })
    );
}

#[tokio::test]
async fn expressions_are_evaluated_over_the_parameters() {
    let wire = Wire::granting();
    let mailbox = Mailbox {
        identity: wire.client(),
        tenant: "acme".to_owned(),
        flow: AuthFlow::M2m,
        scopes: vec!["mail.read".to_owned()],
        parameters: BTreeMap::from([("tenant".to_owned(), "acme".to_owned())]),
    };
    let urls = ["https://a.example".to_owned()];
    assert_eq!(wire.agent().scope(mailbox.unread(&urls)).await.unwrap(), "token 1");
    assert_eq!(
        wire.sent()[0].json(),
        json!({
            "workloadIdentityToken": "wat",
            "resourceCredentialProviderName": "mail-acme",
            "scopes": ["mail.read"],
            "oauth2Flow": "M2M",
            "customParameters": {"tenant": "acme"},
            "resources": ["https://a.example"],
            "audiences": ["acme", "other"],
        })
    );
}

#[tokio::test]
async fn a_flow_may_be_wrong_at_run_time() {
    let wire = Wire::granting();
    let agent = wire.agent();
    assert_eq!(agent.scope(by_name_of_flow("M2M")).await.unwrap(), "token");
    let error = agent.scope(by_name_of_flow("m2m")).await.unwrap_err();
    assert!(matches!(error, Error::InvalidRequest { .. }), "{error:?}");
    assert_eq!(wire.sent().len(), 1);
}

#[tokio::test]
async fn claims_go_to_aws_sts() {
    let wire = Wire::granting();
    let agent = wire.agent();
    assert_eq!(agent.scope(claims()).await.unwrap(), "jwt");
    assert_eq!(agent.scope(computed_claims(&["a", "b"], 5, "red")).await.unwrap(), "jwt");
    let sent: Vec<String> = wire.sent().into_iter().map(|sent| sent.body).collect();
    for (sent, fields) in sent.iter().zip([
        ["Audience.member.1=https%3A%2F%2Fa.example", "SigningAlgorithm=RS256", "DurationSeconds=60", "Value=blue"],
        ["Audience.member.2=b", "SigningAlgorithm=ES384", "DurationSeconds=300", "Value=red"],
    ]) {
        for field in fields {
            assert!(sent.contains(field), "{field} in {sent}");
        }
    }
}

/// The order in which an option's value is evaluated is that in which it is written.
#[tokio::test]
async fn values_are_evaluated_in_their_order() {
    #[requires_access_token(
        custom_parameters = [("order", note("custom_parameters"))],
        scopes = [note("scopes")],
        provider = note("provider"),
        auth_flow = "M2M",
        audiences = [note("audiences")],
    )]
    async fn noting(note: impl Fn(&'static str) -> &'static str, access_token: &str) -> Result<String, Error> {
        Ok(access_token.to_owned())
    }

    let seen = std::cell::RefCell::new(Vec::new());
    let note = |what| {
        seen.borrow_mut().push(what);
        what
    };
    Wire::granting().agent().scope(noting(note)).await.unwrap();
    assert_eq!(seen.into_inner(), ["provider", "custom_parameters", "scopes", "audiences"]);
}

const PENDING: &str = r#"{
    "authorizationUrl": "https://idp.example/authorize",
    "sessionUri": "urn:ietf:params:oauth:request_uri:session",
    "sessionStatus": "IN_PROGRESS"
}"#;

#[requires_access_token(
    provider = "calendar",
    scopes = ["events.read"],
    auth_flow = "USER_FEDERATION",
    on_auth_url = async |pending: PendingAuthorization| {
        tokio::task::yield_now().await;
        told.lock().unwrap().push(format!("{name}: {}", pending.url()));
    },
)]
async fn agenda(told: &std::sync::Mutex<Vec<String>>, name: String, access_token: String) -> Result<String, Error> {
    Ok(format!("{name} {access_token} {}", told.lock().unwrap().len()))
}

/// The parameters that the handler borrows are there for the body too.
#[tokio::test(start_paused = true)]
async fn a_handler_borrows_from_the_parameters() {
    let wire = Wire::new(|before, sent| if before < 2 { PENDING.to_owned() } else { granted(sent) });
    let told = std::sync::Mutex::new(Vec::new());
    let call = super::assert_send(agenda(&told, "ada".to_owned()));
    assert_eq!(wire.agent().scope(call).await.unwrap(), "ada token 1");
    assert_eq!(told.into_inner().unwrap(), ["ada: https://idp.example/authorize"]);
    assert_eq!(wire.sent().len(), 3);
}
