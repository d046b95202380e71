"""Where a proxy is set, it is not asked for this machine's own service."""

from local_identity import LocalIdentity

# Where nobody listens.
PROXY = {"HTTP_PROXY": "http://127.0.0.1:9"}


def test_the_exports_lead_past_a_proxy(monkeypatch):
    for name in ["http_proxy", "no_proxy", "NO_PROXY"]:
        monkeypatch.delenv(name, raising=False)
    for name, value in PROXY.items():
        monkeypatch.setenv(name, value)
    with LocalIdentity("--workload-identity", "my-agent", environment=PROXY) as service:
        assert service.data_plane().get_workload_access_token(workloadName="my-agent")["workloadAccessToken"]
