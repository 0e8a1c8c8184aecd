//! The figures that tell skill from luck: the papers' own examples, a slow way beside the quick one, and extremes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::float_cmp)]

use fx_analytics::overfitting::{
    BLOCKS_DEFAULT, BacktestOverfitting, SharpeSample, backtest_overfitting, deflated_sharpe_ratio,
    expected_maximum_sharpe, minimum_track_record_length, probabilistic_sharpe_ratio,
};
use proptest::prelude::*;

fn near(found: Option<f64>, expected: f64, tolerance: f64) {
    let found = found.expect("a defined figure");
    assert!((found - expected).abs() <= tolerance, "{found} instead of {expected}");
}

/// Numbers with mean 0 and deviation 1, the same every time: twelve uniforms less six.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        let mut uniform = || {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 11) as f64 / 9_007_199_254_740_992.0
        };
        (0..12).map(|_| uniform()).sum::<f64>() - 6.0
    }

    fn trials(seed: u64, trials: usize, periods: usize) -> Vec<Vec<f64>> {
        let mut noise = Self(seed);
        (0..trials).map(|_| (0..periods).map(|_| noise.next() * 0.01).collect()).collect()
    }
}

#[test]
fn the_example_of_the_probabilistic_sharpe_ratio() {
    // Bailey and López de Prado 2012: 24 months, 0.458 a month, skewness −2.448, kurtosis 10.164: 0.913, not the 0.982 that
    // a normal sample would have.
    let fund = SharpeSample { periods: 24, sharpe: 0.458, skewness: -2.448, kurtosis: 10.164 };
    near(probabilistic_sharpe_ratio(&fund, 0.0), 0.913, 5e-4);
    let normal = SharpeSample { skewness: 0.0, kurtosis: 3.0, ..fund };
    near(probabilistic_sharpe_ratio(&normal, 0.0), 0.982, 5e-4);
}

#[test]
fn the_example_of_the_deflated_sharpe_ratio() {
    // Bailey and López de Prado 2014, "A numerical example": 2.5 a year over five years of 250 days, the best of 100 trials
    // whose annual ratios vary by ½.
    let variance = 0.5 / 250.0;
    near(expected_maximum_sharpe(100, variance), 0.1132, 5e-5);
    let best = SharpeSample { periods: 1_250, sharpe: 2.5 / 250f64.sqrt(), skewness: -3.0, kurtosis: 10.0 };
    let deflated = |best: &SharpeSample, trials| {
        probabilistic_sharpe_ratio(best, expected_maximum_sharpe(trials, variance).unwrap())
    };
    near(deflated(&best, 100), 0.9004, 5e-5);
    near(deflated(&best, 46), 0.9505, 5e-5);
    near(deflated(&SharpeSample { skewness: 0.0, kurtosis: 3.0, ..best }, 88), 0.9505, 5e-5);
    // The same from a hundred ratios with that variance: half of them d above 0, half below, d² · 100 ÷ 99 = V.
    let d = (variance * 0.99).sqrt();
    let sharpes: Vec<_> = (0..100).map(|index| Some(if index % 2 == 0 { d } else { -d })).collect();
    let found = deflated_sharpe_ratio(&sharpes, &best).unwrap();
    assert_eq!((found.trials, found.undefined), (100, 0));
    near(found.variance, variance, 1e-15);
    near(found.expected_maximum, 0.1132, 5e-5);
    near(found.deflated_sharpe_ratio, 0.9004, 5e-5);
}

#[test]
fn moments_by_hand() {
    // About the mean 2: −1, −1, 2. m₂ = 2, m₃ = 2, m₄ = 6.
    let sample = SharpeSample::of(&[1.0, 1.0, 4.0]).unwrap().unwrap();
    assert_eq!(sample.periods, 3);
    near(Some(sample.sharpe), 2.0 / 3f64.sqrt(), 1e-15);
    near(Some(sample.skewness), 2.0 / 2f64.powf(1.5), 1e-15);
    near(Some(sample.kurtosis), 1.5, 1e-15);
}

#[test]
fn what_has_no_ratio_has_no_sample_and_what_is_no_number_is_refused() {
    for none in [&[][..], &[0.1], &[0.1, 0.1, 0.1], &[0.0; 10]] {
        assert_eq!(SharpeSample::of(none), Ok(None));
    }
    let wrong = SharpeSample::of(&[0.1, f64::NAN]).unwrap_err();
    assert_eq!(wrong.to_string(), "`returns` holds NaN at 1");
    let sample = SharpeSample { periods: 100, sharpe: 0.1, skewness: 0.0, kurtosis: 3.0 };
    assert_eq!(probabilistic_sharpe_ratio(&SharpeSample { periods: 1, ..sample }, 0.0), None);
    assert_eq!(probabilistic_sharpe_ratio(&sample, f64::NAN), None);
    assert_eq!(minimum_track_record_length(&sample, 0.1, 0.95), None);
    assert_eq!(minimum_track_record_length(&sample, f64::NAN, 0.95), None);
    assert_eq!(minimum_track_record_length(&sample, 0.0, 1.0), None);
    assert_eq!(minimum_track_record_length(&sample, 0.0, 0.4), None);
    // Two values, one of them rare: the error of the ratio vanishes where SR = 2 ÷ γ₃.
    let edge = SharpeSample { periods: 100, sharpe: 1.0, skewness: 2.0, kurtosis: 5.0 };
    assert_eq!(probabilistic_sharpe_ratio(&edge, 0.0), None);
    assert_eq!((expected_maximum_sharpe(0, 1.0), expected_maximum_sharpe(1, 1.0)), (None, Some(0.0)));
    assert_eq!((expected_maximum_sharpe(9, -1.0), expected_maximum_sharpe(9, f64::NAN)), (None, None));
}

#[test]
fn one_trial_is_deflated_by_nothing_and_equal_trials_by_nothing_either() {
    let best = SharpeSample { periods: 500, sharpe: 0.1, skewness: 0.0, kurtosis: 3.0 };
    let plain = probabilistic_sharpe_ratio(&best, 0.0);
    let one = deflated_sharpe_ratio(&[Some(0.1)], &best).unwrap();
    assert_eq!((one.variance, one.expected_maximum, one.deflated_sharpe_ratio), (None, Some(0.0), plain));
    let equal = deflated_sharpe_ratio(&[Some(0.1); 30], &best).unwrap();
    assert_eq!((equal.variance, equal.deflated_sharpe_ratio), (Some(0.0), plain));
    // One known of many: how they vary is unknown.
    let hidden = deflated_sharpe_ratio(&[Some(0.1), None, None], &best).unwrap();
    assert_eq!((hidden.trials, hidden.undefined, hidden.deflated_sharpe_ratio), (3, 2, None));
    assert_eq!(deflated_sharpe_ratio(&[], &best).unwrap_err().field, "sharpes");
    assert_eq!(deflated_sharpe_ratio(&[Some(f64::INFINITY)], &best).unwrap_err().field, "sharpes");
}

/// The same figures by the definition: the returns of each half put together, ratios in two passes, ranks by sorting.
fn slowly(trials: &[Vec<f64>], blocks: usize) -> BacktestOverfitting {
    let length = trials[0].len() / blocks;
    let skipped = trials[0].len() % blocks;
    let half = |trial: &[f64], mask: u32, wanted: u32| -> Option<f64> {
        let part: Vec<f64> = (0..blocks)
            .filter(|block| mask >> block & 1 == wanted)
            .flat_map(|block| trial[skipped + block * length..][..length].iter().copied())
            .collect();
        let mean = part.iter().sum::<f64>() / part.len() as f64;
        let squares: f64 = part.iter().map(|x| (x - mean).powi(2)).sum();
        (squares > 0.0).then(|| mean / (squares / (part.len() - 1) as f64).sqrt())
    };
    let (mut logits, mut points, mut combinations) = (Vec::new(), Vec::new(), 0);
    for mask in (0u32..1 << blocks).filter(|mask| mask.count_ones() as usize == blocks / 2) {
        combinations += 1;
        let inside: Vec<_> = trials.iter().map(|trial| half(trial, mask, 1)).collect();
        let outside: Vec<_> = trials.iter().map(|trial| half(trial, mask, 0)).collect();
        let largest = inside.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
        let Some(best) = inside.iter().position(|sharpe| *sharpe == Some(largest)) else { continue };
        let Some(own) = outside[best] else { continue };
        let mut sorted: Vec<f64> = outside.iter().flatten().copied().collect();
        if sorted.len() < 2 {
            continue;
        }
        sorted.sort_by(f64::total_cmp);
        let first = sorted.iter().position(|other| *other == own).unwrap();
        let last = sorted.iter().rposition(|other| *other == own).unwrap();
        let omega = ((first + last) as f64 / 2.0 + 1.0) / (sorted.len() + 1) as f64;
        logits.push((omega / (1.0 - omega)).ln());
        points.push((largest, own));
    }
    let count = logits.len() as f64;
    let part = |test: &dyn Fn(usize) -> f64| Some((0..logits.len()).map(test).sum::<f64>() / count);
    let weight = |logit: f64| if logit.abs() < 1e-12 { 0.5 } else { f64::from(logit < 0.0) };
    let mean = |of: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (mean_in, mean_out) = (mean(&|point| point.0), mean(&|point| point.1));
    let covariance = mean(&|point| (point.0 - mean_in) * (point.1 - mean_out));
    let slope = covariance / mean(&|point| (point.0 - mean_in).powi(2));
    BacktestOverfitting {
        trials: trials.len() as u64,
        blocks: blocks as u64,
        periods: (length * blocks) as u64,
        combinations,
        undecided: combinations - logits.len() as u64,
        probability: part(&|index| weight(logits[index])),
        mean_logit: part(&|index| logits[index]),
        logits: None,
        degradation_slope: Some(slope),
        degradation_intercept: Some(mean_out - slope * mean_in),
        loss_probability: part(&|index| f64::from(points[index].1 < 0.0)),
    }
}

fn same(found: &BacktestOverfitting, expected: &BacktestOverfitting) {
    let counts = |of: &BacktestOverfitting| (of.trials, of.blocks, of.periods, of.combinations, of.undecided);
    assert_eq!(counts(found), counts(expected));
    for figure in [
        |of: &BacktestOverfitting| of.probability,
        |of: &BacktestOverfitting| of.mean_logit,
        |of: &BacktestOverfitting| of.degradation_slope,
        |of: &BacktestOverfitting| of.degradation_intercept,
        |of: &BacktestOverfitting| of.loss_probability,
    ] {
        near(figure(found), figure(expected).unwrap(), 1e-9);
    }
}

#[test]
fn the_quick_way_gives_what_the_definition_gives() {
    for (seed, trials, periods, blocks) in [(1, 7, 83, 6), (2, 12, 64, 8), (3, 2, 40, 4), (4, 30, 207, 10)] {
        let mut returns = Noise::trials(seed, trials, periods);
        // One trial rests for a long time, one always: their ratios are undefined there.
        returns[1][periods / 3..].fill(0.0);
        if trials > 2 {
            returns[2].fill(0.0);
        }
        same(&backtest_overfitting(&returns, blocks as u64).unwrap(), &slowly(&returns, blocks));
    }
}

#[test]
fn the_best_of_noise_is_as_good_as_any() {
    let found = |seed| {
        let returns = Noise::trials(seed, 40, 240);
        backtest_overfitting(&returns, 8).unwrap().probability.unwrap()
    };
    let mean = (100..160).map(found).sum::<f64>() / 60.0;
    assert!((mean - 0.5).abs() < 0.08, "{mean}");
}

#[test]
fn one_trial_that_is_truly_better_is_found_again() {
    let mut returns = Noise::trials(5, 40, 1_000);
    returns[17].iter_mut().for_each(|change| *change += 0.004);
    let found = backtest_overfitting(&returns, BLOCKS_DEFAULT).unwrap();
    assert_eq!((found.combinations, found.undecided, found.periods), (12_870, 0, 992));
    assert!(found.probability.unwrap() < 0.001 && found.loss_probability.unwrap() < 0.001, "{found:?}");
    assert!(found.mean_logit.unwrap() > 3.0 && found.logits.unwrap().p5 > 3.0, "{found:?}");
}

#[test]
fn a_trial_that_is_good_in_one_half_and_bad_in_the_other_is_overfitted() {
    let mut returns = Noise::trials(6, 10, 400);
    for (index, trial) in returns.iter_mut().enumerate() {
        let gain = 0.002 * (index as f64 - 4.5);
        let (early, late) = trial.split_at_mut(200);
        early.iter_mut().for_each(|change| *change = *change * 0.1 + gain);
        late.iter_mut().for_each(|change| *change = *change * 0.1 - gain);
    }
    let found = backtest_overfitting(&returns, 2).unwrap();
    assert_eq!((found.combinations, found.probability, found.loss_probability), (2, Some(1.0), Some(1.0)));
    assert!(found.mean_logit.unwrap() < -2.0);
}

#[test]
fn trials_that_do_not_differ_tell_nothing() {
    let one = Noise::trials(7, 1, 100);
    let equal = vec![one[0].clone(); 9];
    let found = backtest_overfitting(&equal, 10).unwrap();
    assert_eq!((found.probability, found.mean_logit, found.undecided), (Some(0.5), Some(0.0), 0));
    let found = backtest_overfitting(&one, 10).unwrap();
    assert_eq!((found.combinations, found.undecided), (252, 252));
    assert_eq!((found.probability, found.logits, found.loss_probability), (None, None, None));
    assert_eq!(found.degradation_slope, None);
    let resting = vec![vec![0.0; 100]; 5];
    let found = backtest_overfitting(&resting, 10).unwrap();
    assert_eq!((found.undecided, found.probability), (252, None));
}

#[test]
fn a_trial_that_stands_still_at_a_level_has_no_ratio_there() {
    // 0.1 is no binary fraction: its squares do not cancel exactly.
    let mut returns = Noise::trials(8, 3, 90);
    returns[0].fill(0.1);
    let found = backtest_overfitting(&returns, 6).unwrap();
    assert!(found.degradation_slope.unwrap().abs() < 10.0, "{found:?}");
    same(&found, &backtest_overfitting(&[vec![0.0; 90], returns[1].clone(), returns[2].clone()], 6).unwrap());
}

#[test]
fn what_cannot_be_cut_or_compared_is_refused_by_name() {
    let refused = |trials: &[Vec<f64>], blocks| backtest_overfitting(trials, blocks).unwrap_err().to_string();
    let returns = Noise::trials(9, 3, 32);
    assert_eq!(refused(&[], 4), "`trials` must be from 1 to 10000, not 0");
    assert_eq!(refused(&returns, 5), "`blocks` must be even, not 5");
    assert_eq!(refused(&returns, 0), "`blocks` must be from 2 to 16, not 0");
    assert_eq!(refused(&returns, 18), "`blocks` must be from 2 to 16, not 18");
    let short = Noise::trials(9, 3, 31);
    assert_eq!(refused(&short, 16), "`trials` need at least 32 periods for 16 blocks, not 31");
    let mut uneven = returns.clone();
    uneven[2].pop();
    assert_eq!(refused(&uneven, 4), "`trials` 2 has 31 periods, the first has 32");
    let mut broken = returns;
    broken[1][5] = f64::NAN;
    assert_eq!(refused(&broken, 4), "`trials` 1 holds NaN at 5");
}

#[test]
fn five_hundred_trials_of_four_years_take_a_moment() {
    let returns = Noise::trials(10, 500, 1_000);
    let start = std::time::Instant::now();
    let found = backtest_overfitting(&returns, BLOCKS_DEFAULT).unwrap();
    let taken = start.elapsed();
    println!("500 trials, 1,000 periods, {} combinations: {taken:?}", found.combinations);
    assert!(taken.as_secs() < 2, "{taken:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_trials_changes_nothing(seed: u64, order in Just((0..9usize).collect::<Vec<_>>()).prop_shuffle()) {
        let returns = Noise::trials(seed, 9, 60);
        let shuffled: Vec<_> = order.iter().map(|index| &returns[*index]).collect();
        prop_assert_eq!(backtest_overfitting(&returns, 6), backtest_overfitting(&shuffled, 6));
    }

    #[test]
    fn the_scale_of_the_returns_changes_no_probability(seed: u64, power in -20i32..20) {
        let returns = Noise::trials(seed, 9, 60);
        let scaled: Vec<Vec<f64>> =
            returns.iter().map(|trial| trial.iter().map(|x| x * 2f64.powi(power)).collect()).collect();
        prop_assert_eq!(backtest_overfitting(&returns, 6), backtest_overfitting(&scaled, 6));
    }

    #[test]
    fn probabilities_lie_between_zero_and_one_and_move_as_they_must(
        returns in prop::collection::vec(-0.2f64..0.3, 2..80), benchmark in -1.0f64..1.0, trials in 1u64..100_000,
    ) {
        let Some(sample) = SharpeSample::of(&returns).unwrap() else { return Ok(()) };
        let Some(found) = probabilistic_sharpe_ratio(&sample, benchmark) else { return Ok(()) };
        prop_assert!((0.0..=1.0).contains(&found));
        prop_assert!(probabilistic_sharpe_ratio(&sample, benchmark + 0.1).unwrap() <= found);
        // Longer records sharpen the answer.
        let longer = SharpeSample { periods: sample.periods * 4, ..sample };
        let later = probabilistic_sharpe_ratio(&longer, benchmark).unwrap();
        prop_assert!((later - found) * (sample.sharpe - benchmark) >= 0.0);
        let (few, more) = (expected_maximum_sharpe(trials, 0.01), expected_maximum_sharpe(trials + 1, 0.01));
        prop_assert!(few.unwrap() < more.unwrap());
    }

    #[test]
    fn after_the_minimum_track_record_the_confidence_is_reached(
        sharpe in 0.01f64..0.5, skewness in -1.0f64..1.0, benchmark in -0.5f64..0.0, confidence in 0.5f64..0.999,
    ) {
        let sample = SharpeSample { periods: 2, sharpe, skewness, kurtosis: 5.0 };
        let length = minimum_track_record_length(&sample, benchmark, confidence).unwrap();
        let at = |periods: f64| {
            let sample = SharpeSample { periods: periods as u64, ..sample };
            probabilistic_sharpe_ratio(&sample, benchmark).unwrap()
        };
        prop_assert!(at(length.ceil().max(2.0)) >= confidence - 1e-12);
        if length >= 3.0 {
            prop_assert!(at(length.floor()) <= confidence + 1e-12);
        }
    }
}
