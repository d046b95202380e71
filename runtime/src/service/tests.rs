use serde_json::{Value, json};

use crate::scripted::{Reply, Scripted};
use crate::{AuthFlow, Error, IdentityClient, RequestContext};

/// That `ask` says who must have answered, and asks again the next time.
async fn is_refused<T>(service: &Scripted, whose: &str, ask: impl AsyncFn(&IdentityClient) -> Result<T, Error>) {
    let client = service.client();
    for asked in 1..=2 {
        let Err(error) = ask(&client).await else { panic!("an empty credential was handed out") };
        assert!(matches!(error, Error::Configuration { .. }) && !error.is_retryable(), "{error:?}");
        assert!(error.to_string().contains(&format!("is not {whose}")), "{error}");
        assert_eq!(service.requests().len(), asked);
    }
}

/// The AWS SDK fills in an empty text where the answer lacks a member that it should have.
#[tokio::test(start_paused = true)]
async fn an_answer_without_a_credential_is_none() {
    let answers = |empty: Value| [json!({}), empty].map(|body| Scripted::new(move |_| Reply::Json(body.clone())));
    let given = RequestContext::builder().workload_token("wat").build();
    for service in answers(json!({ "apiKey": "" })) {
        let ask = async |client: &IdentityClient| given.scope(client.api_key("openai")).await;
        is_refused(&service, "AgentCore Identity", ask).await;
    }
    let [_, service] = answers(json!({ "accessToken": "" }));
    let request = |client: &IdentityClient| client.access_token("github").auth_flow(AuthFlow::M2m).into_future();
    is_refused(&service, "AgentCore Identity", async |client| given.scope(request(client)).await).await;

    let agent = RequestContext::builder().workload_name("my-agent").build();
    for service in answers(json!({ "workloadAccessToken": "" })) {
        let ask = async |client: &IdentityClient| agent.scope(client.workload_token()).await;
        is_refused(&service, "AgentCore Identity", ask).await;
    }
}

#[cfg(feature = "iam-access-token")]
#[tokio::test(start_paused = true)]
async fn an_answer_of_aws_sts_without_a_token_is_none() {
    for token in ["", "<WebIdentityToken></WebIdentityToken>"] {
        let answer = format!(
            "<GetWebIdentityTokenResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <GetWebIdentityTokenResult>{token}<Expiration>2030-01-01T00:00:00Z</Expiration></GetWebIdentityTokenResult>\
             <ResponseMetadata><RequestId>req-1</RequestId></ResponseMetadata></GetWebIdentityTokenResponse>"
        );
        let service = Scripted::new(move |_| Reply::Xml(200, answer.clone()));
        is_refused(&service, "AWS STS", async |client| client.iam_access_token(["api"]).await).await;
    }
}
