//! What credential providers of either kind have in common.

use crate::error::{Code, ServiceError};
use crate::store::{Change, Record};

/// Checks that a provider can be made: its name is free, and there are fewer than `most` of its kind.
///
/// # Errors
/// `ConflictException` for a name that is taken, `ServiceQuotaExceededException` for one provider too many.
pub(super) fn check_new<R: Record>(change: &Change<'_>, name: &str, kind: &str, most: u64) -> Result<(), ServiceError> {
    if change.get::<R>(name)?.is_some() {
        return Err(ServiceError::new(Code::Conflict, format!("Credential provider {name:?} already exists")));
    }
    if change.count::<R>()? >= most {
        return Err(ServiceError::new(
            Code::QuotaExceeded,
            format!(
                "There are {most} {kind} credential providers already, the most that an account and Region may have"
            ),
        ));
    }
    Ok(())
}

pub(super) fn not_found(name: &str) -> ServiceError {
    ServiceError::new(Code::NotFound, format!("Credential provider {name:?} was not found"))
}
