"""Every operation with good input, and with input that breaks each rule of the model, one at a time."""

import re
import time
import urllib.error
import urllib.request

import jwt
import model
import pytest
from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel

ARN = "arn:aws:bedrock-agentcore:us-east-1:123456789012:workload-identity-directory/default/workload-identity/my-agent"

# For each operation, input that a fresh service accepts. TOKEN stands for a workload access token.
TOKEN = object()
GOOD = {
    "bedrock-agentcore": {
        "GetWorkloadAccessToken": {"workloadName": "my-agent"},
        "GetWorkloadAccessTokenForJWT": {
            "workloadName": "my-agent",
            "userToken": jwt.unsigned(sub="ada", exp=int(time.time()) + 3600),
        },
        "GetWorkloadAccessTokenForUserId": {"workloadName": "my-agent", "userId": "ada"},
        "GetResourceApiKey": {"workloadIdentityToken": TOKEN, "resourceCredentialProviderName": "openai"},
    },
    "bedrock-agentcore-control": {
        "CreateApiKeyCredentialProvider": {"name": "new", "apiKey": "sk", "apiKeySecretSource": "MANAGED", "tags": {"k": "v"}},
        "GetApiKeyCredentialProvider": {"name": "openai"},
        "UpdateApiKeyCredentialProvider": {"name": "openai", "apiKey": "sk", "apiKeySecretSource": "MANAGED"},
        "DeleteApiKeyCredentialProvider": {"name": "openai"},
        "ListApiKeyCredentialProviders": {"maxResults": 100},
        "CreateWorkloadIdentity": {"name": "new", "allowedResourceOauth2ReturnUrls": ["https://x/"], "tags": {"k": "v"}},
        "GetWorkloadIdentity": {"name": "my-agent"},
        "UpdateWorkloadIdentity": {"name": "my-agent", "allowedResourceOauth2ReturnUrls": ["https://x/"]},
        "DeleteWorkloadIdentity": {"name": "my-agent"},
        "ListWorkloadIdentities": {"maxResults": 20},
        "GetTokenVault": {"tokenVaultId": "default"},
        "TagResource": {"resourceArn": ARN, "tags": {"k": "v"}},
        "UntagResource": {"resourceArn": ARN, "tagKeys": ["k"]},
        "ListTagsForResource": {"resourceArn": ARN},
    },
}
OPERATIONS = [(plane, operation) for plane, operations in GOOD.items() for operation in operations]

MODELS = {plane: ServiceModel(Loader().load_service_model(plane, "service-2"), plane) for plane in GOOD}


def bad_inputs():
    """One case for each rule that the model has for a member of an input."""
    for plane, operation in OPERATIONS:
        shape = MODELS[plane].operation_model(operation).input_shape
        for name, member in shape.members.items():
            if name not in GOOD[plane][operation]:
                continue
            in_path = member.serialization.get("location") == "uri"
            if name in shape.required_members and not in_path:
                yield plane, operation, name, "missing", None
            if name == "apiKey":
                # Only a secret that lives elsewhere comes with an empty key, and those are refused here.
                yield plane, operation, name, "empty", ""
            for rule, value in rule_breakers(member):
                if not (in_path and rule == "number"):
                    yield plane, operation, name, rule, value


def rule_breakers(shape):
    if shape.type_name == "list":
        return [(f"item {rule}", [value]) for rule, value in model.violations(shape.member) if rule != "number"]
    if shape.type_name == "map":
        keys = [(f"key {rule}", {value: "v"}) for rule, value in model.violations(shape.key) if rule != "number"]
        return keys + [(f"value {rule}", {"k": value}) for rule, value in model.violations(shape.value)]
    return model.violations(shape)


def parameters(plane, operation, data):
    given = dict(GOOD[plane][operation])
    for name, value in given.items():
        if value is TOKEN:
            given[name] = data.get_workload_access_token(workloadName="my-agent")["workloadAccessToken"]
    return given


def test_these_are_all_the_operations_that_are_served(service):
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(f"{service.url}/nothing")
    served = re.search(r"for: ([A-Za-z0-9, ]+)\.", error.value.read().decode()).group(1).split(", ")
    assert error.value.code == 404
    assert error.value.headers["x-amzn-errortype"] == "UnknownOperationException"
    assert sorted(served) == sorted(operation for _, operation in OPERATIONS)


@pytest.mark.parametrize(("plane", "operation"), OPERATIONS)
def test_good_input(service, data, plane, operation):
    client = service.client(plane)
    answer = getattr(client, xform_name(operation))(**parameters(plane, operation, data))
    expected = MODELS[plane].operation_model(operation).http["responseCode"]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == expected
    assert answer["ResponseMetadata"]["RequestId"]


# One service for all of them: what is refused changes nothing.
@pytest.fixture(scope="module")
def shared():
    from local_identity import LocalIdentity

    arguments = ["--workload-identity", "my-agent", "--api-key", "openai=KEY"]
    with LocalIdentity(*arguments, environment={"KEY": "sk-local"}) as service:
        yield {plane: service.client(plane) for plane in GOOD}


@pytest.mark.parametrize(
    ("plane", "operation", "member", "rule", "value"),
    [pytest.param(*case, id=f"{case[1]}-{case[2]}-{case[3]}") for case in bad_inputs()],
)
def test_bad_input(shared, refused, plane, operation, member, rule, value):
    given = parameters(plane, operation, shared["bedrock-agentcore"])
    if rule == "missing":
        del given[member]
    else:
        given[member] = value
    code, status, response = refused(getattr(shared[plane], xform_name(operation)), **given)
    assert (code, status) == ("ValidationException", 400)
    assert response["reason"] == "FieldValidationFailed"
    assert response["fieldList"][0]["name"].startswith(member)
    assert member in response["Error"]["Message"]


@pytest.mark.parametrize(("plane", "operation"), OPERATIONS)
def test_unknown_members_are_ignored(service, data, plane, operation):
    client = service.client(plane)

    def add_member(params, **_):
        if params["body"]:
            body = params["body"] if isinstance(params["body"], bytes) else params["body"].encode()
            params["body"] = body[:-1] + (b"," if len(body) > 2 else b"") + b'"fromTheFuture": [1]}'

    client.meta.events.register("before-call.*", add_member)
    getattr(client, xform_name(operation))(**parameters(plane, operation, data))
