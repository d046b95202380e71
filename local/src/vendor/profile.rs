//! What is publicly known of the vendors' authorization servers: where they are, and where they leave the textbook.

use super::Vendor;

/// What a client of a vendor's authorization server has to know.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Profile {
    pub(crate) endpoints: KnownEndpoints,
    /// The client's id and secret go into the `Authorization` header, and not into the body.
    pub(crate) basic_authentication: bool,
    /// False where a request with the parameters of PKCE is refused.
    pub(crate) pkce: bool,
    pub(crate) scope_separator: char,
    pub(crate) token_request: Encoding,
    /// What the authorization request must carry beyond the standard.
    pub(crate) authorization_parameters: &'static [(&'static str, &'static str)],
    /// What an on-behalf-of request must carry beyond the standard, if its caller does not say otherwise.
    pub(crate) on_behalf_of_parameters: &'static [(&'static str, &'static str)],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KnownEndpoints {
    /// `{tenant}` in them stands for the tenant of the configuration.
    At { issuer: &'static str, authorization: &'static str, token: &'static str },
    /// Every customer has its own; the configuration must name them.
    PerTenant,
}

/// How the parameters of a token request are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Form,
    Json,
}

const POST: Profile = Profile {
    endpoints: KnownEndpoints::PerTenant,
    basic_authentication: false,
    pkce: true,
    scope_separator: ' ',
    token_request: Encoding::Form,
    authorization_parameters: &[],
    on_behalf_of_parameters: &[],
};

const BASIC: Profile = Profile { basic_authentication: true, ..POST };

const fn at(issuer: &'static str, authorization: &'static str, token: &'static str) -> KnownEndpoints {
    KnownEndpoints::At { issuer, authorization, token }
}

/// The vendors whose servers are at one place for all, or leave the textbook.
const PROFILES: &[(Vendor, Profile)] = &[
    (
        Vendor::Google,
        Profile {
            endpoints: at(
                "https://accounts.google.com",
                "https://accounts.google.com/o/oauth2/v2/auth",
                "https://oauth2.googleapis.com/token",
            ),
            ..POST
        },
    ),
    (
        Vendor::Github,
        Profile {
            endpoints: at(
                "https://github.com/login/oauth",
                "https://github.com/login/oauth/authorize",
                "https://github.com/login/oauth/access_token",
            ),
            ..POST
        },
    ),
    (
        Vendor::Slack,
        Profile {
            endpoints: at(
                "https://slack.com",
                "https://slack.com/oauth/v2/authorize",
                "https://slack.com/api/oauth.v2.access",
            ),
            scope_separator: ',',
            ..POST
        },
    ),
    (
        Vendor::Salesforce,
        Profile {
            endpoints: at(
                "https://login.salesforce.com",
                "https://login.salesforce.com/services/oauth2/authorize",
                "https://login.salesforce.com/services/oauth2/token",
            ),
            ..POST
        },
    ),
    (
        Vendor::Microsoft,
        Profile {
            endpoints: at(
                "https://login.microsoftonline.com/{tenant}/v2.0",
                "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize",
                "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
            ),
            on_behalf_of_parameters: &[("requested_token_use", "on_behalf_of")],
            ..POST
        },
    ),
    (
        Vendor::Atlassian,
        Profile {
            endpoints: at(
                "https://auth.atlassian.com",
                "https://auth.atlassian.com/authorize",
                "https://auth.atlassian.com/oauth/token",
            ),
            authorization_parameters: &[("audience", "api.atlassian.com"), ("prompt", "consent")],
            ..POST
        },
    ),
    (
        Vendor::Linkedin,
        Profile {
            endpoints: at(
                "https://www.linkedin.com/oauth",
                "https://www.linkedin.com/oauth/v2/authorization",
                "https://www.linkedin.com/oauth/v2/accessToken",
            ),
            pkce: false,
            ..POST
        },
    ),
    (
        Vendor::X,
        Profile {
            endpoints: at("https://x.com", "https://x.com/i/oauth2/authorize", "https://api.x.com/2/oauth2/token"),
            ..BASIC
        },
    ),
    (
        Vendor::Facebook,
        Profile {
            endpoints: at(
                "https://www.facebook.com",
                "https://www.facebook.com/dialog/oauth",
                "https://graph.facebook.com/oauth/access_token",
            ),
            scope_separator: ',',
            ..POST
        },
    ),
    (
        Vendor::Yandex,
        Profile {
            endpoints: at(
                "https://oauth.yandex.com",
                "https://oauth.yandex.com/authorize",
                "https://oauth.yandex.com/token",
            ),
            ..BASIC
        },
    ),
    (
        Vendor::Reddit,
        Profile {
            endpoints: at(
                "https://www.reddit.com",
                "https://www.reddit.com/api/v1/authorize",
                "https://www.reddit.com/api/v1/access_token",
            ),
            ..BASIC
        },
    ),
    (
        Vendor::Zoom,
        Profile {
            endpoints: at("https://zoom.us", "https://zoom.us/oauth/authorize", "https://zoom.us/oauth/token"),
            ..BASIC
        },
    ),
    (
        Vendor::Twitch,
        Profile {
            endpoints: at(
                "https://id.twitch.tv/oauth2",
                "https://id.twitch.tv/oauth2/authorize",
                "https://id.twitch.tv/oauth2/token",
            ),
            ..POST
        },
    ),
    (
        Vendor::Spotify,
        Profile {
            endpoints: at(
                "https://accounts.spotify.com",
                "https://accounts.spotify.com/authorize",
                "https://accounts.spotify.com/api/token",
            ),
            ..BASIC
        },
    ),
    (
        Vendor::Dropbox,
        Profile {
            endpoints: at(
                "https://www.dropbox.com",
                "https://www.dropbox.com/oauth2/authorize",
                "https://api.dropboxapi.com/oauth2/token",
            ),
            ..POST
        },
    ),
    (
        Vendor::Notion,
        Profile {
            endpoints: at(
                "https://api.notion.com",
                "https://api.notion.com/v1/oauth/authorize",
                "https://api.notion.com/v1/oauth/token",
            ),
            pkce: false,
            token_request: Encoding::Json,
            authorization_parameters: &[("owner", "user")],
            ..BASIC
        },
    ),
    (
        Vendor::Hubspot,
        Profile {
            endpoints: at(
                "https://app.hubspot.com",
                "https://app.hubspot.com/oauth/authorize",
                "https://api.hubapi.com/oauth/v1/token",
            ),
            ..POST
        },
    ),
    (Vendor::OneLogin, POST),
    (Vendor::Auth0, POST),
];

impl Vendor {
    /// The vendor's ways. A custom provider has none of its own.
    pub(crate) fn profile(self) -> Profile {
        PROFILES.iter().find(|(vendor, _)| *vendor == self).map_or(BASIC, |(_, profile)| *profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_endpoints_are_https_urls_of_the_issuers_kind() {
        for vendor in Vendor::ALL {
            let KnownEndpoints::At { issuer, authorization, token } = vendor.profile().endpoints else { continue };
            for url in [issuer, authorization, token] {
                let url: hyper::Uri = url.replace("{tenant}", "common").parse().unwrap();
                assert_eq!(url.scheme_str(), Some("https"), "{vendor}");
                assert!(url.query().is_none(), "{vendor}");
            }
            assert!(!issuer.ends_with('/'), "{vendor}");
            assert_eq!(issuer.contains("{tenant}"), *vendor == Vendor::Microsoft);
        }
    }

    #[test]
    fn the_vendors_without_known_endpoints() {
        let per_tenant: Vec<_> =
            Vendor::ALL.iter().filter(|vendor| vendor.profile().endpoints == KnownEndpoints::PerTenant).collect();
        assert_eq!(
            per_tenant,
            [
                &Vendor::Custom,
                &Vendor::Okta,
                &Vendor::OneLogin,
                &Vendor::PingOne,
                &Vendor::CyberArk,
                &Vendor::FusionAuth,
                &Vendor::Auth0,
                &Vendor::Cognito
            ]
        );
    }
}
