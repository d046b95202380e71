//! What the service accepts, for values that are known at compile time.

/// The most characters that the name of a credential provider has.
pub(crate) const PROVIDER_NAME_MAX: usize = 128;

/// Says what is wrong with `name` as the name of a credential provider.
pub(crate) fn provider_name(name: &str) -> Result<(), String> {
    let rule = format!("it has 1 to {PROVIDER_NAME_MAX} characters, each a letter, a digit, `-` or `_`");
    if name.is_empty() {
        return Err(format!("the name of a credential provider is not empty: {rule}"));
    }
    if let Some(refused) = name.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))) {
        return Err(format!("the name of a credential provider does not contain {refused:?}: {rule}"));
    }
    if name.len() > PROVIDER_NAME_MAX {
        return Err(format!("the name of a credential provider is not {} characters long: {rule}", name.len()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_the_service_accepts() {
        for name in ["a", "openai", "Open-AI_2", &"x".repeat(128)] {
            assert_eq!(provider_name(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn names_what_the_service_refuses() {
        let refused = |name: &str| provider_name(name).unwrap_err();
        assert!(refused("").contains("not empty"));
        assert!(refused(&"x".repeat(129)).contains("129 characters"));
        assert!(refused("open ai").contains("' '"));
        assert!(refused("öpenai").contains("'ö'"));
        assert!(refused("a.b").contains("'.'"));
        assert!(refused("a\n").contains(r"'\n'"));
    }
}
