//! Amounts in other currencies: at what price they become account currency, and what the row says of it.

use crate::script::{advance_all, at, config, flat_at, plan, run, run_series, track};
use fx_domain::{Bars, Currency, Granularity, Money};
use fx_engine::{Commission, EngineError, FillTime, Inputs, RunConfig, Slice, TrackBars};

const HOURS: [&str; 5] = [
    "2024-01-03T00:00:00Z",
    "2024-01-03T01:00:00Z",
    "2024-01-03T02:00:00Z",
    "2024-01-03T03:00:00Z",
    "2024-01-03T04:00:00Z",
];

/// Flat hours at these prices, the ask two points above the bid.
fn hours(prices: [i64; 5]) -> Bars {
    let rows: Vec<_> = HOURS.into_iter().zip(prices).collect();
    flat_at(2, &rows)
}

/// 10,000 units, from the second hour to the fourth.
fn long() -> fx_strategy::Plan {
    plan(&[(0, "buy(units=10000)"), (2, "close()")])
}

fn gain(slice: &Slice) -> (i64, String, f64) {
    let row = slice.ledger.iter().find(|row| row.kind == fx_domain::LedgerKind::ProfitLoss).unwrap();
    let conversion = row.conversion.unwrap();
    (row.amount.micros(), conversion.to_string(), conversion.rate())
}

#[test]
fn a_gain_in_the_account_currency_is_not_converted() {
    let slice = run(&long(), &config("EUR/USD", 10_000, Currency::USD), &hours([110_000; 5]));
    assert!(slice.ledger.iter().all(|row| row.conversion.is_none()));
}

#[test]
fn a_pair_converts_its_own_gains_by_its_inverse_at_the_mid_of_the_exit() {
    // USD/JPY at 150.000: a point here is 1e-5, so a yen is 100,000 of them. Bought at 150.00002, sold at 151.
    let bars = hours([15_000_000, 15_000_000, 15_000_000, 15_100_000, 15_200_000]);
    let slice = run(&long(), &config("USD/JPY", 10_000, Currency::USD), &bars);
    let yen = 10_000.0 * (151.0 - 150.000_02);
    let (micros, path, rate) = gain(&slice);
    assert_eq!(path, "1/USD/JPY");
    assert_eq!(rate.to_bits(), f64::to_bits(1.0 / 151.000_01));
    assert_eq!(micros, (yen / 151.000_01 * 1e6_f64).round() as i64);
    let row = slice.ledger[1];
    assert_eq!(row.conversion.unwrap().time(), at(HOURS[3]));
}

#[test]
fn another_pair_converts_directly_or_by_its_inverse() {
    let mut config = config("EUR/GBP", 10_000, Currency::USD);
    config.rates = vec![track("GBP/USD", Granularity::H1)];
    let pair = hours([85_000, 85_000, 85_000, 86_000, 86_000]);
    let rate = hours([125_000, 125_000, 126_000, 127_000, 128_000]);
    let slice = run_series(&long(), &config, &[&pair], &[&rate]);
    // 10,000 · (0.86 − 0.85002) pounds at 1.27001, the mid of the hour that opens.
    assert_eq!(gain(&slice), (126_747_000 - 2, "GBP/USD".to_owned(), 1.270_01));
    let mut config = crate::script::config("EUR/GBP", 10_000, "JPY".parse().unwrap());
    config.rates = vec![track("USD/JPY", Granularity::H1), track("GBP/USD", Granularity::H1)];
    config.account.capital = Money::from_micros(1_000_000 * Money::SCALE, Currency::JPY);
    let yen = hours([15_000_000, 15_000_000, 15_000_000, 15_100_000, 15_200_000]);
    let slice = run_series(&long(), &config, &[&pair], &[&yen, &rate]);
    let (micros, path, _) = gain(&slice);
    assert_eq!(path, "GBP/USD x USD/JPY");
    assert_eq!(micros, (99.8 * 1.270_01 * 151.000_01 * 1e6_f64).round() as i64);
}

#[test]
fn a_fill_at_the_close_is_converted_at_that_close() {
    let mut config = config("EUR/GBP", 10_000, Currency::USD);
    config.rates = vec![track("GBP/USD", Granularity::H1)];
    config.fill = FillTime::Close;
    let pair = hours([85_000, 85_000, 86_000, 87_000, 87_000]);
    let rate = hours([125_000, 125_000, 126_000, 127_000, 128_000]);
    let slice = run_series(&long(), &config, &[&pair], &[&rate]);
    // Closed at the close of the third hour: 0.86, when the pound was at 1.26001.
    let (micros, _, rate) = gain(&slice);
    assert_eq!(rate.to_bits(), f64::to_bits(1.260_01));
    assert_eq!(micros, (99.8 * 1.260_01 * 1e6_f64).round() as i64);
    let row = slice.ledger.last().unwrap();
    assert_eq!((row.time, row.conversion.unwrap().time()), (at(HOURS[2]), at(HOURS[3])));
}

#[test]
fn a_commission_by_notional_is_converted_and_one_by_lot_is_not() {
    let mut config = config("EUR/GBP", 10_000, Currency::USD);
    config.rates = vec![track("GBP/USD", Granularity::H1)];
    let (pair, rate) = (hours([85_000; 5]), hours([125_000; 5]));
    let paid = |commission| {
        let config = RunConfig { commission, ..config.clone() };
        let slice = run_series(&long(), &config, &[&pair], &[&rate]);
        (slice.ledger[1].amount.micros(), slice.ledger[1].conversion.is_some())
    };
    // 10,000 · 0.85002 pounds · 1.25001 at two basis points.
    let notional = 10_000.0 * 0.850_02 * 1.250_01 * 2e-4 * 1e6_f64;
    assert_eq!(paid(Commission::PerNotional { rate: 2e-4, minimum: 0.0 }), (-notional.round() as i64, true));
    assert_eq!(paid(Commission::PerLot(3.0)), (-300_000, false));
}

#[test]
fn a_price_that_is_missing_or_older_than_the_limit_is_an_error() {
    let mut config = config("EUR/GBP", 10_000, Currency::USD);
    config.rates = vec![track("GBP/USD", Granularity::H1)];
    let pair = flat_at(
        2,
        &[
            ("2024-01-03T00:00:00Z", 85_000),
            ("2024-01-06T01:00:00Z", 85_000),
            ("2024-01-06T02:00:00Z", 85_000),
        ],
    );
    let outcome = |rate: &Bars| {
        let inputs = Inputs {
            tracks: vec![TrackBars { bars: &pair, finer: None }],
            rates: vec![rate],
            ..Inputs::default()
        };
        advance_all(&long(), &config, &inputs).map(|slice| slice.equity.len())
    };
    let missing = outcome(&flat_at(2, &[]));
    assert!(matches!(missing, Err(EngineError::StaleRate { seen: None, .. })), "{missing:?}");
    // The last close is at 03:00, three days after this hour's: 72 hours are allowed, a second more is not.
    let fresh = outcome(&flat_at(2, &[("2024-01-03T02:00:00Z", 125_000)]));
    assert!(fresh.is_ok(), "{fresh:?}");
    let stale = outcome(&flat_at(2, &[("2024-01-03T01:59:59Z", 125_000)]));
    let expected = Some(at("2024-01-03T02:59:59Z"));
    assert!(matches!(&stale, Err(EngineError::StaleRate { seen, .. }) if *seen == expected), "{stale:?}");
    // A limit beyond the end of time never ends.
    let config = RunConfig { rate_age_hours_max: u32::MAX, ..config.clone() };
    let old = flat_at(2, &[("2000-01-03T00:00:00Z", 125_000)]);
    let inputs = Inputs {
        tracks: vec![TrackBars { bars: &pair, finer: None }],
        rates: vec![&old],
        ..Inputs::default()
    };
    assert!(advance_all(&long(), &config, &inputs).is_ok());
}

#[test]
fn the_account_holds_every_track_and_the_margin_of_each_is_converted() {
    let mut config = config("EUR/USD", 10_000, Currency::USD);
    config.tracks.push(track("USD/JPY", Granularity::H1));
    let body = "if data.index == 0 and data.close < 2:\n    return buy(units=10000)\nif data.index == 1 and data.close > 2:\n    return sell(units=20000)\nreturn {}";
    let (euro, yen) =
        (hours([110_000; 5]), hours([15_000_000, 15_000_000, 15_000_000, 15_000_000, 14_900_000]));
    let slice = run_series(&crate::script::compiled(body), &config, &[&euro, &yen], &[]);
    assert_eq!((slice.state.net_units(0).get(), slice.state.net_units(1).get()), (10_000, -20_000));
    // Ten thousand euros lose two points; twenty thousand dollars gain a yen less two points each, at 149.00001.
    let gained = 20_000.0 * (150.0 - 149.000_02) / 149.000_01;
    assert_eq!(*slice.equity.last().unwrap(), 10_000_000_000 - 200_000 + (gained * 1e6_f64).round() as i64);
    let used = slice.margin.last().unwrap().used_micros;
    assert_eq!(used, ((10_000.0 * 1.100_01 + 20_000.0) / 30.0 * 1e6_f64).round() as i64);
}
