"""OAuth2 credential providers: every vendor with its configuration, and what each refuses."""

import datetime

import oauth2
import pytest
from local_identity import LocalIdentity

SECRET = "the-secret"

# What the vendors publish: the issuer, where a person is sent, and where tokens come from.
ENDPOINTS = {
    "GoogleOauth2": (
        "https://accounts.google.com",
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://oauth2.googleapis.com/token",
    ),
    "GithubOauth2": (
        "https://github.com/login/oauth",
        "https://github.com/login/oauth/authorize",
        "https://github.com/login/oauth/access_token",
    ),
    "MicrosoftOauth2": (
        "https://login.microsoftonline.com/contoso.onmicrosoft.com/v2.0",
        "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/authorize",
        "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token",
    ),
    "SlackOauth2": ("https://slack.com", "https://slack.com/oauth/v2/authorize", "https://slack.com/api/oauth.v2.access"),
    "SpotifyOauth2": (
        "https://accounts.spotify.com",
        "https://accounts.spotify.com/authorize",
        "https://accounts.spotify.com/api/token",
    ),
    "OktaOauth2": tuple(oauth2.METADATA.values()),
}


def config_of(answer):
    [(member, config)] = answer["oauth2ProviderConfigOutput"].items()
    return member, config


def test_the_vendors_are_those_of_the_model(control):
    vendors = control.meta.service_model.shape_for("CredentialProviderVendorType").enum
    assert sorted(vendors) == sorted(oauth2.VENDORS)
    assert len(vendors) == 25


@pytest.mark.parametrize("vendor", oauth2.VENDORS)
def test_a_provider_from_birth_to_death(control, refused, vendor):
    created = control.create_oauth2_credential_provider(**oauth2.provider("my_provider-1", vendor))
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert created["clientSecretSource"] == "MANAGED" and created["status"] == "READY"
    got = control.get_oauth2_credential_provider(name="my_provider-1")
    assert got["credentialProviderVendor"] == vendor
    assert abs(datetime.datetime.now(datetime.timezone.utc) - got["createdTime"]) < datetime.timedelta(minutes=1)
    member, config = config_of(got)
    assert (member, config["clientId"]) == (oauth2.VENDORS[vendor], "the-id")
    if vendor in ENDPOINTS:
        metadata = config["oauthDiscovery"]["authorizationServerMetadata"]
        assert tuple(metadata[name] for name in oauth2.METADATA) == ENDPOINTS[vendor]
    updated = control.update_oauth2_credential_provider(**oauth2.provider("my_provider-1", vendor, clientId="another"))
    assert config_of(updated)[1]["clientId"] == "another"
    for name in ["callbackUrl", "clientSecretArn", "credentialProviderArn", "oauth2ProviderConfigOutput"]:
        assert created[name] == got[name]
        assert name == "oauth2ProviderConfigOutput" or updated[name] == got[name]
    assert updated["createdTime"] == got["createdTime"] and updated["lastUpdatedTime"] >= got["lastUpdatedTime"]
    [_, listed] = sorted(control.list_oauth2_credential_providers()["credentialProviders"], key=lambda item: item["name"])
    assert (listed["name"], listed["credentialProviderVendor"]) == ("my_provider-1", vendor)
    for answer in [created, got, updated, listed]:
        assert SECRET not in str(answer)
    assert control.delete_oauth2_credential_provider(name="my_provider-1")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refused(control.get_oauth2_credential_provider, name="my_provider-1")[:2] == ("ResourceNotFoundException", 404)


@pytest.mark.parametrize("vendor", oauth2.VENDORS)
def test_another_vendor_s_configuration_is_refused(control, refused, vendor):
    for other in ["GoogleOauth2", "CustomOauth2", "ZoomOauth2"]:
        if oauth2.VENDORS[other] == oauth2.VENDORS[vendor]:
            continue
        given = {**oauth2.provider("new", other), "credentialProviderVendor": vendor}
        code, status, response = refused(control.create_oauth2_credential_provider, **given)
        assert (code, status) == ("ValidationException", 400)
        for name in [vendor, oauth2.VENDORS[other], oauth2.VENDORS[vendor]]:
            assert name in response["Error"]["Message"]


@pytest.mark.parametrize("vendor", oauth2.PER_TENANT)
def test_a_tenant_must_be_named(control, refused, vendor):
    for member in oauth2.METADATA:
        given = oauth2.provider("new", vendor)
        del given["oauth2ProviderConfigInput"]["includedOauth2ProviderConfig"][member]
        code, _, response = refused(control.create_oauth2_credential_provider, **given)
        assert code == "ValidationException" and response["fieldList"][0]["name"].endswith(f".{member}")


def test_secrets_that_live_elsewhere_are_refused(control, refused):
    for changes in [
        {"clientSecretSource": "EXTERNAL"},
        {"clientSecretConfig": {"secretId": "s", "jsonKey": "k"}},
    ]:
        for vendor in ["GithubOauth2", "CustomOauth2", "ZoomOauth2"]:
            given = oauth2.provider("new", vendor, **changes)
            code, _, response = refused(control.create_oauth2_credential_provider, **given)
            assert code == "ValidationException" and "MANAGED" in response["Error"]["Message"]


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        ({"clientId": ""}, "clientId"),
        ({"clientSecret": ""}, "clientSecret"),
        ({"clientAuthenticationMethod": "CLIENT_SECRET_POST"}, "clientAuthenticationMethod"),
        ({"privateKeyJwtConfig": oauth2.PRIVATE_KEY_JWT["privateKeyJwtConfig"]}, "privateKeyJwtConfig"),
        ({"oauthDiscovery": {"discoveryUrl": "http://idp.example.com/.well-known/openid-configuration"}}, "discoveryUrl"),
        ({"oauthDiscovery": {"discoveryUrl": "https://idp.example.com/openid-configuration"}}, "discoveryUrl"),
        ({"privateEndpoint": {"selfManagedLatticeResource": {}}}, "privateEndpoint"),
        (
            {
                "onBehalfOfTokenExchangeConfig": {
                    "grantType": "TOKEN_EXCHANGE",
                    "tokenExchangeGrantTypeConfig": {"actorTokenContent": "NONE", "actorTokenScopes": ["a"]},
                }
            },
            "actorTokenScopes",
        ),
        (
            {
                "onBehalfOfTokenExchangeConfig": {
                    "grantType": "JWT_AUTHORIZATION_GRANT",
                    "tokenExchangeGrantTypeConfig": {"actorTokenContent": "NONE"},
                }
            },
            "tokenExchangeGrantTypeConfig",
        ),
    ],
)
def test_members_that_do_not_go_together(control, refused, changes, member):
    code, _, response = refused(control.create_oauth2_credential_provider, **oauth2.custom("new", **changes))
    assert code == "ValidationException" and response["fieldList"][0]["name"].endswith(f".{member}")


def test_a_key_of_kms_has_one_public_half(service, control, refused):
    control.create_oauth2_credential_provider(**oauth2.custom("one", **oauth2.PRIVATE_KEY_JWT))
    control.create_oauth2_credential_provider(**oauth2.custom("two", **oauth2.PRIVATE_KEY_JWT))
    [key] = service.local("GET", "kms-keys")["keys"]
    assert (key["kty"], key["crv"], key["kid"]) == ("EC", "P-256", oauth2.KMS_KEY.rsplit("/")[-1])
    assert "d" not in key
    given = oauth2.custom("three", **oauth2.PRIVATE_KEY_JWT)
    config = given["oauth2ProviderConfigInput"]["customOauth2ProviderConfig"]
    config["privateKeyJwtConfig"] = {**config["privateKeyJwtConfig"], "signingAlgorithm": "RS256"}
    _, _, response = refused(control.create_oauth2_credential_provider, **given)
    assert response["fieldList"][0]["name"].endswith(".signingAlgorithm")


def test_the_vendor_stays(control, refused):
    control.create_oauth2_credential_provider(**oauth2.provider("p", "GithubOauth2"))
    code, _, response = refused(control.update_oauth2_credential_provider, **oauth2.provider("p", "GoogleOauth2"))
    assert code == "ValidationException" and response["fieldList"][0]["name"] == "credentialProviderVendor"


def test_the_fifty_first_provider(control, refused):
    for number in range(49):
        control.create_oauth2_credential_provider(**oauth2.provider(f"provider-{number}", "GithubOauth2"))
    one_more = oauth2.provider("one-more", "GithubOauth2")
    assert refused(control.create_oauth2_credential_provider, **one_more)[:2] == ("ServiceQuotaExceededException", 402)
    control.delete_oauth2_credential_provider(name="provider-0")
    control.create_oauth2_credential_provider(**one_more)


def test_tags(control):
    given = {**oauth2.provider("p", "GithubOauth2"), "tags": {"team": "blue"}}
    arn = control.create_oauth2_credential_provider(**given)["credentialProviderArn"]
    control.tag_resource(resourceArn=arn, tags={"stage": "test"})
    assert control.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "blue", "stage": "test"}
    control.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert control.list_tags_for_resource(resourceArn=arn)["tags"] == {"stage": "test"}


def test_a_restart_keeps_providers_and_shows_no_secret(tmp_path):
    arguments = ["--data", str(tmp_path / "data")]
    with LocalIdentity(*arguments) as first:
        created = first.control_plane().create_oauth2_credential_provider(**oauth2.provider("p", "GithubOauth2"))
    for file in (tmp_path / "data").iterdir():
        assert SECRET.encode() not in file.read_bytes()
    with LocalIdentity(*arguments) as second:
        got = second.control_plane().get_oauth2_credential_provider(name="p")
        assert got["callbackUrl"] == created["callbackUrl"].replace(first.url, second.url)
        assert got["oauth2ProviderConfigOutput"] == created["oauth2ProviderConfigOutput"]
