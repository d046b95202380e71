//! What the service accepts: lengths, alphabets and quotas, as the service model has them. Each is written here alone.

use std::ops::RangeInclusive;

use url::Url;

use crate::error::ServiceError;
use crate::oauth2::is_loopback;

pub(crate) const WORKLOAD_NAME: Text =
    Text::new(3..=255, Form::Of("A-Z a-z 0-9 _ . -", |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')));
pub(crate) const PROVIDER_NAME: Text =
    Text::new(1..=128, Form::Of("A-Z a-z 0-9 _ -", |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')));
pub(crate) const TOKEN_VAULT_ID: Text = PROVIDER_NAME.with_length(1..=64);
pub(crate) const API_KEY: Text = Text::new(1..=65_536, Form::Any).hidden();
pub(crate) const USER_ID: Text = Text::new(1..=128, Form::Any).hidden();
pub(crate) const USER_TOKEN: Text = Text::new(
    1..=131_072,
    Form::Like("is not a JWT: three parts of A-Z a-z 0-9 - _ = joined by dots, none of them empty", is_jwt_shaped),
)
.hidden();
pub(crate) const WORKLOAD_TOKEN: Text = Text::new(1..=131_072, Form::Any).hidden();
pub(crate) const RETURN_URL: Text =
    Text::new(1..=2048, Form::Like("is not a URL such as https://example.com/callback", is_url_shaped));
/// A return URL that can be extended by a query. The model's pattern, which is [`RETURN_URL`], admits more.
pub(crate) const USED_RETURN_URL: Text = Text::new(
    1..=2048,
    Form::Like("is not a URL to which a browser can be sent back, such as https://example.com/callback", |value| {
        is_url_shaped(value) && Url::parse(value).is_ok()
    }),
);
pub(crate) const OAUTH2_RESOURCE: Text = Text::new(1..=2048, Form::Any);
pub(crate) const AUDIENCE: Text = OAUTH2_RESOURCE;
pub(crate) const SESSION_URI: Text =
    Text::new(1..=1024, Form::Like("is not like urn:ietf:params:oauth:request_uri:…", is_session_uri)).hidden();
pub(crate) const CUSTOM_STATE: Text = Text::new(1..=4096, Form::Any).hidden();
pub(crate) const CUSTOM_PARAMETER_KEY: Text =
    Text::new(1..=256, Form::Of("A-Z a-z 0-9 - _ .", |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')));
pub(crate) const CUSTOM_PARAMETER_VALUE: Text = Text::new(1..=2048, Form::Any).hidden();
pub(crate) const TAG_KEY: Text = Text::new(1..=128, TAG_FORM);
pub(crate) const TAG_VALUE: Text = Text::new(0..=256, TAG_FORM);
pub(crate) const STS_AUDIENCE: Text = Text::new(1..=1000, Form::Any);
pub(crate) const STS_TAG_KEY: Text = Text::new(1..=128, STS_TAG_FORM);
pub(crate) const STS_TAG_VALUE: Text = Text::new(0..=256, STS_TAG_FORM);
pub(crate) const RESOURCE_ARN: Text = Text::new(20..=1011, Form::Any);
pub(crate) const SECRET_SOURCE: Text =
    Text::new(0..=64, Form::Like("is neither MANAGED nor EXTERNAL", |source| matches!(source, "MANAGED" | "EXTERNAL")));
/// What only an enumeration or a parser can judge.
pub(crate) const ANY: Text = Text::new(0..=usize::MAX, Form::Any);
pub(crate) const CLIENT_ID: Text = Text::new(1..=256, Form::Any);
/// A custom provider's client id, which an empty text leaves out.
pub(crate) const CUSTOM_CLIENT_ID: Text = CLIENT_ID.with_length(0..=256);
pub(crate) const CLIENT_SECRET: Text = Text::new(0..=2048, Form::Any).hidden();
pub(crate) const TENANT_ID: Text =
    Text::new(1..=2048, Form::Of("A-Z a-z 0-9 . -", |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')));
pub(crate) const ENDPOINT_URL: Text = Text::new(
    0..=usize::MAX,
    Form::Like(
        "is not a URL of an authorization server: https, or http for a loopback address of this machine, without user \
         name and fragment",
        is_endpoint_url,
    ),
);
pub(crate) const DISCOVERY_URL: Text = Text::new(
    0..=usize::MAX,
    Form::Like(
        "is not a discovery URL: https, or http for a loopback address of this machine, with the path \
         /.well-known/openid-configuration or /.well-known/oauth-authorization-server, and without query and fragment",
        is_discovery_url,
    ),
);
pub(crate) const TOKEN_AUTH_METHOD: Text = Text::new(
    0..=usize::MAX,
    Form::Like("is neither client_secret_post nor client_secret_basic", |method| {
        matches!(method, "client_secret_post" | "client_secret_basic")
    }),
);
pub(crate) const SCOPE: Text = Text::new(1..=128, Form::Any);
pub(crate) const KMS_KEY_ARN: Text = Text::new(
    1..=2048,
    Form::Like(
        "is not the ARN of a KMS key, such as arn:aws:kms:us-east-1:123456789012:key/<the 36 characters of its id>",
        is_kms_key_arn,
    ),
);
pub(crate) const CLAIM_NAME: Text = Text::new(
    1..=255,
    Form::Of("A-Z a-z 0-9 _ . : # -", |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '#' | '-')),
);
pub(crate) const CLAIM_VALUE: Text = Text::new(1..=2048, Form::Any).hidden();
pub(crate) const PAGE_TOKEN: Text = Text::new(1..=4096, Form::Any).hidden();

pub(crate) const PROVIDERS_PER_PAGE: RangeInclusive<u32> = 1..=100;
pub(crate) const WORKLOADS_PER_PAGE: RangeInclusive<u32> = 1..=20;
pub(crate) const OAUTH2_PROVIDERS_PER_PAGE: RangeInclusive<u32> = 1..=20;

pub(crate) const TOKEN_AUTH_METHODS: RangeInclusive<usize> = 1..=2;
pub(crate) const ADDITIONAL_CLAIMS: RangeInclusive<usize> = 1..=10;

pub(crate) const STS_SECONDS: RangeInclusive<u32> = 60..=3600;
pub(crate) const STS_AUDIENCES: usize = 10;

pub(crate) const TAGS_PER_RESOURCE: usize = 50;
pub(crate) const TAG_KEYS_PER_UNTAG: usize = 200;
/// The prefix that AWS keeps for itself, in any mix of upper and lower case.
pub(crate) const RESERVED_TAG_PREFIX: &str = "aws:";

pub(crate) const API_KEY_PROVIDERS: u64 = 50;
pub(crate) const OAUTH2_PROVIDERS: u64 = 50;
pub(crate) const WORKLOAD_IDENTITIES: u64 = 11_000;
pub(crate) const DATA_PLANE_CALLS_PER_SECOND: u32 = 200;
pub(crate) const COMPLETIONS_PER_SECOND: u32 = 100;
pub(crate) const CONTROL_PLANE_CALLS_PER_SECOND: u32 = 20;
pub(crate) const STS_CALLS_PER_SECOND: u32 = 600;

/// Room for the longest API key with every character escaped, and more than the service needs for anything else.
pub(crate) const BODY_BYTES: usize = 1024 * 1024;
/// What an authorization asks for at the most, in all. The model bounds each part, and their number not; no server
/// takes a link so long, and an authorization is remembered.
pub(crate) const AUTHORIZATION_BYTES: usize = 32 * 1024;
/// How much of a body that is too large is read, and thrown away, before that is answered.
pub(crate) const DRAINED_BYTES: usize = 64 * 1024 * 1024;

/// Letters, separators and numbers of any script, unlike in the tags of resources: `\p{Z}` holds no control characters.
const STS_TAG_FORM: Form = Form::Of("letters, numbers, spaces and _ . : / = + - @", |c| {
    c.is_alphabetic() || c.is_numeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
});

const TAG_FORM: Form = Form::Of("A-Z a-z 0-9, white space and . _ : / = + @ -", |c| {
    c.is_ascii_alphanumeric() || c.is_whitespace() || matches!(c, '.' | '_' | ':' | '/' | '=' | '+' | '@' | '-')
});

/// The rules for one text of the model.
pub(crate) struct Text {
    length: RangeInclusive<usize>,
    form: Form,
    hidden: bool,
}

#[derive(Clone, Copy)]
enum Form {
    Any,
    /// Characters from an alphabet, described and decided.
    Of(&'static str, fn(char) -> bool),
    /// A structure: what is wrong with a text that lacks it, and the decision.
    Like(&'static str, fn(&str) -> bool),
}

impl Text {
    const fn new(length: RangeInclusive<usize>, form: Form) -> Self {
        Self { length, form, hidden: false }
    }

    const fn with_length(&self, length: RangeInclusive<usize>) -> Self {
        Self { length, form: self.form, hidden: self.hidden }
    }

    /// The value is a secret or personal: errors do not quote it.
    const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// Whether `value` keeps the rules.
    pub(crate) fn admits(&self, value: &str) -> bool {
        self.problem(value).is_none()
    }

    /// # Errors
    /// A `ValidationException` that names `member`, the value unless it is hidden, and the rule it breaks.
    pub(crate) fn check(&self, member: &str, value: &str) -> Result<(), ServiceError> {
        self.problem(value).map_or(Ok(()), |problem| Err(ServiceError::invalid_member(member, problem)))
    }

    fn problem(&self, value: &str) -> Option<String> {
        let length = value.chars().count();
        let (least, most) = (*self.length.start(), *self.length.end());
        let problem = if length < least {
            format!("has {}, at least {least} required", characters(length))
        } else if length > most {
            format!("has {}, at most {most} allowed", characters(length))
        } else {
            match self.form {
                Form::Any => return None,
                Form::Of(alphabet, allowed) => {
                    let refused = value.chars().find(|c| !allowed(*c))?;
                    if self.hidden {
                        format!("holds a character outside {alphabet}")
                    } else {
                        format!("holds {refused:?}, allowed are {alphabet}")
                    }
                }
                Form::Like(_, matches) if matches(value) => return None,
                Form::Like(problem, _) => problem.to_owned(),
            }
        };
        Some(if self.hidden { format!("the value {problem}") } else { format!("{} {problem}", quoted(value)) })
    }
}

/// A value of the caller's for an error text: escaped, and cut where it would flood a log.
pub(crate) fn quoted(value: &str) -> String {
    const SHOWN: usize = 64;
    match value.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}…", &value[..end]),
        None => format!("{value:?}"),
    }
}

fn characters(count: usize) -> String {
    if count == 1 { "1 character".to_owned() } else { format!("{count} characters") }
}

fn is_jwt_shaped(value: &str) -> bool {
    let parts: Vec<&str> = value.split('.').collect();
    parts.len() == 3
        && parts
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_=".contains(&b)))
}

/// `urn:ietf:params:oauth:request_uri:[a-zA-Z0-9-._~]+`
fn is_session_uri(value: &str) -> bool {
    value
        .strip_prefix(crate::oauth2::SESSION_URI_PREFIX)
        .is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b)))
}

/// `\w+:(\/?\/?)[^\s]+`
fn is_url_shaped(value: &str) -> bool {
    value.split_once(':').is_some_and(|(scheme, rest)| {
        !scheme.is_empty()
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !rest.is_empty()
            && !rest.contains(char::is_whitespace)
    })
}

/// Whatever is sent there holds secrets, so it goes encrypted or stays on this machine.
fn is_endpoint_url(value: &str) -> bool {
    Url::parse(value).is_ok_and(|url| {
        (url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url)))
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
    })
}

/// `[^\s?#]+/\.well-known/(openid-configuration|oauth-authorization-server)(/[^\s?#]+)?`
fn is_discovery_url(value: &str) -> bool {
    let is_document = |rest: &str| {
        ["openid-configuration", "oauth-authorization-server"].iter().any(|document| {
            rest.strip_prefix(document).is_some_and(|path| path.is_empty() || (path.len() > 1 && path.starts_with('/')))
        })
    };
    is_endpoint_url(value)
        && !value.contains(|c: char| c.is_whitespace() || matches!(c, '?' | '#'))
        && value.match_indices("/.well-known/").any(|(at, separator)| is_document(&value[at + separator.len()..]))
}

/// `arn:aws(|-cn|-us-gov):kms:[a-zA-Z0-9-]*:[0-9]{12}:key/[a-zA-Z0-9-]{36}`
fn is_kms_key_arn(value: &str) -> bool {
    let is_name = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let parts: Vec<&str> = value.split(':').collect();
    let ["arn", partition, "kms", region, account, key] = parts[..] else { return false };
    matches!(partition, "aws" | "aws-cn" | "aws-us-gov")
        && is_name(region)
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && key.strip_prefix("key/").is_some_and(|id| id.len() == 36 && is_name(id))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(text: &Text, value: &str) -> String {
        text.check("member", value).unwrap_err().message().to_owned()
    }

    #[test]
    fn lengths_hold_at_both_ends() {
        for (text, filler) in [
            (&WORKLOAD_NAME, "a"),
            (&PROVIDER_NAME, "a"),
            (&TOKEN_VAULT_ID, "a"),
            (&API_KEY, "é"),
            (&USER_ID, "é"),
            (&WORKLOAD_TOKEN, "a"),
            (&TAG_KEY, "a"),
            (&TAG_VALUE, "a"),
            (&CLIENT_ID, "é"),
            (&CUSTOM_CLIENT_ID, "é"),
            (&CLIENT_SECRET, "é"),
            (&TENANT_ID, "a"),
            (&SCOPE, "é"),
            (&CLAIM_NAME, "#"),
            (&CLAIM_VALUE, "é"),
        ] {
            let (least, most) = (*text.length.start(), *text.length.end());
            assert!(text.admits(&filler.repeat(least)));
            assert!(text.admits(&filler.repeat(most)));
            assert!(!text.admits(&filler.repeat(most + 1)));
            assert!(least == 0 || !text.admits(&filler.repeat(least - 1)));
        }
    }

    #[test]
    fn problems_name_the_value_and_the_rule() {
        assert_eq!(message(&WORKLOAD_NAME, "ab"), "member: \"ab\" has 2 characters, at least 3 required");
        assert_eq!(message(&PROVIDER_NAME, "a b"), "member: \"a b\" holds ' ', allowed are A-Z a-z 0-9 _ -");
        let long = message(&PROVIDER_NAME, &"x".repeat(129));
        assert_eq!(long, format!("member: \"{}\"… has 129 characters, at most 128 allowed", "x".repeat(64)));
        assert_eq!(
            message(&RETURN_URL, "no url"),
            "member: \"no url\" is not a URL such as https://example.com/callback"
        );
    }

    #[test]
    fn hidden_values_are_not_quoted() {
        assert_eq!(message(&API_KEY, ""), "member: the value has 0 characters, at least 1 required");
        let token = message(&USER_TOKEN, "secret.secret");
        assert!(token.starts_with("member: the value is not a JWT"), "{token}");
        assert!(!token.contains("secret"), "{token}");
    }

    #[test]
    fn a_jwt_has_three_parts() {
        for good in ["a.b.c", "eyJ.eyJ.-_=", "A=.B=.C="] {
            assert!(USER_TOKEN.admits(good), "{good}");
        }
        for bad in ["", "a", "a.b", "a.b.", "..", "a.b.c.d", "a.b.c ", "a.b.ç"] {
            assert!(!USER_TOKEN.admits(bad), "{bad}");
        }
    }

    #[test]
    fn a_return_url_has_a_scheme_and_no_space() {
        for good in ["https://example.com/cb", "http://localhost:8080", "myapp:callback", "a_1:/x"] {
            assert!(RETURN_URL.admits(good), "{good}");
        }
        for bad in ["example.com", ":x", "https:", "https://a b", "ht-tp://x", "a:\t"] {
            assert!(!RETURN_URL.admits(bad), "{bad}");
        }
    }

    #[test]
    fn a_return_url_that_is_used_is_one_for_browsers() {
        for good in ["https://example.com/cb", "http://localhost:8080", "myapp:callback", "http://[::1]:1/a?b=c"] {
            assert!(USED_RETURN_URL.admits(good), "{good}");
        }
        for bad in ["http://localhost:99999/", "https://", "http://[::1/", "a_1:/x", "https://a b"] {
            assert!(!USED_RETURN_URL.admits(bad), "{bad}");
        }
    }

    #[test]
    fn secrets_go_encrypted_or_stay_on_this_machine() {
        for good in [
            "https://idp.example.com",
            "https://idp.example.com:8443/a?b=c",
            "https://10.0.0.1/token",
            "http://localhost:9000/token",
            "http://127.1.2.3/token",
            "http://[::1]:9000/",
        ] {
            assert!(ENDPOINT_URL.admits(good), "{good}");
        }
        for bad in [
            "",
            "idp.example.com",
            "http://idp.example.com",
            "http://localhost.example.com/",
            "http://10.0.0.1/token",
            "http://[2001:db8::1]/",
            "ftp://localhost/",
            "https://",
            "https://user@idp.example.com/",
            "https://:password@idp.example.com/",
            "https://idp.example.com/#fragment",
            "javascript:alert(1)",
            "file:///etc/passwd",
        ] {
            assert!(!ENDPOINT_URL.admits(bad), "{bad}");
        }
    }

    #[test]
    fn a_discovery_url_leads_to_a_metadata_document() {
        for good in [
            "https://idp.example.com/.well-known/openid-configuration",
            "https://idp.example.com/tenant/.well-known/openid-configuration",
            "https://idp.example.com/.well-known/oauth-authorization-server/tenant/a",
            "http://127.0.0.1:4566/idp/.well-known/openid-configuration",
            "https://idp.example.com/.well-known/x/.well-known/openid-configuration",
        ] {
            assert!(DISCOVERY_URL.admits(good), "{good}");
        }
        for bad in [
            "https://idp.example.com/openid-configuration",
            "https://idp.example.com/.well-known/openid-configuration/",
            "https://idp.example.com/.well-known/openid-configurations",
            "https://idp.example.com/.well-known/openid-configuration?a=b",
            "https://idp.example.com/.well-known/openid-configuration#a",
            "http://idp.example.com/.well-known/openid-configuration",
            " https://idp.example.com/.well-known/openid-configuration",
        ] {
            assert!(!DISCOVERY_URL.admits(bad), "{bad}");
        }
    }

    #[test]
    fn a_key_of_kms_is_named_by_its_full_arn() {
        let good = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555";
        assert!(KMS_KEY_ARN.admits(good));
        assert!(KMS_KEY_ARN.admits(&good.replace("arn:aws:", "arn:aws-us-gov:")));
        for bad in [
            good.replace("key/", "alias/"),
            good.replace("123456789012", "12"),
            good.replace("arn:aws:", "arn:aws-iso:"),
            format!("{good}5"),
            format!("{good}:x"),
        ] {
            assert!(!KMS_KEY_ARN.admits(&bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn an_alphabet_is_exactly_its_pattern(name in "\\PC{1,128}") {
            let of_pattern = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            prop_assert_eq!(PROVIDER_NAME.admits(&name), of_pattern);
        }

        #[test]
        fn no_value_breaks_the_checker(value in any::<String>()) {
            for text in [&WORKLOAD_NAME, &USER_TOKEN, &RETURN_URL, &TAG_VALUE, &DISCOVERY_URL, &KMS_KEY_ARN] {
                prop_assert_eq!(text.admits(&value), text.check("member", &value).is_ok());
            }
        }
    }
}
