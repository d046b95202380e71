//! JWTs that AWS STS signs.

use aws_sdk_sts::types::Tag;

use super::Service;
use super::failure::{Subject, failure, given};
use crate::Error;
use crate::cache::Fetched;
use crate::iam::Claims;
use crate::operation::Operation;

impl Service {
    pub(crate) async fn web_identity_token(&self, claims: &Claims) -> Result<Fetched, Error> {
        let operation = Operation::GetWebIdentityToken;
        let mut request = self
            .clients
            .sts()
            .await?
            .get_web_identity_token()
            .set_audience(Some(claims.audience.clone()))
            .signing_algorithm(claims.signing_algorithm.as_str())
            .set_duration_seconds(i32::try_from(claims.duration_seconds).ok());
        for (key, value) in &claims.tags {
            let tag = Tag::builder().key(key).value(value).build();
            request =
                request.tags(tag.map_err(|error| Error::invalid_request(format!("a tag is incomplete: {error}")))?);
        }
        let output = request.send().await.map_err(|error| failure(operation, Subject::Federation, error))?;
        let token = output.web_identity_token.unwrap_or_default();
        Ok(Fetched::token(given(operation, Subject::Federation, token)?))
    }
}
