//! The report: values worked out by hand, and what must hold for every run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::float_cmp)]

mod runs;

use fx_analytics::CostTotals;
use fx_domain::{Granularity, Price, Side, UnixNanos};
use proptest::prelude::*;
use runs::{Run, trade, usd};

const CAPITAL: i64 = 1_000_000_000;

fn near(found: Option<f64>, expected: f64) {
    let found = found.expect("a defined figure");
    assert!((found - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{found} instead of {expected}");
}

#[test]
fn ratios_follow_from_daily_equity_by_hand() {
    // Three trading days, one daily bar each: +10 %, −10 %, +20 %.
    let run = Run::of_equity(
        "2024-01-08T22:00:00Z",
        Granularity::D1,
        CAPITAL,
        vec![1_100_000_000, 990_000_000, 1_188_000_000],
    );
    let report = run.report();
    let mean = 0.2 / 3.0;
    let squares: f64 = [0.1f64, -0.1, 0.2].iter().map(|r| (r - mean).powi(2)).sum();
    near(report.sharpe_ratio, mean / (squares / 2.0).sqrt() * 252f64.sqrt());
    near(report.sortino_ratio, mean / (0.01f64 / 3.0).sqrt() * 252f64.sqrt());
    assert!((report.metrics.max_drawdown - 10.0).abs() < 1e-12);
    let annual = 1.188f64.powf(84.0) - 1.0;
    assert!((report.calmar_ratio.unwrap() / (annual / 0.1) - 1.0).abs() < 1e-9);
    let basis = &report.ratio_basis;
    assert_eq!((basis.daily_returns, basis.days_per_year), (3, 252.0));
    assert_eq!(basis.sampling, "equity at 17:00 New York");
}

#[test]
fn hourly_equity_is_sampled_at_seventeen_in_new_york() {
    // 20:00Z and 21:00Z of one winter day, 22:00Z belongs to the next: two samples, 1.02 and 1.05.
    let run = Run::of_equity(
        "2024-01-10T20:00:00Z",
        Granularity::H1,
        CAPITAL,
        vec![1_010_000_000, 1_020_000_000, 1_050_000_000],
    );
    let report = run.report();
    let returns = [0.02, 1.05f64 / 1.02 - 1.0];
    let mean = (returns[0] + returns[1]) / 2.0;
    let deviation = ((returns[0] - returns[1]).powi(2) / 2.0).sqrt();
    assert_eq!(report.ratio_basis.daily_returns, 2);
    assert!((report.sharpe_ratio.unwrap() - mean / deviation * 252f64.sqrt()).abs() < 1e-9);
    assert_eq!((report.sortino_ratio, report.calmar_ratio), (None, None));
}

#[test]
fn quotes_are_sampled_by_day_and_their_durations_are_exact() {
    let times = ["2024-01-10T21:59:59.1Z", "2024-01-10T21:59:59.1Z", "2024-01-10T22:00:00Z"];
    let values = vec![1_010_000_000, 1_020_000_000, 1_050_000_000];
    let mut run = Run::of_equity("2024-01-10", Granularity::Tick, CAPITAL, values);
    run.equity.times = times.iter().map(|time| UnixNanos::parse(time).unwrap()).collect();
    let price = Price::parse("1.1").unwrap();
    let mut held = trade(0, Side::Long, (0, price), (2, price));
    (held.entry_time, held.exit_time) = (run.equity.times[0], run.equity.times[2]);
    run.trades = vec![held];
    let report = run.report();
    // The same two days as of hourly bars: 1.02 from the last quote before 22:00Z, 1.05 from the first at it.
    let returns = [0.02, 1.05f64 / 1.02 - 1.0];
    let mean = (returns[0] + returns[1]) / 2.0;
    let deviation = ((returns[0] - returns[1]).powi(2) / 2.0).sqrt();
    near(report.sharpe_ratio, mean / deviation * 252f64.sqrt());
    near(report.comparable.max_trade_duration_seconds, 0.9);
    near(report.per_bar.total_return_pct, 5.0);
    assert_eq!(report.per_bar.max_drawdown_pct, Some(0.0));
    // A year has no number of quotes.
    let annual = &report.per_bar;
    assert_eq!((annual.annualized_return, annual.annualized_volatility), (None, None));
    assert_eq!((annual.sharpe_ratio, annual.sortino_ratio, annual.calmar_ratio), (None, None, None));
}

#[test]
fn trades_are_counted_summed_and_strung_together_by_hand() {
    let mut run = Run::of_equity("2015-01-01", Granularity::M1, CAPITAL, vec![CAPITAL; 400]);
    let price = |text| Price::parse(text).unwrap();
    let gain = |id, bar, exit| trade(id, Side::Long, (bar, price("1.10000")), (bar + 60, price(exit)));
    // +9.90, +19.90, −10.10, 0 (breaks both runs), −10.10, −20.10
    run.trades = ["1.10100", "1.10200", "1.09900", "1.10001", "1.09900", "1.09800"]
        .iter()
        .enumerate()
        .map(|(index, exit)| gain(index as u64, index * 60, exit))
        .collect();
    run.trades[0].ambiguous = true;
    let report = run.report();
    let metrics = &report.metrics;
    assert_eq!((metrics.total_trades, metrics.winning_trades, metrics.losing_trades), (6, 2, 3));
    assert_eq!((metrics.gross_profit, metrics.gross_loss), (29.8, 40.3));
    near(metrics.win_rate, 2.0 / 6.0);
    near(metrics.profit_factor, 29.8 / 40.3);
    near(metrics.expectancy, -10.5 / 6.0);
    near(metrics.avg_profit, 14.9);
    near(metrics.avg_loss, -40.3 / 3.0);
    assert_eq!(metrics.costs, CostTotals { commission: 0.6, ..CostTotals::default() });
    assert_eq!(metrics.ambiguous_trades, 1);
    let stats = &report.trade_stats;
    assert_eq!((stats.consecutive_wins, stats.consecutive_losses), (2, 2));
    assert_eq!((stats.max_profit, stats.max_loss), (Some(19.9), Some(-20.1)));
    assert_eq!((stats.avg_trade_duration, stats.max_trade_duration), (Some(1.0), Some(1.0)));
    near(stats.max_profit_pct, 19.9 / 11_000.0 * 100.0);
}

#[test]
fn an_empty_run_has_its_capital_and_nothing_else() {
    let run = Run::of_equity("2024-01-01", Granularity::H1, CAPITAL, Vec::new());
    let report = run.report();
    assert_eq!((report.metrics.final_equity, report.metrics.net_profit), (1_000.0, 0.0));
    assert_eq!((report.sharpe_ratio, report.metrics.win_rate, report.comparable.beta), (None, None, None));
    assert_eq!(report.comparable.sharpe_ratio, None);
    assert!(report.monthly_returns.is_empty() && report.drawdown_stats.top_drawdowns.is_empty());
}

#[test]
fn a_flat_curve_has_undefined_ratios_rather_than_zero_or_infinite_ones() {
    let run = Run::of_equity("2024-01-01", Granularity::D1, CAPITAL, vec![CAPITAL; 300]);
    let report = run.report();
    assert_eq!((report.sharpe_ratio, report.sortino_ratio, report.calmar_ratio), (None, None, None));
    assert_eq!((report.comparable.sharpe_ratio, report.per_bar.sharpe_ratio), (None, None));
    assert_eq!(report.metrics.net_profit_pct, 0.0);
}

#[test]
fn a_lost_account_leaves_the_ratios_undefined() {
    let run = Run::of_equity("2024-01-01", Granularity::D1, CAPITAL, vec![CAPITAL, -5_000_000, 10_000_000]);
    let report = run.report();
    assert_eq!((report.sharpe_ratio, report.calmar_ratio), (None, None));
    assert!(report.metrics.max_drawdown > 100.0);
}

#[test]
fn a_million_bars_take_a_moment() {
    let run = Run::walk(1_000_000, 40_000);
    let start = std::time::Instant::now();
    let report = run.report();
    let taken = start.elapsed();
    println!("1,000,000 bars, 40,000 trades: {taken:?}");
    assert_eq!(report.metrics.total_trades, 40_000);
    // An unoptimised build on a busy machine; a look-up of the time zone per bar would take longer than this.
    assert!(taken.as_secs() < 5, "{taken:?}");
}

/// Every number of the report: JSON has no NaN, so one would arrive as null where a number must be.
fn reads_back(report: &fx_analytics::Report) -> bool {
    let text = serde_json::to_string(report).unwrap();
    serde_json::from_str::<fx_analytics::Report>(&text).is_ok_and(|back| back == *report)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn months_compound_to_the_whole_return(
        micros in prop::collection::vec(500_000_000i64..2_000_000_000, 1..400), hour in 0i64..9_000,
    ) {
        let mut run = Run::of_equity("2023-01-01", Granularity::H4, CAPITAL, micros);
        for time in &mut run.equity.times {
            *time = time.plus_nanos(hour * fx_domain::NANOS_PER_HOUR);
        }
        let report = run.report();
        let growth: f64 = report.monthly_returns.values().map(|pct| 1.0 + pct / 100.0).product();
        prop_assert!(((growth - 1.0) * 100.0 - report.metrics.return_pct).abs() < 1e-9);
    }

    #[test]
    fn the_scale_of_the_money_changes_no_ratio(
        micros in prop::collection::vec(500_000_000i64..2_000_000_000, 2..200), factor in 2i64..1_000,
    ) {
        let small = Run::of_equity("2023-01-01", Granularity::H4, CAPITAL, micros.clone());
        let scaled = micros.iter().map(|value| value * factor).collect();
        let large = Run::of_equity("2023-01-01", Granularity::H4, CAPITAL * factor, scaled);
        let (small, large) = (small.report(), large.report());
        let same = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs().max(1e-6),
            (a, b) => a == b,
        };
        prop_assert!(same(small.sharpe_ratio, large.sharpe_ratio));
        prop_assert!(same(small.sortino_ratio, large.sortino_ratio));
        prop_assert!(same(small.calmar_ratio, large.calmar_ratio));
        prop_assert!(same(small.comparable.sharpe_ratio, large.comparable.sharpe_ratio));
        prop_assert!(same(small.drawdown_stats.avg_drawdown, large.drawdown_stats.avg_drawdown));
        prop_assert!(small.monthly_returns.keys().eq(large.monthly_returns.keys()));
    }

    #[test]
    fn no_input_panics_and_no_number_is_nan(
        micros in prop::collection::vec(any::<i64>(), 0..40), initial: i64, start: i64, closes: bool,
        step in 1i64..100_000_000_000_000,
        trades in prop::collection::vec((any::<u64>(), any::<u64>(), any::<i64>(), any::<i64>()), 0..20),
    ) {
        for granularity in Granularity::ALL {
            let mut run = Run::of_equity("2023-01-01", granularity, initial, micros.clone());
            run.initial = usd(initial);
            for (index, time) in run.equity.times.iter_mut().enumerate() {
                *time = UnixNanos::new(start.saturating_add(step.saturating_mul(index as i64)));
            }
            run.closes = vec![Price::from_nanos(start); if closes { micros.len() } else { 0 }];
            run.trades = trades.iter().enumerate().map(|(id, (entry, exit, price, gain))| {
                let mut made = trade(id as u64, Side::Long, (0, Price::from_nanos(1)), (0, Price::from_nanos(1)));
                (made.entry_bar, made.exit_bar, made.profit_loss) = (*entry, *exit, usd(*gain));
                made.entry_price = Price::from_nanos(*price);
                made
            }).collect();
            prop_assert!(reads_back(&run.report()));
        }
    }
}
