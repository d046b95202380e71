//! The pair of keys with which clients sign their requests.

use std::fmt;

use aws_lc_rs::error::Unspecified;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use crate::random;

const UPPERCASE_BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SigningCredentials {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
}

impl SigningCredentials {
    /// Shaped like those of AWS, and recognisably not of AWS.
    pub(crate) fn generate() -> Result<Self, Unspecified> {
        Ok(Self {
            access_key_id: format!("LOCAL{}", random::text(15, UPPERCASE_BASE32)?),
            secret_access_key: random::text(40, random::ALPHANUMERIC)?,
        })
    }

    /// `Err` says what is wrong, without the secret.
    pub(crate) fn check(&self) -> Result<(), String> {
        let id = &self.access_key_id;
        if !(16..=128).contains(&id.len()) || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(format!("access key id {id:?} is not 16 to 128 of A-Z a-z 0-9 _"));
        }
        if self.secret_access_key.len() < 16 || !self.secret_access_key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("the secret access key is not at least 16 printable ASCII characters without spaces".to_owned());
        }
        Ok(())
    }
}

impl Drop for SigningCredentials {
    fn drop(&mut self) {
        self.secret_access_key.zeroize();
    }
}

impl fmt::Debug for SigningCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningCredentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_ones_are_valid_and_differ() {
        let (one, two) = (SigningCredentials::generate().unwrap(), SigningCredentials::generate().unwrap());
        assert_eq!(one.check(), Ok(()));
        assert_eq!(one.access_key_id.len(), 20);
        assert_ne!(one.secret_access_key, two.secret_access_key);
        assert!(!format!("{one:?}").contains(&one.secret_access_key));
    }

    #[test]
    fn bad_ones_are_named_without_the_secret() {
        let short = |access_key_id: &str, secret_access_key: &str| {
            SigningCredentials { access_key_id: access_key_id.into(), secret_access_key: secret_access_key.into() }
                .check()
                .unwrap_err()
        };
        assert!(short("has/slash/in/the/id", "0123456789abcdef").contains("\"has/slash/in/the/id\""));
        assert!(!short("LOCAL00000000000", "hunter2").contains("hunter2"));
    }
}
