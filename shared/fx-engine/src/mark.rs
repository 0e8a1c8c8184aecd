//! Equity over bars at which the position stands still.

use crate::book::Book;
use crate::terms::{NANOS_PER_MICRO, to_micros, to_micros_small};
use fx_domain::Price;

/// Marks the position at every close, moved by `shift_nanos`: balance and gain, the gain rounded once, half to even.
///
/// `range` holds the lowest and the highest of the moved prices. The gain is linear in the price, so that what fits at
/// both fits between: the loops below need no check of their own. `None` when equity does not fit.
pub(crate) fn mark(
    book: &Book,
    closes: &[Price],
    shift_nanos: i64,
    range: [Price; 2],
    equity: &mut Vec<i64>,
) -> Option<()> {
    for price in range {
        book.equity_at(price)?;
    }
    let (net, cost) = book.exposure();
    let balance = book.balance.micros();
    let moved = |close: &Price| close.nanos().wrapping_add(shift_nanos);
    let Some(cost) = small(net, cost, range) else {
        equity.extend(closes.iter().map(|close| {
            let gain = to_micros(i128::from(net) * i128::from(moved(close)) - cost);
            balance.wrapping_add(gain as i64)
        }));
        return Some(());
    };
    if book.lots.iter().all(|lot| lot.units.get() % NANOS_PER_MICRO == 0) {
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
    use crate::book::Lot;
    use fx_domain::{Costs, Currency, Money, OrderId, ProtectiveLevels, Side, Units, UnixNanos};

    fn lot(side: Side, units: i64) -> Lot {
        let price = Price::from_nanos(1_100_000_001);
        Lot {
            position_id: 0,
            order: OrderId(0),
            side,
            units: Units::new(units),
            price,
            time: UnixNanos::new(0),
            bar: 0,
            protect: ProtectiveLevels::default(),
            costs: Costs::default(),
            lowest: price,
            highest: price,
        }
    }

    #[test]
    fn each_loop_marks_as_a_single_bar_is_marked() {
        let closes: Vec<_> = (0..500).map(|step| Price::from_nanos(1_099_000_000 + step * 4_567)).collect();
        let shift = 123;
        let moved: Vec<_> = closes.iter().map(|close| *close + Price::from_nanos(shift)).collect();
        // Whole thousands, odd sizes, and sizes whose worth needs more than 64 bits.
        for sizes in [vec![10_000, 3_000], vec![1, 777], vec![999_999_999_999, 1_000]] {
            for side in [Side::Long, Side::Short] {
                let mut book = Book::new(Money::from_micros(5_000_000_001, Currency::USD));
                book.lots = sizes.iter().map(|units| lot(side, *units)).collect();
                let mut equity = Vec::new();
                mark(&book, &closes, shift, [moved[0], moved[499]], &mut equity).unwrap();
                let singly: Vec<_> = moved.iter().map(|price| book.equity_at(*price).unwrap()).collect();
                assert_eq!(equity, singly, "{side:?} {sizes:?}");
            }
        }
        let mut book = Book::new(Money::from_micros(i64::MAX - 1, Currency::USD));
        book.lots = vec![lot(Side::Long, 10_000)];
        assert_eq!(mark(&book, &closes, shift, [moved[0], moved[499]], &mut Vec::new()), None);
    }
}
