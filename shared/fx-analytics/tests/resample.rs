//! Samples of trades and days: the same from a seed, drawn fairly, measured as by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::float_cmp)]

use fx_analytics::InvalidInput;
use fx_analytics::resample::{Method, Resample, ResampleSummary, SampleFigures};
use fx_domain::{Currency, Money};
use proptest::prelude::*;

fn usd(micros: i64) -> Money {
    Money::from_micros(micros, Currency::USD)
}

fn dollars(whole: &[i64]) -> Vec<Money> {
    whole.iter().map(|dollars| usd(dollars * 1_000_000)).collect()
}

const METHODS: [Method; 3] =
    [Method::Single, Method::MovingBlocks { length: 5 }, Method::StationaryBlocks { mean_length: 5 }];

#[test]
fn a_path_of_trades_by_hand() {
    let profits = dollars(&[10, -30, 25]);
    let resample = Resample::trades(usd(100_000_000), &profits, 1).unwrap();
    // 110, 80, 105: the fall is 30 of 110.
    let expected = SampleFigures {
        final_balance: 105.0,
        return_pct: 5.0,
        max_drawdown_pct: 30.0 / 110.0 * 100.0,
        ruined: false,
    };
    assert_eq!(resample.figures(&[0, 1, 2]), expected);
    // 70, 40, 10, −20: ruined, and what follows no longer counts.
    let lost =
        SampleFigures { final_balance: -20.0, return_pct: -120.0, max_drawdown_pct: 120.0, ruined: true };
    assert_eq!(resample.figures(&[1, 1, 1, 1, 2, 2, 2]), lost);
    let still = SampleFigures { final_balance: 100.0, return_pct: 0.0, max_drawdown_pct: 0.0, ruined: false };
    assert_eq!(resample.figures(&[]), still);
}

#[test]
fn a_path_of_returns_by_hand() {
    let returns = [0.5, -0.25, -1.0, 1e200];
    let resample = Resample::returns(usd(100_000_000), &returns, Method::Single, 1).unwrap();
    let found = resample.figures(&[0, 1, 1]);
    assert_eq!((found.final_balance, found.max_drawdown_pct, found.ruined), (84.375, 43.75, false));
    assert_eq!(found.return_pct, -15.625);
    let lost =
        SampleFigures { final_balance: 0.0, return_pct: -100.0, max_drawdown_pct: 100.0, ruined: true };
    assert_eq!(resample.figures(&[2, 0, 0]), lost);
    let boundless = resample.figures(&[3; 9]);
    assert!(boundless.final_balance.is_finite() && boundless.return_pct.is_finite());
}

#[test]
fn a_seed_says_it_all_and_does_so_for_good() {
    let returns = [0.01; 12];
    let first =
        |method, seed, index| Resample::returns(usd(1), &returns, method, seed).unwrap().sample(index);
    let [single, moving, stationary] = METHODS.map(|method| first(method, 42, 7));
    // From a second implementation of what the module says, in another language.
    assert_eq!(single, SINGLE);
    assert_eq!(moving, MOVING);
    assert_eq!(stationary, STATIONARY);
    assert_eq!(Resample::encode(7, &[1, 258]), [7, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 1, 0, 0]);
    for method in METHODS {
        assert_ne!(first(method, 42, 7), first(method, 43, 7));
        assert_ne!(first(method, 42, 7), first(method, 42, 8));
    }
}
const SINGLE: [u32; 12] = [7, 2, 9, 6, 4, 11, 4, 8, 0, 10, 0, 4];
const MOVING: [u32; 12] = [5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7];
const STATIONARY: [u32; 12] = [7, 9, 10, 11, 0, 1, 2, 10, 4, 5, 6, 7];

#[test]
fn each_place_is_drawn_as_often_as_its_method_says() {
    const COUNT: usize = 20;
    const SAMPLES: u64 = 20_000;
    let returns = [0.0; COUNT];
    for method in METHODS {
        let resample = Resample::returns(usd(1), &returns, method, 3).unwrap();
        let (mut hits, mut neighbours) = ([0u64; COUNT], 0u64);
        for index in 0..SAMPLES {
            let places = resample.sample(index);
            places.iter().for_each(|place| hits[*place as usize] += 1);
            neighbours +=
                places.windows(2).filter(|pair| pair[1] == (pair[0] + 1) % COUNT as u32).count() as u64;
        }
        // Of 16 stretches of 5, a place is in as many as reach it. The others reach each place alike.
        let weight = |place: usize| match method {
            Method::MovingBlocks { .. } => (place + 1).min(5).min(COUNT - place) as f64 / 80.0,
            _ => 1.0 / COUNT as f64,
        };
        let draws = SAMPLES as f64 * COUNT as f64;
        for (place, hits) in hits.iter().enumerate() {
            let expected = draws * weight(place);
            assert!((*hits as f64 / expected - 1.0).abs() < 0.05, "{method:?} {place}: {hits}, {expected}");
        }
        // A draw that is free falls on the neighbour once in twenty; of moving blocks, every fifth one is free.
        let part = neighbours as f64 / (SAMPLES as f64 * (COUNT - 1) as f64);
        let expected = match method {
            Method::Single => 0.05,
            Method::MovingBlocks { .. } => (16.0 + 3.0 * (12.0 / 256.0)) / 19.0,
            Method::StationaryBlocks { .. } => 0.8 + 0.2 * 0.05,
        };
        assert!((part - expected).abs() < 0.005, "{method:?}: {part}, {expected}");
    }
}

#[test]
fn the_bootstrap_finds_what_theory_knows() {
    // The sum of n profits drawn from these has mean n·μ and deviation √n·σ, so 5 and 95 percent of samples lie 1.645 of
    // that beyond the mean.
    let profits: Vec<Money> = (0..400).map(|index| usd((index % 21 - 9) * 1_000_000)).collect();
    let resample = Resample::trades(usd(100_000_000_000), &profits, 11).unwrap();
    let samples: Vec<_> = (0..4_000).map(|index| resample.figures(&resample.sample(index))).collect();
    let summary = ResampleSummary::of(&samples, &[]).unwrap();
    let mean = profits.iter().map(|profit| profit.to_f64()).sum::<f64>() / 400.0;
    let variance = profits.iter().map(|profit| (profit.to_f64() - mean).powi(2)).sum::<f64>() / 400.0;
    let (middle, deviation) = (100_000.0 + 400.0 * mean, (400.0 * variance).sqrt());
    let balance = summary.final_balance;
    assert!((balance.p50 - middle).abs() < 0.08 * deviation, "{balance:?} {middle} {deviation}");
    assert!((balance.p5 - middle + 1.645 * deviation).abs() < 0.12 * deviation, "{balance:?}");
    assert!((balance.p95 - middle - 1.645 * deviation).abs() < 0.12 * deviation, "{balance:?}");
}

#[test]
fn a_summary_counts_what_it_says() {
    let sample = |return_pct: f64, max_drawdown_pct: f64| SampleFigures {
        final_balance: 100.0 + return_pct,
        return_pct,
        max_drawdown_pct,
        ruined: return_pct <= -100.0,
    };
    let samples = [sample(10.0, 5.0), sample(0.0, 10.0), sample(-20.0, 25.0), sample(-100.0, 100.0)];
    let summary = ResampleSummary::of(&samples, &[10.0, 30.0, 100.0]).unwrap();
    assert_eq!((summary.samples, summary.loss_probability, summary.ruin_probability), (4, 0.5, 0.25));
    let falls: Vec<_> =
        summary.drawdown_probabilities.iter().map(|fall| (fall.threshold_pct, fall.probability)).collect();
    assert_eq!(falls, [(10.0, 0.5), (30.0, 0.25), (100.0, 0.0)]);
    assert_eq!((summary.return_pct.p50, summary.final_balance.p25), (-10.0, 60.0));
    let mut turned = samples;
    turned.reverse();
    assert_eq!(ResampleSummary::of(&turned, &[10.0, 30.0, 100.0]), Ok(summary));
}

#[test]
fn what_cannot_be_drawn_or_counted_is_refused_by_name() {
    let (capital, returns) = (usd(1_000_000), [0.1, 0.2]);
    let refused = |wrong: Result<Resample<'_>, InvalidInput>| wrong.unwrap_err().to_string();
    assert_eq!(refused(Resample::trades(capital, &[], 1)), "`trades` must be from 1 to 1000000, not 0");
    let euros = [capital, Money::from_micros(1, Currency::EUR)];
    let wrong = refused(Resample::trades(capital, &euros, 1));
    assert_eq!(wrong, "`trades` holds another currency than the capital at 1");
    let wrong = refused(Resample::trades(usd(0), &euros, 1));
    assert_eq!(wrong, "`initial_capital` must be above zero, not 0");
    let by = |returns, method| refused(Resample::returns(capital, returns, method, 1));
    assert_eq!(by(&[], Method::Single), "`returns` must be from 1 to 1000000, not 0");
    assert_eq!(by(&[0.1, f64::NAN], Method::Single), "`returns` holds NaN at 1");
    assert_eq!(by(&[0.1, -1.5], Method::Single), "`returns` holds -1.5 at 1, below -1");
    let long = by(&returns, Method::MovingBlocks { length: 3 });
    assert_eq!(long, "`length` must be from 1 to 2, not 3");
    let none = by(&returns, Method::StationaryBlocks { mean_length: 0 });
    assert_eq!(none, "`mean_length` must be from 1 to 2, not 0");
    assert_eq!(ResampleSummary::of(&[], &[]).unwrap_err().field, "samples");
    let resample = Resample::returns(capital, &returns, Method::Single, 1).unwrap();
    let good = resample.figures(&resample.sample(0));
    assert_eq!(ResampleSummary::of(&[good], &[f64::NAN]).unwrap_err().field, "drawdown_thresholds_pct");
    let bad = SampleFigures { return_pct: f64::NAN, ..good };
    assert_eq!(
        ResampleSummary::of(&[good, bad], &[]).unwrap_err().to_string(),
        "`return_pct` holds NaN at 1"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn batches_in_any_order_are_the_whole(seed: u64, cut in 0u64..30, count in 5usize..60) {
        let returns: Vec<f64> = (0..count).map(|index| (index as f64 * 0.7).sin() / 10.0).collect();
        for method in METHODS {
            let resample = Resample::returns(usd(1_000_000), &returns, method, seed).unwrap();
            let whole: Vec<_> = (0..30).map(|index| resample.sample(index)).collect();
            let mut batches: Vec<_> = (cut..30).chain(0..cut).map(|index| (index, resample.sample(index))).collect();
            batches.sort();
            prop_assert!(batches.iter().map(|(_, places)| places).eq(&whole));
            prop_assert!(whole.iter().all(|places| places.len() == count));
            prop_assert!(whole.iter().flatten().all(|place| (*place as usize) < count));
        }
    }

    #[test]
    fn a_block_of_all_is_the_run_itself_and_one_of_one_draws_single_items(seed: u64, count in 1u32..60) {
        let returns = vec![0.01; count as usize];
        let sample = |method| Resample::returns(usd(1), &returns, method, seed).unwrap().sample(3);
        let all: Vec<u32> = (0..count).collect();
        prop_assert_eq!(sample(Method::MovingBlocks { length: count }), all);
        prop_assert_eq!(sample(Method::MovingBlocks { length: 1 }), sample(Method::Single));
    }

    #[test]
    fn the_order_of_trades_never_changes_where_an_unruined_path_ends(
        profits in prop::collection::vec(-100i64..100, 1..40), seed: u64,
    ) {
        let profits = dollars(&profits);
        let resample = Resample::trades(usd(1_000_000_000_000), &profits, seed).unwrap();
        let mut places = resample.sample(0);
        let drawn = resample.figures(&places);
        places.sort_unstable();
        let sorted = resample.figures(&places);
        prop_assert_eq!((drawn.final_balance, drawn.return_pct), (sorted.final_balance, sorted.return_pct));
        prop_assert!(!drawn.ruined && drawn.max_drawdown_pct >= -drawn.return_pct - 1e-12);
    }
}
