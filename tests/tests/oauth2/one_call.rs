//! Flows that nobody waits in.

use std::time::Duration;

use agentcore_identity::{Error, UserIdentifier, requires_access_token};
use agentcore_identity_local::{EndUser, Operation};
use agentcore_identity_tests::stage::{PROVIDER, Stage};
use agentcore_identity_tests::{WORKLOAD, claims};

#[requires_access_token(provider = PROVIDER, scopes = [scope], auth_flow = "M2M")]
async fn machine(scope: &str, access_token: String) -> Result<String, Error> {
    Ok(access_token)
}

#[requires_access_token(
    provider = PROVIDER,
    scopes = ["repo"],
    audiences = ["https://api.example"],
    auth_flow = "ON_BEHALF_OF_TOKEN_EXCHANGE",
)]
async fn on_behalf(access_token: String) -> Result<String, Error> {
    Ok(access_token)
}

#[requires_access_token(provider = PROVIDER, scopes = ["repo"], auth_flow = "USER_FEDERATION")]
async fn of_user(access_token: String) -> Result<String, Error> {
    Ok(access_token)
}

#[tokio::test(start_paused = true)]
async fn a_machine_has_a_token_of_its_own() {
    let stage = Stage::set().await;
    let agent = stage.context().build();
    let token = agent.scope(machine("repo")).await.unwrap();
    let said = claims(&token);
    assert_eq!((&said["sub"], &said["scope"]), (&said["client_id"], &"repo".into()));
    assert_eq!(stage.questions(), 1);

    assert_eq!(agent.scope(machine("repo")).await.unwrap(), token, "kept");
    assert_eq!(stage.questions(), 1);
    assert_eq!(claims(&agent.scope(machine("user")).await.unwrap())["scope"], "user", "another token");
    assert_eq!(stage.questions(), 2);
    assert!(stage.nobody_is_asked().await);
}

#[tokio::test(start_paused = true)]
async fn a_token_on_behalf_of_the_user_of_a_jwt() {
    let stage = Stage::set().await;
    let jwt = stage.local.user_jwt("ada").unwrap();
    let ada = stage.context().user(UserIdentifier::UserToken(jwt.into())).build();
    let said = claims(&ada.scope(on_behalf()).await.unwrap());
    assert_eq!(
        (&said["sub"], &said["scope"], &said["aud"]),
        (&"ada".into(), &"repo".into(), &"https://api.example".into())
    );
    assert_eq!(said["act"]["sub"], said["client_id"], "the agent acts for the user");
    ada.scope(on_behalf()).await.unwrap();
    assert_eq!(stage.questions(), 1);
    assert!(stage.nobody_is_asked().await);
}

#[tokio::test(start_paused = true)]
async fn without_a_jwt_there_is_nobody_to_act_on_behalf_of() {
    let stage = Stage::set().await;
    for (context, found) in [(stage.context().build(), "no user"), (stage.user("ada"), "a user id")] {
        let error = context.scope(on_behalf()).await.unwrap_err();
        assert!(matches!(error, Error::InvalidRequest { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains(found) && text.contains("UserIdentifier::UserToken"), "{text}");
    }
    assert_eq!(stage.local.calls(), [], "nothing to ask for");
}

/// What a token that was handed in is made from, only the service knows.
#[tokio::test(start_paused = true)]
async fn a_workload_token_that_was_not_made_from_a_jwt_is_refused_by_the_service() {
    let stage = Stage::set().await;
    let token = stage.local.issue_workload_token(WORKLOAD, Some(EndUser::Id("ada".into()))).await.unwrap();
    let error = stage.context().workload_token(token).build().scope(on_behalf()).await.unwrap_err();
    assert!(matches!(error, Error::InvalidRequest { .. }), "{error:?}");
    assert!(error.to_string().contains("made from a user's JWT only"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_token_in_the_vault_is_one_call() {
    let stage = Stage::set().await;
    let token = stage.consented("ada", of_user()).await.unwrap();
    assert_eq!(claims(&token)["sub"], "ada");

    stage.local.clear_calls();
    let another_process = stage.client(|builder| builder);
    let ada = stage.context().user(agentcore_identity_tests::user_id("ada")).client(another_process).build();
    assert_eq!(ada.scope(of_user()).await.unwrap(), token);
    assert_eq!(stage.questions(), 1);
    assert!(stage.nobody_is_asked().await);
}

/// The vault renews what nears its end, and the user does not notice.
#[tokio::test(start_paused = true)]
async fn a_token_that_has_ended_is_refreshed_by_the_vault() {
    let stage = Stage::set().await;
    let first = stage.consented("ada", of_user()).await.unwrap();
    stage.local.advance_clock(Duration::from_hours(2));
    stage.time.pass(Duration::from_hours(1)).await;
    let second = stage.user("ada").scope(of_user()).await.unwrap();
    assert_ne!(first, second);
    assert_eq!(claims(&second)["sub"], "ada");
    assert!(stage.nobody_is_asked().await);
    assert_eq!(stage.local.call_count(Operation::CompleteResourceTokenAuth), 1);
}
