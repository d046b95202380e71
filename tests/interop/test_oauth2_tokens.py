"""OAuth2 access tokens, with the local identity provider at the other end."""

import time

import oauth2
import pytest
import user_jwt
from browser import Browser

RETURN_URL = "http://localhost:8081/callback"


@pytest.fixture
def control(service):
    control = service.control_plane()
    control.update_workload_identity(name="my-agent", allowedResourceOauth2ReturnUrls=[RETURN_URL])
    return control


@pytest.fixture
def token(data, control):
    """A workload access token for the user ada."""
    return data.get_workload_access_token_for_user_id(workloadName="my-agent", userId="ada")["workloadAccessToken"]


def request(token, flow="USER_FEDERATION", **more):
    return {
        "workloadIdentityToken": token,
        "resourceCredentialProviderName": "idp",
        "oauth2Flow": flow,
        "scopes": ["profile", "offline_access"],
    } | ({"resourceOauth2ReturnUrl": RETURN_URL, "customState": "state-1"} if flow == "USER_FEDERATION" else {}) | more


def test_consent(service, data, token):
    asked = request(token, resources=["https://api.example/"], customParameters={"ui_locales": "en"})
    begun = data.get_resource_oauth2_token(**asked)
    assert begun["sessionStatus"] == "IN_PROGRESS"
    poll = asked | {"sessionUri": begun["sessionUri"]}
    assert data.get_resource_oauth2_token(**poll)["sessionStatus"] == "IN_PROGRESS"
    returned = Browser(service.url).consent(begun["authorizationUrl"])
    assert returned == {"session_id": begun["sessionUri"], "state": "state-1"}
    assert "accessToken" not in data.get_resource_oauth2_token(**poll)
    data.complete_resource_token_auth(sessionUri=returned["session_id"], userIdentifier={"userId": "ada"})
    first = data.get_resource_oauth2_token(**poll)["accessToken"]
    assert data.get_resource_oauth2_token(**asked)["accessToken"] == first

    service.local("POST", "clock", {"advanceSeconds": 14 * 60})
    renewed = data.get_resource_oauth2_token(**asked | {"forceAuthentication": True})
    assert renewed["sessionStatus"] == "IN_PROGRESS" and renewed["sessionUri"] != begun["sessionUri"]


def test_denial_and_expiry(service, data, token):
    denied, expired = (data.get_resource_oauth2_token(**request(token)) for _ in range(2))
    url, page = Browser(service.url).decide(denied["authorizationUrl"], "ada", "deny")
    assert url.startswith(f"{service.url}/oauth2/callback/") and "You did not allow it" in page
    service.local("POST", "clock", {"advanceSeconds": 10 * 60})
    assert "This link has expired" in Browser(service.url).open(expired["authorizationUrl"])[2]
    for begun in denied, expired:
        answer = data.get_resource_oauth2_token(**request(token, sessionUri=begun["sessionUri"]))
        assert answer["sessionStatus"] == "FAILED" and "accessToken" not in answer


def test_another_user_s_consent(service, data, token, refused):
    begun = data.get_resource_oauth2_token(**request(token))
    Browser(service.url).consent(begun["authorizationUrl"], "mallory")
    for user in "mallory", "ada":
        code, status, response = refused(
            data.complete_resource_token_auth, sessionUri=begun["sessionUri"], userIdentifier={"userId": user}
        )
        assert (code, status) == ("AccessDeniedException", 403)
        assert response["Error"]["Message"].startswith("Invalid or expired session")
    poll = request(token, sessionUri=begun["sessionUri"])
    assert data.get_resource_oauth2_token(**poll)["sessionStatus"] == "FAILED"


def test_what_is_refused(data, control, token, refused):
    mine = data.get_resource_oauth2_token(**request(token))["sessionUri"]
    bob = data.get_workload_access_token_for_user_id(workloadName="my-agent", userId="bob")["workloadAccessToken"]
    userless = data.get_workload_access_token(workloadName="my-agent")["workloadAccessToken"]
    for asked, reason in [
        (request(bob, sessionUri=mine), "FieldValidationFailed"),
        (request(token, sessionUri=mine, scopes=[]), "IdempotentParameterMismatchException"),
        (request(token, resourceOauth2ReturnUrl="https://evil.example/"), "FieldValidationFailed"),
        (request(userless), "FieldValidationFailed"),
        (request(token, "ON_BEHALF_OF_TOKEN_EXCHANGE"), "FieldValidationFailed"),
    ]:
        code, status, response = refused(data.get_resource_oauth2_token, **asked)
        assert (code, status, response["reason"]) == ("ValidationException", 400, reason)


def test_machine_to_machine(service, data, token):
    first = data.get_resource_oauth2_token(**request(token, "M2M"))["accessToken"]
    assert data.get_resource_oauth2_token(**request(token, "M2M"))["accessToken"] == first
    forced = data.get_resource_oauth2_token(**request(token, "M2M", forceAuthentication=True))["accessToken"]
    assert forced != first


def test_on_behalf_of_needs_a_jwt_that_the_provider_believes(data, token, refused):
    unsigned = user_jwt.unsigned(sub="ada", exp=int(time.time()) + 3600)
    answer = data.get_workload_access_token_for_jwt(workloadName="my-agent", userToken=unsigned)
    asked = request(answer["workloadAccessToken"], "ON_BEHALF_OF_TOKEN_EXCHANGE")
    code, status, response = refused(data.get_resource_oauth2_token, **asked)
    assert (code, status) == ("ValidationException", 400)
    assert "refused: invalid_" in response["Error"]["Message"] and unsigned not in response["Error"]["Message"]


def test_a_provider_that_is_not_there(data, control, token, refused):
    control.create_oauth2_credential_provider(**oauth2.custom("elsewhere", oauthDiscovery={
        "authorizationServerMetadata": oauth2.METADATA | {"tokenEndpoint": "http://127.0.0.1:9/token"},
    }))
    asked = request(token, "M2M", resourceCredentialProviderName="elsewhere")
    assert refused(data.get_resource_oauth2_token, **asked)[:2] == ("InternalServerException", 500)
