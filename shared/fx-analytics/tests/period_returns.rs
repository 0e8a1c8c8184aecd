//! The returns of trading days that a run leaves behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::float_cmp)]

#[allow(dead_code, reason = "only equity is looked at here")]
mod runs;

use fx_analytics::{Analysis, PeriodReturns};
use fx_domain::Granularity;
use proptest::prelude::*;
use runs::{Run, usd};

const CAPITAL: i64 = 1_000_000_000;

fn returns(run: &Run) -> Option<PeriodReturns> {
    let mut analysis = Analysis::new(run.start());
    analysis.points(&run.equity.times, &run.equity.micros, &run.closes);
    analysis.period_returns()
}

#[test]
fn hourly_equity_leaves_a_return_for_each_day_to_seventeen_in_new_york() {
    let values = vec![1_010_000_000, 1_020_000_000, 1_050_000_000];
    let run = Run::of_equity("2024-01-10T20:00:00Z", Granularity::H1, CAPITAL, values);
    let found = returns(&run).unwrap();
    assert_eq!(found.returns, [1_020.0 / 1_000.0 - 1.0, 1_050.0 / 1_020.0 - 1.0]);
    assert_eq!(found.ends, [run.equity.times[1], run.equity.times[2]]);
    assert_eq!(found.periods_per_year, 252.0);
}

#[test]
fn a_lost_account_loses_all_once_and_stays_lost() {
    let values = vec![CAPITAL / 2, -5_000_000, 10_000_000, 20_000_000];
    let run = Run::of_equity("2024-01-01", Granularity::D1, CAPITAL, values);
    assert_eq!(returns(&run).unwrap().returns, [-0.5, -1.0, 0.0, 0.0]);
}

#[test]
fn without_capital_there_are_no_returns_and_without_bars_there_are_none_yet() {
    let mut run = Run::of_equity("2024-01-01", Granularity::W1, CAPITAL, Vec::new());
    let none = PeriodReturns { periods_per_year: 52.0, ..PeriodReturns::default() };
    assert_eq!(returns(&run), Some(none));
    run.initial = usd(0);
    assert_eq!(returns(&run), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn they_compound_to_the_runs_return_are_the_sample_of_its_ratios_and_come_in_windows_too(
        micros in prop::collection::vec(500_000_000i64..2_000_000_000, 2..400), cut: prop::sample::Index,
    ) {
        let run = Run::of_equity("2023-01-01", Granularity::H4, CAPITAL, micros);
        let found = returns(&run).unwrap();
        let report = run.report();
        let growth: f64 = found.returns.iter().map(|change| 1.0 + change).product();
        prop_assert!(((growth - 1.0) * 100.0 - report.metrics.return_pct).abs() < 1e-9);
        let count = found.returns.len() as f64;
        prop_assert_eq!(found.returns.len() as u64, report.ratio_basis.daily_returns);
        if let Some(sharpe) = report.sharpe_ratio {
            let mean = found.returns.iter().sum::<f64>() / count;
            let squares: f64 = found.returns.iter().map(|change| (change - mean).powi(2)).sum();
            let expected = mean / (squares / (count - 1.0)).sqrt() * found.periods_per_year.sqrt();
            prop_assert!((sharpe - expected).abs() < 1e-9 * expected.abs().max(1.0));
        }
        let mut analysis = Analysis::new(run.start());
        let cut = cut.index(run.equity.times.len());
        analysis.points(&run.equity.times[..cut], &run.equity.micros[..cut], &run.closes[..cut]);
        let before = analysis.period_returns();
        analysis.points(&run.equity.times[cut..], &run.equity.micros[cut..], &run.closes[cut..]);
        // Looking on the way changes nothing.
        prop_assert!(before.is_some());
        prop_assert_eq!(analysis.period_returns(), Some(found));
    }
}
