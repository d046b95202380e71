//! The rooms agree on what a name may be. Each has its own copy of the rule, since none of them may know the others.

use agentcore_identity_local::LocalIdentity;
use proptest::prelude::*;
use tokio::runtime::Runtime;

#[path = "../../macros/src/limits.rs"]
#[allow(dead_code, reason = "belongs to another crate")]
mod macros;
#[path = "../../runtime/src/limits.rs"]
#[allow(dead_code, reason = "belongs to another crate")]
mod runtime;

thread_local! {
    static LOCAL: (Runtime, LocalIdentity) = {
        let runtime = Runtime::new().unwrap();
        let local = runtime.block_on(agentcore_identity_tests::local());
        (runtime, local)
    };
}

/// The local service stands for the service itself.
fn service_takes_provider_name(name: &str) -> bool {
    LOCAL.with(|(runtime, local)| {
        runtime.block_on(async {
            let taken = local.set_api_key(name, "sk-any").await.is_ok();
            if taken {
                local.remove_api_key(name).await.unwrap();
            }
            taken
        })
    })
}

fn service_takes_workload_name(name: &str) -> bool {
    LOCAL.with(|(runtime, local)| {
        runtime.block_on(async {
            let taken = local.add_workload_identity(name).await.is_ok();
            if taken {
                local.remove_workload_identity(name).await.unwrap();
            }
            taken
        })
    })
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9_.-]{0,5}",
        "[a-zA-Z0-9_-]{120,135}",
        "[a-zA-Z0-9_.-]{250,260}",
        "[a-zA-Z0-9_-]{3,8}[ -~äß٣\n]",
        any::<String>(),
    ]
}

proptest! {
    #[test]
    fn provider_names(name in names()) {
        let taken = service_takes_provider_name(&name);
        prop_assert_eq!(macros::provider_name(&name).is_ok(), taken, "macros on {:?}", name);
        prop_assert_eq!(runtime::PROVIDER_NAME.violation(&name).is_none(), taken, "runtime on {:?}", name);
    }

    #[test]
    fn workload_names(name in names()) {
        let taken = service_takes_workload_name(&name);
        prop_assert_eq!(runtime::WORKLOAD_NAME.violation(&name).is_none(), taken, "runtime on {:?}", name);
    }
}
