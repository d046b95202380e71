//! One request on a connection of its own: no pool and no timer, which a test that stops time would leave waiting.

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// The answer of who listens at `authority`.
///
/// # Panics
///
/// When nobody does.
pub(crate) async fn send(authority: &str, request: Request<Full<Bytes>>) -> Response<String> {
    let stream = TcpStream::connect(authority).await.expect("somebody listens");
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.expect("a connection begins");
    let connection = tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await.expect("an answer comes").into_parts();
    let body = body.collect().await.expect("the answer is whole").to_bytes();
    connection.abort();
    Response::from_parts(head, String::from_utf8_lossy(&body).into_owned())
}
