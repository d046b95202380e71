//! The vendors of OAuth2 credential providers.

mod profile;

use std::fmt;

use serde::{Deserialize, Serialize};

pub(crate) use profile::{Encoding, KnownEndpoints, Profile};

/// Whose identity provider an OAuth2 credential provider stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Vendor {
    Google,
    Github,
    Slack,
    Salesforce,
    Microsoft,
    Custom,
    Atlassian,
    Linkedin,
    X,
    Okta,
    OneLogin,
    PingOne,
    Facebook,
    Yandex,
    Reddit,
    Zoom,
    Twitch,
    Spotify,
    Dropbox,
    Notion,
    Hubspot,
    CyberArk,
    FusionAuth,
    Auth0,
    Cognito,
}

impl Vendor {
    pub(crate) const ALL: &'static [Self] = &[
        Self::Google,
        Self::Github,
        Self::Slack,
        Self::Salesforce,
        Self::Microsoft,
        Self::Custom,
        Self::Atlassian,
        Self::Linkedin,
        Self::X,
        Self::Okta,
        Self::OneLogin,
        Self::PingOne,
        Self::Facebook,
        Self::Yandex,
        Self::Reddit,
        Self::Zoom,
        Self::Twitch,
        Self::Spotify,
        Self::Dropbox,
        Self::Notion,
        Self::Hubspot,
        Self::CyberArk,
        Self::FusionAuth,
        Self::Auth0,
        Self::Cognito,
    ];

    /// The service's spelling.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Google => "GoogleOauth2",
            Self::Github => "GithubOauth2",
            Self::Slack => "SlackOauth2",
            Self::Salesforce => "SalesforceOauth2",
            Self::Microsoft => "MicrosoftOauth2",
            Self::Custom => "CustomOauth2",
            Self::Atlassian => "AtlassianOauth2",
            Self::Linkedin => "LinkedinOauth2",
            Self::X => "XOauth2",
            Self::Okta => "OktaOauth2",
            Self::OneLogin => "OneLoginOauth2",
            Self::PingOne => "PingOneOauth2",
            Self::Facebook => "FacebookOauth2",
            Self::Yandex => "YandexOauth2",
            Self::Reddit => "RedditOauth2",
            Self::Zoom => "ZoomOauth2",
            Self::Twitch => "TwitchOauth2",
            Self::Spotify => "SpotifyOauth2",
            Self::Dropbox => "DropboxOauth2",
            Self::Notion => "NotionOauth2",
            Self::Hubspot => "HubspotOauth2",
            Self::CyberArk => "CyberArkOauth2",
            Self::FusionAuth => "FusionAuthOauth2",
            Self::Auth0 => "Auth0Oauth2",
            Self::Cognito => "CognitoOauth2",
        }
    }

    /// The member of the configuration union that goes with the vendor, in requests and in answers.
    pub(crate) fn config_member(self) -> &'static str {
        match self {
            Self::Custom => "customOauth2ProviderConfig",
            Self::Google => "googleOauth2ProviderConfig",
            Self::Github => "githubOauth2ProviderConfig",
            Self::Slack => "slackOauth2ProviderConfig",
            Self::Salesforce => "salesforceOauth2ProviderConfig",
            Self::Microsoft => "microsoftOauth2ProviderConfig",
            Self::Atlassian => "atlassianOauth2ProviderConfig",
            Self::Linkedin => "linkedinOauth2ProviderConfig",
            _ => "includedOauth2ProviderConfig",
        }
    }
}

impl fmt::Display for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
