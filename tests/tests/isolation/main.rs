//! Many callers share one client, and no call ever receives a credential that is not its caller's.

mod access_tokens;
mod api_keys;
mod callers;

use agentcore_identity::CachePolicy;
use agentcore_identity_local::Fault;
use proptest::prelude::*;

fn faults() -> impl Strategy<Value = Fault> {
    proptest::sample::select(vec![
        Fault::Throttle,
        Fault::InternalError,
        Fault::DropConnection,
        Fault::RejectToken,
        Fault::AccessDenied,
    ])
}

fn policies() -> impl Strategy<Value = CachePolicy> {
    proptest::sample::select(vec![
        CachePolicy::default(),
        // So small that entries come and go all the time.
        CachePolicy::default().max_entries(4),
        CachePolicy::disabled(),
    ])
}
