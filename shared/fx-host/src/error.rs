//! What can go wrong while a process starts, serves and stops.

use std::net::SocketAddr;

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
    /// The folder of strategies cannot be read.
    #[error("STRATEGIES_DIR: {0}")]
    Strategies(#[from] crate::strategies_dir::FileError),
}
