"""Workload access tokens and API keys."""

import time

import user_jwt
import pytest


def api_key(data, token, provider="openai"):
    return data.get_resource_api_key(workloadIdentityToken=token, resourceCredentialProviderName=provider)["apiKey"]


def test_the_three_tokens_lead_to_the_key(data):
    user_token = user_jwt.unsigned(sub="ada", iss="https://issuer.example.com", exp=time.time() + 60)
    for answer in [
        data.get_workload_access_token(workloadName="my-agent"),
        data.get_workload_access_token_for_user_id(workloadName="my-agent", userId="ada"),
        data.get_workload_access_token_for_jwt(workloadName="my-agent", userToken=user_token),
    ]:
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
        assert api_key(data, answer["workloadAccessToken"]) == "sk-local"


def test_a_rotated_key_shows_at_once(data, control):
    token = data.get_workload_access_token(workloadName="my-agent")["workloadAccessToken"]
    control.update_api_key_credential_provider(name="openai", apiKey="sk-rotated")
    assert api_key(data, token) == "sk-rotated"


def test_a_longest_key_of_any_characters(data, control):
    key = "\u00e9\u4e16\U0001f511\"\\\n" * 10922
    control.create_api_key_credential_provider(name="long", apiKey=key[:65536])
    token = data.get_workload_access_token(workloadName="my-agent")["workloadAccessToken"]
    assert api_key(data, token, "long") == key[:65536]


def test_what_is_not_there(data, refused):
    token = data.get_workload_access_token(workloadName="my-agent")["workloadAccessToken"]
    for call, parameters in [
        (data.get_workload_access_token, {"workloadName": "nobody"}),
        (data.get_workload_access_token_for_user_id, {"workloadName": "nobody", "userId": "ada"}),
        (
            data.get_resource_api_key,
            {"workloadIdentityToken": token, "resourceCredentialProviderName": "none"},
        ),
    ]:
        code, status, _ = refused(call, **parameters)
        assert (code, status) == ("ResourceNotFoundException", 404)


@pytest.mark.parametrize("token", ["garbage", "A" * 200, "\u00e9", "A" * 131072])
def test_forged_tokens(data, refused, token):
    parameters = {"workloadIdentityToken": token, "resourceCredentialProviderName": "openai"}
    assert refused(data.get_resource_api_key, **parameters)[:2] == ("UnauthorizedException", 401)


def test_an_expired_token(service, data, refused):
    token = data.get_workload_access_token(workloadName="my-agent")["workloadAccessToken"]
    service.local("POST", "clock", {"advanceSeconds": 15 * 60})
    parameters = {"workloadIdentityToken": token, "resourceCredentialProviderName": "openai"}
    code, status, response = refused(data.get_resource_api_key, **parameters)
    assert (code, status, response["Error"]["Message"]) == ("UnauthorizedException", 401, "Token has expired")


def test_a_token_ends_with_its_jwt_and_its_identity(service, data, control, refused):
    user_token = user_jwt.unsigned(sub="ada", exp=time.time() + 60)
    token = data.get_workload_access_token_for_jwt(workloadName="my-agent", userToken=user_token)["workloadAccessToken"]
    parameters = {"workloadIdentityToken": token, "resourceCredentialProviderName": "openai"}
    data.get_resource_api_key(**parameters)
    service.local("POST", "clock", {"advanceSeconds": 61})
    assert refused(data.get_resource_api_key, **parameters)[0] == "UnauthorizedException"

    parameters["workloadIdentityToken"] = data.get_workload_access_token(workloadName="my-agent")["workloadAccessToken"]
    control.delete_workload_identity(name="my-agent")
    control.create_workload_identity(name="my-agent")
    assert refused(data.get_resource_api_key, **parameters)[0] == "UnauthorizedException"


@pytest.mark.parametrize(
    ("claims", "code", "status"),
    [
        ({"sub": "ada", "exp": 1}, "UnauthorizedException", 401),
        ({"sub": "ada", "exp": 4102444800, "nbf": 4102444799}, "UnauthorizedException", 401),
        ({"sub": "ada"}, "ValidationException", 400),
        ({"sub": "", "exp": 4102444800}, "ValidationException", 400),
        ({"exp": 4102444800}, "ValidationException", 400),
    ],
)
def test_jwts_that_do_not_hold(data, refused, claims, code, status):
    parameters = {"workloadName": "my-agent", "userToken": user_jwt.unsigned(**claims)}
    assert refused(data.get_workload_access_token_for_jwt, **parameters)[:2] == (code, status)
