//! Rollover: tables by name and inline.

use super::*;
use bytes::Bytes;
use fx_app::backtests::FinancingRequest;
use fx_app::ports::{BlobKey, BlobStore};
use fx_app::records::FinancingUsed;
use fx_domain::{ErrorKind, FinancingTable, LedgerKind};

const RATES: &str = "instrument,from,long,short,unit\nEUR/USD,2024-01-01,-5,2,points\n";

async fn bench() -> (Bench, BacktestRequest) {
    let bench = Bench::new();
    bench.hours("EUR/USD", (0..120).map(|_| flat(10_800)));
    let strategy = bench.strategy(&["EUR/USD"], &HOLD).await;
    let request = bench.request(strategy);
    (bench, request)
}

async fn store(bench: &Bench, name: &str, text: &'static str) {
    let key = BlobKey::parse(&format!("financing/{name}.csv")).unwrap();
    bench.blobs.put(&key, Bytes::from_static(text.as_bytes())).await.unwrap();
}

#[tokio::test]
async fn wednesday_counts_for_three_days() {
    let (bench, request) = bench().await;
    let table = FinancingTable::parse_csv("mine", RATES).unwrap();
    let inline = BacktestRequest { financing: FinancingRequest::Rates(table.clone()), ..request };
    let outcome = bench.run(inline).await.unwrap();
    let ledger = bench.ledger(&outcome).await;
    let rows = ledger.iter().filter(|row| row.kind == LedgerKind::Financing);
    let rows: Vec<_> =
        rows.map(|row| (row.time.to_string(), row.rollover.unwrap().days, row.amount.micros())).collect();
    // Five points of 0.00001 a day on 10 000 units: 0.50 paid.
    let expected = [
        ("2024-03-04T22:00:00Z", 1, -500_000),
        ("2024-03-05T22:00:00Z", 1, -500_000),
        ("2024-03-06T22:00:00Z", 3, -1_500_000),
        ("2024-03-07T22:00:00Z", 1, -500_000),
        ("2024-03-08T22:00:00Z", 1, -500_000),
    ];
    assert_eq!(rows, expected.map(|(time, days, micros)| (time.to_owned(), days, micros)));
    assert_eq!(outcome.record.config.financing, Some(table));
    assert_eq!(outcome.record.financing, FinancingUsed::Request { name: "mine".to_owned(), rows: 1 });
    assert!(!warned(&outcome, "Financing is zero"));
}

#[tokio::test]
async fn a_table_is_found_by_its_name_and_named_in_the_record() {
    let (bench, request) = bench().await;
    store(&bench, "broker-a", RATES).await;
    let named =
        BacktestRequest { financing: FinancingRequest::Table("broker-a".to_owned()), ..request.clone() };
    let outcome = bench.run(named).await.unwrap();
    let FinancingUsed::Table { name, rows, digest } = &outcome.record.financing else {
        panic!("{:?}", outcome.record.financing);
    };
    assert_eq!((name.as_str(), *rows, *digest), ("broker-a", 1, fx_domain::Digest::of(RATES.as_bytes())));
    assert_eq!(outcome.record.config.financing, None, "the record holds the name, not the rows");
    let table = FinancingTable::parse_csv("broker-a", RATES).unwrap();
    let inline = BacktestRequest { financing: FinancingRequest::Rates(table), ..request.clone() };
    assert_eq!(bench.run(inline).await.unwrap().record.result_hash, outcome.record.result_hash);
    let free = bench.run(request).await.unwrap();
    assert_ne!(free.record.result_hash, outcome.record.result_hash);
    assert!(warned(&free, "Financing is zero"));
    // An open position has paid by its equity; costs are those of closed trades.
    assert!(
        (free.record.report.metrics.net_profit - outcome.record.report.metrics.net_profit - 3.5).abs() < 1e-9
    );
}

#[tokio::test]
async fn an_unknown_table_names_those_that_there_are() {
    let (bench, request) = bench().await;
    let asked = |name: &str| BacktestRequest {
        financing: FinancingRequest::Table(name.to_owned()),
        ..request.clone()
    };
    let none = bench.run(asked("x")).await.unwrap_err();
    assert!(none.message().contains("no table is stored"), "{}", none.message());
    store(&bench, "broker-b", RATES).await;
    store(&bench, "broker-a", RATES).await;
    store(&bench, "old/broker-c", RATES).await;
    for name in ["broker-c", "../broker-a", "old/broker-c", ""] {
        let refused = bench.run(asked(name)).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::BacktestConfig);
        let message = refused.message();
        assert!(
            message.starts_with("financing: ") && message.ends_with("one of broker-a, broker-b"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_table_that_cannot_be_read_or_has_no_rates_is_the_callers_to_mend() {
    let (bench, request) = bench().await;
    store(&bench, "broken", "instrument,from,long,short,unit\nEUR/USD,2024-01-01,x,2,points\n").await;
    store(&bench, "other", "instrument,from,long,short,unit\nGBP/USD,2024-01-01,1,2,points\n").await;
    for (name, said) in [("broken", "line 2"), ("other", "no rate for EUR/USD long")] {
        let financing = FinancingRequest::Table(name.to_owned());
        let refused = bench.run(BacktestRequest { financing, ..request.clone() }).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::BacktestConfig, "{name}");
        assert!(refused.message().contains(said), "{}", refused.message());
    }
}

#[tokio::test]
async fn currencies_without_known_holidays_are_named() {
    let bench = Bench::new();
    bench.hours("USD/THB", (0..120).map(|_| flat(10_800)));
    let strategy = bench.strategy(&["USD/THB"], &HOLD).await;
    let rates = RATES.replace("EUR/USD", "USD/THB");
    let financing = FinancingRequest::Rates(FinancingTable::parse_csv("t", &rates).unwrap());
    let outcome = bench.run(BacktestRequest { financing, ..bench.request(strategy) }).await.unwrap();
    let without = !fx_domain::has_calendar(pair("USD/THB").quote());
    assert_eq!(warned(&outcome, "know no holidays of THB"), without, "{:?}", outcome.record.warnings);
}
