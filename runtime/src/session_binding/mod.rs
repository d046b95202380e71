//! Recognizes the user when their browser comes back from a consent, for applications that use [`axum`].
//!
//! A link to consent can be opened by anybody. Were the token handed out at once, somebody could send their own link to
//! another person and come by access to that person's account; or consent in that person's place. So the service sends
//! the browser to the application's callback URL, the application looks who is logged in there, and only if that is the
//! user the link was made for does it complete the authorization. [`callback()`] does this; [`LoopbackListener`] does
//! it on a laptop, where there is one user.

mod callback;
mod identity;
mod loopback;
mod page;

pub use self::callback::{SignedIn, callback};
pub use self::loopback::LoopbackListener;

#[cfg(test)]
mod tests;
