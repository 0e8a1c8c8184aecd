use super::*;
use crate::input::decode;
use fx_app::backtests::{Commission, FinancingRequest, Slippage, SpreadRequest};
use fx_domain::{Granularity, Instrument, UnixNanos};
use serde_json::json;

fn read_body(extra: Value) -> Result<BacktestRequest, fx_domain::PlatformError> {
    let mut body = json!({"strategy_id": "s", "start_date": "2024-01-01", "end_date": "2024-01-31"});
    if let (Value::Object(body), Value::Object(extra)) = (&mut body, extra) {
        body.extend(extra);
    }
    decode::<BacktestInput>(body.to_string().as_bytes()).map(|input| input.0)
}

#[test]
fn absent_options_are_the_use_cases_defaults() {
    let at = |text| UnixNanos::parse(text).unwrap();
    let plain = BacktestRequest::new(StrategyId::parse("s").unwrap(), at("2024-01-01"), at("2024-02-01"));
    assert_eq!(read_body(json!({})).unwrap(), plain);
    assert_eq!(read_body(json!({"seed": null, "financing": "zero", "account": "netting"})).unwrap(), plain);
}

#[test]
fn models_are_numbers_or_objects() {
    let read = read_body(json!({
        "spread": {"relative_on_entry": 1e-4}, "slippage": {"points": 5},
        "commission": {"per_notional": 2e-5, "minimum": 1}
    }))
    .unwrap();
    assert_eq!(read.spread, SpreadRequest::RelativeOnEntry(1e-4));
    assert_eq!(read.slippage, Slippage::Pips(0.5));
    assert_eq!(read.commission, Commission::PerNotional { rate: 2e-5, minimum: 1.0 });
    let read = read_body(json!({"spread": 1.5, "commission": 3})).unwrap();
    assert_eq!(read.spread, SpreadRequest::Pips(1.5));
    assert_eq!(read.commission, Commission::PerLot(3.0));
    let read = read_body(json!({"commission": {"per_unit": 1e-5}})).unwrap();
    assert_eq!(read.commission, Commission::PerUnit(1e-5));
}

#[test]
fn every_word_is_read_as_what_it_means() {
    for (word, fill) in FILLS {
        assert_eq!(read_body(json!({"fill": word})).unwrap().fill, *fill);
    }
    for (word, policy) in FILL_POLICIES {
        assert_eq!(read_body(json!({"fill_policy": word})).unwrap().fill_policy, *policy);
    }
    assert!(read_body(json!({"fill": "Open"})).unwrap_err().message().contains("open, close"));
}

#[test]
fn the_account_and_its_margin_are_read() {
    let read = read_body(json!({
        "account": "hedging", "account_currency": "jpy", "leverage": 50, "margin_call_pct": 120,
        "stop_out": {"level_pct": 40, "policy": "reduce_to_cover"}, "negative_balance_protection": true
    }))
    .unwrap();
    assert_eq!((read.account, read.account_currency), (AccountKind::Hedging, "JPY".parse().ok()));
    assert_eq!((read.leverage, read.margin_call_pct, read.stop_out_pct), (50.0, 120.0, 40.0));
    assert_eq!(
        (read.stop_out_policy, read.negative_balance_protection),
        (StopOutPolicy::ReduceToCover, true)
    );
    let level = read_body(json!({"stop_out": {"level_pct": 20}})).unwrap();
    assert_eq!((level.stop_out_pct, level.stop_out_policy), (20.0, StopOutPolicy::LargestLoss));
    for (word, policy) in STOP_OUTS {
        let read = read_body(json!({"stop_out": {"policy": word}})).unwrap();
        assert_eq!((read.stop_out_pct, read.stop_out_policy), (50.0, *policy));
    }
}

#[test]
fn what_is_run_is_read_in_order() {
    let read = read_body(json!({
        "instruments": ["USD_JPY", "EURUSD"], "intrabar": "M1", "scenarios": ["optimistic", "ohlc"],
        "financing": "broker"
    }))
    .unwrap();
    let pair = |text| Instrument::parse(text).unwrap();
    assert_eq!(read.instruments, [pair("USD/JPY"), pair("EUR/USD")]);
    assert_eq!(read.intrabar, Some(Granularity::M1));
    assert_eq!(read.scenarios, [IntrabarPolicy::Optimistic, IntrabarPolicy::Ohlc]);
    assert_eq!(read.financing, FinancingRequest::Table("broker".to_owned()));
    assert_eq!(read_body(json!({"intrabar": "tick"})).unwrap().intrabar, Some(Granularity::Tick));
}

#[test]
fn slippage_and_spread_have_further_models() {
    let mut hours = [1.0; 24];
    hours[21] = 4.5;
    let read = read_body(json!({"spread": {"by_hour": hours}, "slippage": {"spread_share": 0.5}})).unwrap();
    assert_eq!(read.spread, SpreadRequest::ByHour(hours));
    assert_eq!(read.slippage, Slippage::SpreadShare(0.5));
    let read = read_body(json!({"spread": {"points": 12}, "slippage": {"random": 1}})).unwrap();
    assert_eq!((read.spread, read.slippage), (SpreadRequest::Points(12.0), Slippage::Random(1.0)));
}

#[test]
fn every_part_that_does_not_fit_is_named_by_its_place() {
    for (body, expected) in [
        (json!({"account": "both"}), "account: expected one of netting, hedging"),
        (json!({"margin_call_pct": "x"}), "margin_call_pct: "),
        (json!({"stop_out": 50}), "stop_out: "),
        (json!({"stop_out": {"level": 50}}), "stop_out.level: "),
        (json!({"stop_out": {"policy": "some"}}), "stop_out.policy: "),
        (json!({"negative_balance_protection": 1}), "negative_balance_protection: "),
        (json!({"intrabar": "2m"}), "intrabar: "),
        (json!({"scenarios": "ohlc"}), "scenarios: "),
        (json!({"scenarios": ["ohlc", "best"]}), "scenarios[1]: "),
        (json!({"instruments": ["EUR/USD", "EUR"]}), "instruments[1]: "),
        (json!({"spread": {"by_hour": [1, 2]}}), "spread.by_hour: expected 24 numbers"),
        (json!({"spread": {"by_hour": ["x"]}}), "spread.by_hour[0]: "),
        (json!({"slippage": {"points": 1, "random": 1}}), "slippage: names no model, or more than one"),
        (json!({"financing": {"rates": [{}]}}), "financing.rates[0].instrument: is required"),
    ] {
        let error = read_body(body).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RequestValidation, "{expected}");
        assert!(error.message().starts_with(expected), "{} is not {expected}", error.message());
    }
    let hint = read_body(json!({"stop_out": {"level": 50}})).unwrap_err();
    assert!(hint.message().contains("did you mean `level_pct`?"), "{}", hint.message());
}

#[test]
fn every_field_that_does_not_fit_is_named_at_once() {
    let error =
        decode::<BacktestInput>(br#"{"strategy_id": "a b", "start": 1, "seed": -1, "spread": {"point": 2}}"#);
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RequestValidation);
    for named in ["strategy_id", "start_date", "end_date", "seed", "spread.point", "start:"] {
        assert!(error.message().contains(named), "{named}: {}", error.message());
    }
    assert!(error.issues().iter().any(|issue| issue.hint.as_deref() == Some("did you mean `start_date`?")));
}

#[test]
fn a_number_beyond_all_floats_is_no_json() {
    let error = decode::<BacktestInput>(br#"{"initial_capital": 1e999}"#).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RequestValidation);
}
