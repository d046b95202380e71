"""Every operation with good input, and with input that breaks each rule of the model, one at a time."""

import copy
import re
import time
import urllib.error
import urllib.request

import model
import oauth2
import pytest
import user_jwt
from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel
from browser import Browser

ARN = "arn:aws:bedrock-agentcore:us-east-1:123456789012:workload-identity-directory/default/workload-identity/my-agent"

# For each operation, input that a fresh service accepts. TOKEN stands for a workload access token, SESSION for the URI of an
# authorization to which the user ada has consented.
TOKEN, SESSION = "TOKEN", "SESSION"
GOOD = {
    "bedrock-agentcore": {
        "GetWorkloadAccessToken": {"workloadName": "my-agent"},
        "GetWorkloadAccessTokenForJWT": {
            "workloadName": "my-agent",
            "userToken": user_jwt.unsigned(sub="ada", exp=int(time.time()) + 3600),
        },
        "GetWorkloadAccessTokenForUserId": {"workloadName": "my-agent", "userId": "ada"},
        "GetResourceApiKey": {"workloadIdentityToken": TOKEN, "resourceCredentialProviderName": "openai"},
        "GetResourceOauth2Token": {
            "workloadIdentityToken": TOKEN,
            "resourceCredentialProviderName": "idp",
            "scopes": ["profile"],
            "oauth2Flow": "M2M",
            "sessionUri": "urn:ietf:params:oauth:request_uri:none",
            "resourceOauth2ReturnUrl": "https://x/",
            "forceAuthentication": True,
            "customParameters": {"k": "v"},
            "customState": "s",
            "resources": ["https://x/"],
            "audiences": ["a"],
        },
        "CompleteResourceTokenAuth": {"sessionUri": SESSION, "userIdentifier": {"userId": "ada"}},
    },
    "bedrock-agentcore-control": {
        "CreateApiKeyCredentialProvider": {"name": "new", "apiKey": "sk", "apiKeySecretSource": "MANAGED", "tags": {"k": "v"}},
        "GetApiKeyCredentialProvider": {"name": "openai"},
        "UpdateApiKeyCredentialProvider": {"name": "openai", "apiKey": "sk", "apiKeySecretSource": "MANAGED"},
        "DeleteApiKeyCredentialProvider": {"name": "openai"},
        "ListApiKeyCredentialProviders": {"maxResults": 100},
        "CreateOauth2CredentialProvider": oauth2.custom("new", tags={"k": "v"}),
        "GetOauth2CredentialProvider": {"name": "idp"},
        "UpdateOauth2CredentialProvider": oauth2.custom("idp"),
        "DeleteOauth2CredentialProvider": {"name": "idp"},
        "ListOauth2CredentialProviders": {"maxResults": 20},
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


# Where one input cannot have every member, more that are good.
MORE = {
    ("bedrock-agentcore-control", "CreateOauth2CredentialProvider"): [
        oauth2.custom("new", **oauth2.PRIVATE_KEY_JWT),
        oauth2.custom("new", oauthDiscovery={"discoveryUrl": oauth2.DISCOVERY_URL}),
        *[oauth2.provider("new", vendor) for vendor in oauth2.VENDORS if vendor != "CustomOauth2"],
    ],
}


def bad_inputs():
    """One case for each rule that the model has for a member of an input, members of structures included."""
    for plane, operation in OPERATIONS:
        shape = MODELS[plane].operation_model(operation).input_shape
        for number, good in enumerate([GOOD[plane][operation], *MORE.get((plane, operation), [])]):
            for path, rule, value in broken(shape, good):
                yield plane, operation, number, path, rule, value
            if operation == "CreateApiKeyCredentialProvider" or operation == "UpdateApiKeyCredentialProvider":
                # Only a secret that lives elsewhere comes with an empty key, and those are refused here.
                yield plane, operation, number, ("apiKey",), "empty", ""


def broken(shape, good, path=()):
    for name, member in shape.members.items():
        if name not in good:
            continue
        here, in_path = (*path, name), member.serialization.get("location") == "uri"
        if name in shape.required_members and not in_path:
            yield here, "missing", None
        if member.type_name == "structure":
            yield from broken(member, good[name], here)
            if member.metadata.get("union"):
                yield here, "no variant", {}
                yield here, "two variants", {name: minimal(variant) for name, variant in list(member.members.items())[:2]}
            continue
        for rule, value in rule_breakers(member):
            if not (in_path and rule == "number"):
                yield here, rule, value


def minimal(shape):
    """A value of a shape's type."""
    return {} if shape.type_name == "structure" else ""


def rule_breakers(shape):
    if shape.type_name == "list":
        return [(f"item {rule}", [value]) for rule, value in model.violations(shape.member) if rule != "number"] + sizes(shape)
    if shape.type_name == "map":
        keys = [(f"key {rule}", {value: "v"}) for rule, value in model.violations(shape.key) if rule != "number"]
        return keys + [(f"value {rule}", {"k": value}) for rule, value in model.violations(shape.value)] + sizes(shape)
    return model.violations(shape)


def sizes(shape):
    """Lists or maps with one entry too few or too many."""
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    counts = ([("few", least - 1)] if least else []) + ([("many", most + 1)] if most else [])
    entries = lambda count: [f"k{number}" for number in range(count)]
    return [
        (rule, {key: "v" for key in entries(count)} if shape.type_name == "map" else entries(count)) for rule, count in counts
    ]


def consented(service):
    data, control, return_url = service.data_plane(), service.control_plane(), "https://x/"
    control.update_workload_identity(name="my-agent", allowedResourceOauth2ReturnUrls=[return_url])
    token = data.get_workload_access_token_for_user_id(workloadName="my-agent", userId="ada")["workloadAccessToken"]
    begun = data.get_resource_oauth2_token(
        workloadIdentityToken=token,
        resourceCredentialProviderName="idp",
        oauth2Flow="USER_FEDERATION",
        scopes=[],
        resourceOauth2ReturnUrl=return_url,
    )
    return Browser(service.url).consent(begun["authorizationUrl"])["session_id"]


def parameters(plane, operation, service, number=0):
    given = copy.deepcopy([GOOD[plane][operation], *MORE.get((plane, operation), [])][number])
    for name, value in given.items():
        if value == SESSION:
            given[name] = consented(service)
        if value == TOKEN:
            data = service.data_plane()
            given[name] = data.get_workload_access_token(workloadName="my-agent")["workloadAccessToken"]
    return given


def test_these_are_all_the_operations_that_are_served(service):
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(f"{service.url}/nothing")
    served = re.search(r"for: ([A-Za-z0-9, ]+)\.", error.value.read().decode()).group(1).split(", ")
    assert error.value.code == 404
    assert error.value.headers["x-amzn-errortype"] == "UnknownOperationException"
    # That one is spoken to in the protocol of STS.
    assert sorted({*served} - {"GetWebIdentityToken"}) == sorted(operation for _, operation in OPERATIONS)


@pytest.mark.parametrize(
    ("plane", "operation", "number"),
    [(*case, number) for case in OPERATIONS for number in range(1 + len(MORE.get(case, [])))],
)
def test_good_input(service, plane, operation, number):
    client = service.client(plane)
    answer = getattr(client, xform_name(operation))(**parameters(plane, operation, service, number))
    expected = MODELS[plane].operation_model(operation).http["responseCode"]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == expected
    assert answer["ResponseMetadata"]["RequestId"]


# One service for all of them: what is refused changes nothing.
@pytest.fixture(scope="module")
def shared():
    from local_identity import LocalIdentity

    arguments = ["--workload-identity", "my-agent", "--api-key", "openai=KEY", "--oauth2-provider", "idp"]
    with LocalIdentity(*arguments, environment={"KEY": "sk-local"}) as service:
        yield service, {plane: service.client(plane) for plane in GOOD}


@pytest.mark.parametrize(
    ("plane", "operation", "number", "path", "rule", "value"),
    [pytest.param(*case, id=f"{case[1]}-{case[2]}-{'.'.join(case[3])}-{case[4]}") for case in bad_inputs()],
)
def test_bad_input(shared, refused, plane, operation, number, path, rule, value):
    service, clients = shared
    given = parameters(plane, operation, service, number)
    *parents, last = path
    structure = given
    for name in parents:
        structure = structure[name]
    if rule == "missing":
        del structure[last]
    else:
        structure[last] = value
    code, status, response = refused(getattr(clients[plane], xform_name(operation)), **given)
    assert (code, status) == ("ValidationException", 400)
    assert response["reason"] == "FieldValidationFailed"
    member = ".".join(path)
    assert response["fieldList"][0]["name"].startswith(member)
    assert member in response["Error"]["Message"]


@pytest.mark.parametrize(("plane", "operation"), OPERATIONS)
def test_unknown_members_are_ignored(service, plane, operation):
    client, given = service.client(plane), parameters(plane, operation, service)

    def add_member(params, **_):
        if params["body"]:
            body = params["body"] if isinstance(params["body"], bytes) else params["body"].encode()
            params["body"] = body[:-1] + (b"," if len(body) > 2 else b"") + b'"fromTheFuture": [1]}'

    client.meta.events.register("before-call.*", add_member)
    getattr(client, xform_name(operation))(**given)
