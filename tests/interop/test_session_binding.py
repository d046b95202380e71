"""The session binding of the Rust library, in an application in front of which real browsers come back."""

import os
import subprocess
import urllib.parse

import chromium
import local_idp
import pytest


class ConsentingApplication:
    """The program `consenting_application`. Use it in a `with` statement."""

    def __init__(self, service):
        environment = {**service.exports, "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        program = os.environ["AGENTCORE_CONSENTING_APPLICATION"]
        self.process = subprocess.Popen([program], env=environment, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("http://localhost:"), "the application did not start"
        service.control_plane().update_workload_identity(
            name="my-agent", allowedResourceOauth2ReturnUrls=[f"{self.url}/callback"]
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=20)
        self.process.stdout.close()

    def text(self, page, path):
        """What the application answers to a program of this browser's."""
        answer = page.context.request.get(self.url + path)
        assert answer.ok, answer.status
        return answer.text()

    def sign_in(self, page, user):
        page.goto(f"{self.url}/sign-in/{user}")


@pytest.fixture
def bound(service):
    with ConsentingApplication(service) as application:
        yield application


def heading(page):
    return page.get_by_role("heading", level=1).inner_text()


def test_the_agent_goes_on_for_the_user_who_consented(bound, new_page):
    page = new_page()
    bound.sign_in(page, "ada")
    local_idp.consent(page, bound.text(page, "/ask/ada"), "ada")
    page.wait_for_url(f"{bound.url}/callback?*")
    assert heading(page) == "Access granted" and "idp" in page.inner_text("main")
    chromium.picture(page, "binding-granted")
    assert bound.text(page, "/outcome/ada").count(".") == 2
    # The very address again, by a click on "reload" or from the history.
    assert page.reload().status == 410
    assert heading(page) == "This link is no longer valid"
    chromium.picture(page, "binding-used")


def test_a_link_that_mallory_sends_to_ada(bound, new_page):
    mallory, ada = new_page(), new_page()
    bound.sign_in(mallory, "mallory")
    bound.sign_in(ada, "ada")
    link = bound.text(mallory, "/ask/mallory")
    local_idp.consent(ada, link, "ada")
    ada.wait_for_url(f"{bound.url}/callback?*")
    assert heading(ada) == "This was asked of somebody else"
    assert "mallory" not in ada.content()
    chromium.picture(ada, "binding-another-user")
    # That ended it: even with all that Ada's browser brought, Mallory does not get at what Ada consented to.
    assert mallory.goto(ada.url).status == 410
    assert bound.text(mallory, "/outcome/mallory").startswith("failed: ")


def test_who_is_not_signed_in_can_do_so_and_go_on(bound, new_page):
    page = new_page()
    local_idp.consent(page, bound.text(page, "/ask/ada"), "ada")
    page.wait_for_url(f"{bound.url}/callback?*")
    assert heading(page) == "You are not signed in"
    chromium.picture(page, "binding-not-signed-in")
    address = page.url
    bound.sign_in(page, "ada")
    page.goto(address)
    assert heading(page) == "Access granted"
    assert bound.text(page, "/outcome/ada").count(".") == 2


def callback(bound, link, **changes):
    """The address at which the application waits for the person with this link."""
    session = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)["request_uri"][0]
    query = {"session_id": session, **changes}
    query = urllib.parse.urlencode({name: value for name, value in query.items() if value is not None})
    return f"{bound.url}/callback?{query}"


@pytest.mark.parametrize(
    ("changes", "status", "title"),
    [
        ({"state": "forged"}, 403, "This address does not fit"),
        ({"state": None}, 403, "This address does not fit"),
        ({"session_id": None}, 400, "This address is incomplete"),
        ({"session_id": "urn:ietf:params:oauth:request_uri:none"}, 410, "This link is no longer valid"),
        ({"session_id": "<script>"}, 400, "This address is incomplete"),
    ],
)
def test_an_address_that_was_tampered_with(bound, new_page, changes, status, title):
    page = new_page()
    bound.sign_in(page, "ada")
    link = bound.text(page, "/ask/ada")
    assert page.goto(callback(bound, link, **changes)).status == status
    assert heading(page) == title
    chromium.picture(page, f"binding-{status}-{title.lower().replace(' ', '-')}")
    # The honest way is still open.
    local_idp.consent(page, link, "ada")
    page.wait_for_url(f"{bound.url}/callback?*")
    assert heading(page) == "Access granted"


def test_who_denies_ends_the_wait(bound, new_page):
    page = new_page()
    bound.sign_in(page, "ada")
    local_idp.consent(page, bound.text(page, "/ask/ada"), "ada", "Deny")
    assert heading(page) == "No access was given"
    assert bound.text(page, "/outcome/ada").startswith("failed: ")


def test_nothing_on_the_page_comes_from_elsewhere(bound, new_page):
    page = new_page()
    answer = page.goto(f"{bound.url}/callback")
    assert answer.header_value("content-security-policy").startswith("default-src 'none'; style-src 'sha256-")
    # Its style is what the policy allows.
    assert page.evaluate("getComputedStyle(document.body).maxWidth") != "none"
