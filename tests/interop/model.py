"""Checks what came over the wire against the service model that botocore carries."""

import datetime
import re

# AWS's own texts disagree on the ARN of a credential provider: these shapes' patterns say service `acps` and no underscore in the
# name, while names may have one and the documentation, like the tagging operations, says `bedrock-agentcore`. Either passes.
DISPUTED_PATTERNS = {
    "ApiKeyCredentialProviderArnType": r"arn:(aws|aws-us-gov):(acps|bedrock-agentcore):[A-Za-z0-9-]{1,64}:[0-9]{12}:"
    r"token-vault/[a-zA-Z0-9-.]+/apikeycredentialprovider/[a-zA-Z0-9-._]+",
    "CredentialProviderArnType": r"arn:(aws|aws-us-gov):(acps|bedrock-agentcore):[A-Za-z0-9-]{1,64}:[0-9]{12}:"
    r"token-vault/[a-zA-Z0-9-.]+/oauth2credentialprovider/[a-zA-Z0-9-._]+",
}

SCALARS = {"string": str, "integer": int, "timestamp": (int, float, datetime.datetime)}


def check(shape, value, where):
    """Fails unless `value`, as parsed from JSON, is exactly what `shape` allows."""
    if shape.type_name == "structure":
        assert isinstance(value, dict), f"{where} is no object: {value!r}"
        assert not shape.metadata.get("union") or len(value) == 1, f"{where} is a union, and has {list(value)}"
        missing = set(shape.required_members) - value.keys()
        unknown = value.keys() - shape.members.keys()
        assert not missing, f"{where} lacks {missing}"
        assert not unknown, f"{where} has {unknown}, which the model does not know"
        for name, member in value.items():
            check(shape.members[name], member, f"{where}.{name}")
    elif shape.type_name == "list":
        assert isinstance(value, list), f"{where} is no list: {value!r}"
        check_bounds(shape, len(value), where)
        for index, item in enumerate(value):
            check(shape.member, item, f"{where}[{index}]")
    elif shape.type_name == "map":
        assert isinstance(value, dict), f"{where} is no map: {value!r}"
        check_bounds(shape, len(value), where)
        for key, item in value.items():
            check(shape.key, key, f"{where} key")
            check(shape.value, item, f"{where}[{key}]")
    else:
        check_scalar(shape, value, where)


def check_scalar(shape, value, where):
    expected = SCALARS[shape.type_name]
    assert isinstance(value, expected) and not isinstance(value, bool), f"{where} is no {shape.type_name}: {value!r}"
    if shape.type_name == "string":
        check_bounds(shape, len(value), where)
        pattern = DISPUTED_PATTERNS.get(shape.name, shape.metadata.get("pattern"))
        assert pattern is None or re.fullmatch(pattern, value), f"{where} does not match {pattern}: {value!r}"
        enum = shape.metadata.get("enum")
        assert enum is None or value in enum, f"{where} is none of {enum}: {value!r}"
    elif shape.type_name == "integer":
        check_bounds(shape, value, where)


def check_bounds(shape, size, where):
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    assert least is None or size >= least, f"{where} is below {least}: {size}"
    assert most is None or size <= most, f"{where} is above {most}: {size}"


def violations(shape):
    """Values that each break one rule of a string or integer shape, with a name for the rule."""
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if shape.type_name == "integer":
        return [("below", least - 1), ("above", most + 1), ("text", "many")]
    broken = [("number", 7)]
    if least:
        broken.append(("short", "a" * (least - 1)))
    if most:
        broken.append(("long", "a" * (most + 1)))
    if "pattern" in shape.metadata:
        broken.append(("pattern", "not <fit>\u00e9 for this"))
    if "enum" in shape.metadata:
        broken.append(("enum", "NEITHER"))
    return broken
