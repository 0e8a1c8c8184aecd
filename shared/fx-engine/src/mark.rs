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

/// The cost of the position in 64 bits, where its worth and its gain fit them too at every price of `range`.
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
}
