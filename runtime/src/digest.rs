//! Fingerprints that stand for an identity in a cache key, so that no key holds a token.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// Half of the SHA-256 digest of one labelled value. To be taken for somebody else, one would have to find a value with
/// the same 128 bits as theirs; and a key with two of them is compared and copied on the way of every call.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Digest([u64; 2]);

impl Digest {
    /// The label keeps apart values of different kinds with the same text: a user id may look like a token.
    pub(crate) fn of(label: &'static str, value: &str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(label.as_bytes());
        hasher.update([0]);
        hasher.update(value.as_bytes());
        Self::from(hasher)
    }

    /// The whole of it, as 32 hexadecimal digits.
    pub(crate) fn hex(self) -> String {
        let Self([first, second]) = self;
        format!("{first:016x}{second:016x}")
    }

    /// A part of it that is as good a hash as the whole.
    pub(crate) fn fingerprint(self) -> u64 {
        self.0[0]
    }
}

impl From<Sha256> for Digest {
    fn from(hasher: Sha256) -> Self {
        let digest: [u8; 32] = hasher.finalize().into();
        let word = |at: usize| digest[at..].first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        Self([word(0), word(8)])
    }
}

/// Digests several values as one, so that no two lists of values come to the same text.
pub(crate) struct Parts(Sha256);

impl Parts {
    pub(crate) fn new(label: &'static str) -> Self {
        Self(Sha256::new().chain_update(label).chain_update([0]))
    }

    pub(crate) fn one(mut self, value: &str) -> Self {
        self.0.update((value.len() as u64).to_be_bytes());
        self.0.update(value);
        self
    }

    pub(crate) fn maybe(mut self, value: Option<&str>) -> Self {
        self.0.update([u8::from(value.is_some())]);
        match value {
            Some(value) => self.one(value),
            None => self,
        }
    }

    /// In whatever order they come.
    pub(crate) fn set<'a>(mut self, values: impl Iterator<Item = &'a str>) -> Self {
        let mut values: Vec<_> = values.collect();
        values.sort_unstable();
        self.0.update((values.len() as u64).to_be_bytes());
        values.into_iter().fold(self, Self::one)
    }

    pub(crate) fn digest(self) -> Digest {
        self.0.into()
    }
}

/// A few digits, enough to tell two apart.
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06x}…", self.0[0] >> 40)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_beginning_of_sha_256() {
        let expected: [u8; 32] = Sha256::digest(b"label\0value").into();
        let Digest([first, second]) = Digest::of("label", "value");
        assert_eq!([first.to_be_bytes(), second.to_be_bytes()].concat(), expected[..16]);
    }

    #[test]
    fn parts_are_told_apart_wherever_they_end() {
        let of = |parts: Parts| parts.digest();
        let parts = || Parts::new("test");
        let different = [
            of(parts()),
            of(parts().one("ab").one("c")),
            of(parts().one("a").one("bc")),
            of(parts().maybe(None).one("a")),
            of(parts().maybe(Some("a"))),
            of(parts().set(["a", "b"].into_iter())),
            of(parts().set(["a"].into_iter()).set(["b"].into_iter())),
            of(parts().set(["ab"].into_iter())),
        ];
        for (n, digest) in different.iter().enumerate() {
            assert!(!different[..n].contains(digest), "{n}");
        }
        assert!(of(parts().set(["a", "b"].into_iter())) == of(parts().set(["b", "a"].into_iter())));
    }

    #[test]
    fn label_and_value_both_count() {
        assert!(Digest::of("token", "a") == Digest::of("token", "a"));
        assert!(Digest::of("token", "a") != Digest::of("token", "b"));
        assert!(Digest::of("token", "a") != Digest::of("user id", "a"));
    }
}
