//! Completed bars of longer timeframes and of other instruments.

use crate::script::{assert_same, at, both_from, compiled, flat_at, free, join, one, run, track};
use fx_domain::{Bar, Bars, Granularity, NANOS_PER_MINUTE, Ohlc, Price, QuoteSide, UnixNanos};
use fx_engine::{EngineError, Inputs, RunConfig, Slice, SpreadModel, State, TrackBars, advance};
use fx_strategy::Plan;
use proptest::prelude::*;

/// The plan that records `x`.
fn recording(x: &str) -> Plan {
    compiled(&format!("record(\"x\", {x})"))
}

/// What `x` is at each bar.
fn values(x: &str, config: &RunConfig, bars: &Bars) -> Vec<f64> {
    run(&recording(x), config, bars).recordings.remove(0)
}

/// Prices as points, 0 where there is none.
fn in_points(values: &[f64]) -> Vec<i64> {
    values.iter().map(|value| if value.is_nan() { 0 } else { (value * 1e5).round() as i64 }).collect()
}

/// Hours from this instant on, of which each closes a point higher and reaches further.
fn hours(from: &str, count: i64) -> Bars {
    let row = |hour| [100_000 + hour, 100_500 + hour, 99_500 - hour, 100_001 + hour];
    both_from(at(from), Granularity::H1, 2, &(0..count).map(row).collect::<Vec<_>>())
}

#[test]
fn four_hours_are_seen_at_the_close_of_their_last_hour() {
    // 21:00 UTC in winter is 16:00 New York: the first hour ends a bar, the next ones end at 02:00 and 06:00.
    let bars = hours("2024-01-03T21:00:00Z", 10);
    let four = |what: &str| in_points(&values(&format!("data.timeframe(\"4h\").{what}"), &free(), &bars));
    let at_ends = |first, second, third| [vec![first; 4], vec![second; 4], vec![third; 2]].concat();
    assert_eq!(four("close"), at_ends(100_001, 100_005, 100_009));
    assert_eq!(four("open"), at_ends(100_000, 100_001, 100_005));
    assert_eq!(four("high"), at_ends(100_500, 100_504, 100_508));
    assert_eq!(four("low"), at_ends(99_500, 99_496, 99_492));
    assert_eq!(four("ask.high"), at_ends(100_502, 100_506, 100_510));
    assert_eq!(four("mid.close"), at_ends(100_002, 100_006, 100_010));
    // One bar of four hours ago.
    assert_eq!(four("close[-2]"), at_ends(0, 100_001, 100_005));
    let volume = values("data.timeframe(\"4h\").volume", &free(), &bars);
    assert_eq!(volume, [[1.0; 4], [4.0; 4]].concat().into_iter().chain([4.0; 2]).collect::<Vec<_>>());
}

#[test]
fn indicators_count_the_bars_of_their_timeframe_and_choices_those_of_the_strategy() {
    let bars = hours("2024-01-03T22:00:00Z", 16);
    let found = |x: &str| values(x, &free(), &bars);
    let mean = in_points(&found("sma(data.timeframe(\"4h\").close, 2)"));
    assert_eq!(mean[..7], [0; 7]);
    assert_eq!(mean[7..], [[100_006; 4], [100_010; 4], [100_014; 4]].concat()[..9]);
    // A mix is of the strategy's own bars: what it was one hour ago.
    let mixed = in_points(&found("(data.timeframe(\"4h\").close + 0 * data.close)[-2]"));
    assert_eq!(mixed[..9], [0, 0, 0, 0, 100_004, 100_004, 100_004, 100_004, 100_008]);
    let crossed = "1 if crosses_above(data.close, data.timeframe(\"4h\").close) else 0";
    assert_eq!(found(crossed)[4..10], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    assert_eq!(found("1 if defined(data.timeframe(\"1d\").close) else 0"), [0.0; 16]);
}

/// Every indicator that reads prices by itself, as recordings; `bars` stand in front of its arguments.
fn indicators(bars: &str) -> Plan {
    let calls = [
        ("a", "vwap(BARS)"),
        ("a", "vwap(BARS, 5)"),
        ("a, b", "stochastic(BARS, 5)"),
        ("a", "cci(BARS, 5)"),
        ("a", "adx(BARS, 3)"),
        ("a", "plus_di(BARS, 3)"),
        ("a", "minus_di(BARS, 3)"),
        ("a, b, c", "dmi(BARS, n=4)"),
        ("a, b, c", "keltner(BARS, 4, k=atr(BARS, 2) * 1000)"),
        ("a, b, c", "donchian(BARS, 4)"),
        ("a", "atr(BARS, 4)"),
        ("a", "natr(BARS, 4)"),
        ("a, b", "supertrend(BARS, 3, k=1.5)"),
        ("a", "psar(BARS)"),
        ("a, b, c, d", "ichimoku(BARS, 2, 3, 5, 2)"),
        ("a, b, c, d, e, f, g", "pivots(BARS)"),
        ("a, b, c, d, e, f, g", "pivots(BARS, period=\"week\")"),
        ("a, b", "fractals(BARS, 1)"),
    ];
    let mut body = String::new();
    for (index, (names, call)) in calls.iter().enumerate() {
        body += &format!("{names} = {}\n", call.replace("BARS", bars));
        let last = names.split(", ").last().unwrap();
        body += &format!("record(\"{index}\", {last})\n");
    }
    compiled(body.trim_end())
}

/// Hours that wander, three weeks of them without weekends.
fn wandering() -> Bars {
    let mut rows = Vec::new();
    let mut last = 100_000;
    for hour in 0..500_i64 {
        let (step, reach) = (hour * hour * 7_919 % 401 - 200, hour * 31 % 97);
        rows.push([last, last.max(last + step) + reach, last.min(last + step) - reach / 2, last + step]);
        last += step;
    }
    let mut bars = both_from(at("2024-01-03T22:00:00Z"), Granularity::H1, 3, &rows);
    bars.volume = (0..500).map(|hour| 1 + hour * 17 % 23).collect();
    bars
}

/// Hours of `bars` put together to bars of four, by hand.
fn fours(bars: &Bars) -> Bars {
    let mut fours = Bars::empty(None);
    for first in (0..bars.len()).step_by(4) {
        let rows: Vec<_> = (first..first + 4).map(|row| bars.get(row)).collect();
        let side = |of: &dyn Fn(&Bar) -> Ohlc| Ohlc {
            open: of(&rows[0]).open,
            high: rows.iter().map(|row| of(row).high).max().unwrap(),
            low: rows.iter().map(|row| of(row).low).min().unwrap(),
            close: of(&rows[3]).close,
        };
        let (bid, ask) = (side(&|row| row.bid), side(&|row| row.ask.unwrap()));
        let volume = rows.iter().map(|row| row.volume).sum();
        fours.push(Bar { time: rows[0].time, bid, ask: Some(ask), volume });
    }
    fours
}

#[test]
fn indicators_of_other_bars_are_those_of_a_strategy_on_them() {
    let hours = wandering();
    let fours = fours(&hours);
    for side in ["", ".ask", ".mid"] {
        let seen = run(&indicators(&format!("data.timeframe(\"4h\"){side}")), &free(), &hours).recordings;
        let mut config = free();
        config.tracks[0].granularity = Granularity::H4;
        let own = run(&indicators(&format!("data{side}")), &config, &fours).recordings;
        for (index, (seen, own)) in seen.iter().zip(&own).enumerate() {
            let defined = own.iter().filter(|value| !value.is_nan()).count();
            assert!(defined > 10, "indicator {index} has {defined} values");
            for (row, value) in seen.iter().enumerate() {
                // The four hours that have ended by the close of this one.
                let wanted = ((row + 1) / 4).checked_sub(1).map_or(f64::NAN, |last| own[last]);
                assert!(
                    value.to_bits() == wanted.to_bits() || value.is_nan() && wanted.is_nan(),
                    "{index}{side} at {row}: {value} {wanted}"
                );
            }
        }
    }
}

#[test]
fn indicators_of_another_instrument_are_those_of_a_strategy_on_it() {
    let (bars, other) = (flat_hours(120), wandering().slice(0..120));
    let seen = beside(&indicators("data.instrument(\"GBP/USD\")"), &bars, &other).recordings;
    let own = run(&indicators("data"), &free(), &other).recordings;
    let bits = |columns: &[Vec<f64>]| {
        columns
            .iter()
            .map(|column| column.iter().map(|value| value.to_bits()).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    assert_eq!(bits(&seen), bits(&own));
}

fn flat_hours(count: usize) -> Bars {
    both_from(at("2024-01-03T22:00:00Z"), Granularity::H1, 2, &vec![[100_000; 4]; count])
}

#[test]
fn days_and_weeks_end_at_1700_new_york_on_both_sides_of_a_change_of_clocks() {
    // Thursday to Tuesday; New York's clocks change on Sunday, 10 March 2024.
    let quote = |time: &'static str, points| (time, points);
    let bars = flat_at(
        1,
        &[
            quote("2024-03-07T21:00:00Z", 1),
            quote("2024-03-07T22:00:00Z", 2),
            quote("2024-03-08T21:00:00Z", 3),
            quote("2024-03-10T21:00:00Z", 4),
            quote("2024-03-11T20:00:00Z", 5),
            quote("2024-03-11T21:00:00Z", 6),
            quote("2024-03-15T20:00:00Z", 7),
        ],
    );
    let seen = |timeframe: &str| {
        in_points(&values(&format!("data.timeframe(\"{timeframe}\").close"), &free(), &bars))
    };
    assert_eq!(seen("1d"), [1, 1, 3, 3, 5, 5, 7]);
    assert_eq!(seen("1w"), [0, 0, 3, 3, 3, 3, 7]);
    assert_eq!(seen("4h"), [1, 1, 3, 3, 5, 5, 7]);
}

#[test]
fn a_bar_with_gaps_is_seen_when_its_end_has_passed() {
    // The last hour of the bar from 22:00 is missing: it is seen at the close of the next bar that there is.
    let bars =
        flat_at(1, &[("2024-01-03T22:00:00Z", 1), ("2024-01-04T00:00:00Z", 2), ("2024-01-04T09:00:00Z", 3)]);
    assert_eq!(in_points(&values("data.timeframe(\"4h\").close", &free(), &bars)), [0, 0, 3]);
    assert_eq!(in_points(&values("data.timeframe(\"4h\").close[-2]", &free(), &bars)), [0, 0, 2]);
}

#[test]
fn quotes_are_put_together_too() {
    let mut config = free();
    config.tracks[0].granularity = Granularity::Tick;
    let bars = flat_at(
        0,
        &[
            ("2024-01-03T10:00:01Z", 5),
            ("2024-01-03T10:00:59.999Z", 7),
            ("2024-01-03T10:01:00Z", 6),
            ("2024-01-03T10:01:00Z", 9),
            ("2024-01-03T10:03:30Z", 8),
        ],
    );
    let minute = |what: &str| in_points(&values(&format!("data.timeframe(\"1m\").{what}"), &config, &bars));
    assert_eq!(minute("close"), [0, 0, 7, 7, 9]);
    assert_eq!(minute("open"), [0, 0, 5, 5, 6]);
}

#[test]
fn a_spread_by_the_hour_is_that_of_the_bars_that_are_put_together() {
    let mut config = free();
    config.spread = SpreadModel::ByHour(std::array::from_fn(|hour| hour as f64));
    let bars = one(QuoteSide::Mid, at("2024-01-03T22:00:00Z"), Granularity::H1, &[[100_000; 4]; 4]);
    // At 01:00 half a pip to both sides; the widest hour was 23:00.
    let last = |what: &str| in_points(&values(&format!("data.timeframe(\"4h\").{what}"), &config, &bars))[3];
    assert_eq!((last("close"), last("bid.close"), last("ask.close")), (100_000, 99_995, 100_005));
    assert_eq!((last("ask.high"), last("bid.low")), (100_115, 99_885));
}

/// A run beside another instrument, whole and cut at every bar, each call given all bars of the other.
fn beside(plan: &Plan, bars: &Bars, other: &Bars) -> Slice {
    let mut config = free();
    config.references = vec![track("GBP/USD", Granularity::H1)];
    let go = |state, bars: &Bars| {
        let tracks = vec![TrackBars { bars, finer: None }];
        advance(plan, &config, state, &Inputs { tracks, references: vec![other], ..Inputs::default() })
            .unwrap()
    };
    let begin = || State::start(plan, &config).unwrap();
    let whole = go(begin(), bars);
    for cut in 0..=bars.len() {
        let mut joined = go(begin(), &bars.slice(0..cut));
        let state = State::from_bytes(plan, &config, &joined.state.to_bytes()).unwrap();
        join(&mut joined, go(state, &bars.slice(cut..bars.len())));
        assert_same(&joined, &whole, &format!("cut at {cut}"));
        assert_eq!(joined.state, whole.state, "cut at {cut}");
    }
    whole
}

#[test]
fn another_instrument_is_seen_once_its_bar_is_complete() {
    let bars = flat_at(
        1,
        &[
            ("2024-01-03T10:00:00Z", 1),
            ("2024-01-03T11:00:00Z", 2),
            ("2024-01-03T12:00:00Z", 3),
            ("2024-01-03T15:00:00Z", 4),
        ],
    );
    let other = flat_at(
        1,
        &[
            ("2024-01-03T10:30:00Z", 10),
            ("2024-01-03T11:00:00Z", 11),
            ("2024-01-03T12:00:01Z", 12),
            ("2024-01-03T14:00:00Z", 13),
            ("2024-01-03T15:30:00Z", 14),
        ],
    );
    let seen = |x: &str| in_points(&beside(&recording(x), &bars, &other).recordings[0]);
    assert_eq!(seen("data.instrument(\"GBP/USD\").close"), [0, 11, 11, 13]);
    assert_eq!(seen("data.instrument(\"gbpusd\").close[-2]"), [0, 10, 10, 12]);
    // Of its four hours from 07:00 and 11:00 New York; the hour that is complete at 13:00:01 is there.
    assert_eq!(
        seen("data.instrument(\"GBP/USD\").timeframe(\"4h\").close"),
        [0, 0, 0, 13].map(|last| if last == 0 { 0 } else { 12 })
    );
    assert_eq!(seen("data.timeframe(\"4h\").instrument(\"GBP/USD\").open")[3], 10);
}

#[test]
fn a_series_that_is_not_there_and_a_timeframe_that_is_not_longer_are_refused() {
    let start = |x: &str, config: &RunConfig| State::start(&recording(x), config).unwrap_err();
    let config = free();
    let wanted = |granularity| EngineError::Timeframe { wanted: granularity, own: Granularity::H1 };
    assert_eq!(start("data.timeframe(\"1h\").close", &config), wanted(Granularity::H1));
    assert_eq!(start("data.timeframe(\"5m\").close", &config), wanted(Granularity::M5));
    let missing = start("data.instrument(\"GBP/USD\").close", &config);
    assert_eq!(missing, EngineError::NoReference { instrument: "GBP/USD".to_owned().try_into().unwrap() });
}

/// What is seen by the definition: at each close, the bars whose end has passed, from all bars that were complete.
fn by_definition(bars: &Bars, own: Granularity, longer: Granularity) -> Vec<Vec<Ohlc>> {
    let closes = |row: usize| own.close_of(bars.times[row]);
    let end = |row: usize| longer.end_after(closes(row).plus_nanos(-1));
    let seen_at = |row: usize| {
        let mut ended: Vec<(UnixNanos, Ohlc)> = Vec::new();
        for earlier in 0..=row {
            let bid = bars.get(earlier).bid;
            match ended.last_mut() {
                Some((known, whole)) if *known == end(earlier) => {
                    *whole = Ohlc {
                        open: whole.open,
                        high: whole.high.max(bid.high),
                        low: whole.low.min(bid.low),
                        close: bid.close,
                    };
                }
                _ => ended.push((end(earlier), bid)),
            }
        }
        ended.into_iter().filter(|(end, _)| *end <= closes(row)).map(|(_, whole)| whole).collect()
    };
    (0..bars.len()).map(seen_at).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// By the definition, cut into calls of any size, and of any beginning of the bars: no later bar is looked at.
    #[test]
    fn longer_bars_are_what_their_definition_says(
        steps in prop::collection::vec((0_i64..40, 0_u8..12), 40..160),
        from in 0_i64..10_000,
        length in 0_usize..3,
        size in prop::sample::select(vec![1_usize, 7, 64, 1024]),
    ) {
        let longer = [Granularity::M5, Granularity::H1, Granularity::H4][length];
        let mut bars = Bars::empty(None);
        let mut time = 1_709_900_000_000_000_000 / NANOS_PER_MINUTE * NANOS_PER_MINUTE + from * NANOS_PER_MINUTE;
        for (step, gap) in &steps {
            time += NANOS_PER_MINUTE * if *gap == 0 { 47 } else { i64::from(*gap) };
            let price = |points: i64| Price::from_nanos((100_000 + points) * 10_000);
            let bid = Ohlc { open: price(*step), high: price(step + 9), low: price(step - 9), close: price(step + 3) };
            bars.push(Bar { time: UnixNanos::new(time), bid, ask: Some(bid), volume: 1 });
        }
        let name = longer.as_str();
        let body = format!(
            "slow = data.timeframe(\"{name}\")\nrecord(\"close\", slow.close)\nrecord(\"high\", slow.high)\nrecord(\"low\", slow.low)\n\
             record(\"before\", slow.open[-2])\nrecord(\"mean\", sma(slow.close, 3))\nrecord(\"top\", highest(slow.high, 2))"
        );
        let (plan, mut config) = (compiled(&body), free());
        config.tracks[0].granularity = Granularity::M1;
        let mut state = State::start(&plan, &config).unwrap();
        let mut found = vec![Vec::new(); 6];
        for first in (0..bars.len()).step_by(size) {
            let part = bars.slice(first..bars.len().min(first + size));
            let slice = advance(&plan, &config, state, &Inputs::of(&part)).unwrap();
            for (column, more) in found.iter_mut().zip(slice.recordings) {
                column.extend(more);
            }
            state = State::from_bytes(&plan, &config, &slice.state.to_bytes()).unwrap();
        }
        let whole = advance(&plan, &config, State::start(&plan, &config).unwrap(), &Inputs::of(&bars)).unwrap();
        prop_assert_eq!(state.to_bytes(), whole.state.to_bytes());
        let close = |bars: &[Ohlc]| bars.iter().map(|bar| bar.close.nanos()).sum::<i64>() as f64;
        for (row, ended) in by_definition(&bars, Granularity::M1, longer).iter().enumerate() {
            let last = |count: usize| ended.len().checked_sub(count).map(|from| &ended[from..]);
            let wanted = [
                last(1).map(|last| last[0].close.to_f64()),
                last(1).map(|last| last[0].high.to_f64()),
                last(1).map(|last| last[0].low.to_f64()),
                last(2).map(|last| last[0].open.to_f64()),
                last(3).map(|last| close(last) / (3.0 * Price::SCALE as f64)),
                last(2).map(|last| last[0].high.to_f64().max(last[1].high.to_f64())),
            ];
            for ((wanted, column), whole) in wanted.into_iter().zip(&found).zip(&whole.recordings) {
                prop_assert_eq!(wanted.unwrap_or(f64::NAN).to_bits(), column[row].to_bits(), "bar {}", row);
                prop_assert_eq!(whole[row].to_bits(), column[row].to_bits());
            }
        }
    }
}
