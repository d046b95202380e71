//! The way back to the client.

use super::error::OAuthError;
use crate::web::{Reply, reply};

/// Leads the browser to a redirect URI that is the client's, with the answer in its query. The issuer is in it (RFC
/// 9207), so that a client of several cannot take one's answer for another's.
pub(super) fn back(uri: &str, issuer: &str, state: Option<&str>, answer: &[(&str, &str)]) -> Reply {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(answer);
    query.extend_pairs(state.map(|state| ("state", state)));
    query.append_pair("iss", issuer);
    let separator = if uri.contains('?') { '&' } else { '?' };
    reply::redirect(&format!("{uri}{separator}{}", query.finish()))
}

pub(super) fn with_error(uri: &str, issuer: &str, state: Option<&str>, error: &OAuthError) -> Reply {
    back(uri, issuer, state, &[("error", error.code()), ("error_description", error.description())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_is_escaped() {
        for (uri, expected) in [("http://a/b", "http://a/b?"), ("http://a/b?c=d", "http://a/b?c=d&")] {
            let reply = back(uri, "http://i", Some("x&code=evil\r\n"), &[("code", "1")]);
            let location = reply.headers()["location"].to_str().unwrap();
            assert_eq!(location, format!("{expected}code=1&state=x%26code%3Devil%0D%0A&iss=http%3A%2F%2Fi"));
        }
    }
}
