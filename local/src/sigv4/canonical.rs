//! The canonical request: the one form of a request that both sides hash.

use std::fmt::Write as _;

use hyper::http::request::Parts;

use crate::digest::sha256_hex;

/// The canonical request over exactly the headers that were signed, or the name of one that is not there.
pub(super) fn request<'a>(parts: &Parts, signed_headers: &[&'a str], body: &[u8]) -> Result<Vec<u8>, &'a str> {
    let mut text = format!("{}\n{}\n{}\n", parts.method, path(parts.uri.path()), query(parts.uri.query())).into_bytes();
    for name in signed_headers {
        text.extend_from_slice(name.as_bytes());
        let mut separator = b':';
        for value in parts.headers.get_all(*name) {
            text.push(separator);
            text.extend(folded(value.as_bytes()));
            separator = b',';
        }
        if separator == b':' {
            return Err(name);
        }
        text.push(b'\n');
    }
    text.push(b'\n');
    text.extend_from_slice(signed_headers.join(";").as_bytes());
    text.push(b'\n');
    text.extend_from_slice(sha256_hex(body).as_bytes());
    Ok(text)
}

/// Every service but S3 encodes the path, which is already encoded on the wire, once more.
fn path(path: &str) -> String {
    path.split('/').map(|segment| encoded(segment.as_bytes())).collect::<Vec<_>>().join("/")
}

fn query(query: Option<&str>) -> String {
    let Some(query) = query.filter(|query| !query.is_empty()) else { return String::new() };
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encoded(&decoded(name)), encoded(&decoded(value))))
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn encoded(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len()), |mut text, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(*byte)),
            _ => {
                let _ = write!(text, "%{byte:02X}");
            }
        }
        text
    })
}

/// The bytes behind percent-encoding; a `%` that begins no code stands for itself, and so does `+`.
pub(crate) fn decoded(text: &str) -> Vec<u8> {
    let hex = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if let (b'%', Some(high), Some(low)) = (byte, hex(bytes.get(at + 1)), hex(bytes.get(at + 2))) {
            plain.extend(u8::try_from(high * 16 + low));
            at += 3;
        } else {
            plain.push(*byte);
            at += 1;
        }
    }
    plain
}

/// Without spaces around, and with one where there are several.
fn folded(value: &[u8]) -> impl Iterator<Item = u8> {
    let mut after_space = false;
    value.trim_ascii().iter().copied().filter(move |byte| {
        let again = after_space && *byte == b' ';
        after_space = *byte == b' ';
        !again
    })
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn canonical(request: hyper::http::request::Builder, signed: &[&'static str]) -> Result<String, &'static str> {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        super::request(&parts, signed, b"").map(|text| String::from_utf8(text).unwrap())
    }

    #[test]
    fn paths_are_encoded_again_and_queries_sorted() {
        let request = Request::get("/tags/arn%3Aaws%2Fx?tagKeys=b&tagKeys=a%20c&flag&k=%2b+").header("host", "h");
        assert_eq!(
            canonical(request, &["host"]).unwrap().lines().take(3).collect::<Vec<_>>(),
            ["GET", "/tags/arn%253Aaws%252Fx", "flag=&k=%2B%2B&tagKeys=a%20c&tagKeys=b"]
        );
    }

    #[test]
    fn header_values_are_trimmed_folded_and_joined() {
        let request = Request::get("/").header("host", "h").header("x-a", "  one   two ").header("x-a", "three");
        let text = canonical(request, &["host", "x-a"]).unwrap();
        assert!(text.contains("\nhost:h\nx-a:one two,three\n\nhost;x-a\n"), "{text}");
    }

    #[test]
    fn a_signed_header_must_be_there() {
        assert_eq!(canonical(Request::get("/").header("host", "h"), &["host", "x-b"]), Err("x-b"));
    }

    #[test]
    fn decoding_leaves_stray_percent_signs() {
        assert_eq!(decoded("a%20b%2fc%zz%4"), b"a b/c%zz%4");
    }
}
