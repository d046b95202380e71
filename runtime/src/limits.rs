//! What the service accepts as names and tokens, checked before a request is sent: the service answers a bad name
//! with a `ValidationException` that does not say which argument of which function it was.

/// The bounds of one field of the service.
#[derive(Clone, Copy)]
pub(crate) struct Limit {
    min: usize,
    max: usize,
    /// Allowed beside ASCII letters and digits; `None` where every character is.
    punctuation: Option<&'static str>,
}

pub(crate) const PROVIDER_NAME: Limit = Limit { min: 1, max: 128, punctuation: Some("-_") };
pub(crate) const WORKLOAD_NAME: Limit = Limit { min: 3, max: 255, punctuation: Some("_.-") };
pub(crate) const USER_ID: Limit = Limit { min: 1, max: 128, punctuation: None };
pub(crate) const TOKEN: Limit = Limit { min: 1, max: 131_072, punctuation: None };

impl Limit {
    /// What is wrong with `value`, as the end of a sentence that begins with its name; never the value itself.
    pub(crate) fn violation(self, value: &str) -> Option<String> {
        let length = value.chars().count();
        if !(self.min..=self.max).contains(&length) {
            return Some(format!("has {length} characters; the service takes {} to {}", self.min, self.max));
        }
        let punctuation = self.punctuation?;
        let refused = value.chars().find(|c| !c.is_ascii_alphanumeric() && !punctuation.contains(*c))?;
        Some(format!(
            "contains {refused:?}; the service takes letters, digits and {}",
            punctuation.chars().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_inclusive() {
        for limit in [PROVIDER_NAME, WORKLOAD_NAME, USER_ID, TOKEN] {
            assert_eq!(limit.violation(&"a".repeat(limit.min)), None);
            assert_eq!(limit.violation(&"a".repeat(limit.max)), None);
            assert!(limit.violation(&"a".repeat(limit.min - 1)).is_some());
            assert!(limit.violation(&"a".repeat(limit.max + 1)).is_some());
        }
    }

    #[test]
    fn length_counts_characters_not_bytes() {
        assert_eq!(USER_ID.violation(&"ä".repeat(128)), None);
    }

    #[test]
    fn violation_names_the_bounds_and_the_character() {
        assert_eq!(
            PROVIDER_NAME.violation("open ai").unwrap(),
            "contains ' '; the service takes letters, digits and `-`, `_`"
        );
        assert_eq!(WORKLOAD_NAME.violation("ab").unwrap(), "has 2 characters; the service takes 3 to 255");
    }
}
