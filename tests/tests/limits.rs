//! The rooms agree on what a name may be. Each has its own copy of the rule, since none of them may know the others.

use agentcore_identity::{AuthFlow, Error, IdentityClient, RequestContext, SigningAlgorithm};
use agentcore_identity_local::LocalIdentity;
use agentcore_identity_tests::wire::Wire;
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

/// Whether the client sends `request` at all.
fn client_takes<T>(request: impl AsyncFnOnce(IdentityClient) -> Result<T, Error>) -> bool {
    LOCAL.with(|(runtime, _)| {
        let wire = Wire::granting();
        let context: RequestContext = wire.agent();
        let answer = runtime.block_on(context.scope(request(wire.client())));
        match answer {
            Ok(_) => true,
            Err(Error::InvalidRequest { .. }) => false,
            Err(error) => panic!("{error:?}"),
        }
    })
}

/// Texts of all lengths around the limits.
fn texts() -> impl Strategy<Value = String> {
    let around = |max: usize| (max - 1..=max + 1, any::<char>()).prop_map(|(length, c)| String::from(c).repeat(length));
    prop_oneof![
        any::<String>(),
        "[a-zA-Z0-9_.:/=+@-]{0,5}",
        "[a-z]{1,3}[ -~äß٣\n\u{2003}]",
        around(128),
        around(256),
        around(1000),
        around(2048),
        around(4096),
    ]
}

fn urls() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[a-z_-]{0,3}:?/{0,2}[ -~ä\n]{0,4}", "https://[a-z ]{0,5}", "https://[a-z]{2039,2042}",]
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
        prop_assert_eq!(macros::PROVIDER_NAME.check(&name).is_ok(), taken, "macros on {:?}", name);
        prop_assert_eq!(runtime::PROVIDER_NAME.violation(&name).is_none(), taken, "runtime on {:?}", name);
    }

    #[test]
    fn workload_names(name in names()) {
        let taken = service_takes_workload_name(&name);
        prop_assert_eq!(runtime::WORKLOAD_NAME.violation(&name).is_none(), taken, "runtime on {:?}", name);
    }

    #[test]
    fn parameters_of_access_tokens(text in texts()) {
        for (option, macros, runtime) in [
            ("scopes", macros::SCOPE, runtime::SCOPE),
            ("resources", macros::RESOURCE, runtime::RESOURCE),
            ("audiences", macros::AUDIENCE, runtime::RESOURCE),
            ("custom_state", macros::CUSTOM_STATE, runtime::CUSTOM_STATE),
            ("custom_parameters", macros::CUSTOM_PARAMETER_KEY, runtime::CUSTOM_PARAMETER_NAME),
            ("custom_parameters", macros::CUSTOM_PARAMETER_VALUE, runtime::CUSTOM_PARAMETER_VALUE),
        ] {
            prop_assert_eq!(macros.check(&text).is_ok(), runtime.violation(&text).is_none(), "{} of {:?}", option, text);
        }
    }

    #[test]
    fn return_urls(url in urls()) {
        prop_assert_eq!(macros::RETURN_URL.check(&url).is_ok(), runtime::return_url_violation(&url).is_none(), "{:?}", url);
    }

    #[test]
    fn claims_of_jwts(text in texts(), seconds in prop_oneof![0..100_u32, 3500..3700_u32, any::<u32>()]) {
        let audience = client_takes(async |client| client.iam_access_token([&text]).await);
        prop_assert_eq!(macros::IAM_AUDIENCE.check(&text).is_ok(), audience, "audience {:?}", text);
        let key = client_takes(async |client| client.iam_access_token(["a"]).tags([(&text, "v")]).await);
        prop_assert_eq!(macros::TAG_KEY.check(&text).is_ok(), key, "key {:?}", text);
        let value = client_takes(async |client| client.iam_access_token(["a"]).tags([("k", &text)]).await);
        prop_assert_eq!(macros::TAG_VALUE.check(&text).is_ok(), value, "value {:?}", text);
        let duration = client_takes(async |client| client.iam_access_token(["a"]).duration_seconds(seconds).await);
        prop_assert_eq!(macros::DURATION_SECONDS.contains(&seconds), duration, "{} seconds", seconds);
    }
}

#[test]
fn numbers_of_audiences_and_tags() {
    let texts = |n: usize| (0..n).map(|n| format!("t{n}"));
    for n in [0, 1, macros::IAM_AUDIENCES_MAX, macros::IAM_AUDIENCES_MAX + 1] {
        let taken = client_takes(async |client| client.iam_access_token(texts(n)).await);
        assert_eq!((1..=macros::IAM_AUDIENCES_MAX).contains(&n), taken, "{n} audiences");
    }
    for n in [0, macros::TAGS_MAX, macros::TAGS_MAX + 1] {
        let tags = texts(n).map(|key| (key, "v"));
        let taken = client_takes(async |client| client.iam_access_token(["a"]).tags(tags).await);
        assert_eq!(n <= macros::TAGS_MAX, taken, "{n} tags");
    }
}

/// The flows and algorithms that the attributes take in quotes are those of the client, in its spelling.
#[test]
fn names_of_flows_and_algorithms() {
    for flow in ["M2M", "USER_FEDERATION", "ON_BEHALF_OF_TOKEN_EXCHANGE"] {
        assert_eq!(flow.parse::<AuthFlow>().unwrap().as_str(), flow);
    }
    for algorithm in ["ES384", "RS256"] {
        assert_eq!(algorithm.parse::<SigningAlgorithm>().unwrap().as_str(), algorithm);
    }
}
