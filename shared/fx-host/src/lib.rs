//! What every process of the platform needs before and around its routes: configuration, log lines, metrics, a clock,
//! and the hosts that answer on TCP or as a Lambda function.
//!
//! Invariants:
//! - The environment is read here, once, at start. A wrong value stops the start and names its variable.
//! - A process without keys is reachable from its own machine only; a Lambda function without keys does not start.
//! - No secret reaches a log line, a `Debug` form or an error message.
//! - A stopping process finishes the requests that it accepted, within [`lifecycle::DRAIN_LIMIT`].
//!
//! What this crate must not know: business rules, routes, and the adapters that a binary composes.

mod clock;
pub mod config;
mod error;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod lifecycle;
pub mod metrics;
pub mod strategies_dir;
pub mod telemetry;

pub use clock::SystemClock;
pub use config::{Config, ConfigError, Platform, Secret};
pub use error::HostError;
