"""STS GetWebIdentityToken with boto3, and its tokens with PyJWT, which has the keys over HTTP."""

import json
import time
import urllib.request

import jwt
import pytest

AUDIENCE = "https://api.example.com"
NAMESPACE = "https://sts.amazonaws.com/"


@pytest.fixture
def sts(service):
    return service.client("sts")


def verified(token, audience, **options):
    """Header and claims of a token that holds by what its issuer publishes, found as OpenID Connect Discovery has it."""
    issuer = jwt.decode(token, options={"verify_signature": False})["iss"]
    with urllib.request.urlopen(f"{issuer}/.well-known/openid-configuration") as answer:
        metadata = json.load(answer)
    assert metadata["issuer"] == issuer
    key = jwt.PyJWKClient(metadata["jwks_uri"]).get_signing_key_from_jwt(token)
    algorithms = metadata["id_token_signing_alg_values_supported"]
    claims = jwt.decode(token, key, algorithms=algorithms, audience=audience, issuer=issuer, **options)
    return jwt.get_unverified_header(token), claims


@pytest.mark.parametrize("algorithm", ["ES384", "RS256"])
def test_a_token_for_one_audience(service, sts, algorithm):
    answer = sts.get_web_identity_token(Audience=[AUDIENCE], SigningAlgorithm=algorithm)
    header, claims = verified(answer["WebIdentityToken"], AUDIENCE)
    assert (header["alg"], header["typ"]) == (algorithm, "JWT")
    assert claims["iss"].startswith(service.url)
    assert claims["sub"].startswith("arn:aws:iam::123456789012:")
    assert claims["aud"] == AUDIENCE
    assert claims["exp"] - claims["iat"] == 300 and abs(claims["iat"] - time.time()) < 30
    assert answer["Expiration"].timestamp() == claims["exp"]
    assert claims[NAMESPACE] == {"aws_account": "123456789012", "source_region": "us-east-1"}


def test_a_token_with_all_there_is(sts):
    audiences = [f"https://{number}.example.com" for number in range(10)]
    tags = {"team": "blue", "cost center": "a/b=c", "empty": "", "größe": "1"}
    answer = sts.get_web_identity_token(
        Audience=audiences,
        SigningAlgorithm="ES384",
        DurationSeconds=3600,
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )
    for audience in audiences:
        _, claims = verified(answer["WebIdentityToken"], audience)
    assert claims["aud"] == audiences
    assert claims["exp"] - claims["iat"] == 3600
    assert claims[NAMESPACE]["request_tags"] == tags


def test_each_token_is_another(sts):
    given = {"Audience": [AUDIENCE], "SigningAlgorithm": "ES384"}
    tokens = [sts.get_web_identity_token(**given)["WebIdentityToken"] for _ in range(2)]
    assert len({verified(token, AUDIENCE)[1]["jti"] for token in tokens}) == 2


@pytest.mark.parametrize("algorithm", ["ES384", "RS256"])
def test_what_does_not_hold(sts, algorithm):
    token = sts.get_web_identity_token(Audience=[AUDIENCE], SigningAlgorithm=algorithm)["WebIdentityToken"]
    with pytest.raises(jwt.InvalidAudienceError):
        verified(token, "https://another.example.com")
    head, _, signature = token.split(".")
    claims = jwt.decode(token, options={"verify_signature": False}) | {"sub": "arn:aws:iam::123456789012:role/another"}
    payload = jwt.encode(claims, "k" * 32).split(".")[1]
    with pytest.raises(jwt.InvalidSignatureError):
        verified(f"{head}.{payload}.{signature}", AUDIENCE)


def test_the_keys_are_public_ones(service):
    with urllib.request.urlopen(f"{service.url}/sts/.well-known/jwks.json") as answer:
        keys = json.load(answer)["keys"]
    assert {(key["kty"], key["alg"], key["use"]) for key in keys} == {("EC", "ES384", "sig"), ("RSA", "RS256", "sig")}
    assert not any({"d", "p", "q", "dp", "dq", "qi", "k"} & key.keys() for key in keys)


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        ({"Audience": []}, "Audience"),
        ({"Audience": [""]}, "Audience"),
        ({"Audience": ["a" * 1001]}, "Audience"),
        ({"Audience": [str(number) for number in range(11)]}, "Audience"),
        ({"SigningAlgorithm": "HS256"}, "SigningAlgorithm"),
        ({"SigningAlgorithm": "es384"}, "SigningAlgorithm"),
        ({"DurationSeconds": 59}, "DurationSeconds"),
        ({"DurationSeconds": 3601}, "DurationSeconds"),
        ({"Tags": [{"Key": "", "Value": "v"}]}, "Tags"),
        ({"Tags": [{"Key": "k" * 129, "Value": "v"}]}, "Tags"),
        ({"Tags": [{"Key": "<", "Value": "v"}]}, "Tags"),
        ({"Tags": [{"Key": "k", "Value": "v" * 257}]}, "Tags"),
        ({"Tags": [{"Key": "k", "Value": "v"}, {"Key": "K", "Value": "v"}]}, "Tags"),
        ({"Tags": [{"Key": str(number), "Value": "v"} for number in range(51)]}, "Tags"),
    ],
)
def test_bad_input(sts, refused, changes, member):
    given = {"Audience": [AUDIENCE], "SigningAlgorithm": "ES384", **changes}
    code, status, response = refused(sts.get_web_identity_token, **given)
    assert (code, status) == ("ValidationError", 400)
    assert member in response["Error"]["Message"]


@pytest.mark.parametrize("member", ["Audience", "SigningAlgorithm"])
def test_what_is_required(sts, refused, member):
    given = {"Audience": [AUDIENCE], "SigningAlgorithm": "ES384"}
    del given[member]
    code, _, response = refused(sts.get_web_identity_token, **given)
    assert code == "ValidationError" and member in response["Error"]["Message"]


def test_who_may_call(service, refused):
    given = {"Audience": [AUDIENCE], "SigningAlgorithm": "ES384"}
    keys = {
        "aws_access_key_id": service.exports["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": service.exports["AWS_SECRET_ACCESS_KEY"],
    }
    for wrong, code in [
        ({**keys, "aws_secret_access_key": "wrong" * 8}, "SignatureDoesNotMatch"),
        ({**keys, "aws_access_key_id": "AKIDEXAMPLE"}, "InvalidClientTokenId"),
        ({"region_name": "eu-west-1"}, "SignatureDoesNotMatch"),
    ]:
        assert refused(service.client("sts", **wrong).get_web_identity_token, **given)[:2] == (code, 403)


def test_what_sts_has_besides_is_said_not_to_be_here(sts, refused):
    code, status, response = refused(sts.get_caller_identity)
    assert (code, status) == ("InvalidAction", 400)
    assert "GetWebIdentityToken" in response["Error"]["Message"]


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        ("Throttle", "Throttling", 400),
        ("InternalError", "InternalFailure", 500),
        ("AccessDenied", "AccessDenied", 403),
    ],
)
def test_faults(service, sts, refused, fault, code, status):
    given = {"Audience": [AUDIENCE], "SigningAlgorithm": "ES384"}
    service.local("POST", "faults", {"operation": "GetWebIdentityToken", "fault": fault})
    assert refused(sts.get_web_identity_token, **given)[:2] == (code, status)
    token = sts.get_web_identity_token(**given)["WebIdentityToken"]
    log = service.local("GET", "calls")["calls"]
    assert [(call["operation"], call["error"]) for call in log] == [("GetWebIdentityToken", code), ("GetWebIdentityToken", None)]
    assert token not in str(log)
