use super::Claims;
use crate::cache::{KeyRef, Kind};
use crate::caller::CallerId;
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
    if let Some(secret) = client.cache().get(&key).await {
        tracing::debug_span!(
            "fetch_credential",
            operation = OPERATION.name(),
            cache = "hit",
            outcome = "ok",
            attempts = 0
        );
        return Ok(secret);
    }
    claims.validate()?;
    let owned = client.clone();
    let fetch = Box::pin(async move {
        let ask = Box::pin(owned.service().web_identity_token(&claims));
        owned.through_cache(OPERATION, key, ask).await.0
    });
    client.in_task(fetch).await
}
