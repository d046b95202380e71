"""Tokens of the local identity provider, as a resource checks them: with PyJWT and the keys over HTTP."""

import json
import urllib.error
import urllib.request

import jwt
import pytest
from browser import Browser

API = "https://api.example.com"


def claims(service, token, audience):
    metadata = get(f"{service.url}/idp/.well-known/openid-configuration")
    key = jwt.PyJWKClient(metadata["jwks_uri"]).get_signing_key_from_jwt(token)
    return jwt.decode(token, key, algorithms=["ES256"], audience=audience, issuer=metadata["issuer"])


def get(url, token=None):
    request = urllib.request.Request(url, headers={"authorization": f"Bearer {token}"} if token else {})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


@pytest.fixture
def granted(service, agent):
    def granted(**asked):
        pending = agent.user_token("ada", provider="idp", **asked)
        Browser(service.url).consent(pending["authorizationUrl"], "ada-at-idp")
        agent.complete(pending["sessionUri"], "ada")
        return agent.poll(pending, "ada", provider="idp", **asked)["accessToken"]

    return granted


def test_a_user_s_token(service, granted):
    token = granted(scopes=["openid", "repo"], audiences=[API])
    found = claims(service, token, API)
    assert (found["sub"], found["scope"]) == ("ada-at-idp", "openid repo")
    assert get(f"{service.url}/idp/userinfo", token)["sub"] == "ada-at-idp"


def test_a_machine_s_token(service, agent):
    token = agent.token("M2M", provider="idp", scopes=["jobs"], resources=[API])["accessToken"]
    assert claims(service, token, API)["scope"] == "jobs"


def test_a_token_on_behalf_of_a_user(service, agent, granted):
    asked = {"jwt": granted(), "provider": "idp", "scopes": ["write"], "audiences": [API]}
    found = claims(service, agent.token("ON_BEHALF_OF_TOKEN_EXCHANGE", **asked)["accessToken"], API)
    assert (found["sub"], found["scope"]) == ("ada-at-idp", "write")


def test_renewal(service, agent, granted):
    asked = {"scopes": ["openid", "offline_access"]}
    first = granted(**asked)
    service.local("POST", "clock", {"advanceSeconds": 3600})
    with pytest.raises(urllib.error.HTTPError) as error:
        get(f"{service.url}/idp/userinfo", first)
    assert error.value.code == 401
    second = agent.user_token("ada", provider="idp", **asked)["accessToken"]
    assert second != first and get(f"{service.url}/idp/userinfo", second)["sub"] == "ada-at-idp"
