//! The same run under several intrabar policies: what each figure came to, at least and at most.

use crate::Report;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The smallest and the largest value of one figure over the policies that were run. What other policies, or the
/// market, would have given may lie outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScenarioRange {
    /// The smallest; none where no policy defines the figure.
    pub min: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
    /// Policies under which the figure is undefined.
    pub undefined: u64,
}

impl ScenarioRange {
    fn with(self, value: Option<f64>) -> Self {
        match value {
            None => Self { undefined: self.undefined + 1, ..self },
            Some(value) => Self {
                min: Some(self.min.map_or(value, |min| min.min(value))),
                max: Some(self.max.map_or(value, |max| max.max(value))),
                ..self
            },
        }
    }
}

/// The headline figures of a report by name: those of [`Metrics`](crate::Metrics), costs by kind as `costs.spread`, and
/// the three ratios.
#[must_use]
pub fn figures(report: &Report) -> Vec<(&'static str, Option<f64>)> {
    let metrics = &report.metrics;
    let count = |count: u64| Some(count as f64);
    vec![
        ("total_trades", count(metrics.total_trades)),
        ("winning_trades", count(metrics.winning_trades)),
        ("losing_trades", count(metrics.losing_trades)),
        ("win_rate", metrics.win_rate),
        ("profit_factor", metrics.profit_factor),
        ("net_profit", Some(metrics.net_profit)),
        ("net_profit_pct", Some(metrics.net_profit_pct)),
        ("max_drawdown", Some(metrics.max_drawdown)),
        ("expectancy", metrics.expectancy),
        ("gross_profit", Some(metrics.gross_profit)),
        ("gross_loss", Some(metrics.gross_loss)),
        ("avg_profit", metrics.avg_profit),
        ("avg_loss", metrics.avg_loss),
        ("final_balance", Some(metrics.final_balance)),
        ("final_equity", Some(metrics.final_equity)),
        ("return_pct", Some(metrics.return_pct)),
        ("costs.spread", Some(metrics.costs.spread)),
        ("costs.commission", Some(metrics.costs.commission)),
        ("costs.slippage", Some(metrics.costs.slippage)),
        ("costs.financing", Some(metrics.costs.financing)),
        ("ambiguous_trades", count(metrics.ambiguous_trades)),
        ("stop_outs", count(metrics.stop_outs)),
        ("margin_calls", count(metrics.margin_calls)),
        ("lowest_margin_level_pct", metrics.lowest_margin_level_pct),
        ("sharpe_ratio", report.sharpe_ratio),
        ("sortino_ratio", report.sortino_ratio),
        ("calmar_ratio", report.calmar_ratio),
    ]
}

/// The range of each of the [`figures`] over reports of the same run under several policies; empty of none.
#[must_use]
pub fn scenario_ranges<'a>(reports: impl IntoIterator<Item = &'a Report>) -> BTreeMap<String, ScenarioRange> {
    let mut ranges: BTreeMap<String, ScenarioRange> = BTreeMap::new();
    for report in reports {
        for (name, value) in figures(report) {
            let range = ranges.entry(name.to_owned()).or_default();
            *range = range.with(value);
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(net_profit: f64, sharpe_ratio: Option<f64>) -> Report {
        let mut report = Report { sharpe_ratio, ..Report::default() };
        report.metrics.net_profit = net_profit;
        report
    }

    #[test]
    fn each_figure_has_its_smallest_and_largest_value_and_undefined_ones_are_counted() {
        let reports = [report(3.0, None), report(-1.0, Some(0.5)), report(2.0, Some(0.25))];
        let ranges = scenario_ranges(&reports);
        let range = |min, max, undefined| ScenarioRange { min, max, undefined };
        assert_eq!(ranges["net_profit"], range(Some(-1.0), Some(3.0), 0));
        assert_eq!(ranges["sharpe_ratio"], range(Some(0.25), Some(0.5), 1));
        assert_eq!(ranges["win_rate"], range(None, None, 3));
        assert_eq!(ranges.len(), figures(&reports[0]).len());
        assert!(scenario_ranges(&[]).is_empty());
    }

    #[test]
    fn every_headline_number_of_a_report_is_a_figure() {
        let names: Vec<&str> = figures(&Report::default()).into_iter().map(|(name, _)| name).collect();
        let written = serde_json::to_value(crate::Metrics::default()).unwrap();
        for (name, value) in written.as_object().unwrap() {
            match value.as_object() {
                None => assert!(names.contains(&name.as_str()), "{name}"),
                Some(parts) => {
                    for part in parts.keys() {
                        assert!(names.contains(&format!("{name}.{part}").as_str()), "{name}.{part}");
                    }
                }
            }
        }
    }
}
