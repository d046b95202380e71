//! Functions made by `macro_rules!`.

use agentcore_identity::{ApiKey, Error, requires_api_key};
use agentcore_identity_tests::API_KEY;

use crate::{OPENAI, as_agent};

macro_rules! annotated {
    ($vis:vis $name:ident, $provider:expr, $prompt:ident: $prompt_type:ty, $key:ident: $type:ty, $body:block) => {
        #[requires_api_key(provider = $provider, into = $key)]
        $vis async fn $name($prompt: $prompt_type, $key: $type) -> Result<String, Error> $body
    };
    ($item:item) => {
        #[requires_api_key(provider = "openai")]
        $item
    };
}

annotated!(pub(crate) literal, "openai", prompt: &str, key: &str, { Ok(format!("{prompt} {key}")) });
annotated!(expression, ["x", OPENAI][1], prompt: &str, api_key: ApiKey, {
    let key = api_key.expose();
    Ok(format!("{prompt} {key}"))
});
annotated! {
    async fn whole_item(prompt: &str, api_key: &str) -> Result<String, Error> {
        Ok(format!("{prompt} {api_key}"))
    }
}

#[tokio::test]
async fn by_macro_rules() {
    as_agent(async {
        let expected = format!("p {API_KEY}");
        assert_eq!(literal("p").await.unwrap(), expected);
        assert_eq!(expression("p").await.unwrap(), expected);
        assert_eq!(whole_item("p").await.unwrap(), expected);
    })
    .await;
}
