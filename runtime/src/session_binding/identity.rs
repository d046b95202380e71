//! Whether two identifiers are of the same user.

use crate::{UserIdentifier, jwt};

/// The user who `asked` and the one who is `present` now. A JWT may have been renewed in between, which does not change
/// its issuer and subject.
pub(super) fn same_user(asked: &UserIdentifier, present: &UserIdentifier) -> bool {
    match (asked, present) {
        (UserIdentifier::UserId(asked), UserIdentifier::UserId(present)) => asked == present,
        (UserIdentifier::UserToken(asked), UserIdentifier::UserToken(present)) => {
            asked.0.same_as(&present.0)
                || jwt::subject(asked.expose()).is_some_and(|asked| Some(asked) == jwt::subject(present.expose()))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn id(id: &str) -> UserIdentifier {
        UserIdentifier::UserId(id.into())
    }

    fn jwt(claims: &str) -> UserIdentifier {
        UserIdentifier::UserToken(format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims)).into())
    }

    #[test]
    fn sameness() {
        let ada = jwt(r#"{"iss":"https://idp","sub":"ada","exp":1}"#);
        for (asked, present, same) in [
            (id("ada"), id("ada"), true),
            (id("ada"), id("bob"), false),
            (id("ada"), ada.clone(), false),
            (ada.clone(), ada.clone(), true),
            (ada.clone(), jwt(r#"{"iss":"https://idp","sub":"ada","exp":2}"#), true),
            (ada.clone(), jwt(r#"{"iss":"https://idp","sub":"bob"}"#), false),
            (ada.clone(), jwt(r#"{"iss":"https://other","sub":"ada"}"#), false),
            (ada, jwt(r#"{"sub":"ada"}"#), false),
            (jwt("{}"), jwt(r#"{"a":1}"#), false),
        ] {
            assert_eq!(same_user(&asked, &present), same, "{asked:?} {present:?}");
        }
    }
}
