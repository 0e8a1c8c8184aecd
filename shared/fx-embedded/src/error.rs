//! What can go wrong with a data folder.

use fx_app::ports::StoreError;
use std::path::{Path, PathBuf};

/// A data folder could not be opened, read or written. The source says why: read-only disk, disk full, no permission.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// A file or folder.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried: `create`, `write`, `read`.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// The database.
    #[error("{action} failed in {}", path.display())]
    Database {
        /// What was tried, in the caller's words.
        action: &'static str,
        /// The database file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: rusqlite::Error,
    },
    /// The file system cannot hold a write-ahead log, so several readers and a writer could not share the file.
    #[error("{} lies on a file system without write-ahead logging (journal mode is `{mode}`)", path.display())]
    NoWriteAheadLog {
        /// The database file.
        path: PathBuf,
        /// The journal mode that SQLite chose instead.
        mode: String,
    },
    /// The database was written by a newer release.
    #[error("{} has form {found}, this release reads up to {known}", path.display())]
    NewerForm {
        /// The database file.
        path: PathBuf,
        /// Its `user_version`.
        found: i64,
        /// The newest form that this release knows.
        known: i64,
    },
    /// A call did not come back from the blocking pool.
    #[error("{action} was interrupted")]
    Interrupted {
        /// What was tried.
        action: &'static str,
        /// Why.
        #[source]
        source: tokio::task::JoinError,
    },
}

impl EmbeddedError {
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }

    pub(crate) fn database(action: &'static str, path: &Path) -> impl FnOnce(rusqlite::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Database { action, path, source }
    }

    /// The one mapping to the ports' error.
    pub(crate) fn into_store_error(self, store: &'static str) -> StoreError {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match &self {
            Self::Database { source, path, .. }
                if matches!(source.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase)) =>
            {
                StoreError::Corrupt { store, what: format!("{}: {source}", path.display()) }
            }
            _ => StoreError::Unavailable { store, source: Box::new(self) },
        }
    }
}
