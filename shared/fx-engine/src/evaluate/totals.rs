//! Means of stored prices, and comparisons of them.
//!
//! The prices of a block are added up once per series, in whole numbers; the sum of a window is the difference of two
//! of these totals, however many windows read the series. As floats the totals are exact, and so are their differences,
//! while they stay below 2^52.

use crate::BLOCK;
use crate::indicator::PriceWindow;
use crate::market::Series;
use crate::value::{Tri, UNDEFINED, UNKNOWN, nearest_quotient};
use fx_strategy::Binary;
use std::ops::Range;

/// 2^52. Up to it, whole numbers are floats, and the step from a float to the next is one at most.
const WHOLE: i64 = 1 << 52;

/// What the prices of a series come to from the start of a block: entry `k` is the sum of its first `k` bars.
pub(crate) struct Totals {
    /// Without `shift_nanos`, which each bar adds.
    whole: Vec<i64>,
    shift_nanos: i64,
    /// The totals as floats; meaningless unless `exact`.
    floats: Vec<f64>,
    /// Whether every total is below [`WHOLE`].
    exact: bool,
}

impl Totals {
    pub(crate) fn new() -> Self {
        Self { whole: vec![0; BLOCK + 1], shift_nanos: 0, floats: vec![0.0; BLOCK + 1], exact: true }
    }

    /// Adds up the bars of `range`. Prices are above zero and at most 2 · [`PRICE_MAX`](crate::PRICE_MAX), so that the
    /// totals of a block ascend and fit.
    #[inline(always)]
    pub(crate) fn add_up(&mut self, series: Series<'_>, range: Range<usize>) {
        let bars = range.len();
        let whole = &mut self.whole[1..=bars];
        match series {
            Series::One { column, shift_nanos } => {
                self.shift_nanos = shift_nanos;
                running_totals(column[range].iter().map(|price| price.nanos()), whole);
            }
            Series::Mid { bid, ask, shift_nanos } => {
                self.shift_nanos = shift_nanos;
                let pairs = bid[range.clone()].iter().zip(&ask[range]);
                running_totals(pairs.map(|(bid, ask)| bid.nanos().wrapping_add(ask.nanos())), whole);
            }
        }
        // The sums wait for each other, the shifts need not.
        let mut shift = 0_i64;
        for (float, whole) in self.floats[1..=bars].iter_mut().zip(whole) {
            shift = shift.wrapping_add(self.shift_nanos);
            *float = exact_float(whole.wrapping_add(shift));
        }
        self.exact = self.whole(bars) < WHOLE;
    }

    fn whole(&self, bars: usize) -> i64 {
        self.whole[bars] + bars as i64 * self.shift_nanos
    }

    /// A bound of the sums of `length` bars in a row among the first `bars`: any such run lies within two neighbouring
    /// stretches that are as long or longer.
    #[inline(always)]
    fn largest_sum(&self, length: usize, bars: usize) -> f64 {
        const STRETCH: usize = 64;
        let stretch = length.max(STRETCH);
        let starts = (0..bars).step_by(stretch);
        let sums = starts.map(|from| self.floats[bars.min(from + 2 * stretch)] - self.floats[from]);
        sums.fold(0.0, f64::max)
    }
}

#[inline(always)]
fn running_totals(nanos: impl Iterator<Item = i64>, out: &mut [i64]) {
    let mut total = 0_i64;
    for (out, nanos) in out.iter_mut().zip(nanos) {
        total = total.wrapping_add(nanos);
        *out = total;
    }
}

/// A whole number from 0 to 2^52 as a float, by its bits: vectors of any processor do this, a conversion few.
#[inline(always)]
fn exact_float(whole: i64) -> f64 {
    const BIAS: f64 = WHOLE as f64;
    f64::from_bits(whole as u64 | BIAS.to_bits()) - BIAS
}

/// The bars of `range` as floats, one rounding each.
#[inline(always)]
pub(crate) fn prices(series: Series<'_>, range: Range<usize>, out: &mut [f64]) {
    let scale = series.scale() as f64;
    match series {
        Series::One { column, shift_nanos } => {
            for (out, price) in out.iter_mut().zip(&column[range]) {
                *out = exact_float(price.nanos().wrapping_add(shift_nanos)) / scale;
            }
        }
        Series::Mid { bid, ask, shift_nanos } => {
            for ((out, bid), ask) in out.iter_mut().zip(&bid[range.clone()]).zip(&ask[range]) {
                *out = exact_float(bid.nanos().wrapping_add(ask.nanos()).wrapping_add(shift_nanos)) / scale;
            }
        }
    }
}

/// The sums of a window over a block; its means where the sums are too large to be exact floats.
pub(crate) struct Sums {
    values: Vec<f64>,
    /// What the values are still to be divided by; 1 for means.
    divisor: u64,
    /// No value is above it.
    largest: f64,
    /// Values at the front that belong to a window which is not yet full.
    undefined: usize,
}

impl Sums {
    pub(crate) fn new() -> Self {
        Self { values: vec![0.0; BLOCK], divisor: 1, largest: 0.0, undefined: 0 }
    }

    /// Takes `window` over the bars of `range`, which `totals` has added up.
    #[inline(always)]
    pub(crate) fn take(
        &mut self,
        window: &mut PriceWindow,
        totals: &Totals,
        series: Series<'_>,
        range: Range<usize>,
    ) {
        let (length, bars) = (window.bars(), range.len());
        let leaving = length.min(bars);
        self.undefined = length.saturating_sub(window.seen() + 1).min(bars);
        self.largest = totals.largest_sum(length, bars).max(window.sum() as f64 + totals.floats[leaving]);
        self.divisor = length as u64 * series.scale() as u64;
        let (before, after) = self.values[..bars].split_at_mut(leaving);
        if totals.exact && self.largest < WHOLE as f64 {
            let totals = &totals.floats[1..=bars];
            window.left(before.iter_mut().zip(totals), |(sum, total), left| *sum = left as f64 + total);
            for ((sum, upper), lower) in after.iter_mut().zip(&totals[leaving..]).zip(totals) {
                *sum = upper - lower;
            }
        } else {
            let mean = |sum: i64| nearest_quotient(sum.unsigned_abs(), self.divisor);
            window.left(before.iter_mut().zip(1..), |(out, bar), left| *out = mean(left + totals.whole(bar)));
            for (out, bar) in after.iter_mut().zip(leaving + 1..) {
                *out = mean(totals.whole(bar) - totals.whole(bar - length));
            }
            (self.divisor, self.largest) = (1, f64::INFINITY);
        }
        window.remember(totals.whole(bars) - totals.whole(bars - leaving), series, range);
    }

    /// The means, each rounded once.
    #[inline(always)]
    pub(crate) fn means(&self, out: &mut [f64]) {
        let divisor = self.divisor as f64;
        for (out, sum) in out.iter_mut().zip(&self.values) {
            *out = sum / divisor;
        }
        out[..self.undefined].fill(UNDEFINED);
    }
}

/// Compares two means, without dividing where that is the same.
///
/// Let p ÷ c and q ÷ d be the exact means, g the greatest common divisor of c and d, and P = p · d/g, Q = q · c/g: p ÷ c
/// and q ÷ d stand to each other as P and Q do, their difference is (P − Q) · g/(c·d). The claim: if P and Q are below
/// 2^52, then the means, each rounded once, also stand to each other as P and Q do.
/// - P = Q: the means are equal, and so are their nearest floats.
/// - P < Q: rounding keeps the order or makes them equal. Suppose both round to one float f, and let u be the step from f
///   to the next float above. Nothing further from f than u/2 rounds to f, so they differ by u at most, and
///   u ≤ 2^-52 · f. P and Q are whole, so that the means differ by g/(c·d) at least: g/(c·d) ≤ 2^-52 · f. The larger mean
///   is Q · g/(c·d) ≤ (2^52 − 1) · g/(c·d), and f is at most 1 + 2^-53 times that, which is below 2^52 · g/(c·d). So
///   g/(c·d) < g/(c·d), which is not so.
///
/// Below 2^52, P and Q are also exact as products of floats.
#[inline(always)]
pub(crate) fn compare_means(op: Binary, a: &Sums, b: &Sums, out: &mut [Tri]) {
    let common = greatest_common_divisor(a.divisor, b.divisor);
    let [by_a, by_b] = [b.divisor / common, a.divisor / common].map(|factor| factor as f64);
    let whole = WHOLE as f64;
    if a.largest * by_a < whole && b.largest * by_b < whole {
        compare_each(op, &a.values, &b.values, |a, b| (a * by_a, b * by_b), out);
    } else {
        let [by_a, by_b] = [a.divisor, b.divisor].map(|divisor| divisor as f64);
        compare_each(op, &a.values, &b.values, |a, b| (a / by_a, b / by_b), out);
    }
    out[..a.undefined.max(b.undefined)].fill(UNKNOWN);
}

/// Compares what `scaled` makes of two defined numbers.
#[inline(always)]
#[expect(clippy::float_cmp, reason = "a strategy's == is the comparison that Python makes")]
fn compare_each(op: Binary, a: &[f64], b: &[f64], scaled: impl Fn(f64, f64) -> (f64, f64), out: &mut [Tri]) {
    macro_rules! loops {
        ($($name:ident $operator:tt),*) => {
            match op {
                $(Binary::$name => for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                    let (a, b) = scaled(*a, *b);
                    *out = Tri::from(a $operator b);
                },)*
                _ => out.fill(UNKNOWN),
            }
        };
    }
    loops!(Lt <, Le <=, Gt >, Ge >=, Eq ==, Ne !=);
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PRICE_MAX;
    use crate::value::compare;
    use proptest::prelude::*;

    const OPERATORS: [Binary; 6] = [Binary::Lt, Binary::Le, Binary::Gt, Binary::Ge, Binary::Eq, Binary::Ne];

    fn sums(sum: i64, divisor: u64) -> Sums {
        let mean = nearest_quotient(sum as u64, divisor);
        let fits = sum < WHOLE;
        Sums {
            values: vec![if fits { sum as f64 } else { mean }],
            divisor: if fits { divisor } else { 1 },
            largest: if fits { sum as f64 } else { f64::INFINITY },
            undefined: 0,
        }
    }

    /// The number that `of` must be multiplied with to leave 1 when divided by `modulus`; they have no common divisor.
    fn inverse(of: i128, modulus: i128) -> i128 {
        let (mut rest, mut next, mut factor, mut next_factor) = (modulus, of % modulus, 0, 1);
        while next != 0 {
            let quotient = rest / next;
            (rest, next) = (next, rest - quotient * next);
            (factor, next_factor) = (next_factor, factor - quotient * next_factor);
        }
        factor.rem_euclid(modulus)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

        /// Means that are equal, or differ by the least that two means can, at every size of price.
        #[test]
        fn comparing_sums_is_comparing_rounded_means(
            bars in (1_u64..10_000, 1_u64..10_000),
            few in any::<bool>(),
            scales in (1_u64..=2, 1_u64..=2),
            size in 1_u32..48,
            price in any::<u64>(),
            gap in 0_i128..4,
            larger_first in any::<bool>(),
        ) {
            let few = |bars: u64| if few { 1 + bars % 60 } else { bars };
            let (c, d) = (few(bars.0) * scales.0, few(bars.1) * scales.1);
            let common = greatest_common_divisor(c, d);
            let (by_q, by_p) = (i128::from(c / common), i128::from(d / common));
            let price = (price >> (64 - size)).clamp(1, PRICE_MAX.nanos() as u64);
            let p = i128::from(price * c) / by_q * by_q + by_q + inverse(by_p, by_q) * gap % by_q;
            let q = (p * by_p - gap) / by_q;
            prop_assert_eq!(p * by_p - q * by_q, gap);
            let (mut left, mut right) = ((p as i64, c * 1_000_000_000), (q as i64, d * 1_000_000_000));
            if !larger_first {
                std::mem::swap(&mut left, &mut right);
            }
            let (a, b) = (sums(left.0, left.1), sums(right.0, right.1));
            for op in OPERATORS {
                let mut found = [UNKNOWN];
                compare_means(op, &a, &b, &mut found);
                let mean = |(sum, divisor): (i64, u64)| nearest_quotient(sum as u64, divisor);
                prop_assert_eq!(found[0], compare(op, mean(left), mean(right)), "{:?} {:?} {:?}", left, op, right);
            }
        }
    }

    /// Past the bound, different means do round to one float: the sums alone would call them different.
    #[test]
    fn means_that_round_to_one_float_are_equal() {
        let (c, d) = (9_999 * 1_000_000_000_i64, 10_000 * 1_000_000_000_i64);
        let p = 9_999 * (PRICE_MAX.nanos() / 1_000) + 1;
        let q = 10_000 * (PRICE_MAX.nanos() / 1_000) + 1;
        assert_ne!(i128::from(p) * i128::from(d), i128::from(q) * i128::from(c));
        let mut found = [UNKNOWN];
        compare_means(Binary::Eq, &sums(p, c as u64), &sums(q, d as u64), &mut found);
        assert_eq!(found, [1]);
    }
}
