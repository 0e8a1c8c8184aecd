//! Log lines: one JSON object a line, the platform's fields first, then those of the spans and the event.

mod json;

pub use json::JsonLines;

use crate::HostError;
use std::io::IsTerminal;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

/// Beginnings of our own targets. Others are heard from warnings up: what HTTP and cloud libraries say below that
/// quotes headers and bodies, and those hold keys.
const OWN_TARGETS: [&str; 7] =
    ["fx_", "registration", "execution", "backtesting", "backtest_worker", "backtest_schedule", "server"];

/// What is written, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// JSON lines on standard output: containers and Lambda collect them there.
    Json,
    /// Short lines for people on standard error: standard output belongs to the command's answer.
    Plain,
}

/// Installs the subscriber of this process. `level` holds for our own crates.
///
/// # Errors
/// [`HostError::InstalledTwice`] when there is one.
pub fn init(level: LevelFilter, format: LogFormat) -> Result<(), HostError> {
    let layer: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Json => JsonLines::new(std::io::stdout).boxed(),
        LogFormat::Plain => tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
            .without_time()
            .with_target(false)
            .boxed(),
    };
    tracing_subscriber::registry()
        .with(layer.with_filter(targets(level)))
        .try_init()
        .map_err(|source| HostError::InstalledTwice { what: "the log subscriber", source: Box::new(source) })
}

fn targets(level: LevelFilter) -> Targets {
    let others = level.min(LevelFilter::WARN);
    OWN_TARGETS
        .iter()
        .fold(Targets::new().with_default(others), |targets, own| targets.with_target(*own, level))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn libraries_that_quote_bodies_are_not_heard_below_warnings() {
        let targets = targets(LevelFilter::DEBUG);
        assert!(targets.would_enable("fx_app::backtests", &Level::DEBUG));
        assert!(targets.would_enable("registration", &Level::DEBUG));
        assert!(targets.would_enable("aws_smithy_runtime", &Level::WARN));
        assert!(!targets.would_enable("aws_smithy_runtime", &Level::DEBUG));
        assert!(!targets.would_enable("hyper_util::client", &Level::INFO));
        let quiet = super::targets(LevelFilter::ERROR);
        assert!(!quiet.would_enable("fx_http", &Level::WARN) && !quiet.would_enable("rustls", &Level::WARN));
    }
}
