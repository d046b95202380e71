//! Each flow, from the annotated function through the client and the local service to its identity provider and back.

use std::sync::Mutex;
use std::time::Duration;

use agentcore_identity::{
    AccessToken, ApiKey, Error, IdentityClient, PendingAuthorization, Polling, RequestContext, RequestContextBuilder,
    UserIdentifier, WorkloadToken, requires_access_token, requires_api_key, requires_iam_access_token,
    requires_workload_token,
};
use agentcore_identity_local::{LocalIdentity, Operation};
use agentcore_identity_tests::{API_KEY, WORKLOAD, sdk_config, user_id};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

const CALLBACK: &str = "https://agent.example/callback";

async fn local() -> LocalIdentity {
    LocalIdentity::builder()
        .workload_identity(WORKLOAD)
        .return_url(WORKLOAD, CALLBACK)
        .api_key("openai", API_KEY)
        .oauth2_provider("github")
        .start()
        .await
        .unwrap()
}

fn client(local: &LocalIdentity) -> IdentityClient {
    // As often as possible, since this is real time.
    let polling = Polling::default().interval(Duration::ZERO).timeout(Duration::from_secs(30));
    IdentityClient::builder().sdk_config(&sdk_config(local)).polling(polling).build()
}

fn agent(local: &LocalIdentity) -> RequestContextBuilder {
    RequestContext::builder().workload_name(WORKLOAD).client(client(local))
}

fn claims(jwt: &str) -> Value {
    let payload = jwt.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn fetches(local: &LocalIdentity) -> usize {
    local.call_count(Operation::GetResourceOauth2Token)
}

mod without_a_user {
    use super::*;

    #[requires_access_token(provider = "github", scopes = ["gist", "repo"], auth_flow = "M2M")]
    async fn as_itself(access_token: &str) -> Result<Value, Error> {
        Ok(claims(access_token))
    }

    #[tokio::test]
    async fn the_agent_has_a_token_of_its_own() {
        let local = local().await;
        let agent = agent(&local).build();
        let claims = agent.scope(as_itself()).await.unwrap();
        assert_eq!(claims["scope"], "gist repo");
        assert_eq!(agent.scope(as_itself()).await.unwrap(), claims);
        assert_eq!(fetches(&local), 1);
    }

    #[requires_access_token(provider = provider, auth_flow = "M2M")]
    async fn from(provider: &str, access_token: String) -> Result<String, Error> {
        Ok(access_token)
    }

    #[tokio::test]
    async fn a_provider_that_is_not_there() {
        let local = local().await;
        let error = agent(&local).build().scope(from("gitlab")).await.unwrap_err();
        assert!(matches!(error, Error::ProviderNotFound { .. }), "{error:?}");
    }
}

mod on_behalf_of_a_user {
    use super::*;

    #[requires_access_token(provider = "github", auth_flow = "ON_BEHALF_OF_TOKEN_EXCHANGE")]
    async fn as_user(access_token: AccessToken) -> Result<Value, Error> {
        Ok(claims(access_token.expose()))
    }

    #[tokio::test]
    async fn their_jwt_is_exchanged() {
        let local = local().await;
        for user in ["ada", "grace"] {
            let jwt = UserIdentifier::UserToken(local.user_jwt(user).unwrap().into());
            let claims = agent(&local).user(jwt).build().scope(as_user()).await.unwrap();
            assert_eq!(claims["sub"], user);
        }
    }

    #[tokio::test]
    async fn a_user_without_a_jwt_has_nothing_to_exchange() {
        let local = local().await;
        let error = agent(&local).user(user_id("ada")).build().scope(as_user()).await.unwrap_err();
        assert!(error.to_string().contains("JWT"), "{error}");
    }
}

mod with_a_users_consent {
    use super::*;

    #[derive(Debug)]
    enum Failure {
        Identity(#[allow(dead_code, reason = "shown when a test fails")] Error),
        Unauthorized,
    }

    impl From<Error> for Failure {
        fn from(error: Error) -> Self {
            Self::Identity(error)
        }
    }

    /// A user at their browser, and the application's page that they come back to.
    struct User<'a> {
        local: &'a LocalIdentity,
        name: &'static str,
        links: Mutex<usize>,
        /// Tokens that the vendor no longer takes.
        refused: Mutex<Vec<String>>,
    }

    impl User<'_> {
        async fn open(&self, pending: PendingAuthorization) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
            *self.links.lock().unwrap() += 1;
            let back = self.local.consent(pending.url(), self.name).await?;
            assert!(back.starts_with(CALLBACK) && back.contains("state=of-the-application"), "{back}");
            client(self.local).complete_authorization(pending.session_uri(), user_id(self.name)).await?;
            Ok(())
        }

        #[requires_access_token(
            provider = "github",
            scopes = ["repo"],
            auth_flow = "USER_FEDERATION",
            callback_url = CALLBACK,
            custom_state = "of-the-application",
            on_auth_url = async |pending: PendingAuthorization| self.open(pending).await,
            retry_if = |error| matches!(error, Failure::Unauthorized),
        )]
        async fn repositories(&self, access_token: String) -> Result<Value, Failure> {
            if self.refused.lock().unwrap().contains(&access_token) {
                return Err(Failure::Unauthorized);
            }
            self.refused.lock().unwrap().push(access_token.clone());
            Ok(claims(&access_token))
        }
    }

    fn user<'a>(local: &'a LocalIdentity, name: &'static str) -> User<'a> {
        User { local, name, links: Mutex::default(), refused: Mutex::default() }
    }

    #[tokio::test]
    async fn the_function_waits_for_it_and_goes_on() {
        let local = local().await;
        for name in ["ada", "grace"] {
            let user = user(&local, name);
            let agent = agent(&local).user(user_id(name)).build();
            let claims = agent.scope(user.repositories()).await.unwrap();
            assert_eq!((&claims["sub"], &claims["scope"]), (&name.into(), &"repo".into()));
            assert_eq!(user.links.into_inner().unwrap(), 1);
        }
    }

    /// The service goes on handing out a token that the vendor refuses, until it is told to discard it.
    #[tokio::test]
    async fn a_token_that_the_vendor_refuses_is_replaced() {
        let local = local().await;
        let user = user(&local, "ada");
        let agent = agent(&local).user(user_id("ada")).build();
        agent.scope(user.repositories()).await.unwrap();
        agent.scope(user.repositories()).await.unwrap();
        assert_eq!(*user.links.lock().unwrap(), 2);
        let refused = user.refused.into_inner().unwrap();
        assert!(refused.len() == 2 && refused[0] != refused[1], "one token was used twice");
    }

    #[requires_access_token(provider = "github", auth_flow = "USER_FEDERATION", callback_url = CALLBACK)]
    async fn without_a_handler(access_token: &str) -> Result<(), Error> {
        assert!(access_token.is_empty(), "there is no token");
        Ok(())
    }

    #[tokio::test]
    async fn without_a_handler_the_caller_gets_the_link() {
        let local = local().await;
        let agent = agent(&local).user(user_id("ada")).build();
        let error = agent.scope(without_a_handler()).await.unwrap_err();
        let Error::AuthorizationRequired(pending) = &error else { panic!("{error:?}") };
        assert!(pending.url().starts_with(local.endpoint_url()), "{}", pending.url());
    }

    #[requires_access_token(
        provider = "github",
        auth_flow = "USER_FEDERATION",
        callback_url = CALLBACK,
        on_auth_url = async |pending: PendingAuthorization| local.deny_consent(pending.url(), "ada").await.map(drop),
    )]
    async fn denied(local: &LocalIdentity, access_token: &str) -> Result<(), Error> {
        assert!(access_token.is_empty(), "there is no token");
        Ok(())
    }

    #[tokio::test]
    async fn a_denial_is_the_end() {
        let local = local().await;
        let error = agent(&local).user(user_id("ada")).build().scope(denied(&local)).await.unwrap_err();
        assert!(matches!(error, Error::AuthorizationFailed { .. }), "{error:?}");
    }
}

#[requires_api_key(provider = "openai")]
#[requires_access_token(provider = "github", auth_flow = "M2M")]
#[requires_iam_access_token(audience = ["https://a.example", "https://b.example"], tags = [("team", "blue")], into = jwt)]
#[requires_workload_token]
async fn all(
    api_key: ApiKey,
    access_token: &str,
    jwt: &str,
    workload_token: WorkloadToken,
) -> Result<(String, Value, Value, usize), Error> {
    Ok((api_key.expose().to_owned(), claims(access_token), claims(jwt), workload_token.expose().len()))
}

#[tokio::test]
async fn one_function_may_have_all() {
    let local = local().await;
    let (api_key, token, jwt, workload_token) = agent(&local).build().scope(all()).await.unwrap();
    assert_eq!(api_key, API_KEY);
    assert!(token["exp"].is_u64(), "{token}");
    assert_eq!(jwt["aud"], serde_json::json!(["https://a.example", "https://b.example"]));
    assert!(jwt.to_string().contains("blue"), "{jwt}");
    assert!(workload_token > 0);
    // The three that need a workload token share one.
    assert_eq!(local.call_count(Operation::GetWorkloadAccessToken), 1);
}
