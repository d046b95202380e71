//! Machine to machine: the agent asks a service in its own name, with an access token that the service's provider gives
//! to the agent itself. No person is involved.
//!
//! AgentCore Identity runs inside this process, with an identity provider of its own behind the credential provider
//! `inventory`; nothing of the machine's AWS configuration is read.

use agentcore_identity::{AccessToken, Error, IdentityClient, RequestContext, requires_access_token};
use agentcore_identity_local::{LocalIdentity, Operation};

mod claims;

/// Looks up what is in stock; here it only says what the token that it would send is good for.
#[requires_access_token(provider = "inventory", auth_flow = "M2M", scopes = ["stock:read"])]
async fn in_stock(article: &str, access_token: AccessToken) -> Result<String, Error> {
    Ok(format!("{article}: asked {}", claims::of(&access_token)))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let local = LocalIdentity::builder().workload_identity("stock-agent").oauth2_provider("inventory").start().await?;
    let client = IdentityClient::new(&local.sdk_config());
    let context = RequestContext::builder().workload_name("stock-agent").client(client).build();

    context
        .scope(async {
            println!("{}", in_stock("teapots").await?);
            println!("{}", in_stock("kettles").await?);
            Ok::<_, Error>(())
        })
        .await?;

    let asked = local.call_count(Operation::GetResourceOauth2Token);
    println!("\nTwo calls, and {asked} request for a token: it is kept, and renewed before its end.");
    Ok(())
}
