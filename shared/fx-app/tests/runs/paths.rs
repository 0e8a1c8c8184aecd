//! What happened inside a bar: policies side by side, and finer bars.

use super::*;
use fx_app::backtests::IntrabarPolicy::{Optimistic, Pessimistic};
use fx_app::records::InputRole;
use fx_domain::{ErrorKind, ExitReason};

/// Buys with a stop and a target 20 pips away; the bar after the entry touches both.
async fn bench() -> (Bench, BacktestRequest) {
    let bench = Bench::new();
    let wide = Pips { open: 10_800, high: 10_830, low: 10_770, close: 10_800 };
    bench.hours("EUR/USD", (0..24).map(|hour| if hour == 2 { wide } else { flat(10_800) }));
    let buy = "    return buy(units=10000, stop_loss=pips(20), take_profit=pips(20))";
    let strategy = bench.strategy(&["EUR/USD"], &["if data.index == 0:", buy, "return {}"]).await;
    let request = bench.request(strategy);
    (bench, request)
}

#[tokio::test]
async fn scenarios_are_run_side_by_side_and_the_first_is_the_result() {
    let (bench, request) = bench().await;
    let asked = BacktestRequest { scenarios: vec![Optimistic, Pessimistic], ..request.clone() };
    let record = bench.run(asked).await.unwrap().record;
    let [first, second] = record.scenarios.as_slice() else { panic!("{:?}", record.scenarios) };
    assert_eq!((first.policy, second.policy), (Optimistic, Pessimistic));
    assert_eq!((first.metrics.net_profit, second.metrics.net_profit), (20.0, -20.0));
    assert_eq!((record.config.fill_policy, record.result_hash), (Optimistic, first.result_hash));
    assert_eq!(record.report.metrics, first.metrics);
    let range = record.scenario_ranges["net_profit"];
    assert_eq!((range.min, range.max, range.undefined), (Some(-20.0), Some(20.0), 0));
    let alone = bench.run(BacktestRequest { fill_policy: Pessimistic, ..request }).await.unwrap().record;
    assert_eq!(alone.result_hash, second.result_hash, "a scenario is the run that its policy gives alone");
    assert!(alone.scenarios.is_empty() && alone.scenario_ranges.is_empty());
}

#[tokio::test]
async fn finer_bars_show_which_exit_came_first() {
    let (bench, request) = bench().await;
    let coarse = bench.run(request.clone()).await.unwrap();
    assert_eq!(bench.trades(&coarse).await[0].exit_reason, ExitReason::StopLoss);
    assert_eq!(coarse.record.report.metrics.ambiguous_trades, 1);
    assert!(warned(&coarse, "1 exits are ambiguous"));

    let asked = BacktestRequest { intrabar: Some(Granularity::M1), ..request };
    let missing = bench.run(asked.clone()).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::BacktestData);
    assert!(missing.message().starts_with("intrabar: no 1m bars of EUR/USD"), "{}", missing.message());
    // The minutes of one hour of 24: up, then down.
    let minute = |minute: i64| match minute {
        0..20 => 10_800 + 3 * minute / 2,
        20..50 => 10_830 - 2 * (minute - 20),
        _ => 10_770 + 3 * (minute - 49),
    };
    bench.minutes("EUR/USD", 2, (0..60).map(|at| flat(minute(at))));
    let fine = bench.run(asked).await.unwrap();
    assert_eq!(bench.trades(&fine).await[0].exit_reason, ExitReason::TakeProfit);
    assert_eq!(fine.record.report.metrics.ambiguous_trades, 0);
    assert_eq!(fine.record.inputs[1].role, InputRole::Intrabar);
    assert!(
        warned(&fine, "4.2 % of the bars of EUR/USD have bars of 1m inside"),
        "{:?}",
        fine.record.warnings
    );
}
