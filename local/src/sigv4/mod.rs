//! Whether a request was signed, with AWS Signature Version 4, by one who holds the local secret key.

mod authorization;
mod canonical;

use std::time::{Duration, SystemTime};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName};
use hyper::http::request::Parts;

use crate::credentials::SigningCredentials;
use crate::date;
use crate::digest::sha256_hex;
use crate::error::{Code, ServiceError};
use authorization::{Authorization, Scope, incomplete};
pub(crate) use canonical::decoded;

const TERMINATOR: &str = "aws4_request";
const DATE: &str = "x-amz-date";
const CONTENT_SHA256: &str = "x-amz-content-sha256";

/// How far a client's clock may be off, either way.
const WINDOW: Duration = Duration::from_mins(15);

/// What a signature has to be for.
pub(crate) struct Expected<'a> {
    pub(crate) region: &'a str,
    /// The signing name of the service.
    pub(crate) service: &'a str,
}

/// # Errors
/// The code that AWS gives for the same mistake, with a text that says what was expected. A session token beside
/// the signature is ignored: one left over in the environment from other work gives no right here and takes none.
pub(crate) fn verify(
    parts: &Parts,
    body: &[u8],
    credentials: &SigningCredentials,
    scope: &Expected<'_>,
    now: SystemTime,
) -> Result<(), ServiceError> {
    let header = single(&parts.headers, AUTHORIZATION.as_str())?.ok_or_else(unsigned)?;
    let authorization = Authorization::parse(header)?;
    if authorization.access_key_id != credentials.access_key_id {
        return Err(ServiceError::new(
            Code::UnrecognizedClient,
            format!(
                "The access key id {:?} is not the one of this local service, which is {:?}. \
                 Export the AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY that it printed at its start.",
                shown(authorization.access_key_id),
                credentials.access_key_id
            ),
        ));
    }
    let date_header =
        single(&parts.headers, DATE)?.ok_or_else(|| incomplete("a signed request needs the header x-amz-date"))?;
    let date = date::parse(date_header).ok_or_else(|| {
        incomplete(format!("x-amz-date is {:?}, which is not a time like 20260102T030405Z", shown(date_header)))
    })?;
    check_window(date, now)?;
    check_scope(&authorization.scope, date_header, scope)?;
    if !authorization.signed_headers.contains(&"host") {
        return Err(invalid("The header host must be among the SignedHeaders.".to_owned()));
    }
    let unsigned = parts
        .headers
        .keys()
        .map(HeaderName::as_str)
        .find(|name| name.starts_with("x-amz-") && !authorization.signed_headers.contains(name));
    if let Some(name) = unsigned {
        return Err(invalid(format!(
            "The header {:?} is in the request but not among the SignedHeaders, as every x-amz-* header must be.",
            shown(name)
        )));
    }
    let claimed = single(&parts.headers, CONTENT_SHA256)?;
    if claimed.is_some_and(|claimed| claimed != sha256_hex(body)) {
        return Err(invalid("x-amz-content-sha256 is not the SHA-256 of the body that arrived.".to_owned()));
    }
    let canonical = canonical::request(parts, &authorization.signed_headers, body).map_err(|name| {
        invalid(format!("The header {:?} is among the SignedHeaders but not in the request.", shown(name)))
    })?;
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{date_header}\n{}/{}/{}/{TERMINATOR}\n{}",
        authorization.scope.date,
        scope.region,
        scope.service,
        sha256_hex(&canonical)
    );
    let key = generate_signing_key(&credentials.secret_access_key, date, scope.region, scope.service);
    let expected = calculate_signature(key, to_sign.as_bytes());
    verify_slices_are_equal(expected.as_bytes(), authorization.signature.as_bytes()).map_err(|_| {
        invalid(
            "The signature does not match the request. Either the secret access key is not the one of this local \
             service (export the AWS_SECRET_ACCESS_KEY that it printed at its start), or something changed the \
             request after it was signed."
                .to_owned(),
        )
    })
}

fn check_window(date: SystemTime, now: SystemTime) -> Result<(), ServiceError> {
    let off = now.duration_since(date).unwrap_or_else(|ahead| ahead.duration());
    if off <= WINDOW {
        return Ok(());
    }
    Err(invalid(format!(
        "The request was signed at {} and it is now {}, more than {} minutes apart. Set the client's clock.",
        date::format(date),
        date::format(now),
        WINDOW.as_secs() / 60
    )))
}

fn check_scope(scope: &Scope<'_>, date: &str, expected: &Expected<'_>) -> Result<(), ServiceError> {
    let day = date.get(..8).unwrap_or_default();
    for (part, found, expected) in [
        ("date", scope.date, day),
        ("region", scope.region, expected.region),
        ("service", scope.service, expected.service),
        ("last part", scope.terminator, TERMINATOR),
    ] {
        if found != expected {
            let hint = if part == "region" { " Export AWS_REGION to match." } else { "" };
            return Err(invalid(format!(
                "The credential scope has the {part} {:?} where {expected:?} is expected.{hint}",
                shown(found)
            )));
        }
    }
    Ok(())
}

/// The header's one value; several make it unclear which was meant.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ServiceError> {
    let mut values = headers.get_all(name).iter();
    let value = values.next();
    if values.next().is_some() {
        return Err(incomplete(format!("the header {name} is there more than once")));
    }
    value
        .map(|value| value.to_str().map_err(|_| incomplete(format!("the header {name} is not of ASCII characters"))))
        .transpose()
}

fn unsigned() -> ServiceError {
    ServiceError::new(
        Code::MissingAuthentication,
        "The request is not signed. Export AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION as the local service \
         printed them at its start (LocalIdentity::environment() has them too), and call it with an AWS SDK.",
    )
}

fn invalid(message: String) -> ServiceError {
    ServiceError::new(Code::InvalidSignature, message)
}

fn shown(text: &str) -> &str {
    text.get(..64).unwrap_or(text)
}

#[cfg(test)]
mod tests;
