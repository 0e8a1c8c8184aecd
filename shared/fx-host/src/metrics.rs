//! The recorder behind `GET /metrics`.

use crate::HostError;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::Arc;
use std::time::Duration;

/// Upper bounds of request durations, seconds: from a cached answer to the gateway's limit of 30 s.
pub const REQUEST_BUCKETS: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0];
/// Upper bounds of backtests and executions, seconds: from one year of hourly bars to a long job.
pub const RUN_BUCKETS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0];
/// Histograms, and the bounds of each.
const HISTOGRAMS: [(&str, &[f64]); 3] = [
    ("http_request_duration_seconds", &REQUEST_BUCKETS),
    ("strategy_execution_duration_seconds", &RUN_BUCKETS),
    ("backtest_execution_duration_seconds", &RUN_BUCKETS),
];
/// How often samples are folded into histograms, so that they don't pile up when nobody scrapes.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// The installed recorder.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
}

impl Metrics {
    /// Installs the recorder of this process and sets `service_info`.
    ///
    /// # Errors
    /// [`HostError::InstalledTwice`] when there is one.
    pub fn install(version: &'static str) -> Result<Self, HostError> {
        let failed =
            |source| HostError::InstalledTwice { what: "the metrics recorder", source: Box::new(source) };
        let mut builder = PrometheusBuilder::new();
        for (name, bounds) in HISTOGRAMS {
            builder =
                builder.set_buckets_for_metric(Matcher::Full(name.to_owned()), bounds).map_err(failed)?;
        }
        let handle = builder.install_recorder().map_err(failed)?;
        metrics::gauge!("service_info", "name" => "strategy-execution-engine", "version" => version).set(1.0);
        Ok(Self { handle })
    }

    /// What `GET /metrics` answers: the Prometheus text of this moment.
    #[must_use]
    pub fn render(&self) -> Arc<dyn Fn() -> String + Send + Sync> {
        let handle = self.handle.clone();
        Arc::new(move || handle.render())
    }

    /// Folds samples into histograms every few seconds, as long as the runtime lives.
    pub fn spawn_upkeep(&self) {
        let handle = self.handle.clone();
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(UPKEEP_INTERVAL);
            loop {
                ticks.tick().await;
                handle.run_upkeep();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_rendered_as_histograms_with_the_named_bounds_and_a_second_recorder_is_refused() {
        let metrics = Metrics::install("1.2.3").unwrap();
        for (name, _) in HISTOGRAMS {
            metrics::histogram!(name, "endpoint" => "/health").record(0.002);
        }
        let text = (metrics.render())();
        assert!(
            text.contains(r#"service_info{name="strategy-execution-engine",version="1.2.3"} 1"#),
            "{text}"
        );
        for (name, bounds) in HISTOGRAMS {
            assert!(text.contains(&format!("# TYPE {name} histogram")), "{text}");
            for bound in bounds {
                let count = u8::from(*bound >= 0.002);
                let line = format!(r#"{name}_bucket{{endpoint="/health",le="{bound}"}} {count}"#);
                assert!(text.contains(&line), "{line}\n{text}");
            }
        }
        let again = Metrics::install("1.2.3").err().unwrap();
        assert_eq!(again.to_string(), "the metrics recorder is already installed in this process");
    }
}
