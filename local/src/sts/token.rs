//! What a token is asked for, and what it then says.

use std::time::Duration;

use serde_json::{Value, json};

use super::Sts;
use crate::clock::UnixMillis;
use crate::error::{Code, ServiceError};
use crate::limits;
use crate::place::Place;
use crate::random;
use crate::service::{Input, Output, Service};
use crate::signing::Algorithm;
use crate::store::Tags;

/// The claim that holds all that is not standard.
pub(super) const NAMESPACE: &str = "https://sts.amazonaws.com/";

const DEFAULT_SECONDS: u32 = 300;

/// A token that is wanted.
pub(crate) struct WebIdentity {
    pub(crate) audiences: Vec<String>,
    /// [`Algorithm::Es384`] or [`Algorithm::Rs256`].
    pub(crate) algorithm: Algorithm,
    pub(crate) lifetime: Duration,
    pub(crate) tags: Tags,
}

impl WebIdentity {
    fn read(mut input: Input) -> Result<Self, ServiceError> {
        let audiences = input.optional_list("Audience", &limits::STS_AUDIENCE)?;
        let audiences = audiences.filter(|list| !list.is_empty()).ok_or_else(|| input.required("Audience"))?;
        if audiences.len() > limits::STS_AUDIENCES {
            let (has, most) = (audiences.len(), limits::STS_AUDIENCES);
            return Err(input.invalid("Audience", format!("has {has} entries, at most {most} allowed")));
        }
        let algorithms = [("ES384", Algorithm::Es384), ("RS256", Algorithm::Rs256)];
        let algorithm = input.choice("SigningAlgorithm", &algorithms)?;
        let seconds = input.optional_integer("DurationSeconds", &limits::STS_SECONDS)?.unwrap_or(DEFAULT_SECONDS);
        let lifetime = Duration::from_secs(seconds.into());
        Ok(Self { audiences, algorithm, lifetime, tags: tags(&mut input)? })
    }
}

fn tags(input: &mut Input) -> Result<Tags, ServiceError> {
    let list = input.optional_structures("Tags")?.unwrap_or_default();
    if list.len() > limits::TAGS_PER_RESOURCE {
        let (has, most) = (list.len(), limits::TAGS_PER_RESOURCE);
        return Err(input.invalid("Tags", format!("has {has} entries, at most {most} allowed")));
    }
    let mut tags = Tags::new();
    for mut tag in list {
        let key = tag.text("Key", &limits::STS_TAG_KEY)?;
        let value = tag.text("Value", &limits::STS_TAG_VALUE)?;
        if tags.keys().any(|known| known.to_lowercase() == key.to_lowercase()) {
            return Err(tag.invalid("Key", format!("{} is there twice", limits::quoted(&key))));
        }
        tags.insert(key, value);
    }
    Ok(tags)
}

impl Service {
    pub(crate) async fn get_web_identity_token(&self, input: Input) -> Output {
        let wanted = WebIdentity::read(input)?;
        let (token, end) = self.sts.issue(&self.place, &wanted, self.clock.now()).await?;
        Ok(json!({ "WebIdentityToken": token, "Expiration": end.as_iso() }))
    }
}

impl Sts {
    /// A token that says that its holder is the local service's caller, and when it ends.
    ///
    /// # Errors
    /// `OutboundWebIdentityFederationDisabledException` where the account has not switched the feature on.
    pub(crate) async fn issue(
        &self,
        place: &Place,
        wanted: &WebIdentity,
        now: UnixMillis,
    ) -> Result<(String, UnixMillis), ServiceError> {
        if !self.enabled {
            return Err(ServiceError::new(
                Code::FederationDisabled,
                "Outbound web identity federation is not enabled for this account",
            ));
        }
        let end = now.saturating_add(wanted.lifetime);
        let mut identity = json!({ "aws_account": place.account(), "source_region": place.region() });
        if !wanted.tags.is_empty() {
            identity["request_tags"] = json!(wanted.tags);
        }
        let audience = match &wanted.audiences[..] {
            [one] => Value::from(one.as_str()),
            several => several.into(),
        };
        let claims = json!({
            "iss": self.issuer,
            "aud": audience,
            "sub": place.caller_arn(),
            "iat": now.as_seconds(),
            "exp": end.as_seconds(),
            "jti": random::uuid()?,
            NAMESPACE: identity,
        });
        let key = if wanted.algorithm == Algorithm::Es384 { &self.elliptic } else { self.rsa().await? };
        Ok((key.sign("JWT", &claims)?, end))
    }
}
