//! Which exit a bar's path reaches first.

use crate::IntrabarPolicy;
use fx_domain::{ExitReason, Ohlc, Price, ProtectiveLevels, Side};

/// An exit inside a bar, before spread and slippage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit {
    pub(crate) price: Price,
    pub(crate) reason: ExitReason,
    /// Both levels were touched, so that the policy chose.
    pub(crate) ambiguous: bool,
}

/// The exit of a position that stands at the bar's open, when the open has passed a level: it fills at the open, which
/// is worse than a stop and better than a target. `bar` is the side that closes the position.
pub(crate) fn at_open(side: Side, levels: ProtectiveLevels, bar: Ohlc) -> Option<Exit> {
    let exit = |reason| Some(Exit { price: bar.open, reason, ambiguous: false });
    let passed = |level: Option<Price>, beyond: Side| {
        level.is_some_and(|level| match beyond {
            Side::Long => bar.open >= level,
            Side::Short => bar.open <= level,
        })
    };
    if passed(levels.stop_loss, side.opposite()) {
        exit(ExitReason::StopLoss)
    } else if passed(levels.take_profit, side) {
        exit(ExitReason::TakeProfit)
    } else {
        None
    }
}

/// The exit that the path from the bar's open reaches first. A touch is enough, and fills at the level.
///
/// Every market entry stands at the bar's open or before, so a target touched while the stop is not is reached without
/// doubt: only a bar that touches both needs the policy. An entry at the open may find a level passed already: a stop
/// fills at once, and so does a target, except that the pessimistic policy lets a stop that the bar touches come first.
pub(crate) fn inside(
    policy: IntrabarPolicy,
    side: Side,
    levels: ProtectiveLevels,
    bar: Ohlc,
) -> Option<Exit> {
    let touched = |level: Option<Price>, extreme: Side| {
        level.filter(|level| match extreme {
            Side::Long => bar.high >= *level,
            Side::Short => bar.low <= *level,
        })
    };
    let stop = touched(levels.stop_loss, side.opposite());
    let target = touched(levels.take_profit, side);
    let ambiguous = stop.is_some() && target.is_some();
    if let Some(exit) = at_open(side, levels, bar) {
        let doubted =
            exit.reason == ExitReason::TakeProfit && ambiguous && policy == IntrabarPolicy::Pessimistic;
        if !doubted {
            return Some(exit);
        }
    }
    let stop = stop.map(|price| Exit { price, reason: ExitReason::StopLoss, ambiguous });
    let target = target.map(|price| Exit { price, reason: ExitReason::TakeProfit, ambiguous });
    if stop_first(policy, side, bar) { stop.or(target) } else { target.or(stop) }
}

fn stop_first(policy: IntrabarPolicy, side: Side, bar: Ohlc) -> bool {
    let low_first = match policy {
        IntrabarPolicy::Pessimistic => return true,
        IntrabarPolicy::Optimistic => return false,
        IntrabarPolicy::Ohlc => false,
        IntrabarPolicy::Olhc => true,
        IntrabarPolicy::NearestExtremeFirst => bar.high - bar.open >= bar.open - bar.low,
    };
    low_first == (side == Side::Long)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAR: Ohlc = Ohlc {
        open: Price::from_nanos(100),
        high: Price::from_nanos(110),
        low: Price::from_nanos(95),
        close: Price::from_nanos(105),
    };

    fn levels(stop: i64, target: i64) -> ProtectiveLevels {
        let price = |nanos| Some(Price::from_nanos(nanos));
        ProtectiveLevels { stop_loss: price(stop), take_profit: price(target) }
    }

    #[test]
    fn each_policy_settles_a_bar_that_touches_both_levels() {
        use ExitReason::{StopLoss, TakeProfit};
        for (policy, long, short) in [
            (IntrabarPolicy::Pessimistic, StopLoss, StopLoss),
            (IntrabarPolicy::Optimistic, TakeProfit, TakeProfit),
            (IntrabarPolicy::Ohlc, TakeProfit, StopLoss),
            (IntrabarPolicy::Olhc, StopLoss, TakeProfit),
            (IntrabarPolicy::NearestExtremeFirst, StopLoss, TakeProfit),
        ] {
            let reason =
                |side, levels| inside(policy, side, levels, BAR).map(|exit| (exit.reason, exit.ambiguous));
            assert_eq!(reason(Side::Long, levels(95, 110)), Some((long, true)), "{policy:?}");
            assert_eq!(reason(Side::Short, levels(110, 95)), Some((short, true)), "{policy:?}");
        }
    }

    #[test]
    fn a_touch_is_enough_and_a_miss_by_one_is_none() {
        let exit = |stop, target| inside(IntrabarPolicy::Pessimistic, Side::Long, levels(stop, target), BAR);
        assert_eq!(exit(94, 111), None);
        assert_eq!(exit(94, 110).map(|exit| (exit.price.nanos(), exit.ambiguous)), Some((110, false)));
        assert_eq!(exit(95, 111).map(|exit| (exit.price.nanos(), exit.ambiguous)), Some((95, false)));
    }

    #[test]
    fn an_entry_beyond_its_target_takes_it_unless_pessimism_sees_the_stop_touched() {
        let exit = |policy, stop| {
            inside(policy, Side::Long, levels(stop, 99), BAR)
                .map(|exit| (exit.price.nanos(), exit.reason, exit.ambiguous))
        };
        assert_eq!(exit(IntrabarPolicy::Pessimistic, 95), Some((95, ExitReason::StopLoss, true)));
        assert_eq!(exit(IntrabarPolicy::Olhc, 95), Some((100, ExitReason::TakeProfit, false)));
        assert_eq!(exit(IntrabarPolicy::Pessimistic, 90), Some((100, ExitReason::TakeProfit, false)));
        assert_eq!(exit(IntrabarPolicy::Optimistic, 101), Some((100, ExitReason::StopLoss, false)));
    }

    #[test]
    fn a_gap_fills_at_the_open() {
        let exit = |side, stop, target| {
            at_open(side, levels(stop, target), BAR).map(|exit| (exit.price.nanos(), exit.reason))
        };
        assert_eq!(exit(Side::Long, 101, 120), Some((100, ExitReason::StopLoss)));
        assert_eq!(exit(Side::Long, 90, 99), Some((100, ExitReason::TakeProfit)));
        assert_eq!(exit(Side::Short, 99, 80), Some((100, ExitReason::StopLoss)));
        assert_eq!(exit(Side::Short, 120, 101), Some((100, ExitReason::TakeProfit)));
        assert_eq!(exit(Side::Long, 99, 101), None);
    }
}
