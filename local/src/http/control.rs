//! What tests need from outside the process: the log of calls, faults, the clock. Unsigned, and for this machine alone.

use std::str::FromStr;
use std::time::{Duration, UNIX_EPOCH};

use hyper::Method;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::read_body;
use crate::calls::Call;
use crate::clock::{Clock, FURTHEST};
use crate::error::{Code, ServiceError};
use crate::faults::{Fault, MOST_WAITING};
use crate::json;
use crate::kms;
use crate::limits;
use crate::operation::Operation;
use crate::service::Service;

pub(super) const PREFIX: &str = "/_local/";
/// Also other machines may ask whether the service is up.
pub(super) const HEALTH: &str = "/_local/health";

const SERVED: &str =
    "GET health, GET calls, DELETE calls, GET counters, GET kms-keys, POST faults, DELETE faults, POST clock";

/// A JSON object, or nothing more than that it is done.
type Answer = Result<Option<Value>, ServiceError>;

pub(super) async fn answer(service: &Service, parts: &Parts, body: Incoming) -> Answer {
    let path = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    Ok(match (&parts.method, path) {
        (&Method::GET, "health") => Some(json!({ "status": "ok", "region": service.place.region() })),
        (&Method::GET, "calls") => {
            Some(json!({ "calls": service.calls.last().iter().map(describe).collect::<Vec<_>>() }))
        }
        (&Method::GET, "counters") => Some(counters(service)),
        (&Method::GET, "kms-keys") => Some(kms_keys(service)?),
        (&Method::DELETE, "calls") => {
            service.calls.clear();
            None
        }
        (&Method::DELETE, "faults") => {
            service.faults.clear();
            None
        }
        (&Method::POST, "faults") => {
            let wanted: WantedFault = read(parts, body).await?;
            let (operation, times, fault) = (wanted.operation()?, wanted.times()?, wanted.fault()?);
            if service.faults.waiting(operation) >= MOST_WAITING {
                return Err(ServiceError::new(
                    Code::Throttling,
                    format!(
                        "{MOST_WAITING} faults wait for calls of {operation} already; use `times` for several calls, or \
                         forget those that wait with DELETE {PREFIX}faults"
                    ),
                ));
            }
            service.faults.add(operation, times, fault);
            None
        }
        (&Method::POST, "clock") => {
            let wanted: WantedClock = read(parts, body).await?;
            wanted.advance(&service.clock)?;
            None
        }
        (method, _) => {
            return Err(ServiceError::new(
                Code::UnknownOperation,
                format!("{method} {} is not there; under {PREFIX} are {SERVED}", limits::quoted(parts.uri.path())),
            ));
        }
    })
}

/// Reads a JSON body. The content type is asked for because no web page can send it without asking the browser first.
async fn read<T: DeserializeOwned>(parts: &Parts, body: Incoming) -> Result<T, ServiceError> {
    let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(ServiceError::unreadable(format!(
            "Content-Type must be application/json, but is {}",
            limits::quoted(content_type)
        )));
    }
    json::object(&read_body(body).await?)
        .map_err(|error| ServiceError::unreadable(format!("the request body does not fit: {error}")))
}

fn counters(service: &Service) -> Value {
    let counts = service.calls.counts();
    Value::Object(
        counts.into_iter().map(|(operation, count)| (operation.to_string(), count.into())).collect::<Map<_, _>>(),
    )
}

fn kms_keys(service: &Service) -> Result<Value, ServiceError> {
    let view = service.store.view()?;
    let mut keys = Vec::new();
    for arn in view.signing_keys()? {
        keys.extend(view.signing_key(&arn)?.and_then(|key| kms::public(&arn, &key)));
    }
    Ok(json!({ "keys": keys }))
}

fn describe(call: &Call) -> Value {
    json!({
        "operation": call.operation.as_str(),
        "at": call.at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64(),
        "workload": call.workload,
        "user": call.user,
        "provider": call.provider,
        "status": call.status,
        "error": call.error,
        "requestId": call.request_id,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WantedFault {
    operation: String,
    fault: String,
    #[serde(default = "once")]
    times: usize,
    delay_millis: Option<u64>,
}

fn once() -> usize {
    1
}

impl WantedFault {
    fn operation(&self) -> Result<Operation, ServiceError> {
        Operation::from_str(&self.operation).map_err(|unknown| ServiceError::invalid_member("operation", unknown))
    }

    fn times(&self) -> Result<usize, ServiceError> {
        if self.times > 0 {
            return Ok(self.times);
        }
        Err(ServiceError::invalid_member("times", "0 calls meet no fault; give 1 or more, or leave it out for 1"))
    }

    fn fault(&self) -> Result<Fault, ServiceError> {
        let delay = self.delay_millis.map(Duration::from_millis);
        if delay.is_some() && self.fault != "Delay" {
            return Err(ServiceError::invalid_member("delayMillis", "goes with the fault Delay only"));
        }
        match (self.fault.as_str(), delay) {
            ("Throttle", _) => Ok(Fault::Throttle),
            ("InternalError", _) => Ok(Fault::InternalError),
            ("AccessDenied", _) => Ok(Fault::AccessDenied),
            ("RejectToken", _) => Ok(Fault::RejectToken),
            ("DropConnection", _) => Ok(Fault::DropConnection),
            ("Delay", Some(delay)) => Ok(Fault::Delay(delay)),
            ("Delay", None) => Err(ServiceError::invalid_member("delayMillis", "is required for the fault Delay")),
            (other, _) => Err(ServiceError::invalid_member(
                "fault",
                format!(
                    "{} is none of Throttle, InternalError, AccessDenied, RejectToken, DropConnection, Delay",
                    limits::quoted(other)
                ),
            )),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WantedClock {
    advance_seconds: u64,
}

impl WantedClock {
    fn advance(&self, clock: &Clock) -> Result<(), ServiceError> {
        let seconds = self.advance_seconds;
        if clock.try_advance(Duration::from_secs(seconds)) {
            return Ok(());
        }
        let most = FURTHEST.as_secs();
        let problem = format!("{seconds} would move the clock more than ten years ahead, {most} seconds in all");
        Err(ServiceError::invalid_member("advanceSeconds", problem))
    }
}
