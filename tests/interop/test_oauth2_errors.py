"""Each error that the models document for the OAuth2 operations, and what people and programs read."""

import pytest
import user_jwt
from browser import Browser

SESSION = "urn:ietf:params:oauth:request_uri:none"


@pytest.mark.parametrize("operation", ["GetResourceOauth2Token", "CompleteResourceTokenAuth"])
@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        ("Throttle", "ThrottlingException", 429),
        ("InternalError", "InternalServerException", 500),
        ("AccessDenied", "AccessDeniedException", 403),
        ("RejectToken", "UnauthorizedException", 401),
    ],
)
def test_on_demand(service, agent, refused, operation, fault, code, status):
    service.local("POST", "faults", {"operation": operation, "fault": fault})
    call, given = {
        "GetResourceOauth2Token": (agent.token, {"flow": "M2M", "provider": "idp"}),
        "CompleteResourceTokenAuth": (agent.complete, {"session_uri": SESSION, "user": "ada"}),
    }[operation]
    assert refused(call, **given)[:2] == (code, status)


@pytest.mark.parametrize("flow", ["M2M", "USER_FEDERATION", "ON_BEHALF_OF_TOKEN_EXCHANGE"])
def test_for_every_flow(service, agent, data, refused, flow):
    given = {"resourceCredentialProviderName": "idp", "oauth2Flow": flow, "scopes": []}
    forged = {**given, "workloadIdentityToken": "forged"}
    assert refused(data.get_resource_oauth2_token, **forged)[:2] == ("UnauthorizedException", 401)
    token = agent.workload_token("ada")
    nowhere = {**given, "workloadIdentityToken": token, "resourceCredentialProviderName": "none"}
    code, status, response = refused(data.get_resource_oauth2_token, **nowhere)
    assert (code, status) == ("ResourceNotFoundException", 404) and '"none"' in response["Error"]["Message"]
    service.local("POST", "clock", {"advanceSeconds": 15 * 60})
    expired = {**given, "workloadIdentityToken": token}
    code, status, response = refused(data.get_resource_oauth2_token, **expired)
    assert (code, status, response["Error"]["Message"]) == ("UnauthorizedException", 401, "Token has expired")


def test_a_session_that_never_was_or_is_not_yet(agent, refused):
    pending = agent.user_token("ada", provider="idp")
    for session, hint in [(SESSION, "no user with this very identifier"), (pending["sessionUri"], "has not consented yet")]:
        code, status, response = refused(agent.complete, session_uri=session, user="ada")
        assert (code, status) == ("AccessDeniedException", 403)
        assert hint in response["Error"]["Message"]
    code, _, response = refused(agent.poll, pending={"sessionUri": SESSION}, user="ada", provider="idp")
    assert code == "ValidationException" and "sessionUri" in response["Error"]["Message"]


def test_a_session_that_was_not_completed_in_time(service, agent, refused):
    pending = agent.user_token("ada", provider="idp")
    Browser(service.url).consent(pending["authorizationUrl"])
    service.local("POST", "clock", {"advanceSeconds": 10 * 60})
    code, status, response = refused(agent.complete, session_uri=pending["sessionUri"], user="ada")
    assert (code, status) == ("AccessDeniedException", 403) and "expired" in response["Error"]["Message"]
    assert agent.poll(pending, "ada", provider="idp")["sessionStatus"] == "FAILED"


def test_a_session_of_a_jwt_s_user_takes_that_very_jwt(service, agent, data, refused):
    asked = {"flow": "USER_FEDERATION", "provider": "idp", "resourceOauth2ReturnUrl": agent.return_url}
    mine = user_jwt.unsigned(sub="ada", exp=4102444800)
    renewed = user_jwt.unsigned(sub="ada", exp=4102444801)
    for wrong in [{"userToken": renewed}, {"userId": "ada"}]:
        pending = agent.token(jwt=mine, **asked)
        Browser(service.url).consent(pending["authorizationUrl"])
        session = {"sessionUri": pending["sessionUri"], "userIdentifier": wrong}
        code, _, response = refused(data.complete_resource_token_auth, **session)
        assert code == "AccessDeniedException" and renewed not in str(response) and mine not in str(response)
    pending = agent.token(jwt=mine, **asked)
    Browser(service.url).consent(pending["authorizationUrl"])
    data.complete_resource_token_auth(sessionUri=pending["sessionUri"], userIdentifier={"userToken": mine})
    # The same person with a renewed JWT has the token still.
    assert "accessToken" in agent.token(jwt=renewed, **asked)
    assert "accessToken" not in agent.token(user="ada", **asked)


def test_no_secret_in_the_log_of_calls(service, agent):
    asked = {"provider": "idp", "customState": "state-hunter2", "customParameters": {"login_hint": "parameter-hunter2"}}
    pending = agent.user_token("ada", **asked)
    Browser(service.url).consent(pending["authorizationUrl"])
    agent.complete(pending["sessionUri"], "ada")
    token = agent.poll(pending, "ada", **asked)["accessToken"]
    log = service.local("GET", "calls")["calls"]
    assert log[-1] | {"workload": "my-agent", "user": "ada", "provider": "idp", "status": 200} == log[-1]
    for secret in ["hunter2", token, pending["sessionUri"].rsplit(":")[-1]]:
        assert secret not in str(log)
