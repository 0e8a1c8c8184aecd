//! What can go wrong while a process starts, serves and stops.

use std::net::SocketAddr;
use std::path::PathBuf;

/// A process could not start, serve or stop as it should.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The address is taken or not this machine's.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The signal handlers could not be installed.
    #[error("cannot wait for SIGTERM and SIGINT")]
    Signals(#[source] std::io::Error),
    /// Accepting connections failed.
    #[error("the server stopped serving")]
    Serve(#[source] std::io::Error),
    /// The Lambda runtime gave up.
    #[error("the Lambda runtime stopped: {0}")]
    Lambda(String),
    /// A second subscriber or recorder was installed in one process.
    #[error("{what} is already installed in this process")]
    InstalledTwice {
        /// Which part.
        what: &'static str,
        /// What its library says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A strategy file or its folder cannot be read.
    #[error("STRATEGIES_DIR: cannot read {}", path.display())]
    Strategies {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A folder of strategies is over a limit.
    #[error("STRATEGIES_DIR: {} {reason}", path.display())]
    StrategiesLimit {
        /// The file or folder.
        path: PathBuf,
        /// The limit, in words.
        reason: String,
    },
}
