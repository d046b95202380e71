//! The query protocol of STS: forms in, XML out.

use std::fmt::Write as _;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Map, Value};

use crate::error::{Code, ServiceError};
use crate::operation::Operation;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
const VERSION: &str = "2011-06-15";

/// The highest index of a list: one more than any list may have.
const MOST_MEMBERS: usize = 51;

/// The operation that a form asks for.
///
/// # Errors
/// For one that is not served.
pub(crate) fn operation(form: &[u8]) -> Result<Operation, ServiceError> {
    let one = |wanted: &str| form_urlencoded::parse(form).find(|(name, _)| name == wanted).map(|(_, value)| value);
    let (action, version) = (one("Action").unwrap_or_default(), one("Version").unwrap_or_default());
    if action == Operation::GetWebIdentityToken.as_str() && version == VERSION {
        return Ok(Operation::GetWebIdentityToken);
    }
    let shown = |text: &str| text.chars().take(64).collect::<String>();
    Err(ServiceError::new(
        Code::UnknownOperation,
        format!(
            "The action {:?} of version {:?} is not served here. Of STS, that is only {} of {VERSION}; the operations of \
             AgentCore Identity have paths of their own.",
            shown(&action),
            shown(&version),
            Operation::GetWebIdentityToken
        ),
    ))
}

/// The members of a form as JSON has them: `Audience.member.1` is the first entry of a list, `Tags.member.1.Key` a
/// member of a list's first structure.
pub(crate) fn members(form: &[u8]) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, value) in form_urlencoded::parse(form) {
        let mut path = name.split('.');
        let member = path.next().unwrap_or_default();
        let index = path.nth(1).and_then(index);
        let Some(index) = index else {
            let value = if value.is_empty() {
                // So an SDK writes a list of nothing, and a text of nothing is nowhere allowed.
                Value::Array(Vec::new())
            } else {
                // On this wire a number is text, and no member that is a text looks like a number.
                value.parse::<u32>().map_or_else(|_| (&*value).into(), Value::from)
            };
            members.insert(member.to_owned(), value);
            continue;
        };
        let Value::Array(list) = members.entry(member).or_insert_with(|| Value::Array(Vec::new())) else { continue };
        list.resize(list.len().max(index), Value::Null);
        let entry = &mut list[index - 1];
        match path.next() {
            None => *entry = (&*value).into(),
            Some(field) => {
                if !entry.is_object() {
                    *entry = Value::Object(Map::new());
                }
                entry[field] = (&*value).into();
            }
        }
    }
    members
}

/// Where in a list an entry stands. Those that are too many stand at the end of one that is too long.
fn index(text: &str) -> Option<usize> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let index = is_number.then(|| text.parse().map_or(MOST_MEMBERS, |index: usize| index.min(MOST_MEMBERS)));
    index.filter(|index| *index > 0)
}

pub(crate) fn success(operation: Operation, output: &Value, request_id: &str) -> Response<Full<Bytes>> {
    let mut xml = format!("<{operation}Response xmlns=\"{NAMESPACE}\"><{operation}Result>");
    for (name, value) in output.as_object().into_iter().flatten() {
        let _ = write!(xml, "<{name}>{}</{name}>", escaped(value.as_str().unwrap_or_default()));
    }
    let _ = write!(
        xml,
        "</{operation}Result><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>\
         </{operation}Response>"
    );
    reply(StatusCode::OK, xml)
}

pub(crate) fn refusal(error: &ServiceError, request_id: &str) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(status(error)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let fault = if status.is_server_error() { "Receiver" } else { "Sender" };
    let xml = format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>{fault}</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{request_id}</RequestId></ErrorResponse>",
        code(error),
        escaped(error.message())
    );
    reply(status, xml)
}

/// The status that goes with an error on this wire.
pub(crate) fn status(error: &ServiceError) -> u16 {
    match error.status() {
        // The query protocol knows neither.
        404 | 429 => 400,
        // So STS refuses credentials that have expired.
        401 => 403,
        status => status,
    }
}

/// What STS calls an error: the codes that all services share have other names in its protocol.
pub(crate) fn code(error: &ServiceError) -> &'static str {
    match error.code() {
        "ValidationException" => "ValidationError",
        "UnauthorizedException" => "ExpiredTokenException",
        "AccessDeniedException" => "AccessDenied",
        "ThrottlingException" => "Throttling",
        "InternalServerException" => "InternalFailure",
        "UnknownOperationException" => "InvalidAction",
        "RequestEntityTooLargeException" => "RequestEntityTooLarge",
        "MissingAuthenticationTokenException" => "MissingAuthenticationToken",
        "IncompleteSignatureException" => "IncompleteSignature",
        "UnrecognizedClientException" => "InvalidClientTokenId",
        "InvalidSignatureException" => "SignatureDoesNotMatch",
        other => other,
    }
}

fn reply(status: StatusCode, xml: String) -> Response<Full<Bytes>> {
    let mut reply = Response::new(Full::new(Bytes::from(xml)));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    reply
}

/// XML's own characters, and none that it cannot hold.
fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => xml.push(c),
            _ => xml.push('\u{fffd}'),
        }
    }
    xml
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_form_is_read_as_the_sdks_write_it() {
        let form = b"Action=GetWebIdentityToken&Version=2011-06-15&Audience.member.1=a%2Fb&Audience.member.2=c\
            &DurationSeconds=60&Tags.member.1.Key=k&Tags.member.1.Value=v+w&SigningAlgorithm=ES384";
        assert_eq!(operation(form), Ok(Operation::GetWebIdentityToken));
        assert_eq!(
            Value::Object(members(form)),
            json!({
                "Action": "GetWebIdentityToken",
                "Version": "2011-06-15",
                "Audience": ["a/b", "c"],
                "DurationSeconds": 60,
                "SigningAlgorithm": "ES384",
                "Tags": [{ "Key": "k", "Value": "v w" }],
            })
        );
    }

    #[test]
    fn a_list_that_is_too_long_stays_a_list() {
        for most in ["52", "99999999999999999999999"] {
            let mut form: Vec<String> = (1..=51).map(|index| format!("Audience.member.{index}=a&")).collect();
            form.push(format!("Audience.member.{most}=b"));
            let list = members(form.concat().as_bytes())["Audience"].as_array().unwrap().len();
            assert_eq!(list, MOST_MEMBERS);
        }
        assert_eq!(Value::Object(members(b"A.member.0=a")), json!({ "A": "a" }));
    }

    #[test]
    fn a_list_of_nothing() {
        assert_eq!(Value::Object(members(b"Tags=&DurationSeconds=60")), json!({ "Tags": [], "DurationSeconds": 60 }));
    }

    #[test]
    fn other_actions_are_named() {
        for form in
            [&b"Action=AssumeRole&Version=2011-06-15"[..], b"Action=GetWebIdentityToken&Version=2010-01-01", b""]
        {
            let error = operation(form).unwrap_err();
            assert_eq!((code(&error), status(&error)), ("InvalidAction", 400));
            assert!(error.message().contains("only GetWebIdentityToken"), "{error}");
        }
    }

    #[test]
    fn what_is_no_xml_does_not_become_any() {
        let xml = escaped("<a b=\"c\">&\u{0}\u{b}\u{ffff}é");
        assert_eq!(xml, "&lt;a b=&quot;c&quot;&gt;&amp;\u{fffd}\u{fffd}\u{fffd}é");
    }

    proptest! {
        #[test]
        fn no_form_breaks_the_reader(form in "([A-C](\\.member)?(\\.[0-9]{1,9})?(\\.[A-Z])?=[a-z0-9]{0,3}&){0,6}") {
            for (_, member) in members(form.as_bytes()) {
                prop_assert!(member.as_array().is_none_or(|list| list.len() <= MOST_MEMBERS));
            }
        }
    }
}
