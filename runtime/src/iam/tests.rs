use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::SigningAlgorithm;
use crate::scripted::{Reply, Scripted};
use crate::{Error, RequestContext, UserIdentifier};

/// The `n`th JWT, which ends in this many seconds.
fn jwt(n: usize, seconds: u64) -> String {
    let end = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + seconds;
    format!("e30.{}.sig-{n}", URL_SAFE_NO_PAD.encode(format!("{{\"exp\":{end}}}")))
}

fn issued(token: &str) -> Reply {
    Reply::Xml(
        200,
        format!(
            "<GetWebIdentityTokenResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <GetWebIdentityTokenResult><WebIdentityToken>{token}</WebIdentityToken>\
             <Expiration>2030-01-01T00:00:00Z</Expiration></GetWebIdentityTokenResult>\
             <ResponseMetadata><RequestId>req-1</RequestId></ResponseMetadata></GetWebIdentityTokenResponse>"
        ),
    )
}

fn refused(status: u16, code: &str) -> Scripted {
    let body = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>of arn:aws:iam::123456789012:role/agent</Message></Error>\
         <RequestId>req-1</RequestId></ErrorResponse>"
    );
    Scripted::new(move |_| Reply::Xml(status, body.clone()))
}

fn sts(seconds: u64) -> Scripted {
    let issued_so_far = std::sync::atomic::AtomicUsize::new(0);
    Scripted::new(move |_| issued(&jwt(issued_so_far.fetch_add(1, std::sync::atomic::Ordering::Relaxed), seconds)))
}

#[tokio::test(start_paused = true)]
async fn one_call_says_everything() {
    let service = sts(300);
    let client = service.client();
    let request = client
        .iam_access_token(["https://one.example", "https://two.example"])
        .signing_algorithm(SigningAlgorithm::Rs256)
        .duration_seconds(900)
        .tags([("team", "search")]);
    let token = request.await.unwrap();
    assert!(token.expose().ends_with("sig-0"));
    let body = &service.requests()[0].body;
    for (field, value) in [
        ("Action", "GetWebIdentityToken"),
        ("Audience.member.1", "https%3A%2F%2Fone.example"),
        ("Audience.member.2", "https%3A%2F%2Ftwo.example"),
        ("SigningAlgorithm", "RS256"),
        ("DurationSeconds", "900"),
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "search"),
    ] {
        assert_eq!(body[field], value, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn kept_until_a_minute_before_its_end_for_the_whole_process() {
    let service = sts(300);
    let client = service.client();
    let ask = async || client.iam_access_token(["api"]).await.unwrap().expose().to_owned();
    let first = ask().await;
    let ada = RequestContext::builder().workload_name("my-agent").user(UserIdentifier::UserId("ada".into())).build();
    assert_eq!(ada.scope(client.iam_access_token(["api"]).into_future()).await.unwrap().expose(), first);
    client.iam_access_token(["other"]).await.unwrap();
    assert_eq!(service.requests().len(), 2);
    tokio::time::advance(Duration::from_secs(230)).await;
    assert_eq!(ask().await, first);
    tokio::time::advance(Duration::from_secs(15)).await;
    assert_ne!(ask().await, first);
}

#[tokio::test(start_paused = true)]
async fn what_the_service_would_refuse_is_not_sent() {
    let service = sts(300);
    let error = service.client().iam_access_token(["api"]).duration_seconds(30).await.unwrap_err();
    assert!(matches!(error, Error::InvalidRequest { .. }) && error.to_string().contains("60 to 3600"), "{error}");
    assert!(service.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn refusals_say_what_to_do() {
    for (status, code, kind, hint) in [
        (403, "OutboundWebIdentityFederationDisabledException", "FederationDisabled", "enable-outbound"),
        (403, "SessionDurationEscalationException", "InvalidRequest", "duration_seconds"),
        (400, "JWTPayloadSizeExceededException", "InvalidRequest", "tags"),
        (403, "AccessDenied", "AccessDenied", "`sts:GetWebIdentityToken`"),
        (400, "Throttling", "Throttled", "AWS STS throttles"),
        (403, "ExpiredToken", "Configuration", "AWS STS does not accept"),
        (500, "InternalFailure", "Unavailable", "of AWS STS is unavailable"),
    ] {
        let error = refused(status, code).client().iam_access_token(["api"]).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{code}: {error}");
        assert!(error.to_string().contains(hint), "{error}");
        assert!(!format!("{error} {error:?}").contains("123456789012"), "{error:?}");
    }
    let client = Scripted::new(|_| Reply::NoConnection).client();
    let error = client.iam_access_token(["api"]).await.unwrap_err().to_string();
    assert!(error.contains("AWS_ENDPOINT_URL_STS"), "{error}");
}
