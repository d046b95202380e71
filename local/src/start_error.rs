//! Why the service could not start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::error::ServiceError;

/// Why [`LocalIdentity`](crate::LocalIdentity) did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A setting of the builder is not usable; the text names it and says what would be.
    #[error("{0}")]
    Configuration(String),
    /// What was to be seeded is refused by the service itself: a bad name, an empty key, one provider too many.
    #[error("cannot seed {what}: {}", source.message())]
    Seed {
        /// What was to be created.
        what: String,
        /// The service's refusal.
        source: ServiceError,
    },
    /// The address cannot be listened on, mostly because another program does.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// A file or the directory itself cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was attempted, as in "create" or "read".
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The data directory is not fit for use; the text says what to do about it.
    #[error("{}: {problem}", path.display())]
    DataDir {
        /// The file or directory at fault.
        path: PathBuf,
        /// What is wrong with it, and the way out.
        problem: String,
    },
    /// The runtime stopped, or a bug struck, in the middle of the start.
    #[error("the start was interrupted")]
    Interrupted,
    /// The system gave no randomness or no cryptography.
    #[error("the system's cryptography or random generator failed")]
    Crypto,
}

impl From<aws_lc_rs::error::Unspecified> for StartError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Crypto
    }
}
