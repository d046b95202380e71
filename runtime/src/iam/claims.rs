//! What a JWT of AWS STS is to say, and what the service would refuse.

use super::SigningAlgorithm;
use crate::Error;
use crate::digest::{Digest, Parts};

const AUDIENCES: std::ops::RangeInclusive<usize> = 1..=10;
const AUDIENCE: std::ops::RangeInclusive<usize> = 1..=1000;
const DURATION_SECONDS: std::ops::RangeInclusive<u32> = 60..=3600;
const TAGS: std::ops::RangeInclusive<usize> = 0..=50;
const TAG_KEY: std::ops::RangeInclusive<usize> = 1..=128;
const TAG_VALUE: std::ops::RangeInclusive<usize> = 0..=256;

#[derive(Clone)]
pub(crate) struct Claims {
    pub(crate) audience: Vec<String>,
    pub(crate) signing_algorithm: SigningAlgorithm,
    pub(crate) duration_seconds: u32,
    pub(crate) tags: Vec<(String, String)>,
}

impl Default for Claims {
    fn default() -> Self {
        Self {
            audience: Vec::new(),
            signing_algorithm: SigningAlgorithm::default(),
            duration_seconds: 300,
            tags: Vec::new(),
        }
    }
}

impl Claims {
    pub(super) fn validate(&self) -> Result<(), Error> {
        within("the number of audiences", self.audience.len(), &AUDIENCES)?;
        for audience in &self.audience {
            within("the length of an audience", audience.chars().count(), &AUDIENCE)?;
        }
        within("duration_seconds", self.duration_seconds, &DURATION_SECONDS)?;
        within("the number of tags", self.tags.len(), &TAGS)?;
        for (n, (name, value)) in self.tags.iter().enumerate() {
            within("the length of a tag's key", name.chars().count(), &TAG_KEY)?;
            within(&format!("the length of the value of the tag `{name}`"), value.chars().count(), &TAG_VALUE)?;
            if let Some(refused) = name.chars().chain(value.chars()).find(|c| !taken_in_tags(*c)) {
                return Err(Error::invalid_request(format!(
                    "the tag {name:?} contains {refused:?}; AWS STS takes letters, digits, spaces and `_.:/=+-@`"
                )));
            }
            if self.tags[..n].iter().any(|(other, _)| other == name) {
                return Err(Error::invalid_request(format!("the tag `{name}` is there twice: give it one value")));
            }
        }
        Ok(())
    }

    /// Of all of them.
    pub(super) fn digest(&self) -> Digest {
        let parts = Parts::new("JWT of AWS STS")
            .one(self.signing_algorithm.as_str())
            .one(&self.duration_seconds.to_string())
            .set(self.audience.iter().map(String::as_str));
        let mut tags: Vec<_> = self.tags.iter().collect();
        tags.sort_unstable();
        tags.into_iter().fold(parts, |parts, (name, value)| parts.one(name).one(value)).digest()
    }
}

fn within<N: Copy + PartialOrd + std::fmt::Display>(
    what: &str,
    number: N,
    range: &std::ops::RangeInclusive<N>,
) -> Result<(), Error> {
    if range.contains(&number) {
        return Ok(());
    }
    Err(Error::invalid_request(format!("{what} is {number}; AWS STS takes {} to {}", range.start(), range.end())))
}

/// `\p{L}`, `\p{N}`, `\p{Z}` and some punctuation. Of whitespace, controls such as a line feed are in none of them.
fn taken_in_tags(c: char) -> bool {
    c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        Claims { audience: vec!["https://api.example".into()], ..Claims::default() }
    }

    fn refused(change: impl FnOnce(&mut Claims)) -> String {
        let mut claims = claims();
        change(&mut claims);
        claims.validate().unwrap_err().to_string()
    }

    fn tag(name: &str, value: &str) -> Vec<(String, String)> {
        vec![(name.into(), value.into())]
    }

    #[test]
    fn what_the_service_refuses_is_named_with_its_bounds() {
        assert!(claims().validate().is_ok());
        assert!(Claims { tags: tag("team.å", "a b/c=d"), duration_seconds: 3600, ..claims() }.validate().is_ok());
        for (text, hint) in [
            (refused(|c| c.audience.clear()), "audiences is 0; AWS STS takes 1 to 10"),
            (refused(|c| c.audience = vec!["a".into(); 11]), "is 11"),
            (refused(|c| c.audience = vec![String::new()]), "length of an audience is 0"),
            (refused(|c| c.audience = vec!["a".repeat(1001)]), "is 1001"),
            (refused(|c| c.duration_seconds = 59), "duration_seconds is 59; AWS STS takes 60 to 3600"),
            (refused(|c| c.duration_seconds = 3601), "is 3601"),
            (refused(|c| c.tags = tag("", "a")), "tag's key is 0"),
            (refused(|c| c.tags = tag("a", &"b".repeat(257))), "of the tag `a` is 257"),
            (refused(|c| c.tags = tag("a", "b\n")), "contains '\\n'"),
            (refused(|c| c.tags = [tag("a", "b"), tag("a", "c")].concat()), "`a` is there twice"),
            (refused(|c| c.tags = (0..51).flat_map(|n| tag(&n.to_string(), "")).collect()), "tags is 51"),
        ] {
            assert!(text.contains(hint), "{text}");
        }
    }

    #[test]
    fn every_claim_counts() {
        let all = [
            claims(),
            Claims { audience: vec!["https://other.example".into()], ..claims() },
            Claims { signing_algorithm: SigningAlgorithm::Rs256, ..claims() },
            Claims { duration_seconds: 600, ..claims() },
            Claims { tags: tag("a", "b"), ..claims() },
        ];
        for (n, claims) in all.iter().enumerate() {
            assert!(all[..n].iter().all(|other| other.digest() != claims.digest()), "{n}");
        }
    }
}
