use serde_json::json;
use zeroize::Zeroizing;

use super::*;
use crate::service::Input;
use crate::store::Endpoints;

fn at(seconds: u64) -> UnixMillis {
    UnixMillis::from_seconds(seconds)
}

fn owner(user: &str) -> Owner {
    Owner { workload: "my-agent".into(), identity: "id-1".into(), user: User::Id(user.into()) }
}

fn request() -> TokenRequest {
    let members = json!({ "resourceCredentialProviderName": "idp", "oauth2Flow": "USER_FEDERATION", "scopes": [] });
    TokenRequest::read(&mut Input::parse(members.to_string().as_bytes()).unwrap()).unwrap()
}

fn attempt(state: &str) -> Attempt {
    Attempt { state: state.into(), verifier: None, nonce: None }
}

fn registration() -> Registration {
    Registration::new("callback".into(), Some("client-1".into()), Endpoints::Own)
}

fn token() -> StoredToken {
    StoredToken { access_token: Zeroizing::new("at".into()), refresh_token: None, obtained: at(0), expires: None }
}

fn begin(authorizations: &Authorizations, user: &str, seconds: u64) -> String {
    authorizations.begin(owner(user), request(), registration(), at(seconds)).unwrap()
}

#[test]
fn a_developer_sees_what_is_open_the_oldest_first() {
    let authorizations = Authorizations::default();
    let (ada, bob) = (begin(&authorizations, "ada", 0), begin(&authorizations, "bob", 60));
    let failed = begin(&authorizations, "mallory", 0);
    authorizations.fail(&failed, "no");
    let open = authorizations.open(at(90));
    let shown: Vec<_> = open.iter().map(|it| (it.session_uri.as_str(), it.user.as_str(), it.age.as_secs())).collect();
    assert_eq!(shown, [(ada.as_str(), "ada", 90), (bob.as_str(), "bob", 30)]);
    assert_eq!((open[0].workload.as_str(), open[0].provider.as_str()), ("my-agent", "idp"));
    assert!(!format!("{open:?}").contains("urn:"), "{open:?}");
    assert_eq!(authorizations.open(at(600)).len(), 1);
    assert_eq!(authorizations.subject(&bob), Some(("my-agent".into(), "idp".into())));
}

#[test]
fn an_hour_is_remembered_and_no_more_than_fits() {
    let authorizations = Authorizations::default();
    let first = begin(&authorizations, "ada", 0);
    authorizations.send_on(&first, attempt("state-1"), "cookie", at(0)).unwrap();
    assert_eq!(authorizations.poll(&first, &owner("ada"), &request(), at(3599)), Ok(Progress::Failed));
    assert!(authorizations.poll(&first, &owner("ada"), &request(), at(3600)).is_err());
    for _ in 1..MOST {
        begin(&authorizations, "ada", 0);
    }
    let error = authorizations.begin(owner("ada"), request(), registration(), at(0)).unwrap_err();
    assert_eq!((error.code(), error.status()), ("ThrottlingException", 429));
    begin(&authorizations, "ada", 3600);
    let inner = lock(&authorizations.0);
    assert_eq!((inner.all.len(), inner.states.len()), (1, 0));
}

#[test]
fn a_stage_is_gone_through_once() {
    let authorizations = Authorizations::default();
    let uri = begin(&authorizations, "ada", 0);
    let (ada, now) = (UserIdentifier::Id("ada".into()), at(1));
    assert_eq!(authorizations.consented(&uri, token(), now), Err(Refusal::Unknown));
    authorizations.send_on(&uri, attempt("state-1"), "cookie", now).unwrap();
    let back = |cookie: &str| {
        let cookie = Some(cookie.to_owned());
        authorizations.take_back("callback", "state-1", |_| cookie, now)
    };
    assert!(matches!(back("cookie"), Ok(Returned::Answered(..))));
    assert!(matches!(back("cookie"), Ok(Returned::TooSoon)));
    assert_eq!(back("another").err(), Some(Refusal::AnotherBrowser));
    authorizations.fail_open(&uri, "a second visit of the link");
    assert_eq!(authorizations.send_on(&uri, attempt("state-2"), "cookie", now), Err(Refusal::Consented));
    authorizations.consented(&uri, token(), now).unwrap();
    assert_eq!(authorizations.consented(&uri, token(), now), Err(Refusal::Consented));
    assert!(matches!(back("cookie"), Ok(Returned::Done(visited)) if visited.session_uri == uri));
    assert_eq!(back("another").err(), Some(Refusal::AnotherBrowser));
    authorizations.fail_open(&uri, "a second visit of the link");
    assert!(authorizations.confirm(&uri, &ada, now).is_ok());
    assert_eq!(back("cookie").err(), Some(Refusal::Consented));
    assert!(authorizations.confirm(&uri, &ada, now).is_err(), "while the token is being written");
    assert_eq!(authorizations.poll(&uri, &owner("ada"), &request(), now), Ok(Progress::Waiting));
    authorizations.confirmed(&uri);
    authorizations.fail(&uri, "too late");
    assert_eq!(authorizations.poll(&uri, &owner("ada"), &request(), at(700)), Ok(Progress::Completed));
}
