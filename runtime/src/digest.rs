//! Fingerprints that stand for an identity in a cache key, so that no key holds a token.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// Half of the SHA-256 digest of one labelled value. To be taken for somebody else, one would have to find a value with
/// the same 128 bits as theirs; and a key with two of them is compared and copied on the way of every call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digest([u64; 2]);

impl Digest {
    /// The label keeps apart values of different kinds with the same text: a user id may look like a token.
    pub(crate) fn of(label: &'static str, value: &str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(label.as_bytes());
        hasher.update([0]);
        hasher.update(value.as_bytes());
        let digest: [u8; 32] = hasher.finalize().into();
        let word = |at: usize| digest[at..].first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        Self([word(0), word(8)])
    }

    /// A part of it that is as good a hash as the whole.
    pub(crate) fn fingerprint(self) -> u64 {
        self.0[0]
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
    fn label_and_value_both_count() {
        assert!(Digest::of("token", "a") == Digest::of("token", "a"));
        assert!(Digest::of("token", "a") != Digest::of("token", "b"));
        assert!(Digest::of("token", "a") != Digest::of("user id", "a"));
    }
}
