//! Equity over bars at which the position stands still.

use crate::book::Exposure;
use crate::terms::{NANOS_PER_MICRO, to_micros, to_micros_small};
use fx_domain::Price;

/// Marks the position at every close, moved by `shift_nanos`: balance and gain, the gain rounded once, half to even.
///
/// `range` holds the lowest and the highest of the moved prices. The gain is linear in the price, so that what fits at
/// both fits between: the loops below need no check of their own. `None` when equity does not fit.
pub(crate) fn mark(
    exposure: Exposure,
    balance: i64,
    closes: &[Price],
    shift_nanos: i64,
    range: [Price; 2],
    equity: &mut Vec<i64>,
) -> Option<()> {
    let (net, cost) = (exposure.net(), exposure.cost);
    for price in range {
        let gain = to_micros(i128::from(net) * i128::from(price.nanos()) - cost);
        i64::try_from(i128::from(balance) + gain).ok()?;
    }
    let moved = |close: &Price| close.nanos().wrapping_add(shift_nanos);
    let Some(cost) = small(net, cost, range) else {
        equity.extend(closes.iter().map(|close| {
            let gain = to_micros(i128::from(net) * i128::from(moved(close)) - cost);
            balance.wrapping_add(gain as i64)
        }));
        return Some(());
    };
    if net % NANOS_PER_MICRO == 0 && cost % NANOS_PER_MICRO == 0 {
        // Sizes in whole thousands leave nothing to round.
        let (step, offset) = (net / NANOS_PER_MICRO, balance.wrapping_sub(cost / NANOS_PER_MICRO));
        equity.extend(closes.iter().map(|close| step.wrapping_mul(moved(close)).wrapping_add(offset)));
    } else {
        equity.extend(closes.iter().map(|close| {
            let exact = net.wrapping_mul(moved(close)).wrapping_sub(cost);
            balance.wrapping_add(to_micros_small(exact))
        }));
    }
    Some(())
}

/// The largest balance, in millionths, that [`hold`] takes: with a gain that fits nanos · units, equity fits.
pub(crate) const HOLD_BALANCE_MAX: u64 = 1 << 62;

/// Marks a position of `net` units at every close as [`mark`] does, and yields the lowest and the highest price on the
/// way, all moved by `shift_nanos`. `bars` holds lows, highs and closes of one side; the balance is within
/// [`HOLD_BALANCE_MAX`]. `None`, and no sense in `equity`, where an amount does not fit 64 bits.
#[inline(always)]
pub(crate) fn hold(
    (net, entry): (i64, Price),
    balance: i64,
    bars: [&[Price]; 3],
    shift_nanos: i64,
    equity: &mut [i64],
) -> Option<[Price; 2]> {
    let cost = net.checked_mul(entry.nanos())?;
    let range = if net % NANOS_PER_MICRO == 0 {
        // Sizes in whole thousands leave nothing to round.
        let step = net / NANOS_PER_MICRO;
        let offset = balance.wrapping_sub(step.wrapping_mul(entry.nanos().wrapping_sub(shift_nanos)));
        walk(bars, equity, |close| step.wrapping_mul(close).wrapping_add(offset))
    } else {
        let cost = cost.wrapping_sub(net.wrapping_mul(shift_nanos));
        walk(bars, equity, |close| {
            balance.wrapping_add(to_micros_small(net.wrapping_mul(close).wrapping_sub(cost)))
        })
    };
    let range = range.map(|nanos| Price::from_nanos(nanos + shift_nanos));
    small(net, cost.into(), range).map(|_| range)
}

/// Writes what `equity_of` makes of each close, and yields the lowest low and the highest high.
///
/// Most stretches are short: bars are taken by the eight, then by the four, and what is left over together with bars that
/// were taken before, which changes nothing.
#[inline(always)]
fn walk(bars: [&[Price]; 3], equity: &mut [i64], equity_of: impl Fn(i64) -> i64) -> [i64; 2] {
    match equity.len() {
        8.. => walk_by::<8>(bars, equity, equity_of),
        4..8 => walk_by::<4>(bars, equity, equity_of),
        _ => walk_by::<1>(bars, equity, equity_of),
    }
}

#[inline(always)]
fn walk_by<const LANES: usize>(
    [lows, highs, closes]: [&[Price]; 3],
    equity: &mut [i64],
    equity_of: impl Fn(i64) -> i64,
) -> [i64; 2] {
    let (mut lowest, mut highest) = ([i64::MAX; LANES], [0; LANES]);
    let bars = equity.len();
    let mut from = 0;
    while from < bars {
        from = from.min(bars - LANES);
        let (Some(low), Some(high), Some(close), Some(out)) = (
            lows[from..].first_chunk::<LANES>(),
            highs[from..].first_chunk::<LANES>(),
            closes[from..].first_chunk::<LANES>(),
            equity[from..].first_chunk_mut::<LANES>(),
        ) else {
            break;
        };
        for lane in 0..LANES {
            lowest[lane] = lowest[lane].min(low[lane].nanos());
            highest[lane] = highest[lane].max(high[lane].nanos());
            out[lane] = equity_of(close[lane].nanos());
        }
        from += LANES;
    }
    [lowest.into_iter().fold(i64::MAX, i64::min), highest.into_iter().fold(0, i64::max)]
}

/// The cost of the position in 64 bits, where its worth and its gain fit them too at every price of `range`.
#[inline(always)]
fn small(net: i64, cost: i128, range: [Price; 2]) -> Option<i64> {
    let cost = i64::try_from(cost).ok()?;
    for price in range {
        net.checked_mul(price.nanos())?.checked_sub(cost)?;
    }
    Some(cost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_loop_marks_as_a_single_bar_is_marked() {
        let closes: Vec<_> = (0..500).map(|step| Price::from_nanos(1_099_000_000 + step * 4_567)).collect();
        let (shift, balance) = (123, 5_000_000_001);
        let moved: Vec<_> = closes.iter().map(|close| *close + Price::from_nanos(shift)).collect();
        // Whole thousands, odd sizes, and sizes whose worth needs more than 64 bits.
        for units in [13_000_i64, 778, 999_999_999_999] {
            for sign in [1, -1] {
                let cost = i128::from(sign * units) * 1_100_000_001;
                let (long, short) = if sign > 0 { (units, 0) } else { (0, units) };
                let exposure = Exposure { long, short, cost };
                let mut equity = Vec::new();
                mark(exposure, balance, &closes, shift, [moved[0], moved[499]], &mut equity).unwrap();
                let singly: Vec<_> = moved
                    .iter()
                    .map(|price| balance + to_micros(exposure.gain(*price, *price)) as i64)
                    .collect();
                assert_eq!(equity, singly, "{units}");
            }
        }
        let exposure = Exposure { long: 10_000, short: 0, cost: 1 };
        let range = [moved[0], moved[499]];
        assert_eq!(mark(exposure, i64::MAX - 1, &closes, shift, range, &mut Vec::new()), None);
    }

    #[test]
    fn a_stretch_of_any_length_is_held_as_it_is_marked() {
        let closes: Vec<_> =
            (0..40).map(|step| Price::from_nanos(1_100_000_000 + (step * 7_919 % 100) * 1_237)).collect();
        let lows: Vec<_> = closes.iter().map(|close| *close - Price::from_nanos(5_001)).collect();
        let highs: Vec<_> = closes.iter().map(|close| *close + Price::from_nanos(7_003)).collect();
        let (shift, balance, entry) = (321, 5_000_000_001, Price::from_nanos(1_100_000_007));
        for bars in 1..=closes.len() {
            for net in [13_000_i64, -13_000, 777, -1] {
                let mut held = vec![0; bars];
                let columns = [&lows[..bars], &highs[..bars], &closes[..bars]];
                let range = hold((net, entry), balance, columns, shift, &mut held).unwrap();
                let moved = Price::from_nanos(shift);
                let extremes = [*lows[..bars].iter().min().unwrap(), *highs[..bars].iter().max().unwrap()];
                assert_eq!(range, extremes.map(|price| price + moved));
                let (long, short) = (net.max(0), (-net).max(0));
                let cost = i128::from(net) * i128::from(entry.nanos());
                let mut marked = Vec::new();
                mark(Exposure { long, short, cost }, balance, &closes[..bars], shift, range, &mut marked)
                    .unwrap();
                assert_eq!(held, marked, "{net} units, {bars} bars");
            }
        }
        let too_much = hold((i64::MAX / 2, entry), 0, [&lows, &highs, &closes], 0, &mut [0; 40]);
        assert_eq!(too_much, None);
    }
}
