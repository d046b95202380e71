//! What a client asks of a person.

use serde::{Deserialize, Serialize};

use super::client::Client;
use super::error::OAuthError;
use crate::web::Fields;

const MOST_SCOPES: usize = 100;

/// An authorization request that is as it should be.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct AuthorizationRequest {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    /// The token request has to repeat what the authorization request named, and nothing else.
    pub(super) redirect_uri_was_named: bool,
    pub(super) state: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) nonce: Option<String>,
    pub(super) code_challenge: Option<String>,
    pub(super) audiences: Vec<String>,
}

/// How the person is to be asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Prompt {
    /// Not at all: answer from what is known, or refuse.
    pub(super) nothing: bool,
    /// For the name, even where it is known.
    pub(super) name: bool,
}

/// Where the answer goes, which has to be known before anything else is looked at: an error, too, goes only to a
/// redirect URI that is the client's.
pub(super) fn redirect_uri(client: &Client, fields: &Fields) -> Result<String, OAuthError> {
    match fields.one("redirect_uri")? {
        Some(uri) if client.has_redirect_uri(uri) => Ok(uri.to_owned()),
        Some(_) => Err(OAuthError::invalid_request(
            "the redirect_uri is not the callbackUrl of this client's credential provider, to the letter",
        )),
        None => client.only_redirect_uri().map(str::to_owned).ok_or_else(|| OAuthError::missing("redirect_uri")),
    }
}

impl AuthorizationRequest {
    pub(super) fn read(client: &Client, redirect_uri: String, fields: &Fields) -> Result<Self, OAuthError> {
        for name in ["request", "request_uri"] {
            if fields.one(name)?.is_some() {
                return Err(OAuthError::invalid_request(format!("{name} is not supported here")));
            }
        }
        match fields.one("response_type")? {
            Some("code") => {}
            Some(_) => return Err(OAuthError::unsupported_response_type("response_type must be code")),
            None => return Err(OAuthError::missing("response_type")),
        }
        if fields.one("response_mode")?.is_some_and(|mode| mode != "query") {
            return Err(OAuthError::invalid_request("response_mode must be query"));
        }
        Ok(Self {
            client_id: client.id.clone(),
            redirect_uri_was_named: fields.one("redirect_uri")?.is_some(),
            redirect_uri,
            state: fields.one("state")?.map(str::to_owned),
            scopes: scopes(fields)?,
            nonce: fields.one("nonce")?.map(str::to_owned),
            code_challenge: code_challenge(fields)?,
            audiences: audiences(fields)?,
        })
    }
}

impl Prompt {
    pub(super) fn read(fields: &Fields) -> Result<Self, OAuthError> {
        let mut prompt = Self::default();
        let wanted: Vec<&str> =
            fields.one("prompt")?.unwrap_or_default().split(' ').filter(|p| !p.is_empty()).collect();
        for wish in &wanted {
            match *wish {
                "none" if wanted.len() == 1 => prompt.nothing = true,
                "login" | "select_account" => prompt.name = true,
                "consent" => {}
                _ => {
                    return Err(OAuthError::invalid_request("prompt is none, or some of login consent select_account"));
                }
            }
        }
        Ok(prompt)
    }
}

fn code_challenge(fields: &Fields) -> Result<Option<String>, OAuthError> {
    let method = fields.one("code_challenge_method")?;
    let Some(challenge) = fields.one("code_challenge")? else {
        return match method {
            None => Ok(None),
            Some(_) => Err(OAuthError::missing("code_challenge")),
        };
    };
    if method != Some("S256") {
        return Err(OAuthError::invalid_request("code_challenge_method must be S256"));
    }
    let is_digest = challenge.len() == 43
        && challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if is_digest {
        Ok(Some(challenge.to_owned()))
    } else {
        Err(OAuthError::invalid_request("code_challenge is no SHA-256 digest in base64url"))
    }
}

/// The scopes of a request, each once.
pub(super) fn scopes(fields: &Fields) -> Result<Vec<String>, OAuthError> {
    let mut scopes: Vec<String> = Vec::new();
    for scope in fields.one("scope")?.unwrap_or_default().split(' ').filter(|scope| !scope.is_empty()) {
        if scope.bytes().any(|byte| !matches!(byte, b'!' | b'#'..=b'[' | b']'..=b'~')) {
            return Err(OAuthError::invalid_scope("a scope is of printable ASCII without quotes and backslashes"));
        }
        if !scopes.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        }
    }
    if scopes.len() > MOST_SCOPES {
        return Err(OAuthError::invalid_scope(format!("{} scopes, at most {MOST_SCOPES} allowed", scopes.len())));
    }
    Ok(scopes)
}

/// For whom the token is to be: `resource` of RFC 8707, and `audience`, which several vendors have in its place.
pub(super) fn audiences(fields: &Fields) -> Result<Vec<String>, OAuthError> {
    let mut audiences: Vec<String> = Vec::new();
    for resource in fields.all("resource") {
        let is_absolute = resource.split_once(':').is_some_and(|(scheme, rest)| {
            scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
                && !rest.is_empty()
        });
        if !is_absolute || resource.contains('#') {
            return Err(OAuthError::invalid_target("a resource is an absolute URI without a fragment"));
        }
        audiences.push(resource.to_owned());
    }
    audiences.extend(fields.all("audience").map(str::to_owned));
    audiences.sort();
    audiences.dedup();
    Ok(audiences)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(encoded: &str) -> Fields {
        Fields::parse(encoded.as_bytes())
    }

    #[test]
    fn prompts() {
        let prompt = |text: &str| Prompt::read(&fields(text)).map(|prompt| (prompt.nothing, prompt.name));
        assert_eq!(prompt(""), Ok((false, false)));
        assert_eq!(prompt("prompt=none"), Ok((true, false)));
        assert_eq!(prompt("prompt=login+consent"), Ok((false, true)));
        for bad in ["prompt=none+login", "prompt=create", "prompt=login&prompt=login"] {
            assert_eq!(prompt(bad).unwrap_err().code(), "invalid_request", "{bad}");
        }
    }

    #[test]
    fn only_digests_are_challenges() {
        let digest = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let challenge = |text: &str| code_challenge(&fields(text));
        assert_eq!(challenge(""), Ok(None));
        assert_eq!(
            challenge(&format!("code_challenge={digest}&code_challenge_method=S256")),
            Ok(Some(digest.to_owned()))
        );
        for bad in [
            format!("code_challenge={digest}"),
            format!("code_challenge={digest}&code_challenge_method=plain"),
            "code_challenge=short&code_challenge_method=S256".to_owned(),
            "code_challenge_method=S256".to_owned(),
        ] {
            assert_eq!(challenge(&bad).unwrap_err().code(), "invalid_request", "{bad}");
        }
    }

    #[test]
    fn scopes_are_tokens_and_each_is_there_once() {
        assert_eq!(scopes(&fields("scope=repo+user:email+repo")).unwrap(), ["repo", "user:email"]);
        assert_eq!(scopes(&fields("scope=a%22b")).unwrap_err().code(), "invalid_scope");
        let many = (0..=MOST_SCOPES).map(|n| n.to_string()).collect::<Vec<_>>().join("+");
        assert_eq!(scopes(&fields(&format!("scope={many}"))).unwrap_err().code(), "invalid_scope");
    }

    #[test]
    fn resources_are_absolute_uris() {
        let found = audiences(&fields("resource=https://b&resource=urn:a&audience=c&resource=urn:a")).unwrap();
        assert_eq!(found, ["c", "https://b", "urn:a"]);
        for bad in ["resource=/path", "resource=https://a%23b", "resource=x", "resource=1:a"] {
            assert_eq!(audiences(&fields(bad)).unwrap_err().code(), "invalid_target", "{bad}");
        }
    }
}
