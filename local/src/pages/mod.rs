//! The pages that people see, and what all pages share.

pub(crate) mod home;
pub(crate) mod layout;
