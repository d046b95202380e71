//! JWTs that AWS STS signs.

use std::time::Duration;

use agentcore_identity::{Error, RequestContext, requires_iam_access_token};
use agentcore_identity_local::{Fault, LocalIdentity, Operation};
use agentcore_identity_tests::stage::Stage;
use agentcore_identity_tests::{claims, client};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

#[requires_iam_access_token(
    audience = ["https://api.example", "https://other.example"],
    signing_algorithm = "RS256",
    duration_seconds = 600,
    tags = [("team", team)],
)]
async fn identity(team: &str, access_token: String) -> Result<String, Error> {
    Ok(access_token)
}

#[requires_iam_access_token(audience = "https://api.example")]
async fn brief(access_token: String) -> Result<String, Error> {
    Ok(access_token)
}

fn calls(stage: &Stage) -> usize {
    stage.local.call_count(Operation::GetWebIdentityToken)
}

#[tokio::test(start_paused = true)]
async fn a_jwt_says_what_was_asked_for() {
    let stage = Stage::set().await;
    let agent = RequestContext::builder().client(stage.client.clone()).build();
    let token = agent.scope(identity("search")).await.unwrap();
    let said = claims(&token);
    assert_eq!(said["aud"], serde_json::json!(["https://api.example", "https://other.example"]));
    assert_eq!(said["exp"].as_u64().unwrap() - said["iat"].as_u64().unwrap(), 600);
    assert!(said.to_string().contains(r#""team":"search""#), "{said}");
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header["alg"], "RS256");

    // Nobody's workload token is needed for it, and other claims make another token.
    assert_eq!(agent.scope(identity("search")).await.unwrap(), token);
    assert_eq!((calls(&stage), stage.local.calls().len()), (1, 1));
    assert_ne!(agent.scope(identity("shop")).await.unwrap(), token);
    assert_eq!(calls(&stage), 2);
}

#[tokio::test(start_paused = true)]
async fn it_is_kept_until_a_minute_before_its_end() {
    let stage = Stage::set().await;
    let agent = RequestContext::builder().client(stage.client.clone()).build();
    let first = agent.scope(brief()).await.unwrap();
    // It lives for five minutes, and the machine's own clock has gone on by less than a minute since.
    stage.time.pass(Duration::from_mins(1)).await;
    assert_eq!(agent.scope(brief()).await.unwrap(), first);
    assert_eq!(calls(&stage), 1);
    stage.time.pass(Duration::from_mins(3)).await;
    assert_ne!(agent.scope(brief()).await.unwrap(), first);
    assert_eq!(calls(&stage), 2);
}

#[tokio::test]
async fn an_account_that_has_not_enabled_it_is_told_how() {
    let local = LocalIdentity::builder().outbound_federation(false).start().await.unwrap();
    let agent = RequestContext::builder().client(client(&local)).build();
    let error = agent.scope(brief()).await.unwrap_err();
    assert!(matches!(error, Error::FederationDisabled { .. }) && !error.is_retryable(), "{error:?}");
    assert!(error.to_string().contains("aws iam enable-outbound-web-identity-federation"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn faults_of_sts_are_told_apart() {
    let stage = Stage::set().await;
    let agent = RequestContext::builder().client(stage.client.clone()).build();
    for (fault, is_retryable) in [
        (Fault::Throttle, true),
        (Fault::InternalError, true),
        (Fault::DropConnection, true),
        (Fault::AccessDenied, false),
    ] {
        stage.local.fail_next(Operation::GetWebIdentityToken, 1, fault);
        let error = agent.scope(brief()).await.unwrap_err();
        assert_eq!(error.is_retryable(), is_retryable, "{error:?}");
        if fault == Fault::AccessDenied {
            assert!(error.to_string().contains("`sts:GetWebIdentityToken`"), "{error}");
        }
    }
    agent.scope(brief()).await.unwrap();
}
