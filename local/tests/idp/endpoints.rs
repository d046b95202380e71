//! Where the endpoints are, and what no endpoint takes.

use crate::support::browser::heading;
use crate::world::{World, error, refused};

#[tokio::test]
async fn it_describes_itself_where_each_standard_looks() {
    let world = World::start().await;
    for path in [
        "/idp/.well-known/openid-configuration",
        "/idp/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/idp",
    ] {
        let metadata = world.client.plain("GET", path, &[], "").await.json();
        assert_eq!(metadata["issuer"], world.issuer(), "{path}");
        for endpoint in ["authorization_endpoint", "token_endpoint", "jwks_uri", "revocation_endpoint"] {
            let endpoint = metadata[endpoint].as_str().unwrap();
            let path = endpoint.strip_prefix(world.local.endpoint_url()).unwrap();
            assert_ne!(world.client.plain("GET", path, &[], "").await.status, 404, "{endpoint}");
        }
    }
}

#[tokio::test]
async fn requests_that_are_none_are_named() {
    let world = World::start().await;
    for (fields, code) in [
        (&[][..], "invalid_request"),
        (&[("grant_type", "password")], "unsupported_grant_type"),
        (&[("grant_type", "authorization_code")], "invalid_request"),
        (&[("grant_type", "client_credentials"), ("grant_type", "client_credentials")], "invalid_request"),
        (&[("grant_type", "client_credentials"), ("resource", "/relative")], "invalid_target"),
        (&[("grant_type", "client_credentials"), ("scope", "a\"b")], "invalid_scope"),
    ] {
        assert_eq!(error(&world.token(fields).await), refused(400, code), "{fields:?}");
    }
    let json = [("content-type", "application/json")];
    let answer = world.client.plain("POST", "/idp/token", &json, "{}").await;
    assert_eq!(error(&answer), refused(400, "invalid_request"));
    assert_eq!(world.client.plain("GET", "/idp/token", &[], "").await.headers["allow"], "POST");
    assert_eq!(heading(&world.client.plain("GET", "/idp/nothing", &[], "").await), "Not found");
}
