use super::*;

fn m2m<'a>(client: &IdentityClient) -> AccessTokenRequest<'a> {
    client.access_token("github").auth_flow(AuthFlow::M2m)
}

#[tokio::test(start_paused = true)]
async fn machine_to_machine_is_one_call_that_says_everything() {
    let service = service(|_, _| token("m2m-1"));
    let client = service.client();
    let request = m2m(&client)
        .scopes(["read", "write"])
        .resources(["https://api.example"])
        .audiences(["api"])
        .custom_parameters([("tenant", "t1")]);
    assert_eq!(as_ada(request).await.unwrap().expose(), "m2m-1");
    let questions = questions(&service);
    assert_eq!(questions.len(), 1);
    assert_eq!(
        questions[0].body,
        json!({
            "workloadIdentityToken": "wat-1",
            "resourceCredentialProviderName": "github",
            "oauth2Flow": "M2M",
            "scopes": ["read", "write"],
            "resources": ["https://api.example"],
            "audiences": ["api"],
            "customParameters": { "tenant": "t1" },
        })
    );
}

#[tokio::test(start_paused = true)]
async fn kept_for_the_same_caller_and_the_same_parameters() {
    let service = service(|_, _| token("m2m-1"));
    let client = service.client();
    let count = async |request: AccessTokenRequest<'_>, context: RequestContext| {
        let before = questions(&service).len();
        context.scope(request.into_future()).await.unwrap();
        questions(&service).len() - before
    };
    assert_eq!(count(m2m(&client), user("ada")).await, 1);
    assert_eq!(count(m2m(&client), user("ada")).await, 0);
    // Nothing about the token depends on these.
    assert_eq!(count(m2m(&client).custom_state("s").callback_url("https://a.example"), user("ada")).await, 0);
    assert_eq!(count(m2m(&client).scopes(["repo"]), user("ada")).await, 1);
    assert_eq!(count(m2m(&client), user("bob")).await, 1);
    // The end of an opaque token is unknown.
    tokio::time::advance(Duration::from_mins(1)).await;
    assert_eq!(count(m2m(&client), user("ada")).await, 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_flow_nothing_is_asked() {
    let service = service(|_, _| token("m2m-1"));
    let error = as_ada(service.client().access_token("github")).await.unwrap_err();
    assert!(matches!(error, Error::InvalidRequest { .. }) && error.to_string().contains("auth_flow"), "{error}");
    assert!(service.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_the_service_would_refuse_is_not_sent() {
    let service = service(|_, _| token("m2m-1"));
    let error = as_ada(m2m(&service.client()).scopes([""])).await.unwrap_err();
    assert!(matches!(error, Error::InvalidRequest { .. }), "{error}");
    assert!(service.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn on_behalf_of_takes_a_jwt() {
    let service = service(|_, _| token("obo-1"));
    let client = service.client();
    let on_behalf = || client.access_token("github").auth_flow(AuthFlow::OnBehalfOfTokenExchange);
    let nobody = RequestContext::builder().workload_name("my-agent").build();
    for (context, found) in [(user("ada"), "a user id"), (nobody, "no user")] {
        let error = context.scope(on_behalf().into_future()).await.unwrap_err();
        let text = error.to_string();
        assert!(
            matches!(error, Error::InvalidRequest { .. }) && text.contains(found) && text.contains("JWT"),
            "{text}"
        );
    }
    assert!(service.requests().is_empty(), "known before asking");

    let jwt = UserIdentifier::UserToken("a.b.c".into());
    let verified = RequestContext::builder().workload_name("my-agent").user(jwt).build();
    assert_eq!(verified.scope(on_behalf().into_future()).await.unwrap().expose(), "obo-1");
    assert_eq!(questions(&service).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn user_federation_takes_a_user() {
    let service = service(|_, _| token("gho-1"));
    let client = service.client();
    let nobody = RequestContext::builder().workload_name("my-agent").build();
    let error = nobody.scope(github(&client).into_future()).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::InvalidRequest { .. }) && text.contains(".user(UserIdentifier::"), "{text}");
    assert!(service.requests().is_empty(), "known before asking");
    // Whom a token from outside is made for, the service knows.
    let given = RequestContext::builder().workload_token("wat").build();
    assert_eq!(given.scope(github(&client).into_future()).await.unwrap().expose(), "gho-1");
}

#[tokio::test(start_paused = true)]
async fn on_behalf_of_with_a_token_from_outside_says_what_the_service_may_mean() {
    let service = service(|_, _| Reply::Refused(400, "ValidationException", "email=ada@example.com"));
    let request = service.client().access_token("github").auth_flow(AuthFlow::OnBehalfOfTokenExchange);
    let given = RequestContext::builder().workload_token("wat").build();
    let error = given.scope(request.into_future()).await.unwrap_err().to_string();
    assert!(error.contains("made from a user's JWT") && !error.contains("ada@"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_stale_workload_token_is_fetched_anew_once() {
    let service = service(|_, request| match request.text("workloadIdentityToken") {
        Some("wat-1") => Reply::Refused(401, "UnauthorizedException", "Token has expired"),
        _ => token("m2m-1"),
    });
    assert_eq!(as_ada(m2m(&service.client())).await.unwrap().expose(), "m2m-1");
    assert_eq!(questions(&service).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_provider_says_how_to_create_it() {
    let service = service(|_, _| Reply::Refused(404, "ResourceNotFoundException", ""));
    let error = as_ada(m2m(&service.client())).await.unwrap_err().to_string();
    assert!(error.contains("create-oauth2-credential-provider --name github"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_put_off_holds_up_nobody() {
    let service = service(|_, _| Reply::After(Duration::from_millis(20), Box::new(token("m2m-1"))));
    let client = service.client();
    let mut set_aside = std::pin::pin!(as_ada(m2m(&client)));
    assert!(!poll_once(set_aside.as_mut()).await);
    assert_eq!(as_ada(m2m(&client)).await.unwrap().expose(), "m2m-1");
    assert_eq!(questions(&service).len(), 1);
}

#[test]
fn a_request_is_send_and_shows_no_secret() {
    let client = IdentityClient::builder().build();
    let request = github(&client).custom_state("secret").custom_parameters([("k", "secret")]).on_auth_url(ignore);
    let text = format!("{request:?} {request:#?}");
    assert!(text.contains("github") && !text.contains("secret"), "{text}");
    drop::<Box<dyn Send>>(Box::new(request.into_future()));
}

#[tokio::test(start_paused = true)]
async fn the_callers_own_workload_token() {
    let service = service(|_, _| token("unused"));
    let client = service.client();
    assert_eq!(as_ada(client.workload_token()).await.unwrap().expose(), "wat-1");
    assert_eq!(as_ada(client.workload_token()).await.unwrap().expose(), "wat-1");
    assert_eq!(service.requests().len(), 1);
    let given = RequestContext::builder().workload_token("given").build();
    assert_eq!(given.scope(client.workload_token()).await.unwrap().expose(), "given");
    assert_eq!(service.requests().len(), 1);
}
