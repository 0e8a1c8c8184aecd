//! The probability of backtest overfitting, by combinatorially symmetric cross-validation.

use crate::invalid_input::{all_finite, within};
use crate::numbers::{Slope, Summary, ratio};
use crate::{InvalidInput, Percentiles};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// Blocks that the time is cut into where nothing else is asked for: 12,870 combinations.
pub const BLOCKS_DEFAULT: u64 = 16;
/// Most blocks: the combinations quadruple with each two more.
pub const BLOCKS_MAX: u64 = 16;
/// Fewest periods of a block.
pub const PERIODS_PER_BLOCK_MIN: u64 = 2;
/// Most trials.
pub const TRIALS_MAX: u64 = 10_000;

/// Part of a sum of squares below which what is left about the mean is rounding. A Sharpe ratio of a hundred thousand
/// per period lies beyond it.
const NOISE: f64 = 1e-10;

/// How the best trial of one half of the time does in the other, over all halves.
///
/// Every figure is over the combinations that decide: the best trial is known, and in the other half its ratio and that
/// of at least one more are defined. `None` where no combination decides, so of one trial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BacktestOverfitting {
    /// Trials that were compared.
    pub trials: u64,
    /// Blocks that the time was cut into.
    pub blocks: u64,
    /// Periods that were looked at: the oldest few that fill no block are left out.
    pub periods: u64,
    /// Ways to choose half of the blocks.
    pub combinations: u64,
    /// Combinations that decide nothing.
    pub undecided: u64,
    /// The probability of backtest overfitting: the part of combinations whose best trial ranks below the median in the
    /// other half. At the median counts half.
    pub probability: Option<f64>,
    /// Mean of the logits: ln(ω ÷ (1 − ω)) of the best trial's relative rank ω in the other half, above 0 when better
    /// than the median.
    pub mean_logit: Option<f64>,
    /// Percentiles of the logits.
    pub logits: Option<Percentiles>,
    /// Slope of the line through the best trials' Sharpe ratios per period, in the other half over in their own: below
    /// 0 the better they looked, the worse they did.
    pub degradation_slope: Option<f64>,
    /// The line's height at 0.
    pub degradation_intercept: Option<f64>,
    /// The part of combinations whose best trial loses in the other half: a mean return below 0.
    pub loss_probability: Option<f64>,
}

/// Compares `trials`, each the returns of the same periods in order, over all ways to choose half of `blocks` blocks of
/// time.
///
/// Bailey, Borwein, López de Prado and Zhu, *The Probability of Backtest Overfitting*, Journal of Computational
/// Finance, 2015 (20(4), 2017), sections "The framework" and "CSCV". The measure is the Sharpe ratio per period. Of N
/// trials whose ratio in the other half is defined, the best has rank r from 1, the worst; ω = r ÷ (N + 1). Equal
/// ratios share their mean rank; of equal best trials the first is chosen. A ratio over no deviation is undefined: such
/// a trial is neither chosen nor ranked.
///
/// Sums and sums of squares by block make a combination cost `trials · blocks` additions, whatever the number of
/// periods; a combination and its opposite are looked at together. What is kept is `trials · blocks` pairs, and the
/// logits.
///
/// # Errors
/// No trial, or more than [`TRIALS_MAX`]; trials of different length; blocks that are odd, or not from 2 to
/// [`BLOCKS_MAX`]; fewer than [`PERIODS_PER_BLOCK_MIN`] periods for each block; a return that is NaN or infinite.
pub fn backtest_overfitting<R: AsRef<[f64]>>(
    trials: &[R],
    blocks: u64,
) -> Result<BacktestOverfitting, InvalidInput> {
    let sums = BlockSums::of(trials, blocks)?;
    let (half, count) = (sums.blocks / 2, sums.blocks);
    let mut found = Found::default();
    let (mut one, mut other) = (vec![0.0; trials.len()], vec![0.0; trials.len()]);
    let (mut sum, mut squares) = (vec![0.0; trials.len()], vec![0.0; trials.len()]);
    // The first block is in `one`: so each pair of opposite halves comes once.
    for chosen in (1u32..1 << count).step_by(2).filter(|chosen| chosen.count_ones() as usize == half) {
        sums.sharpes(|block| chosen >> block & 1 == 1, (&mut sum, &mut squares), &mut one);
        sums.sharpes(|block| chosen >> block & 1 == 0, (&mut sum, &mut squares), &mut other);
        found.add(&one, &other);
        found.add(&other, &one);
    }
    Ok(found.finish(trials.len() as u64, &sums))
}

/// Sums of returns, and of their squares, of each block, trial by trial.
struct BlockSums {
    blocks: usize,
    block_periods: usize,
    sums: Vec<Vec<f64>>,
    squares: Vec<Vec<f64>>,
}

impl BlockSums {
    fn of<R: AsRef<[f64]>>(trials: &[R], blocks: u64) -> Result<Self, InvalidInput> {
        within("trials", trials.len() as u64, 1..=TRIALS_MAX)?;
        within("blocks", blocks, 2..=BLOCKS_MAX)?;
        if !blocks.is_multiple_of(2) {
            return Err(InvalidInput::new("blocks", format!("must be even, not {blocks}")));
        }
        let periods = trials[0].as_ref().len();
        if (periods as u64) < blocks * PERIODS_PER_BLOCK_MIN {
            let least = blocks * PERIODS_PER_BLOCK_MIN;
            let reason = format!("need at least {least} periods for {blocks} blocks, not {periods}");
            return Err(InvalidInput::new("trials", reason));
        }
        let blocks = blocks as usize;
        let block_periods = periods / blocks;
        let columns = || vec![Vec::with_capacity(trials.len()); blocks];
        let mut sums = Self { blocks, block_periods, sums: columns(), squares: columns() };
        for (number, trial) in trials.iter().enumerate() {
            let returns = trial.as_ref();
            if returns.len() != periods {
                let reason = format!("{number} has {} periods, the first has {periods}", returns.len());
                return Err(InvalidInput::new("trials", reason));
            }
            all_finite("trials", returns)
                .map_err(|wrong| InvalidInput::new("trials", format!("{number} {}", wrong.reason)))?;
            let used = &returns[periods - blocks * block_periods..];
            for (block, part) in used.chunks_exact(block_periods).enumerate() {
                sums.sums[block].push(part.iter().sum());
                sums.squares[block].push(part.iter().map(|change| change * change).sum());
            }
        }
        Ok(sums)
    }

    /// The Sharpe ratios per period over half of the blocks; NaN where undefined.
    fn sharpes(
        &self,
        chosen: impl Fn(usize) -> bool,
        (sum, squares): (&mut [f64], &mut [f64]),
        sharpes: &mut [f64],
    ) {
        sum.fill(0.0);
        squares.fill(0.0);
        for block in (0..self.blocks).filter(|block| chosen(*block)) {
            let columns = self.sums[block].iter().zip(&self.squares[block]);
            for ((sum, squares), (more, more_squares)) in sum.iter_mut().zip(squares.iter_mut()).zip(columns)
            {
                *sum += more;
                *squares += more_squares;
            }
        }
        let periods = (self.block_periods * self.blocks / 2) as f64;
        for ((sharpe, sum), squares) in sharpes.iter_mut().zip(sum.iter()).zip(squares.iter()) {
            let mean = sum / periods;
            let about_mean = squares - sum * mean;
            let varies = about_mean > squares * NOISE && squares.is_finite();
            *sharpe = if varies { mean / (about_mean / (periods - 1.0)).sqrt() } else { f64::NAN };
        }
    }
}

/// What the combinations so far gave.
#[derive(Default)]
struct Found {
    combinations: u64,
    below_median: f64,
    losses: u64,
    logits: Vec<f64>,
    line: Slope,
}

impl Found {
    /// One combination: the ratios in the half that chooses and in the other.
    fn add(&mut self, inside: &[f64], outside: &[f64]) {
        self.combinations += 1;
        let Some(best) = best(inside) else { return };
        let own = outside[best];
        let (mut below, mut equal, mut above) = (0u64, 0u64, 0u64);
        for order in outside.iter().filter_map(|sharpe| sharpe.partial_cmp(&own)) {
            below += u64::from(order.is_lt());
            equal += u64::from(order.is_eq());
            above += u64::from(order.is_gt());
        }
        // Of an undefined ratio nothing is even equal to itself.
        if below + equal + above < 2 {
            return;
        }
        // ω = r ÷ (N + 1), so ω ÷ (1 − ω) = r ÷ (N + 1 − r), with twice the mean rank, a whole number.
        let twice_rank = 2 * below + equal + 1;
        let twice_rest = 2 * above + equal + 1;
        self.below_median += match twice_rank.cmp(&twice_rest) {
            Ordering::Less => 1.0,
            Ordering::Equal => 0.5,
            Ordering::Greater => 0.0,
        };
        self.logits.push(libm::log(twice_rank as f64 / twice_rest as f64));
        self.losses += u64::from(own < 0.0);
        self.line.add(own, inside[best]);
    }

    fn finish(self, trials: u64, sums: &BlockSums) -> BacktestOverfitting {
        let decided = self.logits.len() as f64;
        let mut logits = Summary::default();
        self.logits.iter().for_each(|logit| logits.add(*logit));
        BacktestOverfitting {
            trials,
            blocks: sums.blocks as u64,
            periods: (sums.blocks * sums.block_periods) as u64,
            combinations: self.combinations,
            undecided: self.combinations - logits.count(),
            probability: ratio(self.below_median, decided),
            mean_logit: logits.mean(),
            logits: Percentiles::of(self.logits),
            degradation_slope: self.line.value(),
            degradation_intercept: self.line.intercept(),
            loss_probability: ratio(self.losses as f64, decided),
        }
    }
}

/// The first of the largest ratios; `None` where all are undefined.
fn best(sharpes: &[f64]) -> Option<usize> {
    let mut best: Option<usize> = None;
    for (index, sharpe) in sharpes.iter().enumerate().filter(|(_, sharpe)| !sharpe.is_nan()) {
        if best.is_none_or(|best| *sharpe > sharpes[best]) {
            best = Some(index);
        }
    }
    best
}
