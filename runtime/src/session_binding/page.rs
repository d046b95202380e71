//! What the person in front of the browser reads. No script, no secret, nothing that another page could embed.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

const STYLE: &str = ":root{color-scheme:light dark}body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;\
                     margin:15vh auto;padding:0 1.25rem}h1{font-size:1.5rem;line-height:1.2}";

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Page {
    Granted { provider: String },
    Incomplete,
    Unknown,
    NotSignedIn,
    OtherUser,
    OtherState,
    TryAgain,
    Failed,
}

impl Page {
    fn status(&self) -> StatusCode {
        match self {
            Self::Granted { .. } => StatusCode::OK,
            Self::Incomplete => StatusCode::BAD_REQUEST,
            Self::Unknown => StatusCode::GONE,
            Self::NotSignedIn | Self::OtherUser | Self::OtherState => StatusCode::FORBIDDEN,
            Self::TryAgain => StatusCode::SERVICE_UNAVAILABLE,
            Self::Failed => StatusCode::BAD_GATEWAY,
        }
    }

    fn heading(&self) -> &'static str {
        match self {
            Self::Granted { .. } => "Access granted",
            Self::Incomplete => "This address is incomplete",
            Self::Unknown => "This link is no longer valid",
            Self::NotSignedIn => "You are not signed in",
            Self::OtherUser => "This was asked of somebody else",
            Self::OtherState => "This address does not fit",
            Self::TryAgain => "That did not work yet",
            Self::Failed => "Access could not be granted",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Granted { provider } => {
                format!("The agent can go on with “{}” now. You can close this window.", escaped(provider))
            }
            Self::Incomplete => "Part of it is missing. Go back to the application and start again from there.".into(),
            Self::Unknown => {
                "It has been used already, or it is more than ten minutes old. Go back to the application \
                              and start again from there; you will get a new link."
                    .into()
            }
            Self::NotSignedIn => {
                "Sign in to the application in this browser. Then come back to this page and reload it.".into()
            }
            Self::OtherUser => {
                "In this browser, another user is signed in to the application than the one who asked for \
                                access. If that was you, sign in as that user and start again from the application. If \
                                somebody sent you the link, close this window: nothing has been granted to them."
                    .into()
            }
            Self::OtherState => "It does not belong to what was asked of you, so nothing has been granted. Go back to \
                                 the application and start again from there."
                .into(),
            Self::TryAgain => "Nothing is lost. Wait a moment and reload this page.".into(),
            Self::Failed => "Nothing has been granted. Go back to the application and start again from there; if it \
                             happens again, tell whoever runs it."
                .into(),
        }
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
            let style = STANDARD.encode(Sha256::digest(STYLE));
            let policy = format!(
                "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; \
                 frame-ancestors 'none'"
            );
            HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
        });
        let (heading, text) = (self.heading(), self.text());
        let html = format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width, initial-scale=1\"><title>{heading}</title><style>{STYLE}</style></head>\
             <body><main><h1>{heading}</h1><p>{text}</p></main></body></html>"
        );
        let mut response = Response::new(Body::from(html));
        *response.status_mut() = self.status();
        let headers: [(HeaderName, HeaderValue); 6] = [
            (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (CONTENT_SECURITY_POLICY, POLICY.clone()),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            // The address of this page holds the session.
            (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        ];
        response.headers_mut().extend(headers);
        response
    }
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, c| {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_cannot_become_markup() {
        let page = Page::Granted { provider: "<script>'\"&".into() };
        assert!(page.text().contains("&lt;script&gt;&#39;&quot;&amp;"), "{}", page.text());
    }

    #[test]
    fn each_page_is_strict_about_itself() {
        let response = Page::Unknown.into_response();
        assert_eq!(response.status(), StatusCode::GONE);
        let headers = response.headers();
        let policy = headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(headers[CACHE_CONTROL], "no-store");
        assert_eq!(headers[REFERRER_POLICY], "no-referrer");
        assert_eq!(headers[X_CONTENT_TYPE_OPTIONS], "nosniff");
    }
}
