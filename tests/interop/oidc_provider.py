"""oidc-provider, an authorization server from npm, as a child process and as a provider behind the local service."""

import base64
import json
import os
import subprocess
import urllib.parse
import urllib.request

import oauth2

GRANT_TYPES = [
    "authorization_code",
    "client_credentials",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:token-exchange",
]


class OidcProvider:
    """`oidc-provider/server.mjs` on a free port. Use it in a `with` statement."""

    def __init__(self):
        program = os.path.join(os.environ["AGENTCORE_INTEROP"], "oidc-provider", "server.mjs")
        self.process = subprocess.Popen(["node", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.issuer = self.process.stdout.readline().strip()
        assert self.issuer.startswith("http://localhost:"), "oidc-provider did not start"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        assert self.process.wait(timeout=20) == 0

    def add_to(self, service, name="oidc", method="client_secret_basic", **config):
        """Does what a developer does: a credential provider, which tells its callback URL; a client for that URL; and the
        client's id and secret for the credential provider."""
        control = service.control_plane()
        config |= {"oauthDiscovery": {"discoveryUrl": f"{self.issuer}/.well-known/openid-configuration"}}
        config |= {"clientId": "to-come", "clientAuthenticationMethod": method.upper()}
        if method == "private_key_jwt":
            config["privateKeyJwtConfig"] = {
                "privateKeySource": {"kmsKeySource": {"kmsKeyArn": oauth2.KMS_KEY}},
                "signingAlgorithm": "ES256",
            }
        else:
            config["clientSecret"] = "to-come"
        created = control.create_oauth2_credential_provider(**oauth2.request(name, "CustomOauth2", config))
        client = {
            "redirect_uris": [created["callbackUrl"]],
            "grant_types": GRANT_TYPES,
            "response_types": ["code"],
            "token_endpoint_auth_method": method,
        }
        if method == "private_key_jwt":
            client |= {"jwks": service.local("GET", "kms-keys"), "token_endpoint_auth_signing_alg": "ES256"}
        client = self.register(client)
        config["clientId"] = client["client_id"]
        if "client_secret" in client and "clientSecret" in config:
            config["clientSecret"] = client["client_secret"]
        control.update_oauth2_credential_provider(**oauth2.request(name, "CustomOauth2", config))
        return client

    def register(self, client):
        """Registers a client (RFC 7591)."""
        request = urllib.request.Request(
            f"{self.issuer}/reg", data=json.dumps(client).encode(), headers={"content-type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def revoke(self, client, token):
        """Takes a token back (RFC 7009)."""
        credentials = base64.b64encode(f"{client['client_id']}:{client['client_secret']}".encode()).decode()
        request = urllib.request.Request(
            f"{self.issuer}/token/revocation",
            data=urllib.parse.urlencode({"token": token}).encode(),
            headers={"authorization": f"Basic {credentials}"},
        )
        urllib.request.urlopen(request).close()

    def userinfo(self, token):
        """Whose an access token is, as the server itself says."""
        request = urllib.request.Request(f"{self.issuer}/me", headers={"authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


def sign_in(page, name):
    page.get_by_placeholder("Enter any login").fill(name)
    page.get_by_placeholder("and password").fill("any")
    page.get_by_role("button", name="Sign-in").click()


def consent(page, authorization_url, name):
    """What a person does on oidc-provider's pages who wants the agent to have the token."""
    page.goto(authorization_url)
    sign_in(page, name)
    page.get_by_role("button", name="Continue").click()
