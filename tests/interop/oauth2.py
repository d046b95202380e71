"""Requests for OAuth2 credential providers."""

DISCOVERY_URL = "https://idp.example.com/.well-known/openid-configuration"
KMS_KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"

# The vendors, and for each the member of the configuration union that goes with it.
VENDORS = {
    "GoogleOauth2": "googleOauth2ProviderConfig",
    "GithubOauth2": "githubOauth2ProviderConfig",
    "SlackOauth2": "slackOauth2ProviderConfig",
    "SalesforceOauth2": "salesforceOauth2ProviderConfig",
    "MicrosoftOauth2": "microsoftOauth2ProviderConfig",
    "CustomOauth2": "customOauth2ProviderConfig",
    "AtlassianOauth2": "atlassianOauth2ProviderConfig",
    "LinkedinOauth2": "linkedinOauth2ProviderConfig",
} | {
    f"{vendor}Oauth2": "includedOauth2ProviderConfig"
    for vendor in (
        "X Okta OneLogin PingOne Facebook Yandex Reddit Zoom Twitch Spotify Dropbox Notion Hubspot CyberArk FusionAuth Auth0 "
        "Cognito"
    ).split()
}
# Those that are at another place for each of their customers.
PER_TENANT = ["OktaOauth2", "OneLoginOauth2", "PingOneOauth2", "CyberArkOauth2", "FusionAuthOauth2", "Auth0Oauth2", "CognitoOauth2"]

METADATA = {
    "issuer": "https://idp.example.com",
    "authorizationEndpoint": "https://idp.example.com/authorize",
    "tokenEndpoint": "https://idp.example.com/token",
}
PRIVATE_KEY_JWT = {
    "oauthDiscovery": {"discoveryUrl": DISCOVERY_URL},
    "clientAuthenticationMethod": "PRIVATE_KEY_JWT",
    "privateKeyJwtConfig": {
        "privateKeySource": {"kmsKeySource": {"kmsKeyArn": KMS_KEY}},
        "signingAlgorithm": "ES256",
        "additionalHeaderClaims": {"kid": "1"},
        "additionalPayloadClaims": {"aud": "https://idp.example.com"},
    },
}


def request(name, vendor, config, **members):
    return {
        "name": name,
        "credentialProviderVendor": vendor,
        "oauth2ProviderConfigInput": {VENDORS[vendor]: config},
        **members,
    }


def custom(name, tags=None, **changes):
    """A custom provider with every member that goes with the others."""
    config = {
        "oauthDiscovery": {
            "authorizationServerMetadata": {
                **METADATA,
                "responseTypes": ["code"],
                "tokenEndpointAuthMethods": ["client_secret_basic"],
            }
        },
        "clientId": "the-id",
        "clientSecret": "the-secret",
        "clientSecretSource": "MANAGED",
        "onBehalfOfTokenExchangeConfig": {
            "grantType": "TOKEN_EXCHANGE",
            "tokenExchangeGrantTypeConfig": {"actorTokenContent": "M2M", "actorTokenScopes": ["a", "b"]},
            "onBehalfOfAuthenticationConfig": {"clientAuthenticationMethod": "NO_CLIENT"},
        },
    }
    return request(name, "CustomOauth2", {**config, **changes}, **({"tags": tags} if tags else {}))


def provider(name, vendor, **changes):
    """A provider of a vendor with every member that its configuration can have."""
    config = {"clientId": "the-id", "clientSecret": "the-secret", "clientSecretSource": "MANAGED"}
    if vendor == "MicrosoftOauth2":
        config["tenantId"] = "contoso.onmicrosoft.com"
    if vendor == "CustomOauth2":
        config["oauthDiscovery"] = {"discoveryUrl": DISCOVERY_URL}
    if vendor in PER_TENANT:
        config |= METADATA
    return request(name, vendor, {**config, **changes})
