//! Attacks on a consent: each is refused, and the honest user reads what to do.

use agentcore_identity::{Error, UserIdentifier};
use agentcore_identity_local::{EndUser, Operation};
use agentcore_identity_tests::browser::{Browser, Page, parameter, with_parameter};
use agentcore_identity_tests::control::allow_return_url_alone;
use agentcore_identity_tests::stage::{CALLBACK, INTERVAL, PROVIDER, Stage};
use agentcore_identity_tests::{WORKLOAD, claims, user_id};
use aws_sdk_bedrockagentcore::Client;
use aws_sdk_bedrockagentcore::error::ProvideErrorMetadata as _;
use aws_sdk_bedrockagentcore::types::Oauth2FlowType;

use crate::binding::{Application, repositories};

/// Who waits for a token, and the address that their link leads the browser to after `consents` did.
async fn led_back(stage: &Stage, application: &Application, asks: &str, consents: &str) -> (Waiting, String) {
    let context = stage.context().user(user_id(asks)).callback_url(&application.url).build();
    let call = stage.begin(&context, repositories()).await;
    let authorization = stage.link().await;
    let back = stage.local.consent(authorization.url(), consents).await.unwrap();
    (call, back)
}

type Waiting = tokio::task::JoinHandle<Result<String, Error>>;

/// That a call got nothing by the time that nobody can change that any more.
async fn gets_nothing(stage: &Stage, call: Waiting) {
    stage.time.pass(std::time::Duration::from_mins(10)).await;
    let error = stage.outcome(call).await.unwrap_err();
    assert!(matches!(error, Error::AuthorizationTimedOut { .. } | Error::AuthorizationFailed { .. }), "{error:?}");
}

fn completions(stage: &Stage) -> usize {
    stage.local.call_count(Operation::CompleteResourceTokenAuth)
}

fn assert_page(page: &Page, status: u16, heading: &str, advice: &str) {
    assert_eq!((page.status, page.heading()), (status, heading));
    assert!(page.body.contains(advice), "{}", page.body);
    assert!(!page.body.contains("urn:ietf"), "a page does not show the session: {}", page.body);
}

/// Mallory begins, and has Ada consent: Mallory's agent would act in Ada's account.
#[tokio::test(start_paused = true)]
async fn session_fixation() {
    let stage = Stage::set().await;
    let application = Application::serve(&stage).await;
    let (mallory, back) = led_back(&stage, &application, "mallory", "ada").await;
    let page = Browser::of("ada").open(&back).await;
    assert_page(&page, 403, "This was asked of somebody else", "close this window: nothing has been granted to them");
    // Mallory, who comes next with what she knows of the link, finds nothing to take.
    assert_page(&Browser::of("mallory").open(&back).await, 410, "This link is no longer valid", "start again");
    assert_eq!(completions(&stage), 0);
    gets_nothing(&stage, mallory).await;
    // Nor has Ada got anything of it.
    let ada = stage.context_without_handler().user(user_id("ada")).callback_url(&application.url).build();
    assert!(matches!(ada.scope(repositories()).await, Err(Error::AuthorizationRequired(_))));
}

/// The same with an application that completes the session for whoever is signed in: the service refuses it, and throws
/// the token away.
#[tokio::test(start_paused = true)]
async fn session_fixation_against_an_application_that_does_not_look() {
    let stage = Stage::set().await;
    let call = stage.begin(&stage.user("mallory"), repositories()).await;
    let authorization = stage.link().await;
    stage.local.consent(authorization.url(), "ada").await.unwrap();
    let error = stage.client.complete_authorization(authorization.session_uri(), user_id("ada")).await.unwrap_err();
    assert!(matches!(error, Error::AccessDenied { .. } | Error::AuthorizationFailed { .. }), "{error:?}");
    let error = stage.client.complete_authorization(authorization.session_uri(), user_id("mallory")).await.unwrap_err();
    assert!(matches!(error, Error::AccessDenied { .. } | Error::AuthorizationFailed { .. }), "{error:?}");
    stage.time.pass(INTERVAL).await;
    let error = stage.outcome(call).await.unwrap_err();
    assert!(matches!(error, Error::AuthorizationFailed { .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_session_id_is_good_for_one_time() {
    let stage = Stage::set().await;
    let application = Application::serve(&stage).await;
    let (call, back) = led_back(&stage, &application, "ada", "ada").await;
    let mut browser = Browser::of("ada");
    assert_page(&browser.open(&back).await, 200, "Access granted", "You can close this window");
    stage.time.pass(INTERVAL).await;
    stage.outcome(call).await.unwrap();

    for mut replaying in [browser, Browser::of("ada"), Browser::of("mallory"), Browser::default()] {
        let page = replaying.open(&back).await;
        assert_page(&page, 410, "This link is no longer valid", "you will get a new link");
    }
    assert_eq!(completions(&stage), 1);
    let session = parameter(&back, "session_id");
    let error = stage.client.complete_authorization(&session, user_id("ada")).await.unwrap_err();
    assert!(matches!(error, Error::AccessDenied { .. } | Error::AuthorizationFailed { .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_state_that_was_forged() {
    let stage = Stage::set().await;
    let application = Application::serve(&stage).await;
    let (call, back) = led_back(&stage, &application, "ada", "ada").await;
    let right = parameter(&back, "state");
    let (without, _) = back.split_once("&state=").unwrap();
    for forged in [
        with_parameter(&back, "state", "forged"),
        with_parameter(&back, "state", ""),
        with_parameter(&back, "state", &right[1..]),
        without.to_owned(),
    ] {
        let page = Browser::of("ada").open(&forged).await;
        assert_page(&page, 403, "This address does not fit", "nothing has been granted");
    }
    let twice = format!("{back}&state=forged");
    assert_page(&Browser::of("ada").open(&twice).await, 400, "This address is incomplete", "start again from there");
    assert_eq!(completions(&stage), 0);

    // None of that has harmed the user's own way back.
    assert_eq!(Browser::of("ada").open(&back).await.status, 200);
    stage.time.pass(INTERVAL).await;
    stage.outcome(call).await.unwrap();
}

/// The session of one authorization with the state of another, which Mallory began for herself.
#[tokio::test(start_paused = true)]
async fn a_session_with_the_state_of_another() {
    let stage = Stage::set().await;
    let application = Application::serve(&stage).await;
    let (ada, of_ada) = led_back(&stage, &application, "ada", "ada").await;
    let (mallory, of_mallory) = led_back(&stage, &application, "mallory", "mallory").await;
    let mixed = with_parameter(&of_ada, "state", &parameter(&of_mallory, "state"));
    assert_page(&Browser::of("mallory").open(&mixed).await, 403, "This address does not fit", "start again");
    let mixed = with_parameter(&of_mallory, "state", &parameter(&of_ada, "state"));
    assert_page(&Browser::of("ada").open(&mixed).await, 403, "This address does not fit", "start again");
    assert_eq!(completions(&stage), 0);
    gets_nothing(&stage, mallory).await;
    assert!(stage.outcome(ada).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_browser_is_sent_to_no_url_but_those_that_are_allowed() {
    let stage = Stage::set().await;
    for url in [
        "https://evil.example/callback",
        "http://localhost:8082/callback",
        "https://localhost:8081/callback",
        "http://localhost:8081/callback/",
        "http://localhost:8081/callback?next=https://evil.example",
        "http://localhost:8081/callback#",
        "http://localhost:8081/Callback",
        "http://localhost:8081@evil.example/callback",
        "http://localhost:8081/callback/../evil",
    ] {
        let ada = stage.context().user(user_id("ada")).callback_url(url).build();
        let error = ada.scope(repositories()).await.unwrap_err();
        assert!(matches!(error, Error::InvalidRequest { .. }), "{url}: {error:?}");
        assert!(error.to_string().contains("allowedResourceOauth2ReturnUrls`, to the letter"), "{error}");
    }
    assert!(stage.nobody_is_asked().await);
}

/// A custom parameter cannot say where the provider or the service sends the browser, nor who asks.
#[tokio::test(start_paused = true)]
async fn a_custom_parameter_overrides_nothing() {
    let stage = Stage::set().await;
    let evil = "https://evil.example/callback";
    let parameters = ["redirect_uri", "client_id", "state", "response_type", "request_uri", "scope", "code_challenge"];
    let call = {
        let request =
            stage.client.access_token(PROVIDER).scopes(["repo"]).custom_parameters(parameters.map(|name| (name, evil)));
        let request = request.auth_flow(agentcore_identity::AuthFlow::UserFederation);
        stage.begin(&stage.user("ada"), async move { request.await.map(|token| token.expose().to_owned()) }).await
    };
    let authorization = stage.link().await;
    let provider = Browser::default().open(authorization.url()).await.location().to_owned();
    assert!(!provider.contains("evil.example"), "{provider}");
    let back = stage.local.consent(authorization.url(), "ada").await.unwrap();
    assert!(back.starts_with(CALLBACK), "{back}");
    call.abort();
}

/// The return URL is withdrawn while the user consents: nobody is sent there any more.
#[tokio::test(start_paused = true)]
async fn a_return_url_that_was_withdrawn() {
    let stage = Stage::set().await;
    let call = stage.begin(&stage.user("ada"), repositories()).await;
    let authorization = stage.link().await;
    allow_return_url_alone(&stage.local, "https://app.example/callback").await;
    let error = stage.local.consent(authorization.url(), "ada").await.unwrap_err();
    assert!(error.to_string().contains("No access was given"), "{error}");
    stage.time.pass(INTERVAL).await;
    assert!(stage.outcome(call).await.is_err());
}

/// A browser that has consented and not yet brought the provider's answer back, which is the second.
async fn answered(stage: &Stage, user: &str) -> (Browser, String) {
    let mut browser = Browser::default();
    let answer = browser.allow(stage.link().await.url(), user).await;
    assert!(answer.contains("/oauth2/callback/") && answer.contains("code="), "{answer}");
    (browser, answer)
}

/// Mallory has Ada's browser bring Mallory's code: Ada's agent would act in Mallory's account, and tell her what Ada
/// does.
#[tokio::test(start_paused = true)]
async fn code_injection() {
    let stage = Stage::set().await;
    let ada = stage.begin(&stage.user("ada"), repositories()).await;
    let (mut browser, of_ada) = answered(&stage, "ada").await;
    let mallory = stage.begin(&stage.user("mallory"), repositories()).await;
    let (_, of_mallory) = answered(&stage, "mallory").await;

    // With Mallory's state, which belongs to Mallory's browser.
    let page = browser.open(&of_mallory).await;
    assert_page(&page, 400, "Not the browser that began this", "Open the application");
    // With Ada's own state: the code was made for another challenge.
    let injected = with_parameter(&of_ada, "code", &parameter(&of_mallory, "code"));
    let page = browser.open(&injected).await;
    assert_page(&page, 502, "No access was given", "invalid_grant");

    stage.time.pass(INTERVAL).await;
    let error = stage.outcome(ada).await.unwrap_err();
    assert!(matches!(error, Error::AuthorizationFailed { .. }), "{error:?}");
    gets_nothing(&stage, mallory).await;
}

/// A code that Mallory caught on its way is of no use in her browser.
#[tokio::test(start_paused = true)]
async fn an_answer_that_was_stolen() {
    let stage = Stage::set().await;
    let ada = stage.begin(&stage.user("ada"), repositories()).await;
    let authorization = stage.link().await;
    let mut browser = Browser::default();
    let answer = browser.allow(authorization.url(), "ada").await;
    let page = Browser::of("mallory").open(&answer).await;
    assert_page(&page, 400, "Not the browser that began this", "Nothing has been granted");
    // Ada's own browser goes on.
    let back = browser.open(&answer).await;
    assert!(back.location().starts_with(CALLBACK), "{}", back.location());
    assert_eq!(browser.open(&answer).await.location(), back.location(), "a reload leads to the same place");
    stage.client.complete_authorization(authorization.session_uri(), user_id("ada")).await.unwrap();
    let page = browser.open(&answer).await;
    assert_page(&page, 400, "This link was used already", "A link is good for one time");
    stage.time.pass(INTERVAL).await;
    assert_eq!(claims(&stage.outcome(ada).await.unwrap())["sub"], "ada");
}

/// Mallory, who knows Ada's session, polls it with a workload token of her own, by the AWS SDK.
#[tokio::test(start_paused = true)]
async fn a_token_of_one_user_asked_for_by_another() {
    let stage = Stage::set().await;
    let ada = stage.begin(&stage.user("ada"), repositories()).await;
    let authorization = stage.link().await;
    stage.consent(&authorization, "ada").await;
    let aws = Client::new(&stage.local.sdk_config());
    for user in [Some(EndUser::Id("mallory".into())), Some(EndUser::Jwt(stage.local.user_jwt("ada").unwrap())), None] {
        let workload_token = stage.local.issue_workload_token(WORKLOAD, user.clone()).await.unwrap();
        let asked = aws
            .get_resource_oauth2_token()
            .workload_identity_token(workload_token)
            .resource_credential_provider_name(PROVIDER)
            .scopes("repo")
            .oauth2_flow(Oauth2FlowType::UserFederation)
            .resource_oauth2_return_url(CALLBACK)
            .session_uri(authorization.session_uri());
        let error = asked.send().await.unwrap_err().into_service_error();
        assert_eq!(error.code(), Some("ValidationException"), "{user:?}");
        assert!(!error.message().unwrap_or_default().contains("ada"), "{error:?}");
    }
    let mallory = stage.context_without_handler().user(user_id("mallory")).build();
    assert!(matches!(mallory.scope(repositories()).await, Err(Error::AuthorizationRequired(_))));
    stage.time.pass(INTERVAL).await;
    assert_eq!(claims(&stage.outcome(ada).await.unwrap())["sub"], "ada");
}

/// The user id "ada" and a JWT of ada's are two users: nobody has verified the first.
#[tokio::test(start_paused = true)]
async fn a_user_id_is_not_the_user_of_a_jwt() {
    let stage = Stage::set().await;
    stage.consented("ada", repositories()).await.unwrap();
    let jwt = stage.local.user_jwt("ada").unwrap();
    let verified = stage.context_without_handler().user(UserIdentifier::UserToken(jwt.into())).build();
    assert!(matches!(verified.scope(repositories()).await, Err(Error::AuthorizationRequired(_))));
}
