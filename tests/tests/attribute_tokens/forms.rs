//! The forms of functions and of parameters.

use std::fmt::Display;
use std::sync::Arc;

use agentcore_identity::{
    AccessToken, Error, WorkloadToken, requires_access_token, requires_iam_access_token, requires_workload_token,
};
use agentcore_identity_tests::wire::Wire;
use secrecy::{ExposeSecret, SecretString};

/// Both attributes for each type that a token may be asked for as.
macro_rules! received_as {
    ($(($access:ident, $workload:ident, $access_type:ty, $workload_type:ty, $token:ident => $text:expr)),* $(,)?) => {
        $(
            #[requires_access_token(provider = "github", auth_flow = "M2M", into = $token)]
            async fn $access($token: $access_type) -> Result<String, Error> {
                Ok($text)
            }

            #[requires_workload_token(into = $token)]
            async fn $workload($token: $workload_type) -> Result<String, Error> {
                Ok($text)
            }
        )*

        #[tokio::test]
        async fn a_token_comes_as_it_is_asked_for() {
            let wire = Wire::granting();
            wire.agent()
                .scope(async {
                    $(
                        assert_eq!($access().await.unwrap(), "token");
                        assert_eq!($workload().await.unwrap(), "wat");
                    )*
                })
                .await;
        }
    };
}

received_as! {
    (access_owned, workload_owned, AccessToken, WorkloadToken, token => token.expose().to_owned()),
    (access_borrowed, workload_borrowed, &AccessToken, &WorkloadToken, token => token.expose().to_owned()),
    (access_text, workload_text, &str, &str, token => token.to_owned()),
    (access_string, workload_string, String, String, token => token),
    (access_secret, workload_secret, SecretString, SecretString, token => token.expose_secret().to_owned()),
}

#[requires_workload_token]
async fn by_its_own_name(mut workload_token: String) -> Result<String, Error> {
    workload_token.push('!');
    Ok(workload_token)
}

#[derive(Clone)]
struct Agent {
    provider: String,
}

trait Repositories {
    async fn count(self: Arc<Self>, of: &str) -> Result<String, Error>;

    #[requires_access_token(provider = "github", auth_flow = "M2M")]
    async fn prefix(&self, access_token: &str) -> Result<String, Error> {
        Ok(access_token.to_owned())
    }
}

impl Repositories for Agent {
    #[requires_access_token(provider = self.provider, auth_flow = "M2M")]
    async fn count(self: Arc<Self>, of: &str, access_token: &str) -> Result<String, Error> {
        Ok(format!("{of} {access_token}"))
    }
}

#[requires_access_token(provider = provider, scopes = [scope], auth_flow = "M2M")]
async fn generic<'t, S: AsRef<str>, V: Display, const N: usize>(
    provider: &str,
    scope: S,
    values: [V; N],
    access_token: &'t AccessToken,
) -> Result<impl Display + use<S, V, N>, Box<dyn std::error::Error + Send + Sync>> {
    Ok(format!("{N} {} {}", values[0], access_token.expose()))
}

#[requires_access_token(provider = "github", auth_flow = "M2M")]
#[tracing::instrument]
async fn above_instrument(prompt: &str, access_token: &str) -> Result<String, Error> {
    Ok(format!("{prompt} {access_token}"))
}

#[tracing::instrument]
#[requires_access_token(provider = "github", auth_flow = "M2M")]
async fn below_instrument(prompt: &str, access_token: AccessToken) -> Result<String, Error> {
    Ok(format!("{prompt} {}", access_token.expose()))
}

#[tokio::test]
async fn functions_and_methods() {
    let wire = Wire::granting();
    wire.agent()
        .scope(async {
            let agent = Arc::new(Agent { provider: "github".to_owned() });
            assert_eq!(by_its_own_name().await.unwrap(), "wat!");
            assert_eq!(agent.prefix().await.unwrap(), "token");
            assert_eq!(agent.count("ada").await.unwrap(), "ada token");
            assert_eq!(generic("github", "repo", [1, 2]).await.unwrap().to_string(), "2 1 token");
            assert_eq!(above_instrument("p").await.unwrap(), "p token");
            assert_eq!(below_instrument("p").await.unwrap(), "p token");
        })
        .await;
}

#[requires_iam_access_token(audience = "a", client = Wire::granting().client())]
#[tokio::test]
async fn above_tokio_test(access_token: &str) -> Result<(), Error> {
    assert_eq!(access_token, "jwt");
    Ok(())
}
