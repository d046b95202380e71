//! The caller's API key.

use super::{Fetch, IdentityClient};
use crate::cache::{KeyRef, Kind};
use crate::caller::Caller;
use crate::operation::Operation;
use crate::{ApiKey, Error, RequestContext};

const OPERATION: Operation = Operation::GetResourceApiKey;

impl IdentityClient {
    /// From `client`, else from the context's or the default one.
    pub(crate) async fn callers_api_key(client: Option<&Self>, provider: &str) -> Result<ApiKey, Error> {
        // One that is kept is there at once, and for that the context is not even cloned.
        let kept = RequestContext::with_current(|context| {
            Self::with_chosen(client, context, |client| client.kept_api_key(context, provider))
        });
        if let Some(kept) = kept {
            return Ok(kept);
        }
        let context = RequestContext::current();
        let client = Self::with_chosen(client, context.as_ref(), Self::clone);
        client.fetched_api_key(context.as_ref(), provider).await
    }

    /// A different API key than `rejected`, if the service has one by now.
    pub(crate) async fn renewed_api_key(client: Option<&Self>, provider: &str, rejected: &ApiKey) -> Option<ApiKey> {
        let context = RequestContext::current();
        let client = Self::with_chosen(client, context.as_ref(), Self::clone);
        let caller = Caller::resolve(context.as_ref(), || client.ambient()).ok()?;
        let fetch = client.ask_for_api_key(context.as_ref(), provider);
        let fresh = client.replacement(OPERATION, key(&caller, provider), fetch, &rejected.0).await.ok()?;
        (!fresh.same_as(&rejected.0)).then_some(ApiKey(fresh))
    }

    /// `None` also where there is a reason why there can be no key, which the fetch then finds too.
    fn kept_api_key(&self, context: Option<&RequestContext>, provider: &str) -> Option<ApiKey> {
        let caller = Caller::resolve(context, || self.ambient()).ok()?;
        let fetch = self.ask_for_api_key(context, provider);
        self.kept(OPERATION, key(&caller, provider), fetch).map(ApiKey)
    }

    async fn fetched_api_key(&self, context: Option<&RequestContext>, provider: &str) -> Result<ApiKey, Error> {
        let caller = Caller::resolve(context, || self.ambient())?;
        let fetch = self.ask_for_api_key(context, provider);
        self.through_cache(OPERATION, key(&caller, provider), fetch).await.0.map(ApiKey)
    }

    fn ask_for_api_key(&self, context: Option<&RequestContext>, provider: &str) -> impl Fetch {
        move || {
            let (client, context, provider) = (self.clone(), context.cloned(), provider.to_owned());
            Box::pin(async move {
                Error::unless_provider_name(&provider)?;
                let (service, provider) = (&client.inner.service, provider.as_str());
                let ask = |token, fetched| async move { service.api_key(&token, provider, fetched).await };
                client.with_workload_token(context.as_ref(), ask).await
            })
        }
    }
}

fn key<'a>(caller: &'a Caller<'_>, provider: &'a str) -> KeyRef<'a> {
    KeyRef { caller: &caller.id, kind: Kind::ApiKey, provider, parameters: None }
}
