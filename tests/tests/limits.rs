//! The rooms agree on what a name may be. Each has its own copy of the rule, since none of them may know the others.

use agentcore_identity::{AuthFlow, Error, IdentityClient, RequestContext, SigningAlgorithm};
use agentcore_identity_local::LocalIdentity;
use agentcore_identity_tests::wire::Wire;
use agentcore_identity_tests::{WORKLOAD, sdk_config};
use aws_sdk_bedrockagentcore::Client;
use aws_sdk_bedrockagentcore::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_bedrockagentcore::operation::get_resource_oauth2_token::builders::GetResourceOauth2TokenFluentBuilder as TokenRequest;
use aws_sdk_bedrockagentcore::types::{Oauth2FlowType, UserIdentifier};
use aws_sdk_sts::operation::get_web_identity_token::builders::GetWebIdentityTokenFluentBuilder as JwtRequest;
use aws_sdk_sts::types::Tag;
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
    static AWS: (Client, aws_sdk_sts::Client) = LOCAL.with(|(_, local)| {
        let config = sdk_config(local);
        (Client::new(&config), aws_sdk_sts::Client::new(&config))
    });
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

/// Whether the service has nothing against what `change` puts into a request. It looks at that before it looks at the
/// workload token, which is none.
fn service_takes(change: impl FnOnce(TokenRequest) -> TokenRequest) -> bool {
    LOCAL.with(|(runtime, _)| {
        let request = AWS
            .with(|(aws, _)| aws.get_resource_oauth2_token())
            .workload_identity_token("none")
            .resource_credential_provider_name("github")
            .oauth2_flow(Oauth2FlowType::M2M)
            .set_scopes(Some(Vec::new()));
        let error = runtime.block_on(change(request).send()).unwrap_err().into_service_error();
        match error.code() {
            Some("UnauthorizedException") => true,
            Some("ValidationException") => false,
            _ => panic!("{error:?}"),
        }
    })
}

/// The same for AWS STS.
fn sts_takes(change: impl FnOnce(JwtRequest) -> JwtRequest) -> bool {
    LOCAL.with(|(runtime, _)| {
        let request = AWS.with(|(_, sts)| sts.get_web_identity_token()).signing_algorithm("ES384");
        match runtime.block_on(change(request).send()).map_err(SdkError::into_service_error) {
            Ok(_) => true,
            Err(error) if error.code() == Some("ValidationError") => false,
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

fn uris() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "urn:ietf:params:oauth:request_uri:[a-zA-Z0-9._~-]{0,3}[ -~ä]?",
        "urn:ietf:params:oauth:request_uri:[a-z]{985,995}",
    ]
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
    fn user_ids(text in texts()) {
        let taken = LOCAL.with(|(runtime, _)| {
            let request = AWS.with(|(aws, _)| aws.get_workload_access_token_for_user_id());
            match runtime.block_on(request.workload_name(WORKLOAD).user_id(&text).send()) {
                Ok(_) => true,
                Err(error) if error.code() == Some("ValidationException") => false,
                Err(error) => panic!("{error:?}"),
            }
        });
        prop_assert_eq!(runtime::USER_ID.violation(&text).is_none(), taken, "runtime on {:?}", &text);
    }

    #[test]
    fn parameters_of_access_tokens(text in texts()) {
        type Change = fn(TokenRequest, &str) -> TokenRequest;
        let cases: [(&str, _, _, Change); 6] = [
            ("scopes", macros::SCOPE, runtime::SCOPE, |request, text| request.scopes(text)),
            ("resources", macros::RESOURCE, runtime::RESOURCE, |request, text| request.resources(text)),
            ("audiences", macros::AUDIENCE, runtime::RESOURCE, |request, text| request.audiences(text)),
            ("custom_state", macros::CUSTOM_STATE, runtime::CUSTOM_STATE, |request, text| request.custom_state(text)),
            ("names of custom_parameters", macros::CUSTOM_PARAMETER_KEY, runtime::CUSTOM_PARAMETER_NAME, |request, text| {
                request.custom_parameters(text, "value")
            }),
            (
                "values of custom_parameters",
                macros::CUSTOM_PARAMETER_VALUE,
                runtime::CUSTOM_PARAMETER_VALUE,
                |request, text| request.custom_parameters("name", text),
            ),
        ];
        for (option, macros, runtime, change) in cases {
            let taken = service_takes(|request| change(request, &text));
            prop_assert_eq!(macros.check(&text).is_ok(), taken, "macros on {} of {:?}", option, &text);
            prop_assert_eq!(runtime.violation(&text).is_none(), taken, "runtime on {} of {:?}", option, &text);
        }
    }

    #[test]
    fn return_urls(url in urls()) {
        let taken = service_takes(|request| request.resource_oauth2_return_url(&url));
        prop_assert_eq!(macros::RETURN_URL.check(&url).is_ok(), taken, "macros on {:?}", &url);
        prop_assert_eq!(runtime::return_url_violation(&url).is_none(), taken, "runtime on {:?}", &url);
    }

    #[test]
    fn session_uris(uri in uris()) {
        let taken = LOCAL.with(|(runtime, _)| {
            let request = AWS.with(|(aws, _)| aws.complete_resource_token_auth());
            let request = request.session_uri(&uri).user_identifier(UserIdentifier::UserId("ada".into()));
            let error = runtime.block_on(request.send()).unwrap_err().into_service_error();
            error.code() != Some("ValidationException")
        });
        prop_assert_eq!(runtime::session_uri_violation(&uri).is_none(), taken, "runtime on {:?}", uri);
    }

    #[test]
    fn claims_of_jwts(text in texts(), seconds in prop_oneof![0..100, 3500..3700, 0..i32::MAX]) {
        let taken = sts_takes(|request| request.audience(&text));
        prop_assert_eq!(macros::IAM_AUDIENCE.check(&text).is_ok(), taken, "macros on audience {:?}", &text);
        let sent = client_takes(async |client| client.iam_access_token([&text]).await);
        prop_assert_eq!(sent, taken, "runtime on audience {:?}", &text);

        let taken = sts_takes(|request| request.audience("a").tags(tag(&text, "v")));
        prop_assert_eq!(macros::TAG_KEY.check(&text).is_ok(), taken, "macros on key {:?}", &text);
        let sent = client_takes(async |client| client.iam_access_token(["a"]).tags([(&text, "v")]).await);
        prop_assert_eq!(sent, taken, "runtime on key {:?}", &text);

        let taken = sts_takes(|request| request.audience("a").tags(tag("k", &text)));
        prop_assert_eq!(macros::TAG_VALUE.check(&text).is_ok(), taken, "macros on value {:?}", &text);
        let sent = client_takes(async |client| client.iam_access_token(["a"]).tags([("k", &text)]).await);
        prop_assert_eq!(sent, taken, "runtime on value {:?}", &text);

        let taken = sts_takes(|request| request.audience("a").duration_seconds(seconds));
        let seconds = u32::try_from(seconds).unwrap();
        prop_assert_eq!(macros::DURATION_SECONDS.contains(&seconds), taken, "macros on {} seconds", seconds);
        let sent = client_takes(async |client| client.iam_access_token(["a"]).duration_seconds(seconds).await);
        prop_assert_eq!(sent, taken, "runtime on {} seconds", seconds);
    }
}

#[test]
fn lengths_of_tokens() {
    for length in [0, 1, 131_072, 131_073] {
        let text = "t".repeat(length);
        let taken = service_takes(|request| request.workload_identity_token(&text));
        assert_eq!(runtime::TOKEN.violation(&text).is_none(), taken, "runtime on a token of {length} characters");
    }
}

#[test]
fn numbers_of_audiences_and_tags() {
    let texts = |n: usize| (0..n).map(|n| format!("t{n}"));
    for n in [0, 1, macros::IAM_AUDIENCES_MAX, macros::IAM_AUDIENCES_MAX + 1] {
        let taken = sts_takes(|request| request.set_audience(Some(texts(n).collect())));
        assert_eq!((1..=macros::IAM_AUDIENCES_MAX).contains(&n), taken, "macros on {n} audiences");
        let sent = client_takes(async |client| client.iam_access_token(texts(n)).await);
        assert_eq!(sent, taken, "runtime on {n} audiences");
    }
    for n in [0, macros::TAGS_MAX, macros::TAGS_MAX + 1] {
        let tags = texts(n).map(|key| tag(&key, "v")).collect();
        let taken = sts_takes(|request| request.audience("a").set_tags(Some(tags)));
        assert_eq!(n <= macros::TAGS_MAX, taken, "macros on {n} tags");
        let tags = texts(n).map(|key| (key, "v"));
        let sent = client_takes(async |client| client.iam_access_token(["a"]).tags(tags).await);
        assert_eq!(sent, taken, "runtime on {n} tags");
    }
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build().unwrap()
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
