//! Windows of a walk, and their tests as one curve.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::float_cmp)]

#[allow(dead_code, reason = "only equity is looked at here")]
mod runs;

use fx_analytics::walk_forward::{CurveFigures, Training, WINDOWS_MAX, WalkForward, efficiency, stitch};
use fx_analytics::{Analysis, PeriodReturns};
use fx_domain::{Granularity, NANOS_PER_DAY, UnixNanos};
use proptest::prelude::*;
use runs::Run;

fn day(number: i64) -> UnixNanos {
    UnixNanos::new(number * NANOS_PER_DAY)
}

/// A walk over `days` days from 1970 on, durations in days.
fn walk(days: i64, [train, test, step, embargo]: [i64; 4], training: Training) -> WalkForward {
    let nanos = |days: i64| days * NANOS_PER_DAY;
    WalkForward {
        start: day(0),
        end: day(days),
        train_nanos: nanos(train),
        test_nanos: nanos(test),
        step_nanos: nanos(step),
        embargo_nanos: nanos(embargo),
        training,
    }
}

/// Days of training and test.
fn days(walk: &WalkForward) -> Vec<[i64; 4]> {
    let of = |time: UnixNanos| time.get() / NANOS_PER_DAY;
    let windows = walk.windows().unwrap();
    windows.iter().map(|w| [w.train.from, w.train.to, w.test.from, w.test.to].map(of)).collect()
}

#[test]
fn windows_by_hand() {
    let rolling = walk(100, [40, 10, 15, 5], Training::Rolling);
    assert_eq!(days(&rolling), [[0, 40, 45, 55], [15, 55, 60, 70], [30, 70, 75, 85], [45, 85, 90, 100]]);
    let anchored = walk(100, [40, 10, 15, 5], Training::Anchored);
    assert_eq!(days(&anchored), [[0, 40, 45, 55], [0, 55, 60, 70], [0, 70, 75, 85], [0, 85, 90, 100]]);
    // A day less, and the last test would be cut off: it is left out.
    assert_eq!(days(&WalkForward { end: day(99), ..rolling }).len(), 3);
    // Just one.
    assert_eq!(days(&WalkForward { end: day(55), ..rolling }), [[0, 40, 45, 55]]);
}

#[test]
fn what_cannot_be_cut_is_refused_by_name() {
    let refused = |walk: WalkForward| walk.windows().unwrap_err().to_string();
    let good = walk(100, [40, 10, 10, 0], Training::Rolling);
    assert_eq!(refused(WalkForward { train_nanos: 0, ..good }), "`train` must be longer than nothing");
    assert_eq!(refused(WalkForward { test_nanos: -1, ..good }), "`test` must be longer than nothing");
    assert_eq!(refused(WalkForward { step_nanos: 0, ..good }), "`step` must be longer than nothing");
    assert_eq!(refused(WalkForward { embargo_nanos: -1, ..good }), "`embargo` must not be below zero");
    let overlap = refused(WalkForward { step_nanos: good.test_nanos - 1, ..good });
    assert_eq!(overlap, "`step` must not be shorter than `test`: tests would overlap");
    let short = refused(WalkForward { end: day(49), ..good });
    assert!(
        short.starts_with("`end` leaves no room for a window: train, embargo and test take 4320000 s"),
        "{short}"
    );
    for backwards in [WalkForward { end: day(-1), ..good }, WalkForward { train_nanos: i64::MAX, ..good }] {
        assert_eq!(backwards.windows().unwrap_err().field, "end");
    }
    let most = walk(1_001, [1, 1, 1, 0], Training::Rolling);
    assert_eq!(most.windows().unwrap().len(), WINDOWS_MAX);
    let many = refused(WalkForward { end: day(1_002), ..most });
    assert_eq!(many, "`step` gives 1001 windows, at most 1000 are allowed");
}

fn returns(from: i64, returns: &[f64]) -> PeriodReturns {
    PeriodReturns {
        ends: (0..returns.len() as i64).map(|number| day(from + number)).collect(),
        returns: returns.to_vec(),
        periods_per_year: 252.0,
    }
}

#[test]
fn tests_are_linked_by_hand() {
    let found = stitch(&[returns(0, &[0.5, -0.5]), returns(7, &[]), returns(9, &[1.0])]).unwrap();
    assert_eq!(found.growth, [1.5, 0.75, 1.5]);
    assert_eq!(found.returns.ends, [day(0), day(1), day(9)]);
    let figures = found.figures;
    assert_eq!((figures.periods, figures.return_pct, figures.max_drawdown_pct), (3, 50.0, 50.0));
    let annual = (1.5f64.powf(84.0) - 1.0) * 100.0;
    assert!((figures.annualised_return_pct.unwrap() / annual - 1.0).abs() < 1e-12);
    assert!((figures.calmar_ratio.unwrap() / (annual / 50.0) - 1.0).abs() < 1e-12);
    assert!(!figures.lost);
}

#[test]
fn nothing_is_made_of_nothing_and_of_a_lost_account() {
    let found = stitch(&[returns(0, &[])]).unwrap();
    assert_eq!(found.figures, CurveFigures::default());
    let lost = stitch(&[returns(0, &[0.1, -1.0]), returns(5, &[0.5])]).unwrap();
    assert_eq!(lost.growth, [1.1, 0.0, 0.0]);
    let figures = lost.figures;
    assert_eq!(
        (figures.return_pct, figures.annualised_return_pct, figures.lost),
        (-100.0, Some(-100.0), true)
    );
    assert_eq!((figures.sharpe_ratio, figures.calmar_ratio, figures.max_drawdown_pct), (None, None, 100.0));
    let boundless = CurveFigures::of(&returns(0, &[1e300, 1e300, -0.5])).unwrap();
    assert!(boundless.return_pct.is_finite());
    let flat = CurveFigures::of(&returns(0, &[0.0; 9])).unwrap();
    assert_eq!((flat.sharpe_ratio, flat.sortino_ratio, flat.calmar_ratio), (None, None, None));
    assert_eq!((flat.return_pct, flat.annualised_return_pct), (0.0, Some(0.0)));
}

#[test]
fn what_cannot_be_linked_is_refused_by_name() {
    let refused = |tests: &[PeriodReturns]| stitch(tests).unwrap_err().to_string();
    assert_eq!(refused(&[]), "`tests` is empty");
    let overlap = refused(&[returns(0, &[0.1, 0.1]), returns(1, &[0.1])]);
    assert_eq!(overlap, "`tests` 1 begins before the one before it ends");
    let weeks = PeriodReturns { periods_per_year: 52.0, ..returns(5, &[0.1]) };
    assert_eq!(refused(&[returns(0, &[0.1]), weeks]), "`tests` 1 has 52 periods a year, the first has 252");
    assert_eq!(refused(&[returns(0, &[0.1, f64::NAN])]), "`returns` holds NaN at 1");
    assert_eq!(refused(&[returns(0, &[-1.25])]), "`returns` holds -1.25 at 0, below -1");
    let torn = PeriodReturns { ends: Vec::new(), ..returns(0, &[0.1]) };
    assert_eq!(refused(&[torn]), "`ends` holds 0 instants for 1 returns");
    let timeless = PeriodReturns { periods_per_year: 0.0, ..returns(0, &[0.1]) };
    assert_eq!(refused(&[timeless]), "`periods_per_year` must be above zero, not 0");
}

#[test]
fn the_efficiency_is_of_what_the_trainings_earned() {
    assert_eq!(efficiency(6.0, &[10.0, 14.0]), Some(0.5));
    assert_eq!(efficiency(-6.0, &[12.0]), Some(-0.5));
    for none in [&[][..], &[-1.0], &[1.0, -1.0], &[f64::NAN]] {
        assert_eq!(efficiency(6.0, none), None);
    }
    assert_eq!(efficiency(f64::NAN, &[1.0]), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn windows_keep_their_lengths_never_look_ahead_and_leave_no_test_out(
        start in -1_000i64..1_000, length in 1i64..4_000, train in 1i64..300, test in 1i64..80,
        more in 0i64..40, embargo in 0i64..20, anchored: bool,
    ) {
        let training = if anchored { Training::Anchored } else { Training::Rolling };
        let cut = WalkForward {
            start: UnixNanos::new(start),
            end: UnixNanos::new(start + length),
            train_nanos: train,
            test_nanos: test,
            step_nanos: test + more,
            embargo_nanos: embargo,
            training,
        };
        let Ok(windows) = cut.windows() else {
            let count = (length - train - embargo - test).div_euclid(test + more) + 1;
            prop_assert!(train + embargo + test > length || count > WINDOWS_MAX as i64);
            return Ok(());
        };
        for (number, window) in windows.iter().enumerate() {
            let trained = window.train.to.get() - window.train.from.get();
            let tested = window.test.to.get() - window.test.from.get();
            prop_assert_eq!(tested, test);
            prop_assert_eq!(trained, train + if anchored { number as i64 * cut.step_nanos } else { 0 });
            prop_assert_eq!(window.test.from.get() - window.train.to.get(), embargo);
            prop_assert!(window.train.from >= cut.start && window.test.to <= cut.end);
        }
        for pair in windows.windows(2) {
            prop_assert!(pair[0].test.to <= pair[1].test.from);
            prop_assert_eq!(pair[1].test.from.get() - pair[0].test.from.get(), cut.step_nanos);
        }
        prop_assert!(windows.last().unwrap().test.to.get() + cut.step_nanos > cut.end.get());
    }

    #[test]
    fn a_run_cut_into_tests_and_stitched_again_has_the_figures_of_its_report(
        micros in prop::collection::vec(500_000_000i64..2_000_000_000, 2..200),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let run = Run::of_equity("2023-01-01", Granularity::D1, 1_000_000_000, micros);
        let mut analysis = Analysis::new(run.start());
        analysis.points(&run.equity.times, &run.equity.micros, &run.closes);
        let whole = analysis.period_returns().unwrap();
        let mut borders: Vec<usize> = cuts.iter().map(|cut| cut.index(whole.returns.len() + 1)).collect();
        borders.extend([0, whole.returns.len()]);
        borders.sort_unstable();
        let tests: Vec<PeriodReturns> = borders.windows(2).map(|pair| PeriodReturns {
            ends: whole.ends[pair[0]..pair[1]].to_vec(),
            returns: whole.returns[pair[0]..pair[1]].to_vec(),
            periods_per_year: whole.periods_per_year,
        }).collect();
        let found = stitch(&tests).unwrap();
        prop_assert_eq!(&found.returns, &whole);
        prop_assert_eq!(CurveFigures::of(&whole), Ok(found.figures));
        let report = run.report();
        // Equity of daily bars is sampled at each bar, so the falls are the same too.
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b.abs().max(1e-3);
        prop_assert!(near(found.figures.return_pct, report.metrics.return_pct));
        prop_assert!(near(found.figures.max_drawdown_pct, report.metrics.max_drawdown));
        prop_assert_eq!(found.figures.sharpe_ratio, report.sharpe_ratio);
        prop_assert_eq!(found.figures.sortino_ratio, report.sortino_ratio);
        let same = match (found.figures.calmar_ratio, report.calmar_ratio) {
            (Some(a), Some(b)) => near(a, b),
            (a, b) => a == b,
        };
        prop_assert!(same);
    }
}
