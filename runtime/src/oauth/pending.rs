use std::fmt;
use std::sync::Arc;

use crate::secret::Secret;

/// A token that a user has yet to consent to.
///
/// The link and the session live for 10 minutes. Both are as good as a secret: whoever opens the link decides whose
/// account the agent gets access to, so show it to nobody but the user that the call is made for. `Debug` leaves the
/// session and the link's query out.
#[derive(Clone)]
pub struct PendingAuthorization {
    inner: Arc<Inner>,
}

struct Inner {
    provider: String,
    url: Secret,
    session_uri: Secret,
}

impl PendingAuthorization {
    pub(crate) fn new(provider: &str, url: String, session_uri: String) -> Self {
        let inner =
            Inner { provider: provider.to_owned(), url: Secret::new(url), session_uri: Secret::new(session_uri) };
        Self { inner: Arc::new(inner) }
    }

    /// The link that the user has to open.
    #[must_use]
    pub fn url(&self) -> &str {
        self.inner.url.expose()
    }

    /// The session that the service knows this authorization by, which
    /// [`complete_authorization`](crate::IdentityClient::complete_authorization) takes.
    #[must_use]
    pub fn session_uri(&self) -> &str {
        self.inner.session_uri.expose()
    }

    /// The credential provider that the user is asked to grant access to.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.inner.provider
    }
}

impl fmt::Debug for PendingAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.url();
        let end = url.find(['?', '#']).unwrap_or(url.len());
        f.debug_struct("PendingAuthorization")
            .field("provider", &self.inner.provider)
            .field("url", &format_args!("{}[redacted]", &url[..end]))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_session_nor_query() {
        let session = "urn:ietf:params:oauth:request_uri:secret";
        for url in ["https://a.example/authorize?request_uri=secret", "https://a.example/authorize#secret"] {
            let pending = PendingAuthorization::new("github", url.into(), session.into());
            let text = format!("{pending:?} {pending:#?}");
            assert!(text.contains("https://a.example/authorize[redacted]") && !text.contains("secret\""), "{text}");
            assert!(!text.contains("request_uri") && !text.contains("#secret"), "{text}");
        }
    }
}
