//! A strategy run once on the newest bars.

use super::*;
use fx_app::executions::ExecutionRequest;
use fx_app::records::ExecutionRecord;
use fx_domain::{OrderKind, Side, TimeInForce, Units};

/// Runs `body` on 24 quiet hours of EUR/USD.
async fn execute(body: &[&str]) -> (Bench, ExecutionRecord) {
    let bench = Bench::new();
    bench.hours("EUR/USD", (0..24).map(|_| flat(10_800)));
    let record = again(&bench, &["EUR/USD"], body).await;
    (bench, record)
}

async fn again(bench: &Bench, instruments: &[&str], body: &[&str]) -> ExecutionRecord {
    let request = ExecutionRequest {
        strategy_id: bench.strategy(instruments, body).await,
        capital_allocation: 10_000.0,
        parameters: Default::default(),
        dataset: DatasetName::default(),
    };
    bench.app.execute(&bench.caller, request).await.unwrap()
}

fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

#[tokio::test]
async fn a_market_order_is_intended_with_its_size_and_exits_at_the_newest_price() {
    let body = ["if data.index == 23:", "    return buy(risk_percent=1, stop_loss=pips(50))", "return {}"];
    let (bench, record) = execute(&body).await;
    assert_eq!((record.status.as_str(), record.risk_valid), ("completed", true));
    assert_eq!(record.signal_time, after_monday(23));
    assert_eq!(record.signals.len(), 1);
    assert_eq!((record.signals[0].action.as_str(), record.signals[0].price), ("buy", 1.08));
    let [order] = record.orders.as_slice() else { panic!("{:?}", record.orders) };
    // One percent of 10 000 over 50 pips.
    assert_eq!((order.kind, order.side, order.units), (OrderKind::Market, Side::Long, Units::new(20_000)));
    assert_eq!(order.stop_loss, Some(price("1.0751")));
    let asked = bench.risk.0.lock().unwrap();
    assert_eq!((asked.len(), asked[0].entry_price, asked[0].units), (1, price("1.0801"), Units::new(20_000)));
}

#[tokio::test]
async fn waiting_orders_are_intended_with_kind_price_and_the_size_of_their_fill() {
    let body = [
        "if data.index == 22:",
        "    return order(units=-3000, limit=1.09)",
        "if data.index == 23:",
        "    return buy(equity_percent=50, stop=pips(20), stop_loss=pips(10), expires=3)",
        "return {}",
    ];
    let (bench, record) = execute(&body).await;
    let [earlier, newest] = record.orders.as_slice() else { panic!("{:?}", record.orders) };
    assert_eq!((earlier.kind, earlier.side), (OrderKind::Limit(price("1.09")), Side::Short));
    assert_eq!(earlier.units, Units::new(3_000));
    let OrderKind::Stop(level) = newest.kind else { panic!("{:?}", newest.kind) };
    let expected = 5_000.0 / level.to_f64();
    assert!((newest.units.get() as f64 - expected).abs() <= 1.0, "{:?} is not {expected}", newest.units);
    assert_eq!(newest.stop_loss, Some(level - price("0.001")));
    assert_eq!(newest.time_in_force, TimeInForce::Bars(3));
    assert_eq!(record.signals.len(), 1, "the earlier order is no signal of the newest bar");
    assert_eq!(bench.risk.0.lock().unwrap().len(), 2);

    // A bar later the same decisions are the same orders.
    bench.hours("EUR/USD", (0..25).map(|_| flat(10_800)));
    let later = again(&bench, &["EUR/USD"], &body).await;
    let ids = |record: &ExecutionRecord| -> Vec<String> {
        record.orders.iter().map(|order| order.client_order_id.clone()).collect()
    };
    assert_eq!(ids(&later), ids(&record));
    assert!(later.signals.is_empty());
}

#[tokio::test]
async fn nothing_decided_is_nothing_intended() {
    let (bench, record) = execute(&["return {}"]).await;
    assert!(record.orders.is_empty() && record.signals.is_empty() && record.risk_valid);
    assert!(bench.risk.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn every_instrument_has_its_orders_in_one_account() {
    let bench = Bench::new();
    bench.hours("EUR/USD", (0..24).map(|_| flat(10_800)));
    bench.hours("USD/JPY", (0..20).map(|_| flat(15_000)));
    let record = again(
        &bench,
        &["EUR/USD", "USD/JPY"],
        &["if position.units == 0:", "    return buy(units=1000)", "return {}"],
    )
    .await;
    assert!(record.orders.is_empty(), "both entered long ago");
    let record = again(&bench, &["EUR/USD", "USD/JPY"], &["return order(units=10)"]).await;
    let pairs: Vec<_> = record.orders.iter().map(|order| order.instrument).collect();
    assert_eq!(pairs, [pair("USD/JPY"), pair("EUR/USD")], "the older decision first");
}
