"""The agent's side of an authorization, with boto3."""


class Agent:
    """An agent with the workload identity `my-agent`."""

    def __init__(self, service, return_url):
        self.data, self.return_url = service.data_plane(), return_url
        service.control_plane().update_workload_identity(name="my-agent", allowedResourceOauth2ReturnUrls=[return_url])

    def workload_token(self, user=None, jwt=None):
        if jwt is not None:
            answer = self.data.get_workload_access_token_for_jwt(workloadName="my-agent", userToken=jwt)
        elif user is not None:
            answer = self.data.get_workload_access_token_for_user_id(workloadName="my-agent", userId=user)
        else:
            answer = self.data.get_workload_access_token(workloadName="my-agent")
        return answer["workloadAccessToken"]

    def token(self, flow, *, user=None, jwt=None, provider="oidc", scopes=(), **more):
        """What the service answers who asks for an access token."""
        return self.data.get_resource_oauth2_token(
            workloadIdentityToken=self.workload_token(user, jwt),
            resourceCredentialProviderName=provider,
            oauth2Flow=flow,
            scopes=list(scopes),
            **more,
        )

    def user_token(self, user, **more):
        more = {"scopes": ["openid"], "resourceOauth2ReturnUrl": self.return_url, **more}
        return self.token("USER_FEDERATION", user=user, **more)

    def poll(self, pending, user, **more):
        return self.user_token(user, sessionUri=pending["sessionUri"], **more)

    def complete(self, session_uri, user):
        self.data.complete_resource_token_auth(sessionUri=session_uri, userIdentifier={"userId": user})
