"""Credential providers, workload identities, the vault and tags."""

import datetime

import oauth2
import pytest


def test_an_api_key_provider_from_birth_to_death(control, refused):
    created = control.create_api_key_credential_provider(name="my_provider-1", apiKey="sk-1", tags={"team": "blue"})
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert created["apiKeySecretSource"] == "MANAGED"
    got = control.get_api_key_credential_provider(name="my_provider-1")
    assert got["credentialProviderArn"] == created["credentialProviderArn"]
    assert got["apiKeySecretArn"] == created["apiKeySecretArn"]
    now = datetime.datetime.now(datetime.timezone.utc)
    assert abs(now - got["createdTime"]) < datetime.timedelta(minutes=1)
    updated = control.update_api_key_credential_provider(name="my_provider-1", apiKey="sk-2")
    assert updated["createdTime"] == got["createdTime"] and updated["lastUpdatedTime"] >= got["lastUpdatedTime"]
    assert control.delete_api_key_credential_provider(name="my_provider-1")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refused(control.get_api_key_credential_provider, name="my_provider-1")[:2] == ("ResourceNotFoundException", 404)


def test_a_workload_identity_from_birth_to_death(control, refused):
    created = control.create_workload_identity(name="agent.1", allowedResourceOauth2ReturnUrls=["https://a.example.com/"])
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    updated = control.update_workload_identity(name="agent.1", allowedResourceOauth2ReturnUrls=["myapp:callback"])
    got = control.get_workload_identity(name="agent.1")
    for answer in [updated, got]:
        assert answer["workloadIdentityArn"] == created["workloadIdentityArn"]
        assert answer["allowedResourceOauth2ReturnUrls"] == ["myapp:callback"]
    assert control.delete_workload_identity(name="agent.1")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refused(control.get_workload_identity, name="agent.1")[:2] == ("ResourceNotFoundException", 404)


def test_names_are_taken_once(control, refused):
    for call, parameters in [
        (control.create_workload_identity, {"name": "my-agent"}),
        (control.create_api_key_credential_provider, {"name": "openai", "apiKey": "sk"}),
        (control.create_oauth2_credential_provider, oauth2.provider("idp", "GithubOauth2")),
    ]:
        assert refused(call, **parameters)[:2] == ("ConflictException", 409)


def test_what_is_not_there(control, refused):
    for call, parameters in [
        (control.update_api_key_credential_provider, {"name": "none", "apiKey": "sk"}),
        (control.delete_api_key_credential_provider, {"name": "none"}),
        (control.get_oauth2_credential_provider, {"name": "none"}),
        (control.update_oauth2_credential_provider, oauth2.provider("none", "GithubOauth2")),
        (control.delete_oauth2_credential_provider, {"name": "none"}),
        (control.update_workload_identity, {"name": "none"}),
        (control.delete_workload_identity, {"name": "none"}),
        (control.get_token_vault, {"tokenVaultId": "none"}),
    ]:
        assert refused(call, **parameters)[:2] == ("ResourceNotFoundException", 404)


def test_the_fifty_first_provider(control, refused):
    for number in range(49):
        control.create_api_key_credential_provider(name=f"provider-{number}", apiKey="sk")
    parameters = {"name": "one-more", "apiKey": "sk"}
    assert refused(control.create_api_key_credential_provider, **parameters)[:2] == ("ServiceQuotaExceededException", 402)
    control.delete_api_key_credential_provider(name="provider-0")
    control.create_api_key_credential_provider(**parameters)


@pytest.mark.parametrize(
    ("operation", "items", "create", "largest"),
    [
        ("list_workload_identities", "workloadIdentities", "create_workload_identity", 20),
        ("list_api_key_credential_providers", "credentialProviders", "create_api_key_credential_provider", 100),
        ("list_oauth2_credential_providers", "credentialProviders", "create_oauth2_credential_provider", 20),
    ],
)
def test_lists_come_in_pages(control, refused, operation, items, create, largest):
    seeded, extra = {
        "create_workload_identity": ("my-agent", {}),
        "create_api_key_credential_provider": ("openai", {"apiKey": "sk"}),
        "create_oauth2_credential_provider": ("idp", oauth2.provider("", "GithubOauth2")),
    }[create]
    for number in range(45):
        getattr(control, create)(**{**extra, "name": f"number-{number:02}"})
    expected = sorted([f"number-{number:02}" for number in range(45)] + [seeded])
    for size in [None, 1, 7, 20]:
        config = {} if size is None else {"PageSize": size}
        pages = list(control.get_paginator(operation).paginate(PaginationConfig=config))
        assert [item["name"] for page in pages for item in page[items]] == expected
        assert all(len(page[items]) <= (size or largest) for page in pages)
    call = getattr(control, operation)
    for parameters in [{"nextToken": "Zm9yZ2Vk"}, {"maxResults": 0}, {"maxResults": largest + 1}]:
        assert refused(call, **parameters)[:2] == ("ValidationException", 400)


def test_a_page_token_is_good_for_its_own_list(control, refused):
    control.create_workload_identity(name="another")
    token = control.list_workload_identities(maxResults=1)["nextToken"]
    assert refused(control.list_api_key_credential_providers, nextToken=token)[:2] == ("ValidationException", 400)


def test_the_vault(control):
    for parameters in [{}, {"tokenVaultId": "default"}]:
        vault = control.get_token_vault(**parameters)
        assert (vault["tokenVaultId"], vault["kmsConfiguration"]) == ("default", {"keyType": "ServiceManagedKey"})


def test_external_secrets_are_refused_with_a_reason(control, refused):
    external = {"apiKeySecretConfig": {"secretId": "s", "jsonKey": "j"}, "apiKeySecretSource": "EXTERNAL"}
    for call, name in [
        (control.create_api_key_credential_provider, "new"),
        (control.update_api_key_credential_provider, "openai"),
    ]:
        code, status, response = refused(call, name=name, **external)
        assert (code, status) == ("ValidationException", 400)
        assert "only MANAGED secrets" in response["Error"]["Message"]


@pytest.fixture(params=["workload identity", "provider", "provider as acps"])
def arn(request, control):
    if request.param == "workload identity":
        return control.get_workload_identity(name="my-agent")["workloadIdentityArn"]
    arn = control.get_api_key_credential_provider(name="openai")["credentialProviderArn"]
    return arn.replace(":bedrock-agentcore:", ":acps:") if request.param.endswith("acps") else arn


def test_tags(control, refused, arn):
    awkward = {"team": "blue", "cost center": "a/b=c", "x:y+z@w": ""}
    control.tag_resource(resourceArn=arn, tags=awkward)
    control.tag_resource(resourceArn=arn, tags={"team": "red"})
    assert control.list_tags_for_resource(resourceArn=arn)["tags"] == {**awkward, "team": "red"}
    control.untag_resource(resourceArn=arn, tagKeys=[key for key in awkward if key != "team"] + ["unknown"])
    assert control.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "red"}

    full = {f"key-{number}": "v" for number in range(50)}
    code, status, _ = refused(control.tag_resource, resourceArn=arn, tags=full)
    assert (code, status) == ("ServiceQuotaExceededException", 402)
    for tags in [{**full, "team": "x"}, {"aws:reserved": "v"}, {"<": "v"}, {"k": "<"}, {"k": "v" * 257}, {"": "v"}]:
        assert refused(control.tag_resource, resourceArn=arn, tags=tags)[:2] == ("ValidationException", 400)
    assert control.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "red"}


def test_tags_of_what_is_not_there(control, refused):
    arn = control.get_workload_identity(name="my-agent")["workloadIdentityArn"]
    for missing in [f"{arn}-gone", arn.replace("us-east-1", "eu-west-1"), arn.replace("/my-agent", "/x/y/z")]:
        for call, parameters in [
            (control.tag_resource, {"tags": {}}),
            (control.untag_resource, {"tagKeys": ["k"]}),
            (control.list_tags_for_resource, {}),
        ]:
            assert refused(call, resourceArn=missing, **parameters)[:2] == ("ResourceNotFoundException", 404)
    assert refused(control.list_tags_for_resource, resourceArn="x" * 40)[:2] == ("ValidationException", 400)


def test_tags_at_birth(control):
    arn = control.create_workload_identity(name="tagged", tags={"k": "v"})["workloadIdentityArn"]
    assert control.list_tags_for_resource(resourceArn=arn)["tags"] == {"k": "v"}
