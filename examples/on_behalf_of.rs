//! On behalf of a user: the application has the user's JWT from its own sign-in, and the agent gets an access token for
//! another service in exchange for it. The user is not asked again.
//!
//! AgentCore Identity runs inside this process, with an identity provider of its own that has signed in both users;
//! nothing of the machine's AWS configuration is read.

use agentcore_identity::{AccessToken, Error, IdentityClient, RequestContext, UserIdentifier, requires_access_token};
use agentcore_identity_local::LocalIdentity;

mod claims;

/// Reads a user's calendar; here it only says whose token it would send.
#[requires_access_token(
    provider = "calendar",
    auth_flow = "ON_BEHALF_OF_TOKEN_EXCHANGE",
    scopes = ["events:read"]
)]
async fn appointments(access_token: AccessToken) -> Result<String, Error> {
    Ok(claims::of(&access_token))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let local =
        LocalIdentity::builder().workload_identity("calendar-agent").oauth2_provider("calendar").start().await?;
    let client = IdentityClient::new(&local.sdk_config());

    for user in ["ada", "grace"] {
        let signed_in = UserIdentifier::UserToken(local.user_jwt(user)?.into());
        let context =
            RequestContext::builder().workload_name("calendar-agent").user(signed_in).client(client.clone()).build();
        println!("for {user}: asked {}", context.scope(appointments()).await?);
    }

    // Without a JWT there is nothing to exchange, and the error says so.
    let nobody = RequestContext::builder().workload_name("calendar-agent").client(client).build();
    if let Err(error) = nobody.scope(appointments()).await {
        println!("for nobody: {error}");
    }
    Ok(())
}
