//! Random identifiers, from the operating system's generator.

use aws_lc_rs::error::Unspecified;

/// Fills an array. Fails only if the system has no randomness to give.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], Unspecified> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes)?;
    Ok(bytes)
}

/// `length` characters, each drawn evenly from `alphabet`, which holds 1 to 256 ASCII characters.
pub(crate) fn text(length: usize, alphabet: &[u8]) -> Result<String, Unspecified> {
    // Bytes at or above the largest multiple of the alphabet's size would favour its first characters.
    let fair = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let [byte] = bytes::<1>()?;
        if usize::from(byte) < fair {
            text.push(char::from(alphabet[usize::from(byte) % alphabet.len()]));
        }
    }
    Ok(text)
}

pub(crate) const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// What Secrets Manager appends to the name of a secret in its ARN.
pub(crate) fn secret_suffix() -> Result<String, Unspecified> {
    text(6, ALPHANUMERIC)
}

/// A version 4 UUID.
pub(crate) fn uuid() -> Result<String, Unspecified> {
    let bits = u128::from_be_bytes(bytes()?);
    let versioned = bits & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{versioned:032x}");
    Ok(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_carries_its_version_and_variant() {
        for _ in 0..64 {
            let uuid = uuid().unwrap();
            let groups: Vec<usize> = uuid.split('-').map(str::len).collect();
            assert_eq!(groups, [8, 4, 4, 4, 12], "{uuid}");
            assert_eq!(&uuid[14..15], "4", "{uuid}");
            assert!(matches!(&uuid[19..20], "8" | "9" | "a" | "b"), "{uuid}");
        }
        assert_ne!(uuid().unwrap(), uuid().unwrap());
    }

    #[test]
    fn text_is_of_its_alphabet_and_uses_all_of_it() {
        let drawn = text(4096, b"abc").unwrap();
        assert_eq!(drawn.len(), 4096);
        assert!(drawn.bytes().all(|byte| b"abc".contains(&byte)));
        for letter in ['a', 'b', 'c'] {
            assert!(drawn.contains(letter));
        }
    }
}
