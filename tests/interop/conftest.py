import pytest
from botocore.exceptions import ClientError
from local_identity import LocalIdentity


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
