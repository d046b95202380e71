//! How requests arrive and answers leave: one port for both planes and for what tests need.

mod control;
mod dispatch;
mod guard;
mod reply;
mod server;

pub(crate) use dispatch::Endpoint;
pub(crate) use server::Server;

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body, Bytes};

use crate::error::{Code, ServiceError};
use crate::limits;

async fn read_body<B>(body: B) -> Result<Bytes, ServiceError>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match Limited::new(body, limits::BODY_BYTES).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(ServiceError::new(
            Code::EntityTooLarge,
            format!("The request body is larger than {} bytes", limits::BODY_BYTES),
        )),
        Err(_) => Err(ServiceError::unreadable("the request body ended before its announced length")),
    }
}
