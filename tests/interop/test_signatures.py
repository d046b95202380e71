"""Who may call: boto3's signatures are accepted, and nothing else."""

import datetime
import urllib.error
import urllib.request

import pytest
from botocore import auth
from botocore.exceptions import ClientError
from local_identity import LocalIdentity

WRONG = {
    "secret key": ({"aws_secret_access_key": "wrong" * 8}, "InvalidSignatureException"),
    "key id": ({"aws_access_key_id": "AKIDEXAMPLE"}, "UnrecognizedClientException"),
    "region": ({"region_name": "eu-west-1"}, "InvalidSignatureException"),
}


@pytest.mark.parametrize("plane", ["bedrock-agentcore", "bedrock-agentcore-control"])
@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_credentials_or_region(service, refused, plane, wrong):
    override, code = WRONG[wrong]
    if wrong != "region":
        exports = service.exports
        keys = {
            "aws_access_key_id": exports["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": exports["AWS_SECRET_ACCESS_KEY"],
        }
        override = {**keys, **override}
    client = service.client(plane, **override)
    call = client.get_token_vault if plane.endswith("control") else client.get_workload_access_token
    given = {} if plane.endswith("control") else {"workloadName": "my-agent"}
    answer_code, status, response = refused(call, **given)
    assert (answer_code, status) == (code, 403)
    assert "AWS_" in response["Error"]["Message"]


def test_nothing_is_answered_to_a_wrong_secret_key(service, refused):
    """Not one operation, good input or not."""
    keys = {"aws_access_key_id": service.exports["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": "wrong" * 8}
    control = service.control_plane(**keys)
    for call, given in [
        (control.create_workload_identity, {"name": "intruder"}),
        (control.delete_api_key_credential_provider, {"name": "openai"}),
        (control.list_workload_identities, {}),
        (control.create_workload_identity, {"name": ""}),
    ]:
        assert refused(call, **given)[:2] == ("InvalidSignatureException", 403)
    names = [item["name"] for item in service.control_plane().list_workload_identities()["workloadIdentities"]]
    assert names == ["my-agent"]


@pytest.mark.parametrize("part", ["body", "path", "header"])
def test_a_request_that_was_altered_on_the_way(control, refused, part):
    def alter(request, **_):
        if part == "body":
            request.body = request.body.replace(b"one", b"two")
        elif part == "path":
            request.url = request.url.replace("GetWorkloadIdentity", "DeleteWorkloadIdentity")
        else:
            request.headers["X-Amz-Meta"] = "altered"

    control.create_workload_identity(name="one")
    control.create_workload_identity(name="two")

    def add_header(request, **_):
        request.headers["X-Amz-Meta"] = "as signed"

    control.meta.events.register("before-sign.*", add_header)
    control.get_workload_identity(name="one")
    control.meta.events.register("before-send.*", alter)
    assert refused(control.get_workload_identity, name="one")[:2] == ("InvalidSignatureException", 403)


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_skewed_clock(control, refused, monkeypatch, minutes):
    real = auth.get_current_datetime

    def skewed(*arguments, **keywords):
        return real(*arguments, **keywords) + datetime.timedelta(minutes=minutes)

    monkeypatch.setattr(auth, "get_current_datetime", skewed)
    code, status, response = refused(control.get_token_vault)
    assert (code, status) == ("InvalidSignatureException", 403)
    assert "15 minutes" in response["Error"]["Message"]


def test_an_unsigned_request(service):
    request = urllib.request.Request(f"{service.url}/identities/get-token-vault", method="POST", data=b"{}")
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request)
    assert error.value.code == 403
    assert error.value.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"


def test_a_foreign_host(service):
    request = urllib.request.Request(f"{service.url}/_local/health", headers={"Host": "rebound.example.com"})
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request)
    assert error.value.code == 403


def test_a_left_over_session_token_does_not_matter(service):
    exports = service.exports
    client = service.control_plane(
        aws_access_key_id=exports["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"],
        aws_session_token="left-over",
    )
    client.get_token_vault()


def test_another_region():
    with LocalIdentity("--region", "eu-central-1", "--workload-identity", "my-agent") as service:
        arn = service.control_plane().get_workload_identity(name="my-agent")["workloadIdentityArn"]
        assert ":eu-central-1:" in arn
        with pytest.raises(ClientError):
            service.control_plane(region_name="us-east-1").get_token_vault()


def test_credentials_outlive_a_restart_with_data(tmp_path):
    arguments = ["--data", str(tmp_path / "data")]
    with LocalIdentity(*arguments) as first:
        first.control_plane().create_workload_identity(name="durable")
        exports = first.exports
    with LocalIdentity(*arguments) as second:
        # The first one's exports, but for the port.
        first.exports = {name: value.replace(first.url, second.url) for name, value in exports.items()}
        first.control_plane().get_workload_identity(name="durable")
