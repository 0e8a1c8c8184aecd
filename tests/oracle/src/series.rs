//! Averages and extremes of a history, each by its definition and in one stated order of summation.
//!
//! A history holds everything from the first bar to this one. What is asked is the value at its end.

use crate::arithmetic::finite;
use crate::value::{Kind, Number};

/// The last `bars` values, if there are so many and all are defined.
pub(crate) fn last_of(history: &[Option<f64>], bars: usize) -> Option<Vec<f64>> {
    let first = history.len().checked_sub(bars)?;
    history[first..].iter().copied().collect()
}

/// The values of a history.
pub(crate) fn values(history: &[Number]) -> Vec<Option<f64>> {
    history.iter().map(|number| number.now).collect()
}

/// The arithmetic mean of the last `bars` values: of a stored price the exact one, rounded once; of anything else by [`moments`].
pub(crate) fn simple_mean(history: &[Number], bars: usize) -> Option<f64> {
    match stored(history, bars) {
        Some(Window { numerators, denominator }) => {
            Some(nearest(numerators.iter().sum::<i128>(), denominator * numerators.len() as i128))
        }
        None => mean(&last_of(&values(history), bars)?),
    }
}

/// The population standard deviation of the last `bars` values. Of a stored price x ÷ d it is √(n·Σx² − (Σx)²) ÷ (n·d)
/// with exact sums; of anything else √ of the mean of the squares of the differences from the mean.
#[expect(clippy::cast_precision_loss, reason = "one rounding of an exact sum")]
pub(crate) fn deviation(history: &[Number], bars: usize) -> Option<f64> {
    if let Some(Window { numerators, denominator }) = stored(history, bars) {
        let count = numerators.len() as i128;
        let sum: i128 = numerators.iter().sum();
        let squares: i128 = numerators.iter().map(|x| x * x).sum();
        let spread = count * squares - sum * sum;
        return finite((spread as f64).sqrt() / (count as f64 * denominator as f64));
    }
    let window = last_of(&values(history), bars)?;
    let (_, squares) = moments(&window, Second::Squares);
    finite((squares / window.len() as f64).sqrt())
}

/// A window of a stored price: whole numbers over one denominator.
struct Window {
    numerators: Vec<i128>,
    denominator: i128,
}

fn stored(history: &[Number], bars: usize) -> Option<Window> {
    let mut window = Window { numerators: Vec::new(), denominator: 1 };
    for number in &history[history.len().checked_sub(bars)?..] {
        let Kind::Stored { numerator, denominator } = number.kind else { return None };
        window.numerators.push(i128::from(numerator));
        window.denominator = i128::from(denominator);
    }
    Some(window)
}

/// What is known of a window beside its mean.
#[derive(Clone, Copy)]
enum Second {
    /// The sum of the squares of the differences from the mean.
    Squares,
    /// The sum of the values times their distances from the window's middle bar.
    Tilt,
}

/// The mean and the second number of `window`, by halves that keep rounding small (Chan, Golub, LeVeque 1979): the newest
/// q values, q the largest power of two below n, and the p = n − q older ones are taken for themselves. Of both, with
/// δ = m_q − m_p, come the mean m_p + δ · (q ÷ n) and the second number.
#[expect(clippy::cast_precision_loss, reason = "a number of bars is small")]
fn moments(window: &[f64], second: Second) -> (f64, f64) {
    if let [only] = window {
        return (*only, 0.0);
    }
    let newest = window.len().div_ceil(2).next_power_of_two();
    let (older, newer) = window.split_at(window.len() - newest);
    let ((mean_p, second_p), (mean_q, second_q)) = (moments(older, second), moments(newer, second));
    let (p, q) = (older.len() as f64, newer.len() as f64);
    let apart = mean_q - mean_p;
    let between = match second {
        Second::Squares => (apart * apart) * ((p * q) / (p + q)),
        Second::Tilt => apart * ((p * q) / 2.0),
    };
    (mean_p + apart * (q / (p + q)), (second_p + second_q) + between)
}

/// The mean of `window`.
pub(crate) fn mean(window: &[f64]) -> Option<f64> {
    finite(moments(window, Second::Squares).0)
}

/// The mean of the distances from the mean, added from oldest to newest.
#[expect(clippy::cast_precision_loss, reason = "a number of bars is small")]
pub(crate) fn mean_deviation(window: &[f64]) -> Option<f64> {
    let (mean, _) = moments(window, Second::Squares);
    let sum = window.iter().fold(0.0, |sum, x| sum + (x - mean).abs());
    finite(sum / window.len() as f64)
}

/// The mean of `window` with weights 1 to n, the newest heaviest.
#[expect(clippy::cast_precision_loss, reason = "a number of bars is small")]
pub(crate) fn weighted_mean(window: &[f64]) -> Option<f64> {
    let count = window.len() as f64;
    let (mean, tilt) = moments(window, Second::Tilt);
    finite(mean + tilt / (count * (count + 1.0) / 2.0))
}

/// The rise per bar of the least squares line; of one value there is none.
pub(crate) fn slope(window: &[f64]) -> Option<f64> {
    let count = window.len() as i128;
    let (_, tilt) = moments(window, Second::Tilt);
    finite(tilt / nearest(count * (count * count - 1), 12))
}

/// The largest of `window`; of equal ones (zeros of either sign) the newest.
pub(crate) fn highest(window: &[f64]) -> Option<f64> {
    window.iter().copied().reduce(|older, newer| if newer >= older { newer } else { older })
}

/// The smallest of `window`; of equal ones the newest.
pub(crate) fn lowest(window: &[f64]) -> Option<f64> {
    window.iter().copied().reduce(|older, newer| if newer <= older { newer } else { older })
}

/// An average with memory: seeded with the mean of the first `bars` defined values, then moved by `step(average, x)`.
/// Undefined values are skipped, and the average is undefined on them. One that has overflowed stays undefined.
#[expect(clippy::cast_precision_loss, reason = "a number of bars is small")]
fn average_with_memory(
    history: &[Option<f64>],
    bars: usize,
    step: impl Fn(f64, f64) -> f64,
) -> Vec<Option<f64>> {
    let (mut seen, mut average) = (0, Some(0.0));
    let next = |x: &Option<f64>| {
        let x = (*x)?;
        seen += 1;
        average = average.and_then(|average| match seen {
            _ if seen < bars => finite(average + x),
            _ if seen == bars => finite(average + x).and_then(|sum| finite(sum / bars as f64)),
            _ => finite(step(average, x)),
        });
        average.filter(|_| seen >= bars)
    };
    history.iter().map(next).collect()
}

/// `y += 2 ÷ (bars + 1) · (x − y)`, at every bar.
#[expect(clippy::cast_precision_loss, reason = "a number of bars is small")]
pub(crate) fn exponential(history: &[Option<f64>], bars: usize) -> Vec<Option<f64>> {
    let weight = 2.0 / (bars as f64 + 1.0);
    average_with_memory(history, bars, |y, x| y + weight * (x - y))
}

/// `y = (y · (bars − 1) + x) ÷ bars`, at every bar.
#[expect(clippy::cast_precision_loss, reason = "a number of bars is small")]
pub(crate) fn wilder(history: &[Option<f64>], bars: usize) -> Vec<Option<f64>> {
    let count = bars as f64;
    average_with_memory(history, bars, |y, x| (y * (count - 1.0) + x) / count)
}

/// Wilder's relative strength index: 100 − 100 ÷ (1 + gains ÷ losses), both Wilder averages of the differences of
/// defined values. Without losses it is 100, of a flat price 50.
pub(crate) fn relative_strength(history: &[Option<f64>], bars: usize) -> Option<f64> {
    (*history.last()?)?;
    let known: Vec<f64> = history.iter().copied().flatten().collect();
    let changes = |part: fn(f64) -> f64| known.windows(2).map(|pair| Some(part(pair[1] - pair[0]))).collect();
    let (gains, losses): (Vec<_>, Vec<_>) =
        (changes(|change| change.max(0.0)), changes(|change| (-change).max(0.0)));
    let gain = wilder(&gains, bars).last().copied().flatten()?;
    let loss = wilder(&losses, bars).last().copied().flatten()?;
    if loss > 0.0 {
        finite(100.0 - 100.0 / (1.0 + gain / loss))
    } else {
        Some(if gain > 0.0 { 100.0 } else { 50.0 })
    }
}

/// Digits of a quotient that are written out before it is rounded: more than two neighbouring numbers share.
const DIGITS: usize = 40;

/// `numerator ÷ denominator`, rounded once to the nearest number, ties to even: its decimal digits, with a mark for what
/// is left, read as a number.
pub(crate) fn nearest(numerator: i128, denominator: i128) -> f64 {
    let sign = if (numerator < 0) == (denominator < 0) { "" } else { "-" };
    let (mut rest, divisor) = (numerator.unsigned_abs(), denominator.unsigned_abs());
    let mut digits = format!("{sign}{}.", rest / divisor);
    for _ in 0..DIGITS {
        rest = rest % divisor * 10;
        digits.push(char::from(b'0' + u8::try_from(rest / divisor).unwrap_or(0)));
    }
    digits.push(if rest % divisor == 0 { '0' } else { '1' });
    digits.parse().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotient_is_rounded_once() {
        assert_eq!(nearest((1 << 53) + 1, 1).to_bits(), 9_007_199_254_740_992_f64.to_bits());
        assert_eq!(nearest((1 << 53) + 3, 1).to_bits(), 9_007_199_254_740_996_f64.to_bits());
        assert_eq!(nearest((1 << 53) + 1, 3).to_bits(), 3_002_399_751_580_331_f64.to_bits());
        assert_eq!(nearest(-10, 4).to_bits(), (-2.5_f64).to_bits());
    }

    #[test]
    fn a_flat_price_has_a_strength_of_50() {
        let history = [Some(1.0), None, Some(1.0), Some(1.0)];
        assert_eq!(relative_strength(&history, 2), Some(50.0));
        assert_eq!(relative_strength(&history, 3), None);
        assert_eq!(relative_strength(&history[..2], 1), None);
    }
}
