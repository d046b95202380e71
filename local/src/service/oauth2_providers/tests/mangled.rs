//! Configurations of a request's own shape that are broken anywhere.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{CREATE, custom, private_key_jwt};
use crate::service::Input;
use crate::service::tests::{call, service};

/// A value of the request's own shape in which members are dropped, doubled or of another type.
fn mangled(value: Value) -> BoxedStrategy<Value> {
    let anything = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        "[ -~]{0,40}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
    ];
    match value {
        Value::Object(members) => {
            let members: Vec<_> = members
                .into_iter()
                .map(|(name, value)| (Just(name), proptest::option::weighted(0.95, mangled(value))))
                .collect();
            members
                .prop_map(|members| {
                    Value::Object(members.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
                })
                .boxed()
        }
        value => prop_oneof![9 => Just(value), 1 => anything].boxed(),
    }
}

fn elaborate() -> Value {
    let mut changes = private_key_jwt("ES256");
    changes["onBehalfOfTokenExchangeConfig"] = json!({
        "grantType": "TOKEN_EXCHANGE",
        "tokenExchangeGrantTypeConfig": { "actorTokenContent": "M2M", "actorTokenScopes": ["a"] },
        "onBehalfOfAuthenticationConfig": { "clientAuthenticationMethod": "NO_CLIENT" },
    });
    custom(changes)
}

proptest! {
    #[test]
    fn no_configuration_makes_the_service_fail(input in mangled(elaborate())) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let service = service();
        let _ = service.subject(CREATE, &Input::parse(input.to_string().as_bytes()).unwrap());
        if let Err(error) = runtime.block_on(call(&service, CREATE, input)) {
            prop_assert!(error.status() < 500, "{}", error);
        }
    }
}
