"""What a person does on the pages of the local service's own identity provider."""


def sign_in(page, name):
    page.get_by_label("User name").fill(name)
    page.get_by_role("button", name="Sign in").click()


def decide(page, decision):
    page.get_by_role("button", name=decision).click()


def consent(page, authorization_url, name, decision="Allow"):
    page.goto(authorization_url)
    sign_in(page, name)
    decide(page, decision)
