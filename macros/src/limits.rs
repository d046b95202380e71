//! What the services accept, for values that are known at compile time.

/// The bounds of one field.
pub(crate) struct Limit {
    /// The field, with its article.
    what: &'static str,
    min: usize,
    max: usize,
    allowed: Allowed,
}

enum Allowed {
    Anything,
    /// ASCII letters, digits and these.
    Ascii(&'static str),
    /// Letters, digits and separators of any script, and these.
    Text(&'static str),
    /// A scheme, a colon and no space.
    Url,
}

use Allowed::{Anything, Ascii, Text, Url};

pub(crate) const PROVIDER_NAME: Limit = Limit::new("the name of a credential provider", 1, 128, Ascii("-_"));
pub(crate) const SCOPE: Limit = Limit::new("a scope", 1, 128, Anything);
pub(crate) const RESOURCE: Limit = Limit::new("a resource", 1, 2048, Anything);
pub(crate) const AUDIENCE: Limit = Limit::new("an audience", 1, 2048, Anything);
pub(crate) const RETURN_URL: Limit = Limit::new("a callback URL", 1, 2048, Url);
pub(crate) const CUSTOM_STATE: Limit = Limit::new("a custom state", 1, 4096, Anything);
pub(crate) const CUSTOM_PARAMETER_KEY: Limit = Limit::new("the key of a custom parameter", 1, 256, Ascii("-_."));
pub(crate) const CUSTOM_PARAMETER_VALUE: Limit = Limit::new("the value of a custom parameter", 1, 2048, Anything);
pub(crate) const IAM_AUDIENCE: Limit = Limit::new("an audience", 1, 1000, Anything);
pub(crate) const TAG_KEY: Limit = Limit::new("the key of a tag", 1, 128, Text("_.:/=+-@"));
pub(crate) const TAG_VALUE: Limit = Limit::new("the value of a tag", 0, 256, Text("_.:/=+-@"));

/// The most audiences of one JWT that AWS STS signs.
pub(crate) const IAM_AUDIENCES_MAX: usize = 10;
/// The most tags of one.
pub(crate) const TAGS_MAX: usize = 50;
/// How many seconds one may live.
pub(crate) const DURATION_SECONDS: std::ops::RangeInclusive<u32> = 60..=3600;

impl Limit {
    const fn new(what: &'static str, min: usize, max: usize, allowed: Allowed) -> Self {
        Self { what, min, max, allowed }
    }

    /// Says what is wrong with `value`; never the value itself, which may be confidential.
    pub(crate) fn check(&self, value: &str) -> Result<(), String> {
        let Self { what, min, max, .. } = *self;
        let length = value.chars().count();
        let problem = if length == 0 && min > 0 {
            "must not be empty".to_owned()
        } else if let Some(refused) = value.chars().find(|c| !self.allows(*c)) {
            format!("must not contain {refused:?}")
        } else if length > max {
            return Err(format!("{what} must have {min} to {max} characters, and this one has {length}"));
        } else if matches!(self.allowed, Url) && !has_scheme(value) {
            return Err(format!("{what} must begin with a scheme, such as `https://`"));
        } else {
            return Ok(());
        };
        Err(format!("{what} {problem}: it has {min} to {max} characters{}", self.alphabet()))
    }

    fn allows(&self, c: char) -> bool {
        match self.allowed {
            Anything => true,
            Ascii(punctuation) => c.is_ascii_alphanumeric() || punctuation.contains(c),
            Text(punctuation) => {
                c.is_alphabetic() || c.is_numeric() || (c.is_whitespace() && !c.is_control()) || punctuation.contains(c)
            }
            Url => !c.is_whitespace(),
        }
    }

    fn alphabet(&self) -> String {
        let (letters, punctuation) = match self.allowed {
            Anything => return String::new(),
            Url => return " and no space".to_owned(),
            Ascii(punctuation) => (", each a letter, a digit", punctuation),
            Text(punctuation) => (", each a letter, a digit, a space", punctuation),
        };
        let punctuation: Vec<String> = punctuation.chars().map(|c| format!("`{c}`")).collect();
        match punctuation.split_last() {
            Some((last, [])) => format!("{letters} or {last}"),
            Some((last, rest)) => format!("{letters}, {} or {last}", rest.join(", ")),
            None => letters.to_owned(),
        }
    }
}

fn has_scheme(url: &str) -> bool {
    url.split_once(':').is_some_and(|(scheme, rest)| {
        !scheme.is_empty() && !rest.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(limit: &Limit, value: &str) -> String {
        limit.check(value).unwrap_err()
    }

    #[test]
    fn accepts_what_the_service_accepts() {
        for name in ["a", "openai", "Open-AI_2", &"x".repeat(128)] {
            assert_eq!(PROVIDER_NAME.check(name), Ok(()), "{name}");
        }
        for url in ["https://agent.example/callback", "http://localhost:8081", "my_app:callback", "x:y"] {
            assert_eq!(RETURN_URL.check(url), Ok(()), "{url}");
        }
        assert_eq!(SCOPE.check(&"ä".repeat(128)), Ok(()));
        assert_eq!(CUSTOM_PARAMETER_KEY.check("access_type.x-y"), Ok(()));
        assert_eq!(TAG_KEY.check("Équipe 1/a=b+c-d@e:f_g."), Ok(()));
        assert_eq!(TAG_VALUE.check(""), Ok(()));
    }

    #[test]
    fn names_what_the_service_refuses() {
        assert_eq!(refused(&RESOURCE, ""), "a resource must not be empty: it has 1 to 2048 characters");
        assert_eq!(refused(&SCOPE, &"x".repeat(129)), "a scope must have 1 to 128 characters, and this one has 129");
        for (name, found) in [("open ai", "' '"), ("öpenai", "'ö'"), ("a.b", "'.'"), ("a\n", r"'\n'")] {
            assert!(refused(&PROVIDER_NAME, name).contains(found), "{name}");
        }
        assert_eq!(
            refused(&PROVIDER_NAME, "a b"),
            "the name of a credential provider must not contain ' ': it has 1 to 128 characters, each a letter, a \
             digit, `-` or `_`"
        );
        assert!(refused(&TAG_KEY, "a\tb").contains(r"'\t'"));
        assert!(refused(&CUSTOM_STATE, &"x".repeat(4097)).ends_with("this one has 4097"));
    }

    #[test]
    fn a_url_has_a_scheme_and_no_space() {
        for url in ["agent.example/callback", "/callback", ":callback", "https:", "a-b:c"] {
            assert!(refused(&RETURN_URL, url).contains("must begin with a scheme"), "{url}");
        }
        assert!(refused(&RETURN_URL, "https://agent.example/a b").contains("must not contain ' '"));
    }
}
