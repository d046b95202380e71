//! Authenticated encryption, with one key for each purpose.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use zeroize::Zeroizing;

/// The one secret from which every key of an instance is derived.
pub(crate) struct MasterKey(Zeroizing<[u8; MasterKey::LEN]>);

impl MasterKey {
    pub(crate) const LEN: usize = 32;

    pub(crate) fn generate() -> Result<Self, Unspecified> {
        crate::random::bytes().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// `None` if `bytes` is not of the right length.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &*self.0
    }

    /// A sealer whose output no sealer of another purpose can open.
    pub(crate) fn sealer(&self, purpose: &str) -> Result<Sealer, Unspecified> {
        let mut key = Zeroizing::new([0; Self::LEN]);
        Salt::new(HKDF_SHA256, b"agentcore-identity-local")
            .extract(&*self.0)
            .expand(&[purpose.as_bytes()], &AES_256_GCM)?
            .fill(&mut *key)?;
        RandomizedNonceKey::new(&AES_256_GCM, &*key).map(Sealer)
    }
}

/// Seals bytes under a fresh nonce, bound to a context that opening must repeat.
pub(crate) struct Sealer(RandomizedNonceKey);

impl Sealer {
    pub(crate) fn seal(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let mut text = plain.to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::from(context.as_bytes()), &mut text)?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut text);
        Ok(sealed)
    }

    /// `None` unless this very sealer made `sealed`, for this context.
    pub(crate) fn open(&self, context: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = Zeroizing::new(text.to_vec());
        let length = self.0.open_in_place(nonce, Aad::from(context.as_bytes()), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn opens_what_it_sealed_and_nothing_else(
            plain in proptest::collection::vec(any::<u8>(), 0..64),
            at in any::<prop::sample::Index>(),
            flip in 1..=u8::MAX,
        ) {
            let master = MasterKey::generate().unwrap();
            let sealer = master.sealer("one").unwrap();
            let mut sealed = sealer.seal("context", &plain).unwrap();
            let opened = sealer.open("context", &sealed);
            prop_assert_eq!(opened.as_deref(), Some(&plain));
            prop_assert!(sealer.open("another context", &sealed).is_none());
            prop_assert!(master.sealer("two").unwrap().open("context", &sealed).is_none());
            let at = at.index(sealed.len());
            sealed[at] ^= flip;
            prop_assert!(sealer.open("context", &sealed).is_none());
        }

        #[test]
        fn garbage_does_not_open(garbage in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(MasterKey::generate().unwrap().sealer("one").unwrap().open("", &garbage).is_none());
        }
    }

    #[test]
    fn a_master_key_survives_its_bytes() {
        let master = MasterKey::generate().unwrap();
        let sealed = master.sealer("one").unwrap().seal("", b"text").unwrap();
        let again = MasterKey::from_bytes(master.as_bytes()).unwrap();
        assert_eq!(again.sealer("one").unwrap().open("", &sealed).unwrap().as_slice(), b"text");
        assert!(MasterKey::from_bytes(&[0; 31]).is_none());
    }
}
