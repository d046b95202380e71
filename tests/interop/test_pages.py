"""The pages that people see, in Chromium, without script. Their pictures are in the target directory."""

import re

import chromium
import local_idp
import oauth2
import pytest


def heading(page):
    return page.get_by_role("heading", level=1).inner_text()


@pytest.fixture
def pending(agent):
    return agent.user_token("ada", provider="idp", scopes=["openid", "profile", "repo:read"])


def test_from_the_link_to_the_application(service, agent, application, new_page, pending):
    page = new_page()
    page.goto(pending["authorizationUrl"])
    assert heading(page) == "Sign in"
    chromium.picture(page, "sign-in")
    local_idp.sign_in(page, "ada")
    assert heading(page) == "Allow access?"
    for shown in ["ada", "idp", "repo:read"]:
        assert shown in page.inner_text("main")
    chromium.picture(page, "consent")
    local_idp.decide(page, "Allow")
    assert application.arrival(page) == {"session_id": pending["sessionUri"]}


def test_someone_else_can_sign_in(application, new_page, pending):
    page = new_page()
    page.goto(pending["authorizationUrl"])
    local_idp.sign_in(page, "bob")
    page.get_by_role("link", name="Sign in as someone else").click()
    local_idp.sign_in(page, "ada")
    assert "ada" in page.inner_text("main") and "bob" not in page.inner_text("main")
    local_idp.decide(page, "Allow")
    application.arrival(page)


def test_a_person_s_longest_name_and_many_scopes_fit(agent, new_page):
    scopes = [f"https://api.example.com/auth/{'long' * 20}.{number}" for number in range(12)]
    page = new_page()
    page.goto(agent.user_token("ada", provider="idp", scopes=scopes)["authorizationUrl"])
    local_idp.sign_in(page, "W" * 128)
    chromium.picture(page, "consent-to-much")


def test_markup_in_a_name_is_text(service, agent, new_page, pending):
    page = new_page()
    page.goto(pending["authorizationUrl"])
    local_idp.sign_in(page, "<b>ada</b><script>")
    assert "<b>ada</b><script>" in page.inner_text("main")
    assert page.locator("main b, script").count() == 0


def test_who_denies_reads_so(agent, new_page, pending):
    page = new_page()
    local_idp.consent(page, pending["authorizationUrl"], "ada", "Deny")
    assert heading(page) == "No access was given"
    chromium.picture(page, "denied")


def test_a_link_is_good_once_and_for_ten_minutes(service, application, agent, new_page, pending):
    page = new_page()
    local_idp.consent(page, pending["authorizationUrl"], "ada")
    application.arrival(page)
    assert page.goto(pending["authorizationUrl"]).status == 400
    assert heading(page) == "This link was used already"
    chromium.picture(page, "used")

    late = agent.user_token("bob", provider="idp")["authorizationUrl"]
    service.local("POST", "clock", {"advanceSeconds": 601})
    assert page.goto(late).status == 400
    assert heading(page) == "This link has expired"
    chromium.picture(page, "expired")


def test_a_form_is_good_for_ten_minutes(service, new_page, pending):
    page = new_page()
    page.goto(pending["authorizationUrl"])
    service.local("POST", "clock", {"advanceSeconds": 601})
    local_idp.sign_in(page, "ada")
    assert heading(page) == "Please start again"
    chromium.picture(page, "outdated-form")


@pytest.mark.parametrize(
    ("path", "status", "title"),
    [
        ("/oauth2/authorize", 400, "This link leads nowhere"),
        ("/oauth2/authorize?request_uri=urn:ietf:params:oauth:request_uri:none", 400, "This link leads nowhere"),
        ("/oauth2/callback/none?state=none&code=none", 400, "This link leads nowhere"),
        ("/idp/authorize?client_id=none", 400, "This link does not work"),
        ("/idp/%3Cscript%3Ealert(1)%3C/script%3E", 404, "Not found"),
    ],
)
def test_wrong_turns(service, new_page, path, status, title):
    page = new_page()
    assert page.goto(service.url + path).status == status
    assert heading(page) == title
    chromium.picture(page, f"{status}-{title.lower().replace(' ', '-')}")


def test_a_provider_that_is_gone(service, control, agent, new_page):
    control.create_oauth2_credential_provider(
        **oauth2.custom("gone", oauthDiscovery={"discoveryUrl": "http://localhost:9/.well-known/openid-configuration"})
    )
    page = new_page()
    assert page.goto(agent.user_token("ada", provider="gone")["authorizationUrl"]).status == 502
    assert heading(page) == "Not at the moment" and "cannot be reached" in page.inner_text("main")
    chromium.picture(page, "unreachable")


def test_the_overview_of_nothing(new_page):
    from local_identity import LocalIdentity

    with LocalIdentity() as service:
        page = new_page()
        assert page.goto(service.url).status == 200
        assert page.inner_text("main").count("None yet") == 4
        chromium.picture(page, "overview-of-nothing")


def test_the_overview(service, data, control, agent, application, refused, new_page, pending):
    control.create_oauth2_credential_provider(**oauth2.provider("github", "GithubOauth2"))
    control.create_oauth2_credential_provider(**oauth2.custom(f"{'long' * 31}-end", clientId="c" * 200))
    control.create_workload_identity(name="another.agent")
    token = agent.workload_token("ada")
    assert refused(data.get_resource_api_key, workloadIdentityToken=token, resourceCredentialProviderName="none")
    data.get_resource_api_key(workloadIdentityToken=token, resourceCredentialProviderName="openai")
    consented = agent.token("M2M", provider="idp")["accessToken"]

    page = new_page()
    assert page.goto(service.url).status == 200
    text = page.inner_text("main")
    for shown in ["my-agent", "another.agent", "github", "idp", "openai", application.return_url, "GetResourceApiKey"]:
        assert shown in text
    for secret in ["sk-local", "the-secret", token, consented, service.exports["AWS_SECRET_ACCESS_KEY"]]:
        assert secret not in page.content()
    chromium.picture(page, "overview")
    page.get_by_role("link", name="Open the consent page").click()
    assert heading(page) == "Sign in"


def test_nothing_comes_from_elsewhere(service, new_page, pending):
    page = new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for url in [service.url, pending["authorizationUrl"]]:
        policy = page.goto(url).header_value("content-security-policy")
        assert policy.startswith("default-src 'none';") and "frame-ancestors 'none'" in policy
    assert asked and all(url.startswith(f"{service.url}/") for url in asked)


def test_in_the_dark(service, new_page, pending):
    page = new_page(color_scheme="dark")
    for name, url in [("overview", service.url), ("sign-in", pending["authorizationUrl"])]:
        page.goto(url)
        red, green, blue = (int(part) for part in re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))[:3])
        assert red + green + blue < 128
        chromium.picture(page, f"{name}-dark")
