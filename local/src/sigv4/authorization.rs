//! The `Authorization` header of a signed request.

use crate::error::{Code, ServiceError};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The parts of the header, as the client sent them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Authorization<'a> {
    pub(super) access_key_id: &'a str,
    pub(super) scope: Scope<'a>,
    pub(super) signed_headers: Vec<&'a str>,
    pub(super) signature: &'a str,
}

/// What a signature is good for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scope<'a> {
    pub(super) date: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    pub(super) terminator: &'a str,
}

impl<'a> Authorization<'a> {
    pub(super) fn parse(header: &'a str) -> Result<Self, ServiceError> {
        let (algorithm, parameters) = header.split_once(' ').unwrap_or((header, ""));
        if algorithm != ALGORITHM {
            return Err(incomplete(format!("the Authorization header must begin with {ALGORITHM}")));
        }
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for parameter in parameters.split(',') {
            let (name, value) = parameter.trim().split_once('=').unwrap_or((parameter.trim(), ""));
            let slot = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => {
                    return Err(incomplete(
                        "the Authorization header has a part besides Credential, SignedHeaders and Signature",
                    ));
                }
            };
            if slot.replace(value).is_some() {
                return Err(incomplete(format!("the Authorization header has {name} twice")));
            }
        }
        let part = |name: &str, part: Option<&'a str>| {
            part.filter(|part| !part.is_empty())
                .ok_or_else(|| incomplete(format!("the Authorization header has no {name}")))
        };
        let credential = part("Credential", credential)?;
        let fields: Vec<&str> = credential.split('/').collect();
        let [access_key_id, date, region, service, terminator] = fields[..] else {
            return Err(incomplete(
                "Credential in the Authorization header must be <access key id>/<date>/<region>/<service>/aws4_request",
            ));
        };
        let signed_headers: Vec<&str> = part("SignedHeaders", signed_headers)?.split(';').collect();
        if signed_headers.iter().any(|name| name.is_empty() || name.bytes().any(|b| b.is_ascii_uppercase())) {
            return Err(incomplete(
                "SignedHeaders in the Authorization header must be lower-case names joined by semicolons",
            ));
        }
        if !signed_headers.is_sorted_by(|one, next| one < next) {
            return Err(incomplete(
                "SignedHeaders in the Authorization header must be in alphabetical order, each name once",
            ));
        }
        Ok(Self {
            access_key_id,
            scope: Scope { date, region, service, terminator },
            signed_headers,
            signature: part("Signature", signature)?,
        })
    }
}

pub(super) fn incomplete(message: impl Into<String>) -> ServiceError {
    ServiceError::new(Code::IncompleteSignature, message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "AWS4-HMAC-SHA256 Credential=KEY/20260102/us-east-1/bedrock-agentcore/aws4_request, \
                        SignedHeaders=host;x-amz-date, Signature=00ff";

    #[test]
    fn reads_what_the_sdks_send() {
        for header in [GOOD.to_owned(), GOOD.replace(", ", ",")] {
            let parsed = Authorization::parse(&header).unwrap();
            assert_eq!(parsed.access_key_id, "KEY");
            assert_eq!(parsed.scope.region, "us-east-1");
            assert_eq!(parsed.scope.terminator, "aws4_request");
            assert_eq!(parsed.signed_headers, ["host", "x-amz-date"]);
            assert_eq!(parsed.signature, "00ff");
        }
    }

    #[test]
    fn names_what_is_missing_or_too_much() {
        for (header, expected) in [
            ("Bearer abc".to_owned(), "must begin with AWS4-HMAC-SHA256"),
            (GOOD.replace("Signature=00ff", "Signature="), "has no Signature"),
            (GOOD.replace("Credential=KEY", "Credential=KEY/more"), "Credential in the Authorization header must be"),
            (GOOD.replace("SignedHeaders=host;x-amz-date, ", ""), "has no SignedHeaders"),
            (GOOD.replace("host;", "Host;"), "lower-case"),
            (GOOD.replace("host;", "host;;"), "lower-case"),
            (GOOD.replace("host;x-amz-date", "x-amz-date;host"), "in alphabetical order"),
            (GOOD.replace("host;", "host;host;"), "each name once"),
            (format!("{GOOD}, Signature=11"), "has Signature twice"),
            (format!("{GOOD}, Extra=11"), "has a part besides"),
        ] {
            let error = Authorization::parse(&header).unwrap_err();
            assert_eq!((error.code(), error.status()), ("IncompleteSignatureException", 400));
            assert!(error.message().contains(expected), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_header_breaks_the_parser(header in "(AWS4-HMAC-SHA256 )?[ -~]{0,120}") {
            let _ = Authorization::parse(&header);
        }
    }
}
