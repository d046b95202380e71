//! What the service accepts as names and tokens, checked before a request is sent: the service answers a bad name
//! with a `ValidationException` that does not say which argument of which function it was.

/// The bounds of one field of the service.
#[derive(Clone, Copy)]
pub(crate) struct Limit {
    min: usize,
    max: usize,
    /// Allowed beside ASCII letters and digits; `None` where every character is.
    punctuation: Option<&'static str>,
}

pub(crate) const PROVIDER_NAME: Limit = Limit { min: 1, max: 128, punctuation: Some("-_") };
pub(crate) const WORKLOAD_NAME: Limit = Limit { min: 3, max: 255, punctuation: Some("_.-") };
pub(crate) const USER_ID: Limit = Limit { min: 1, max: 128, punctuation: None };
pub(crate) const TOKEN: Limit = Limit { min: 1, max: 131_072, punctuation: None };
pub(crate) const SCOPE: Limit = Limit { min: 1, max: 128, punctuation: None };
pub(crate) const RESOURCE: Limit = Limit { min: 1, max: 2048, punctuation: None };
pub(crate) const CUSTOM_STATE: Limit = Limit { min: 1, max: 4096, punctuation: None };
pub(crate) const CUSTOM_PARAMETER_NAME: Limit = Limit { min: 1, max: 256, punctuation: Some("-_.") };
pub(crate) const CUSTOM_PARAMETER_VALUE: Limit = Limit { min: 1, max: 2048, punctuation: None };
const RETURN_URL: Limit = Limit { min: 1, max: 2048, punctuation: None };
const SESSION_URI: Limit = Limit { min: 1, max: 1024, punctuation: None };
const SESSION_URI_PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

impl Limit {
    /// What is wrong with `value`, as the end of a sentence that begins with its name; never the value itself.
    pub(crate) fn violation(self, value: &str) -> Option<String> {
        let length = value.chars().count();
        if !(self.min..=self.max).contains(&length) {
            return Some(format!("has {length} characters; the service takes {} to {}", self.min, self.max));
        }
        let punctuation = self.punctuation?;
        let refused = value.chars().find(|c| !c.is_ascii_alphanumeric() && !punctuation.contains(*c))?;
        Some(format!(
            "contains {refused:?}; the service takes letters, digits and {}",
            punctuation.chars().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(", ")
        ))
    }
}

/// What is wrong with `url` as a return URL, in the words of [`Limit::violation`].
pub(crate) fn return_url_violation(url: &str) -> Option<String> {
    if let Some(violation) = RETURN_URL.violation(url) {
        return Some(violation);
    }
    let fits = url.split_once(':').is_some_and(|(scheme, rest)| {
        !scheme.is_empty()
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !rest.is_empty()
            && !rest.chars().any(char::is_whitespace)
    });
    (!fits).then(|| "is no URL; the service takes one such as `https://app.example/oauth2/callback`".to_owned())
}

/// What is wrong with `uri` as a session URI, in the words of [`Limit::violation`].
pub(crate) fn session_uri_violation(uri: &str) -> Option<String> {
    if let Some(violation) = SESSION_URI.violation(uri) {
        return Some(violation);
    }
    let fits = uri.strip_prefix(SESSION_URI_PREFIX).is_some_and(|id| {
        !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~'))
    });
    (!fits).then(|| format!("does not begin with `{SESSION_URI_PREFIX}` and go on in letters, digits and `-._~`"))
}

/// As much of a value as helps to find it.
pub(crate) fn excerpt(value: &str) -> String {
    const LONGEST: usize = 64;
    match value.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_inclusive() {
        for limit in [PROVIDER_NAME, WORKLOAD_NAME, USER_ID, TOKEN] {
            assert_eq!(limit.violation(&"a".repeat(limit.min)), None);
            assert_eq!(limit.violation(&"a".repeat(limit.max)), None);
            assert!(limit.violation(&"a".repeat(limit.min - 1)).is_some());
            assert!(limit.violation(&"a".repeat(limit.max + 1)).is_some());
        }
    }

    #[test]
    fn return_urls() {
        let longest = format!("https://{}", "a".repeat(2040));
        for good in ["https://app.example/cb", "http://localhost:8081/cb?x=y", "myapp:cb", "a:/b", &longest] {
            assert_eq!(return_url_violation(good), None, "{good}");
        }
        for bad in ["", "app.example/cb", "https:", ":x", "my-app:cb", "https://app.example/a b", &(longest + "a")] {
            assert!(return_url_violation(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn session_uris() {
        assert_eq!(session_uri_violation("urn:ietf:params:oauth:request_uri:aZ0-._~"), None);
        for bad in
            ["", "urn:ietf:params:oauth:request_uri:", "urn:ietf:params:oauth:request_uri:a b", "https://a.example"]
        {
            let violation = session_uri_violation(bad).unwrap();
            assert!(!violation.contains("a.example"), "{violation}");
        }
    }

    #[test]
    fn length_counts_characters_not_bytes() {
        assert_eq!(USER_ID.violation(&"ä".repeat(128)), None);
    }

    #[test]
    fn violation_names_the_bounds_and_the_character() {
        assert_eq!(
            PROVIDER_NAME.violation("open ai").unwrap(),
            "contains ' '; the service takes letters, digits and `-`, `_`"
        );
        assert_eq!(WORKLOAD_NAME.violation("ab").unwrap(), "has 2 characters; the service takes 3 to 255");
    }
}
