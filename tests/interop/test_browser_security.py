"""Attacks on a consent, in real browsers: each is refused, and the honest person reads what to do."""

import urllib.parse

import chromium
import local_idp
import oauth2
import oidc_provider
import pytest

ATTACKER = "http://attacker.example/"


@pytest.fixture
def pending(agent):
    return agent.user_token("ada", provider="idp")


def heading(page):
    return page.get_by_role("heading", level=1).inner_text()


def stopped_before_callback(page, service):
    """Keeps the browser from coming back to the service, and gives the URL that it was sent to. Call what is returned to
    wait for that; from then on the browser may go there."""
    stopped = []
    session = page.context.new_cdp_session(page)

    def stop(paused):
        stopped.append(paused["request"]["url"])
        session.send("Fetch.failRequest", {"requestId": paused["requestId"], "errorReason": "Aborted"})

    session.on("Fetch.requestPaused", stop)
    session.send("Fetch.enable", {"patterns": [{"urlPattern": f"{service.url}/oauth2/callback/*"}]})

    def callback():
        chromium.wait_until(lambda: stopped, page)
        session.send("Fetch.disable")
        return stopped[0]

    return callback


def lure(page, html):
    """Brings a browser to the attacker's page."""
    page.route(f"{ATTACKER}**", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(ATTACKER)


def changed(url, **fields):
    """The URL with other fields in its query; `None` leaves one out."""
    parts = urllib.parse.urlsplit(url)
    query = dict(urllib.parse.parse_qsl(parts.query)) | fields
    query = {name: value for name, value in query.items() if value is not None}
    return parts._replace(query=urllib.parse.urlencode(query)).geturl()


def test_a_link_that_mallory_sends_to_ada(agent, application, refused, new_page):
    """Session fixation: Ada consents with Mallory's link, and the application sees that it is Ada who is there."""
    of_mallory = agent.user_token("mallory", provider="idp")
    page = new_page()
    local_idp.consent(page, of_mallory["authorizationUrl"], "ada")
    arrived = application.arrival(page)
    session = {"sessionUri": arrived["session_id"], "userIdentifier": {"userId": "ada"}}
    code, status, response = refused(agent.data.complete_resource_token_auth, **session)
    assert (code, status) == ("AccessDeniedException", 403)
    assert "mallory" not in response["Error"]["Message"]
    # Ada's token is in nobody's hands, and Mallory cannot finish it either.
    assert agent.poll(of_mallory, "mallory", provider="idp")["sessionStatus"] == "FAILED"
    session["userIdentifier"] = {"userId": "mallory"}
    assert refused(agent.data.complete_resource_token_auth, **session)[0] == "AccessDeniedException"
    assert "accessToken" not in agent.user_token("mallory", provider="idp")
    page.goto(of_mallory["authorizationUrl"])
    assert heading(page) == "No access was given" and "another user" in page.inner_text("main")
    chromium.picture(page, "another-user")


def test_a_consent_that_mallory_lets_ada_finish(service, agent, application, new_page, pending):
    """Mallory gives the consent, and sends Ada to the callback with it: so Ada would work in Mallory's account."""
    mallory, ada = new_page(), new_page()
    callback = stopped_before_callback(mallory, service)
    mallory.goto(pending["authorizationUrl"])
    local_idp.sign_in(mallory, "mallory")
    local_idp.decide(mallory, "Allow")
    stopped = callback()
    assert ada.goto(stopped).status == 400
    assert heading(ada) == "Not the browser that began this"
    assert "Nothing has been granted" in ada.inner_text("main")
    chromium.picture(ada, "another-browser")
    assert agent.poll(pending, "ada", provider="idp")["sessionStatus"] == "IN_PROGRESS"
    # A browser that has begun the same authorization has no part in another's attempt either.
    ada.goto(pending["authorizationUrl"])
    assert ada.goto(stopped).status == 400
    # The honest way is still open.
    local_idp.consent(ada, pending["authorizationUrl"], "ada")
    assert application.arrival(ada)["session_id"] == pending["sessionUri"]


def test_a_callback_comes_once(service, agent, application, new_page, pending):
    page = new_page()
    callbacks = []
    page.on("request", lambda request: "/oauth2/callback/" in request.url and callbacks.append(request.url))
    local_idp.consent(page, pending["authorizationUrl"], "ada")
    application.arrival(page)
    assert len(callbacks) == 1
    # A reload leads to the application again, until it has said whose consent it is.
    page.goto(callbacks[0])
    assert application.arrival(page)["session_id"] == pending["sessionUri"]
    agent.complete(pending["sessionUri"], "ada")
    assert page.goto(callbacks[0]).status == 400
    assert heading(page) == "This link was used already"
    assert "accessToken" in agent.poll(pending, "ada", provider="idp")


def test_a_session_id_is_good_once(agent, application, refused, new_page, pending):
    page = new_page()
    local_idp.consent(page, pending["authorizationUrl"], "ada")
    session = {"sessionUri": application.arrival(page)["session_id"], "userIdentifier": {"userId": "ada"}}
    agent.data.complete_resource_token_auth(**session)
    for user in ["ada", "mallory"]:
        session["userIdentifier"] = {"userId": user}
        assert refused(agent.data.complete_resource_token_auth, **session)[:2] == ("AccessDeniedException", 403)
    # Whoever tries it again does no harm to the token that is there.
    assert "accessToken" in agent.poll(pending, "ada", provider="idp")


@pytest.mark.parametrize("state", ["forged", None, ""])
def test_a_forged_state(service, agent, application, new_page, pending, state):
    page = new_page()
    callback = stopped_before_callback(page, service)
    local_idp.consent(page, pending["authorizationUrl"], "ada")
    stopped = callback()
    assert page.goto(changed(stopped, state=state)).status == 400
    assert heading(page) == "This link leads nowhere"
    # It has not been used up by that.
    page.goto(stopped)
    assert application.arrival(page)["session_id"] == pending["sessionUri"]


def test_a_state_is_for_its_own_provider(service, control, agent, new_page, pending):
    """A mix-up: the answer of one provider, brought to the callback of another."""
    other = control.create_oauth2_credential_provider(**oauth2.provider("other", "GithubOauth2"))["callbackUrl"]
    page = new_page()
    callback = stopped_before_callback(page, service)
    local_idp.consent(page, pending["authorizationUrl"], "ada")
    stopped = callback()
    assert page.goto(f"{other}?{urllib.parse.urlsplit(stopped).query}").status == 400
    assert heading(page) == "This link leads nowhere"


@pytest.mark.parametrize("issuer", ["http://attacker.example", None])
def test_an_answer_of_another_issuer(service, agent, new_page, pending, issuer):
    page = new_page()
    callback = stopped_before_callback(page, service)
    local_idp.consent(page, pending["authorizationUrl"], "ada")
    stopped = callback()
    assert page.goto(changed(stopped, iss=issuer)).status == 502
    assert heading(page) == "No access was given" and "another issuer" in page.inner_text("main")
    assert agent.poll(pending, "ada", provider="idp")["sessionStatus"] == "FAILED"


@pytest.mark.parametrize("behind", ["idp", "oidc"])
def test_a_code_of_another_s(service, agent, oidc, new_page, behind):
    """Code injection: Ada's browser brings a code that Mallory got. It does not fit Ada's PKCE verifier."""
    if behind == "oidc":
        oidc.add_to(service)
    consent = {"idp": local_idp.consent, "oidc": oidc_provider.consent}[behind]
    stopped = {}
    for user in ["mallory", "ada"]:
        # Without the scope `openid` there is no nonce that would show it as well.
        asked = {"provider": behind, "scopes": ["profile"] if behind == "idp" else ["read"]}
        if behind == "oidc":
            asked["resources"] = ["https://api.example.com"]
        page, pending = new_page(), agent.user_token(user, **asked)
        callback = stopped_before_callback(page, service)
        consent(page, pending["authorizationUrl"], f"{user}-at-provider")
        stopped[user] = callback()
    [code_of_mallory] = urllib.parse.parse_qs(urllib.parse.urlsplit(stopped["mallory"]).query)["code"]
    assert page.goto(changed(stopped["ada"], code=code_of_mallory)).status == 502
    assert heading(page) == "No access was given" and "invalid_grant" in page.inner_text("main")
    chromium.picture(page, f"code-injection-{behind}")
    assert agent.poll(pending, "ada", **asked)["sessionStatus"] == "FAILED"


def test_a_user_s_authorization_is_no_other_s(agent, application, refused, new_page, pending):
    parameters = {"provider": "idp", "pending": pending, "user": "mallory"}
    code, _, response = refused(agent.poll, **parameters)
    assert code == "ValidationException" and "ada" not in response["Error"]["Message"]
    page = new_page()
    local_idp.consent(page, pending["authorizationUrl"], "ada")
    agent.complete(application.arrival(page)["session_id"], "ada")
    assert refused(agent.poll, **parameters)[0] == "ValidationException"
    assert agent.user_token("mallory", provider="idp").keys() >= {"authorizationUrl"}


@pytest.mark.parametrize(
    "change",
    [
        lambda url: ATTACKER,
        lambda url: url + "/",
        lambda url: url + "?next=http://attacker.example",
        lambda url: url + "#fragment",
        lambda url: url.replace("localhost", "LOCALHOST"),
        lambda url: url.replace("localhost", "localhost.attacker.example"),
        lambda url: url.replace("localhost", "localhost@attacker.example"),
        lambda url: url.replace("/callback", "/x/../callback"),
        lambda url: url.replace("http:", "https:"),
        lambda url: "javascript:alert(1)",
        lambda url: "data:text/html,<h1>mine</h1>",
    ],
)
def test_a_return_url_that_is_not_allowed(agent, refused, change):
    wanted = change(agent.return_url)
    code, status, response = refused(agent.user_token, user="ada", provider="idp", resourceOauth2ReturnUrl=wanted)
    assert (code, status) == ("ValidationException", 400)
    assert "allowedResourceOauth2ReturnUrls" in response["Error"]["Message"]


def test_a_return_url_that_was_withdrawn(service, agent, new_page, pending):
    page = new_page()
    page.goto(pending["authorizationUrl"])
    service.control_plane().update_workload_identity(name="my-agent", allowedResourceOauth2ReturnUrls=[ATTACKER])
    local_idp.sign_in(page, "ada")
    local_idp.decide(page, "Allow")
    assert heading(page) == "No access was given" and "withdrawn" in page.inner_text("main")
    chromium.picture(page, "withdrawn")
    assert page.url.startswith(f"{service.url}/")


def test_the_link_s_own_query_leads_nowhere_else(service, application, new_page, pending):
    page = new_page()
    more = {"resourceOauth2ReturnUrl": ATTACKER, "return_url": ATTACKER, "redirect_uri": ATTACKER, "state": "forged"}
    local_idp.consent(page, changed(pending["authorizationUrl"], **more), "ada")
    assert application.arrival(page) == {"session_id": pending["sessionUri"]}


@pytest.mark.parametrize("uri", [ATTACKER, "http://127.0.0.1:9/callback", "javascript:alert(1)", ""])
def test_the_identity_provider_redirects_to_its_clients_only(service, new_page, pending, uri):
    page = new_page()
    page.goto(pending["authorizationUrl"])
    assert page.url.startswith(f"{service.url}/idp/authorize?")
    wanted = page.evaluate("location.href")
    answer = page.goto(changed(wanted, redirect_uri=uri or " ", prompt="none"))
    assert answer.status == 400 and page.url.startswith(f"{service.url}/idp/authorize?")
    assert heading(page) == "This link does not work"


def test_custom_parameters_do_not_lead_the_answer_away(service, agent, application, oidc, new_page):
    oidc.add_to(service)
    forged = {name: ATTACKER for name in ["redirect_uri", "state", "client_id", "response_mode", "code_challenge", "request_uri"]}
    asked = {"customParameters": {**forged, "login_hint": "ada@oidc"}}
    pending = agent.user_token("ada", **asked)
    page = new_page()
    page.goto(pending["authorizationUrl"])
    # What is no standard one comes through.
    assert page.get_by_placeholder("Enter any login").input_value() == "ada@oidc"
    oidc_provider.sign_in(page, "ada@oidc")
    page.get_by_role("button", name="Continue").click()
    assert application.arrival(page) == {"session_id": pending["sessionUri"]}
    agent.complete(pending["sessionUri"], "ada")
    assert oidc.userinfo(agent.poll(pending, "ada", **asked)["accessToken"])["sub"] == "ada@oidc"


def test_a_form_from_elsewhere_consents_to_nothing(service, agent, new_page, pending):
    """Ada is signed in and has the consent page open; the attacker's page sends the very form."""
    page = new_page()
    page.goto(pending["authorizationUrl"])
    local_idp.sign_in(page, "ada")
    form = page.locator("input[name=form]").get_attribute("value")
    attacker = page.context.new_page()
    lure(
        attacker,
        f'<form method="post" action="{service.url}/idp/consent"><input type="hidden" name="form" value="{form}">'
        '<button name="decision" value="allow">Win a prize</button></form>',
    )
    with attacker.expect_response(f"{service.url}/idp/consent") as answer:
        attacker.get_by_role("button").click()
    assert answer.value.status == 403
    assert agent.poll(pending, "ada", provider="idp")["sessionStatus"] == "IN_PROGRESS"


def test_a_form_of_mallory_s_browser_is_not_ada_s(service, new_page, pending):
    """The form is bound to the browser that it was made for."""
    mallory, ada = new_page(), new_page(java_script_enabled=True)
    for page, name in [(mallory, "mallory"), (ada, "ada")]:
        page.goto(pending["authorizationUrl"])
        local_idp.sign_in(page, name)
    form = mallory.locator("input[name=form]").get_attribute("value")
    ada.locator("input[name=form]").evaluate("(field, form) => { field.value = form }", form)
    local_idp.decide(ada, "Allow")
    assert heading(ada) == "Please start again"


@pytest.mark.parametrize("path", ["/", "authorization"])
def test_pages_are_not_framed(service, application, new_page, pending, path):
    page = new_page()
    answers = []
    page.on("response", lambda response: response.url.startswith(service.url) and answers.append(response.status))
    url = pending["authorizationUrl"] if path == "authorization" else service.url + path
    # On this machine, too, which Chromium does not keep from the service by itself as it does other machines' pages.
    application.pages["/prize"] = f'<h1>Win a prize</h1><iframe src="{url}"></iframe>'
    page.goto(application.url + "/prize")
    chromium.wait_until(lambda: answers, page)
    assert answers == [403]
    assert page.frame_locator("iframe").locator("main").count() == 0


def test_a_link_from_elsewhere_still_works(service, new_page, pending):
    """Mail and chat programs are elsewhere, too."""
    page = new_page()
    lure(page, f'<a href="{pending["authorizationUrl"]}">Please consent</a>')
    page.get_by_role("link").click()
    page.wait_for_url(f"{service.url}/idp/authorize?*")
    assert heading(page) == "Sign in"
