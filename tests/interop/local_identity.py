"""The real program as a child process, and boto3 clients whose every answer is checked against the model."""

import json
import os
import re
import subprocess
import urllib.request

import boto3
import model
from botocore.config import Config

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class LocalIdentity:
    """`agentcore-identity-local serve` on a free port. Use it in a `with` statement."""

    def __init__(self, *arguments, environment=None):
        self.process = subprocess.Popen(
            [os.environ["AGENTCORE_IDENTITY_LOCAL"], "serve", "--port", "0", "--log", "off", *arguments],
            env=environment or {},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.exports = {}
        for line in self.process.stdout:
            if line.startswith("export "):
                name, value = line.removeprefix("export ").rstrip("\n").split("=", 1)
                self.exports[name] = value
            if line.startswith("# Ctrl-C stops it"):
                break
        assert self.exports, "the program did not start"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        assert self.process.wait(timeout=20) == 0

    @property
    def url(self):
        return self.exports["AWS_ENDPOINT_URL_BEDROCK_AGENTCORE"]

    def client(self, service, **overrides):
        """A client that is configured by the program's `export` lines alone, but for `overrides`."""
        saved = dict(os.environ)
        try:
            for name in [name for name in os.environ if name.startswith(("AWS_", "BEDROCK_", "AGENTCORE_"))]:
                del os.environ[name]
            os.environ.update(self.exports, AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)
            config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
            client = boto3.session.Session().client(service, config=config, **overrides)
            # Credentials are read when they are first needed; here and now is while the exports are set.
            client._get_credentials().get_frozen_credentials()
        finally:
            os.environ.clear()
            os.environ.update(saved)
        client.meta.events.register("after-call.*", check_answer)
        return client

    def data_plane(self, **overrides):
        return self.client("bedrock-agentcore", **overrides)

    def control_plane(self, **overrides):
        return self.client("bedrock-agentcore-control", **overrides)

    def local(self, method, path, body=None):
        """A request to the service's own interface for tests."""
        request = urllib.request.Request(
            f"{self.url}/_local/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read() or "null")


def check_answer(http_response, **event):
    """Holds one HTTP answer against the operation's own model: status, headers, and the body as it was on the wire."""
    operation, headers = event["model"], http_response.headers
    assert UUID.fullmatch(headers["x-amzn-requestid"]), headers
    assert headers["date"], headers
    if operation.service_model.protocol == "query":
        check_xml(http_response, operation, event["parsed"])
        return
    if http_response.status_code >= 300:
        check_error(http_response, operation)
        return
    assert http_response.status_code == operation.http["responseCode"], http_response.status_code
    if http_response.status_code == 204:
        assert http_response.content == b"", http_response.content
        return
    assert headers["content-type"] == "application/json", headers
    check_body(operation.output_shape, http_response)


def check_xml(http_response, operation, parsed):
    """What the query protocol of STS has instead: botocore has read it by its model."""
    assert http_response.headers["content-type"] == "text/xml", http_response.headers
    assert parsed["ResponseMetadata"]["RequestId"] == http_response.headers["x-amzn-requestid"]
    if http_response.status_code == 200:
        members = {name: value for name, value in parsed.items() if name != "ResponseMetadata"}
        model.check(operation.output_shape, members, operation.output_shape.name)
    else:
        assert parsed["Error"]["Code"] and parsed["Error"]["Message"], parsed
        assert parsed["Error"]["Type"] == ("Receiver" if http_response.status_code >= 500 else "Sender"), parsed


def check_error(http_response, operation):
    code = http_response.headers["x-amzn-errortype"]
    shape = {shape.error_code: shape for shape in operation.error_shapes}.get(code)
    if shape is None:
        # What any AWS service answers before it comes to the operation.
        assert code in {
            "IncompleteSignatureException",
            "InvalidSignatureException",
            "MissingAuthenticationTokenException",
            "UnrecognizedClientException",
        }, f"{operation.name} has no error {code}"
        assert json.loads(http_response.content)["message"]
        return
    assert http_response.status_code == shape.metadata["error"]["httpStatusCode"], code
    check_body(shape, http_response)


def check_body(shape, http_response):
    model.check(shape, json.loads(http_response.content), shape.name)
