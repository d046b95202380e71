//! Names and values, as queries and forms carry them.

use std::fmt;

/// The fields of a query or a form, in their order. A field without a value counts as left out, as RFC 6749 has it.
pub(crate) struct Fields(Vec<(String, String)>);

/// A field that may be there once is there more often.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is there more than once")]
pub(crate) struct Repeated {
    pub(crate) name: &'static str,
}

impl Fields {
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(encoded).filter(|(_, value)| !value.is_empty());
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// The value of a field that may be there once.
    pub(crate) fn one(&self, name: &'static str) -> Result<Option<&str>, Repeated> {
        let mut values = self.all(name);
        let value = values.next();
        if values.next().is_some() { Err(Repeated { name }) } else { Ok(value) }
    }

    /// The values of a field that may be there several times.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// Values can be secrets.
impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_and_empty_ones_left_out() {
        let fields = Fields::parse(b"scope=a+b%2Fc&state=&resource=1&resource=2");
        assert_eq!(fields.one("scope"), Ok(Some("a b/c")));
        assert_eq!(fields.one("state"), Ok(None));
        assert_eq!(fields.all("resource").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(fields.one("resource"), Err(Repeated { name: "resource" }));
    }

    #[test]
    fn values_are_not_shown() {
        assert_eq!(format!("{:?}", Fields::parse(b"code=hunter2")), r#"{"code"}"#);
    }
}
