"""An authorization server that others wrote, as the provider behind the local service."""

import urllib.error

import jwt
import oidc_provider
import pytest
from jwt import PyJWKClient

EXCHANGE = {"grantType": "TOKEN_EXCHANGE"}
# oidc-provider gives refresh tokens to who asks for them with these.
OFFLINE = {"scopes": ["openid", "offline_access"], "customParameters": {"prompt": "consent"}}


def claims(oidc, token, audience):
    """The claims of a JWT, if its signature is that of oidc-provider."""
    key = PyJWKClient(f"{oidc.issuer}/jwks").get_signing_key_from_jwt(token)
    return jwt.decode(token, key, algorithms=["RS256"], audience=audience, issuer=oidc.issuer)


def granted(oidc, agent, application, page, **asked):
    """A consent from end to end, and the token it gives."""
    pending = agent.user_token("ada", **asked)
    oidc_provider.consent(page, pending["authorizationUrl"], "ada@oidc")
    agent.complete(application.arrival(page)["session_id"], "ada")
    return agent.poll(pending, "ada", **asked)["accessToken"]


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "private_key_jwt"])
def test_a_machine_s_token(service, agent, oidc, method):
    client = oidc.add_to(service, method=method)
    asked = {"scopes": ["read"], "resources": ["https://api.example.com"]}
    token = agent.token("M2M", **asked)["accessToken"]
    found = claims(oidc, token, "https://api.example.com")
    assert (found["client_id"], found["scope"]) == (client["client_id"], "read")
    assert agent.token("M2M", **asked)["accessToken"] == token
    assert agent.token("M2M", scopes=["jobs"])["accessToken"] != token


def test_what_the_server_refuses_is_said(service, agent, oidc, refused):
    oidc.add_to(service)
    code, status, response = refused(agent.token, flow="M2M", resources=["https://unknown.example.org"])
    assert (code, status) == ("ValidationException", 400)
    assert "invalid_target" in response["Error"]["Message"]


def test_a_wrong_secret_is_said_and_not_shown(service, agent, oidc, refused):
    client = oidc.add_to(service)
    control = service.control_plane()
    config = {
        "oauthDiscovery": {"discoveryUrl": f"{oidc.issuer}/.well-known/openid-configuration"},
        "clientId": client["client_id"],
        "clientSecret": "hunter2",
    }
    control.update_oauth2_credential_provider(
        name="oidc",
        credentialProviderVendor="CustomOauth2",
        oauth2ProviderConfigInput={"customOauth2ProviderConfig": config},
    )
    _, status, response = refused(agent.token, flow="M2M", scopes=["jobs"])
    assert status == 400 and "invalid_client" in response["Error"]["Message"]
    assert "hunter2" not in str(response)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "private_key_jwt"])
def test_a_consent_from_end_to_end(service, agent, application, oidc, new_page, method):
    oidc.add_to(service, method=method)
    asked = {"customState": "what the application wants to know &=+/é"}
    pending = agent.user_token("ada", **asked)
    assert pending["sessionStatus"] == "IN_PROGRESS" and pending["authorizationUrl"].startswith(f"{service.url}/")
    page = new_page()
    oidc_provider.consent(page, pending["authorizationUrl"], "ada@oidc")
    assert application.arrival(page) == {"session_id": pending["sessionUri"], "state": asked["customState"]}
    # The consent alone gives nothing: the application has yet to say whose browser it was.
    assert agent.poll(pending, "ada", **asked).keys() >= {"authorizationUrl", "sessionUri", "sessionStatus"}
    agent.complete(pending["sessionUri"], "ada")
    token = agent.poll(pending, "ada", **asked)["accessToken"]
    assert oidc.userinfo(token)["sub"] == "ada@oidc"
    # It is in the vault now, for this user and for no other.
    assert agent.user_token("ada")["accessToken"] == token
    assert "accessToken" not in agent.user_token("bob")


def test_a_token_for_a_resource(service, agent, application, oidc, new_page):
    oidc.add_to(service)
    asked = {"scopes": ["read", "write"], "resources": ["https://api.example.com"]}
    token = granted(oidc, agent, application, new_page(), **asked)
    assert claims(oidc, token, "https://api.example.com")["sub"] == "ada@oidc"
    assert set(claims(oidc, token, "https://api.example.com")["scope"].split()) == {"read", "write"}


def test_a_token_is_renewed_again_and_again(service, agent, application, oidc, new_page):
    oidc.add_to(service)
    tokens = [granted(oidc, agent, application, new_page(), **OFFLINE)]
    for _ in range(3):
        service.local("POST", "clock", {"advanceSeconds": 310})
        tokens.append(agent.user_token("ada", **OFFLINE)["accessToken"])
        # Until the next end it is the same.
        assert agent.user_token("ada", **OFFLINE)["accessToken"] == tokens[-1]
    assert len(set(tokens)) == 4
    assert oidc.userinfo(tokens[-1])["sub"] == "ada@oidc"


def test_without_a_refresh_token_the_person_is_asked_again(service, agent, application, oidc, new_page):
    oidc.add_to(service)
    granted(oidc, agent, application, new_page())
    service.local("POST", "clock", {"advanceSeconds": 310})
    assert agent.user_token("ada")["sessionStatus"] == "IN_PROGRESS"


def test_force_asks_anew_and_leaves_the_other_s_token(service, agent, application, oidc, new_page):
    oidc.add_to(service)
    page = new_page()
    first = granted(oidc, agent, application, page)
    pending = agent.user_token("ada", forceAuthentication=True)
    assert pending["sessionStatus"] == "IN_PROGRESS"
    # Still signed in at oidc-provider, which has the consent from before: the browser runs through.
    page.goto(pending["authorizationUrl"])
    agent.complete(application.arrival(page)["session_id"], "ada")
    second = agent.poll(pending, "ada")["accessToken"]
    assert second != first and oidc.userinfo(second)["sub"] == "ada@oidc"


@pytest.mark.parametrize("where", ["sign-in", "consent"])
def test_who_says_no_is_heard(service, agent, oidc, new_page, where):
    oidc.add_to(service)
    pending = agent.user_token("ada")
    page = new_page()
    page.goto(pending["authorizationUrl"])
    if where == "consent":
        oidc_provider.sign_in(page, "ada@oidc")
        page.get_by_role("button", name="Continue").wait_for()
    page.get_by_role("link", name="[ Cancel ]").click()
    page.get_by_role("heading", name="No access was given").wait_for()
    assert page.url.startswith(f"{service.url}/oauth2/callback/")
    assert agent.poll(pending, "ada")["sessionStatus"] == "FAILED"


def test_on_behalf_of_a_user(service, agent, application, oidc, new_page):
    """The token with which a person came to the agent, exchanged for one with which the agent goes on to another service."""
    client = oidc.add_to(service, onBehalfOfTokenExchangeConfig=EXCHANGE)
    jwt_of_ada = granted(
        oidc, agent, application, new_page(), scopes=["read"], resources=["https://agent.example.com"]
    )
    asked = {"jwt": jwt_of_ada, "scopes": ["write"], "resources": ["https://api.example.com"]}
    exchanged = claims(oidc, agent.token("ON_BEHALF_OF_TOKEN_EXCHANGE", **asked)["accessToken"], "https://api.example.com")
    assert (exchanged["sub"], exchanged["client_id"], exchanged["scope"]) == ("ada@oidc", client["client_id"], "write")
    assert "act" not in exchanged


def test_on_behalf_of_a_user_with_the_agent_as_actor(service, agent, application, oidc, new_page):
    actor = {"actorTokenContent": "M2M", "actorTokenScopes": ["jobs"]}
    client = oidc.add_to(service, onBehalfOfTokenExchangeConfig={**EXCHANGE, "tokenExchangeGrantTypeConfig": actor})
    jwt_of_ada = granted(
        oidc, agent, application, new_page(), scopes=["read"], resources=["https://agent.example.com"]
    )
    asked = {"jwt": jwt_of_ada, "scopes": ["read"], "resources": ["https://api.example.com"]}
    exchanged = claims(oidc, agent.token("ON_BEHALF_OF_TOKEN_EXCHANGE", **asked)["accessToken"], "https://api.example.com")
    assert (exchanged["sub"], exchanged["act"]) == ("ada@oidc", {"sub": client["client_id"]})


def test_a_forged_jwt_is_not_exchanged(service, agent, oidc, refused):
    oidc.add_to(service, onBehalfOfTokenExchangeConfig=EXCHANGE)
    forged = jwt.encode({"iss": oidc.issuer, "sub": "ada@oidc", "exp": 4102444800}, "not the key of oidc-provider, but long")
    asked = {"jwt": forged, "scopes": ["read"], "resources": ["https://api.example.com"]}
    code, _, response = refused(agent.token, flow="ON_BEHALF_OF_TOKEN_EXCHANGE", **asked)
    assert code == "ValidationException" and "invalid_grant" in response["Error"]["Message"]
    assert forged not in str(response)


def test_a_server_that_is_gone(service, agent, refused):
    with oidc_provider.OidcProvider() as oidc:
        oidc.add_to(service)
    code, status, response = refused(agent.token, flow="M2M", scopes=["jobs"])
    assert (code, status) == ("InternalServerException", 500)
    assert "cannot be reached" in response["Error"]["Message"]
    assert "sessionUri" in agent.user_token("ada")


def test_a_token_that_was_revoked_there_is_served_until_forced(service, agent, application, oidc, new_page):
    """The vault cannot know of it, as AWS's cannot."""
    client = oidc.add_to(service)
    token = granted(oidc, agent, application, new_page())
    oidc.revoke(client, token)
    with pytest.raises(urllib.error.HTTPError):
        oidc.userinfo(token)
    assert agent.user_token("ada")["accessToken"] == token
    assert "accessToken" not in agent.user_token("ada", forceAuthentication=True)
