//! Which exit of an entry a bar reaches first.

use crate::IntrabarPolicy;
use fx_domain::{ExitReason, Ohlc, Price, Side};

/// The exits of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exits {
    /// The entry's side.
    pub(crate) side: Side,
    /// Where a loss is taken, and by which of its orders.
    pub(crate) stop: Option<(Price, ExitReason)>,
    /// Where a gain is taken.
    pub(crate) target: Option<Price>,
}

/// An exit at a price, before spread and slippage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit {
    pub(crate) price: Price,
    pub(crate) reason: ExitReason,
    /// The bar leaves open whether it came at all, or came first: the policy chose.
    pub(crate) ambiguous: bool,
}

/// Since when an entry stands in the bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Since its open, or an earlier bar.
    SinceOpen,
    /// Since some moment inside.
    SinceInside,
}

impl Exits {
    /// Whether a price of the closing side has reached the stop, or the target.
    fn reached(&self, price: Price, towards: Towards) -> Option<(Price, ExitReason)> {
        let (level, below) = match towards {
            Towards::Stop => (self.stop, self.side == Side::Long),
            Towards::Target => {
                (self.target.map(|level| (level, ExitReason::TakeProfit)), self.side == Side::Short)
            }
        };
        level.filter(|(level, _)| if below { price <= *level } else { price >= *level })
    }

    /// The exit that a single price of the closing side has passed: it fills there, which is worse than a stop and better
    /// than a target.
    pub(crate) fn at(&self, price: Price) -> Option<Exit> {
        let exit = |(_, reason)| Exit { price, reason, ambiguous: false };
        let passed = self.reached(price, Towards::Stop).or_else(|| self.reached(price, Towards::Target));
        passed.map(exit)
    }

    /// The exit that the policies without a path find in a bar of the closing side. A touch is enough, and fills at the
    /// level.
    ///
    /// Of an entry that stands since the open, a level touched alone is reached without doubt: only a bar that touches
    /// both needs the policy. An entry at the open may find a level passed already: a stop fills at once, and so does a
    /// target, except that the pessimistic policy lets a stop that the bar touches come first. An entry inside the bar
    /// takes the exit that the policy prefers not to see only where the bar closes beyond it.
    pub(crate) fn inside(&self, policy: IntrabarPolicy, standing: Standing, bar: Ohlc) -> Option<Exit> {
        let (stop_extreme, target_extreme) =
            if self.side == Side::Long { (bar.low, bar.high) } else { (bar.high, bar.low) };
        let stop = self.reached(stop_extreme, Towards::Stop);
        let target = self.reached(target_extreme, Towards::Target);
        let both = stop.is_some() && target.is_some();
        let exit = |ambiguous| move |(price, reason)| Exit { price, reason, ambiguous };
        let pessimistic = policy == IntrabarPolicy::Pessimistic;
        match standing {
            Standing::SinceOpen => {
                if let Some(exit) = self.at(bar.open) {
                    let doubted = exit.reason == ExitReason::TakeProfit && both && pessimistic;
                    if !doubted {
                        return Some(exit);
                    }
                }
                let first = if pessimistic { stop.or(target) } else { target.or(stop) };
                first.map(exit(both))
            }
            Standing::SinceInside => {
                let stopped = self.reached(bar.close, Towards::Stop).is_some();
                let gained = self.reached(bar.close, Towards::Target).is_some();
                let (stop, target) = if pessimistic {
                    (stop, target.filter(|_| gained))
                } else {
                    (stop.filter(|_| stopped), target)
                };
                let first = if pessimistic { stop.or(target) } else { target.or(stop) };
                first.map(|found| exit(both || !(stopped || gained))(found))
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Towards {
    Stop,
    Target,
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

    fn exits(side: Side, stop: i64, target: i64) -> Exits {
        let price = Price::from_nanos;
        Exits { side, stop: Some((price(stop), ExitReason::StopLoss)), target: Some(price(target)) }
    }

    fn found(policy: IntrabarPolicy, standing: Standing, exits: Exits) -> Option<(i64, ExitReason, bool)> {
        exits.inside(policy, standing, BAR).map(|exit| (exit.price.nanos(), exit.reason, exit.ambiguous))
    }

    #[test]
    fn a_bar_that_touches_both_levels_is_settled_by_the_policy() {
        use ExitReason::{StopLoss, TakeProfit};
        for (policy, reason) in
            [(IntrabarPolicy::Pessimistic, StopLoss), (IntrabarPolicy::Optimistic, TakeProfit)]
        {
            for exits in [exits(Side::Long, 95, 110), exits(Side::Short, 110, 95)] {
                let exit = found(policy, Standing::SinceOpen, exits).unwrap();
                assert_eq!((exit.1, exit.2), (reason, true), "{policy:?}");
            }
        }
    }

    #[test]
    fn a_touch_is_enough_and_a_miss_by_one_is_none() {
        let exit = |stop, target| {
            found(IntrabarPolicy::Pessimistic, Standing::SinceOpen, exits(Side::Long, stop, target))
        };
        assert_eq!(exit(94, 111), None);
        assert_eq!(exit(94, 110), Some((110, ExitReason::TakeProfit, false)));
        assert_eq!(exit(95, 111), Some((95, ExitReason::StopLoss, false)));
    }

    #[test]
    fn an_entry_beyond_its_target_takes_it_unless_pessimism_sees_the_stop_touched() {
        let exit = |policy, stop| found(policy, Standing::SinceOpen, exits(Side::Long, stop, 99));
        assert_eq!(exit(IntrabarPolicy::Pessimistic, 95), Some((95, ExitReason::StopLoss, true)));
        assert_eq!(exit(IntrabarPolicy::Pessimistic, 90), Some((100, ExitReason::TakeProfit, false)));
        assert_eq!(exit(IntrabarPolicy::Optimistic, 101), Some((100, ExitReason::StopLoss, false)));
    }

    #[test]
    fn an_entry_inside_the_bar_gains_only_where_the_close_is_beyond_the_target() {
        use IntrabarPolicy::{Optimistic, Pessimistic};
        let exit =
            |policy, stop, target| found(policy, Standing::SinceInside, exits(Side::Long, stop, target));
        assert_eq!(exit(Pessimistic, 90, 110), None);
        assert_eq!(exit(Pessimistic, 90, 105), Some((105, ExitReason::TakeProfit, false)));
        assert_eq!(exit(Pessimistic, 95, 105), Some((95, ExitReason::StopLoss, true)));
        assert_eq!(exit(Optimistic, 95, 110), Some((110, ExitReason::TakeProfit, true)));
        assert_eq!(exit(Optimistic, 95, 111), None);
        assert_eq!(exit(Optimistic, 105, 111), Some((105, ExitReason::StopLoss, false)));
    }

    #[test]
    fn a_gap_fills_at_the_open() {
        let exit = |side, stop, target| {
            exits(side, stop, target).at(BAR.open).map(|exit| (exit.price.nanos(), exit.reason))
        };
        assert_eq!(exit(Side::Long, 101, 120), Some((100, ExitReason::StopLoss)));
        assert_eq!(exit(Side::Long, 90, 99), Some((100, ExitReason::TakeProfit)));
        assert_eq!(exit(Side::Short, 99, 80), Some((100, ExitReason::StopLoss)));
        assert_eq!(exit(Side::Short, 120, 101), Some((100, ExitReason::TakeProfit)));
        assert_eq!(exit(Side::Long, 99, 101), None);
    }
}
