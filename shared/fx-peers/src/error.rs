//! Why the peers could not be set up.

/// The clients of the peers could not be built.
#[derive(Debug, thiserror::Error)]
pub enum PeersError {
    /// TLS could not be set up.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    /// The HTTP client could not be built.
    #[error("the HTTP client cannot be built")]
    Client(#[source] reqwest::Error),
    /// A key has characters that a header cannot carry.
    #[error("the key of {peer} has characters that a header cannot carry")]
    Key {
        /// Which peer.
        peer: &'static str,
    },
}
