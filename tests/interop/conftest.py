import chromium
import pytest
from agent import Agent
from application import Application
from botocore.exceptions import ClientError
from local_identity import LocalIdentity
from oidc_provider import OidcProvider


@pytest.fixture
def service():
    """A service with one workload identity, one API key and one OAuth2 provider."""
    arguments = ["--workload-identity", "my-agent", "--api-key", "openai=KEY", "--oauth2-provider", "idp"]
    with LocalIdentity(*arguments, environment={"KEY": "sk-local"}) as service:
        yield service


@pytest.fixture
def data(service):
    return service.data_plane()


@pytest.fixture
def control(service):
    return service.control_plane()


@pytest.fixture
def refused():
    """Makes a call that is to be refused, and gives the error's code, status and response."""

    def refused(call, **parameters):
        with pytest.raises(ClientError) as error:
            call(**parameters)
        response = error.value.response
        metadata = response["ResponseMetadata"]
        assert metadata["RequestId"] == metadata["HTTPHeaders"]["x-amzn-requestid"]
        return response["Error"]["Code"], metadata["HTTPStatusCode"], response

    return refused


@pytest.fixture(scope="session")
def oidc():
    """The authorization server that others wrote. It is one for all tests: each has clients and people of its own."""
    with OidcProvider() as provider:
        yield provider


@pytest.fixture
def application():
    with Application() as application:
        yield application


@pytest.fixture
def agent(service, application):
    """The agent, whose people come back to the application."""
    return Agent(service, application.return_url)


@pytest.fixture(scope="session")
def launched():
    with chromium.launched() as browser:
        yield browser


@pytest.fixture
def new_page(launched):
    """Pages, each of a browser of its own: of another person, or of another device."""
    contexts = []

    def new_page(**options):
        contexts.append(launched.new_context(**{**chromium.CONTEXT, **options}))
        page = contexts[-1].new_page()
        page.set_default_timeout(chromium.DEADLINE_MILLISECONDS)
        return page

    yield new_page
    for context in contexts:
        context.close()
