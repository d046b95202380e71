use std::sync::Arc;

use super::Claims;
use crate::cache::{KeyRef, Kind};
use crate::caller::CallerId;
use crate::client::FetchFuture;
use crate::digest::Digest;
use crate::operation::Operation;
use crate::secret::Secret;
use crate::{Error, IdentityClient};

const OPERATION: Operation = Operation::GetWebIdentityToken;

fn key(digest: Digest) -> KeyRef<'static> {
    KeyRef { caller: &CallerId::Process, kind: Kind::IamToken, provider: "", parameters: Some(digest) }
}

/// The token that is kept, else a new one, in one call that all share who want it now.
pub(super) async fn fetch(client: &IdentityClient, claims: Claims) -> Result<Secret, Error> {
    let key = key(claims.digest());
    let claims = Arc::new(claims);
    let fetch = || {
        let (client, claims) = (client.clone(), Arc::clone(&claims));
        Box::pin(async move {
            claims.validate()?;
            client.service().web_identity_token(&claims).await
        }) as FetchFuture
    };
    match client.kept(OPERATION, key, fetch) {
        Some(secret) => Ok(secret),
        None => client.through_cache(OPERATION, key, fetch).await.0,
    }
}
