//! What other services tell, as of each close.

use crate::script::{assert_same, at, compiled, flat_at, free, join, track};
use fx_domain::{Bars, Granularity, UnixNanos};
use fx_engine::{EngineError, FeatureSeries, FeatureTrack, Inputs, RunConfig, Slice, State, advance};
use fx_strategy::{Feature, Plan};

fn series(rows: &[(&str, f64)]) -> FeatureSeries {
    let (available_at, values) = rows.iter().map(|(time, value)| (at(time), *value)).unzip();
    FeatureSeries { available_at, values }
}

fn mood() -> Feature {
    Feature::Named("mood".to_owned())
}

/// A run of one pair that reads its mood, decided on from `start` on.
fn reading(start: &str) -> RunConfig {
    let mut config = free();
    config.features = vec![FeatureTrack { instrument: config.tracks[0].instrument, feature: mood() }];
    config.start = at(start);
    config
}

fn go(plan: &Plan, config: &RunConfig, state: State, bars: &Bars, told: &FeatureSeries) -> Slice {
    tried(plan, config, state, bars, told).unwrap()
}

fn tried(
    plan: &Plan,
    config: &RunConfig,
    state: State,
    bars: &Bars,
    told: &FeatureSeries,
) -> Result<Slice, EngineError> {
    advance(plan, config, state, &Inputs { features: vec![told; config.features.len()], ..Inputs::of(bars) })
}

/// A run, whole and cut at every bar: the later call is given all values, or only those that the first had not seen.
fn run(plan: &Plan, config: &RunConfig, bars: &Bars, told: &FeatureSeries) -> Slice {
    let begin = || State::start(plan, config).unwrap();
    let whole = go(plan, config, begin(), bars, told);
    for cut in 0..=bars.len() {
        let seen =
            cut.checked_sub(1).map_or(UnixNanos::new(0), |last| Granularity::H1.close_of(bars.times[last]));
        let first = told.available_at.partition_point(|at| *at <= seen);
        let rest = FeatureSeries {
            available_at: told.available_at[first..].to_vec(),
            values: told.values[first..].to_vec(),
        };
        for told_later in [told, &rest] {
            let mut joined = go(plan, config, begin(), &bars.slice(0..cut), told);
            let state = State::from_bytes(plan, config, &joined.state.to_bytes()).unwrap();
            join(&mut joined, go(plan, config, state, &bars.slice(cut..bars.len()), told_later));
            assert_same(&joined, &whole, &format!("cut at {cut}"));
            assert_eq!(joined.state, whole.state, "cut at {cut}");
        }
    }
    whole
}

fn four_hours() -> Bars {
    let hours = ["10", "11", "12", "15"];
    let rows: Vec<_> = hours.iter().map(|hour| (format!("2024-01-03T{hour}:00:00Z"), 100_000)).collect();
    flat_at(1, &rows.iter().map(|(time, points)| (time.as_str(), *points)).collect::<Vec<_>>())
}

#[test]
fn a_value_is_seen_at_the_first_close_at_or_after_it_was_available() {
    let told = series(&[
        ("2024-01-01T00:00:00Z", 0.0),
        ("2024-01-03T10:59:59.999999999Z", 1.0),
        ("2024-01-03T12:00:00Z", 2.0),
        ("2024-01-03T12:00:00.000000001Z", 3.0),
        ("2024-01-03T13:00:00Z", 4.0),
        ("2024-01-03T16:00:00.000000001Z", 5.0),
    ]);
    let config = reading("2024-01-03T10:00:00Z");
    let seen = |x: &str| {
        let plan = compiled(&format!("record(\"x\", {x})"));
        run(&plan, &config, &four_hours(), &told).recordings.remove(0)
    };
    assert_eq!(seen("feature(\"mood\")"), [1.0, 2.0, 4.0, 4.0]);
    assert_eq!(seen("sma(feature(\"mood\"), 1)"), [1.0, 2.0, 4.0, 4.0]);
    assert_eq!(
        seen("feature(\"mood\") - feature(\"mood\")[-2] if data.index > 0 else 9")[1..],
        [1.0, 2.0, 0.0]
    );
}

#[test]
fn before_the_start_a_value_may_be_missing() {
    let told = series(&[("2024-01-03T11:30:00Z", 7.0)]);
    let plan = compiled("record(\"x\", sma(feature(\"mood\"), 2))");
    let found = run(&plan, &reading("2024-01-03T11:00:00Z"), &four_hours(), &told).recordings.remove(0);
    assert!(found[0].is_nan());
    assert_eq!(found[1..], [7.0, 7.0]);
}

#[test]
fn where_none_was_available_or_the_newest_is_too_old_the_run_ends_and_names_feature_pair_and_time() {
    let plan = compiled("record(\"x\", feature(\"mood\"))");
    let refused = |config: &RunConfig, told: &[(&str, f64)]| {
        let state = State::start(&plan, config).unwrap();
        tried(&plan, config, state, &four_hours(), &series(told)).map(drop).unwrap_err().to_string()
    };
    let mut config = reading("2024-01-03T10:00:00Z");
    assert_eq!(
        refused(&config, &[("2024-01-03T11:00:00.000000001Z", 1.0)]),
        "at 2024-01-03T11:00:00Z there is no value of feature(\"mood\") for EUR/USD: none was available by then"
    );
    config.features_age_hours_max = 3;
    assert_eq!(
        refused(&config, &[("2024-01-03T11:00:00Z", 1.0), ("2024-01-03T12:59:59Z", 2.0)]),
        "at 2024-01-03T16:00:00Z there is no value of feature(\"mood\") for EUR/USD: the newest was available at \
         2024-01-03T12:59:59Z, more than 3 hours before"
    );
    run(
        &plan,
        &config,
        &four_hours(),
        &series(&[("2024-01-03T11:00:00Z", 1.0), ("2024-01-03T13:00:00Z", 2.0)]),
    );
}

#[test]
fn each_track_reads_its_own() {
    let plan = compiled("if feature(\"mood\") > 0:\n    return target(units=1000)");
    let mut config = reading("2024-01-03T10:00:00Z");
    let other = track("GBP/USD", Granularity::H1);
    config.tracks.push(other);
    config.features.push(FeatureTrack { instrument: other.instrument, feature: mood() });
    let (bars, early) = (four_hours(), "2024-01-03T00:00:00Z");
    let (low, high) = (series(&[(early, -1.0)]), series(&[(early, 1.0)]));
    let mut inputs = Inputs::of(&bars);
    inputs.tracks.push(inputs.tracks[0]);
    inputs.features = vec![&low, &high];
    let slice = advance(&plan, &config, State::start(&plan, &config).unwrap(), &inputs).unwrap();
    let held = slice.state.open_positions();
    assert_eq!(held.iter().map(|open| open.instrument).collect::<Vec<_>>(), [other.instrument]);
}

#[test]
fn values_that_are_missing_out_of_order_or_no_numbers_are_refused() {
    let plan = compiled("record(\"x\", feature(\"mood\"))");
    let missing = State::start(&plan, &free()).unwrap_err();
    assert_eq!(
        missing.to_string(),
        "the strategy reads feature(\"mood\") of EUR/USD, which the run does not have"
    );
    let config = reading("2024-01-03T10:00:00Z");
    let (one, two) = ("2024-01-03T00:00:00Z", "2024-01-03T01:00:00Z");
    let uneven = FeatureSeries { values: Vec::new(), ..series(&[(one, 1.0)]) };
    for told in [
        series(&[(one, 1.0), (one, 2.0)]),
        series(&[(two, 1.0), (one, 2.0)]),
        series(&[(one, f64::NAN)]),
        uneven,
    ] {
        let state = State::start(&plan, &config).unwrap();
        let refused = tried(&plan, &config, state, &four_hours(), &told).map(drop).unwrap_err();
        assert!(matches!(refused, EngineError::Config { field: "features", .. }), "{refused}");
    }
    let state = State::start(&plan, &config).unwrap();
    assert!(advance(&plan, &config, state, &Inputs::of(&four_hours())).is_err());
}
