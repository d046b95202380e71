//! How requests arrive and answers leave: one port for both planes and for what tests need.

mod control;
mod dispatch;
mod guard;
mod reply;
mod server;

pub(crate) use dispatch::Endpoint;
pub(crate) use server::Server;

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body, Buf, Bytes};

use crate::error::{Code, ServiceError};
use crate::limits;

async fn read_body<B>(mut body: B) -> Result<Bytes, ServiceError>
where
    B: Body + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match Limited::new(&mut body, limits::BODY_BYTES).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            drain(body).await;
            let problem = format!("The request body is larger than {} bytes", limits::BODY_BYTES);
            Err(ServiceError::new(Code::EntityTooLarge, problem))
        }
        Err(_) => Err(ServiceError::unreadable("the request body ended before its announced length")),
    }
}

/// Takes in what a client still sends, up to a bound: one that writes all before it reads would find the connection
/// closed, and not the answer.
async fn drain(mut body: impl Body + Unpin) {
    let mut drained = 0;
    while drained < limits::DRAINED_BYTES {
        let Some(Ok(frame)) = body.frame().await else { return };
        drained += frame.data_ref().map_or(0, Buf::remaining);
    }
}
