"""Faults on demand, as boto3 meets them, and the log of calls."""

import botocore.exceptions
import pytest


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        ("Throttle", "ThrottlingException", 429),
        ("InternalError", "InternalServerException", 500),
        ("AccessDenied", "AccessDeniedException", 403),
        ("RejectToken", "UnauthorizedException", 401),
    ],
)
def test_refusals(service, data, refused, fault, code, status):
    service.local("POST", "faults", {"operation": "GetWorkloadAccessToken", "fault": fault, "times": 2})
    for _ in range(2):
        assert refused(data.get_workload_access_token, workloadName="my-agent")[:2] == (code, status)
    data.get_workload_access_token(workloadName="my-agent")
    calls = service.local("GET", "calls")["calls"]
    assert [(call["status"], call["error"]) for call in calls] == [(status, code)] * 2 + [(200, None)]
    assert service.local("GET", "counters") == {"GetWorkloadAccessToken": 3}


def test_a_dropped_connection(service, data):
    service.local("POST", "faults", {"operation": "GetWorkloadAccessToken", "fault": "DropConnection"})
    with pytest.raises(botocore.exceptions.ConnectionClosedError):
        data.get_workload_access_token(workloadName="my-agent")
    data.get_workload_access_token(workloadName="my-agent")


def test_no_secret_in_the_log_of_calls(service, data, control):
    token = data.get_workload_access_token_for_user_id(workloadName="my-agent", userId="ada")["workloadAccessToken"]
    control.update_api_key_credential_provider(name="openai", apiKey="sk-very-secret")
    data.get_resource_api_key(workloadIdentityToken=token, resourceCredentialProviderName="openai")
    log = service.local("GET", "calls")
    assert log["calls"][-1] | {"workload": "my-agent", "user": "ada", "provider": "openai"} == log["calls"][-1]
    assert "sk-very-secret" not in str(log) and token not in str(log)
