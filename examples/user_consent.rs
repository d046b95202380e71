//! A user's consent: the agent wants to act in a user's account, so the user opens a link, signs in, and consents. The
//! annotated function waits for it and goes on.
//!
//! AgentCore Identity runs inside this process, with an identity provider of its own where any name signs in; nothing
//! of the machine's AWS configuration is read. The browser comes back to a listener on this machine, which tells the
//! service that it is the right user's.

use agentcore_identity::session_binding::LoopbackListener;
use agentcore_identity::{
    AccessToken, Error, IdentityClient, PendingAuthorization, RequestContext, UserIdentifier, requires_access_token,
};
use agentcore_identity_local::LocalIdentity;

mod claims;

fn show(link: &str) {
    println!("Open this link, sign in by any name, and consent:\n\n  {link}\n");
}

/// Lists a user's repositories; here it only says what the token that it would send is good for.
#[requires_access_token(
    provider = "github",
    auth_flow = "USER_FEDERATION",
    scopes = ["repo"],
    on_auth_url = |authorization: PendingAuthorization| show(authorization.url())
)]
async fn repositories(access_token: AccessToken) -> Result<String, Error> {
    Ok(claims::of(&access_token))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let local = LocalIdentity::builder().workload_identity("repo-agent").oauth2_provider("github").start().await?;
    let client = IdentityClient::new(&local.sdk_config());

    let user = UserIdentifier::UserId("ada".into());
    let listener = LoopbackListener::bind(&client, user.clone(), 0).await?;
    local.allow_return_url("repo-agent", listener.callback_url()).await?;

    let context = RequestContext::builder()
        .workload_name("repo-agent")
        .user(user)
        .callback_url(listener.callback_url())
        .client(client)
        .build();
    context
        .scope(async {
            println!("asked {}", repositories().await?);
            println!("Again, and nobody is asked: {}", repositories().await?);
            Ok::<_, Error>(())
        })
        .await?;
    Ok(())
}
