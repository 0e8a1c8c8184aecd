//! How entries become trades: closed by an order at the market, by their own exits, or by a stop-out.

use super::{Dealing, Lot, Meeting, Posting};
use crate::intrabar::{Exit, Exits};
use crate::rates::Rate;
use crate::terms::{Priced, Purpose, share};
use crate::{EngineError, OrderEventKind, Recorder};
use fx_domain::{Costs, ExitReason, LedgerKind, Money, OrderId, Price, ProtectiveLevels, Side, Trade, Units};

/// At what price and cost, why and at whose word an entry is left.
struct Leaving {
    priced: Priced,
    rate: Rate,
    commission: i64,
    reason: ExitReason,
    order: OrderId,
    ambiguous: bool,
}

/// A lot that is left.
pub(super) struct Left {
    pub(super) trade: Trade,
    /// Before commission and financing, in millionths, as that of its last fill.
    pub(super) gain: i64,
    pub(super) commission: i64,
}

impl<R: Recorder> Dealing<'_, R> {
    /// Closes `units` of the position on `position` at the market, the oldest entry first.
    pub(crate) fn close(
        &mut self,
        order: OrderId,
        position: Side,
        units: Units,
        reason: ExitReason,
    ) -> Result<(), EngineError> {
        self.close_at(order, position, units, reason, Purpose::Exit)
    }

    /// Closes `units` of the position on `position` at this quote, the oldest entry first.
    pub(super) fn close_at(
        &mut self,
        order: OrderId,
        position: Side,
        units: Units,
        reason: ExitReason,
        purpose: Purpose,
    ) -> Result<(), EngineError> {
        let side = position.opposite();
        let priced = self.price(side, purpose)?;
        let rate = self.rate()?;
        let protect = ProtectiveLevels::default();
        self.tell(order, OrderEventKind::Filled { side, units, fill: priced.fill(), protect });
        let whole = self.commission(units, priced.price, rate)?;
        let (mut left, mut unpaid, mut index) = (units, whole, 0);
        while left > Units::ZERO {
            let Some(lot) = self.book.lots.get_mut(index) else { break };
            if lot.track != self.track || lot.side != position {
                index += 1;
                continue;
            }
            let part = lot.units.min(left);
            let commission = share(unpaid, part, left);
            (unpaid, left) = (unpaid - commission, left - part);
            let closed = if part == lot.units { self.book.lots.remove(index) } else { lot.split(part) };
            self.book_trade(&closed, &Leaving { priced, rate, commission, reason, order, ambiguous: false })?;
        }
        self.charge(whole, order, rate)
    }

    /// What leaving a lot here for the other side comes to, its amounts in the account's currency.
    #[inline(always)]
    pub(super) fn reversed(&self, lot: &Lot, order: OrderId) -> Result<Left, EngineError> {
        // The entry's price comes first.
        let priced = self.priced(lot.side.opposite(), Purpose::Exit, self.book.next_fill + 1)?;
        let (rate, reason) = (Rate::Same, ExitReason::Reverse);
        let commission = self.commission(lot.units, priced.price, rate)?;
        let leaving = Leaving { priced, rate, commission, reason, order, ambiguous: false };
        let (trade, gain) = self.trade(lot, &leaving)?;
        Ok(Left { trade, gain, commission })
    }

    /// Leaves every lot of the track that `find` finds an exit for.
    pub(crate) fn exit_where(&mut self, find: impl Fn(&Lot) -> Option<Exit>) -> Result<(), EngineError> {
        let mut index = 0;
        while let Some(lot) = self.book.lots.get(index) {
            let exit = if lot.track == self.track && lot.is_protected() { find(lot) } else { None };
            match exit {
                Some(exit) => self.exit(index, exit)?,
                None => index += 1,
            }
        }
        Ok(())
    }

    /// Lets one of its exits close a lot.
    pub(crate) fn exit(&mut self, index: usize, exit: Exit) -> Result<(), EngineError> {
        let lot = self.book.lots.remove(index);
        let Exit { reason, ambiguous, price } = exit;
        let side = lot.side.opposite();
        let purpose = if reason == ExitReason::TakeProfit { Purpose::Target } else { Purpose::Exit };
        let quote = self.at;
        self.meet_level(side, price);
        let priced = self.price(side, purpose)?;
        let rate = self.rate()?;
        let commission = self.commission(lot.units, priced.price, rate)?;
        let order = lot.order;
        self.tell(order, OrderEventKind::Exited { reason, units: lot.units, fill: priced.fill() });
        self.book_trade(&lot, &Leaving { priced, rate, commission, reason, order, ambiguous })?;
        self.charge(commission, order, rate)?;
        self.at = quote;
        self.see();
        Ok(())
    }

    /// Closes `units` of one lot at this quote because the margin level fell too far.
    pub(crate) fn stop_out(&mut self, index: usize, units: Units) -> Result<(), EngineError> {
        let lot = &mut self.book.lots[index];
        let whole = units == lot.units;
        let mut part = if whole { self.book.lots.remove(index) } else { lot.split(units) };
        part.units = units;
        let quote = (self.track, self.at);
        if part.track != self.track {
            self.track = part.track;
            if let Some(seen) = self.seen[usize::from(part.track)] {
                self.at = Meeting { bar: seen.bar, time: seen.opened, ..self.at.at(seen.bid, seen.ask) };
            }
        }
        let reason = ExitReason::StopOut;
        let priced = self.price(part.side.opposite(), Purpose::Exit)?;
        let rate = self.rate()?;
        let commission = self.commission(units, priced.price, rate)?;
        let order = part.order;
        self.tell(order, OrderEventKind::Exited { reason, units, fill: priced.fill() });
        self.book_trade(&part, &Leaving { priced, rate, commission, reason, order, ambiguous: false })?;
        self.charge(commission, order, rate)?;
        (self.track, self.at) = quote;
        Ok(())
    }

    fn book_trade(&mut self, lot: &Lot, leaving: &Leaving) -> Result<(), EngineError> {
        let (trade, gain) = self.trade(lot, leaving)?;
        self.recorder.trade(&trade);
        self.book.next_trade += 1;
        let posting = Posting::of(LedgerKind::ProfitLoss, Some(leaving.order), gain);
        self.post(Posting { conversion: leaving.rate.conversion(), ..posting })
    }

    /// What becomes of a lot, and its gain before commission and financing, in millionths.
    #[inline(always)]
    fn trade(&self, lot: &Lot, leaving: &Leaving) -> Result<(Trade, i64), EngineError> {
        let Leaving { priced: exit, rate, .. } = *leaving;
        let difference = Price::from_nanos(lot.side.sign() * (exit.price.nanos() - lot.price.nanos()));
        let gain = self.amount(lot.units, difference, rate)?;
        let cost = |distance| self.amount(lot.units, distance, rate);
        let sum = |a: i64, b: i64| a.checked_add(b).ok_or_else(|| self.overflow("cost"));
        let costs = Costs {
            spread_micros: sum(lot.costs.spread_micros, cost(exit.spread)?)?,
            commission_micros: sum(lot.costs.commission_micros, leaving.commission)?,
            slippage_micros: sum(lot.costs.slippage_micros, cost(exit.slippage)?)?,
            financing_micros: lot.costs.financing_micros,
        };
        let paid = sum(costs.commission_micros, costs.financing_micros)?;
        let profit = gain.checked_sub(paid).ok_or_else(|| self.overflow("cost"))?;
        let (lowest, highest) = (lot.lowest.min(exit.raw) - lot.price, lot.highest.max(exit.raw) - lot.price);
        let (mae, mfe) = match lot.side {
            Side::Long => (lowest, highest),
            Side::Short => (-highest, -lowest),
        };
        let trade = Trade {
            id: self.book.next_trade,
            position_id: lot.position_id,
            instrument: self.terms().instrument,
            side: lot.side,
            units: lot.units,
            entry_bar: lot.bar,
            exit_bar: self.at.bar,
            entry_time: lot.time,
            exit_time: self.at.time,
            entry_price: lot.price,
            exit_price: exit.price,
            profit_loss: Money::from_micros(profit, self.book.balance.currency()),
            costs,
            exit_reason: leaving.reason,
            ambiguous: leaving.ambiguous,
            mae,
            mfe,
        };
        Ok((trade, gain))
    }
}

impl Lot {
    pub(crate) const fn is_protected(&self) -> bool {
        self.protect.stop_loss.is_some() || self.protect.take_profit.is_some() || self.trail.is_some()
    }

    /// Its exits now: of stop loss and trailing stop the nearer one.
    pub(crate) fn exits(&self) -> Exits {
        let trail = self.trail.map(|trail| (trail, ExitReason::TrailingStop));
        let stop = match (self.protect.stop_loss, trail) {
            (Some(stop), Some((trail, _))) => {
                let trail_is_nearer = if self.side == Side::Long { trail > stop } else { trail < stop };
                if trail_is_nearer {
                    Some((trail, ExitReason::TrailingStop))
                } else {
                    Some((stop, ExitReason::StopLoss))
                }
            }
            (Some(stop), None) => Some((stop, ExitReason::StopLoss)),
            (None, trail) => trail,
        };
        Exits { side: self.side, stop, target: self.protect.take_profit }
    }

    /// Lets the trailing stop follow a price of the closing side.
    pub(crate) fn ratchet(&mut self, price: Price) {
        if let (Some(trail), Some(distance)) = (self.trail, self.protect.trailing_distance) {
            self.trail = Some(match self.side {
                Side::Long => trail.max(price - distance),
                Side::Short => trail.min(price + distance),
            });
        }
    }

    /// Takes `part` off, with its share of the entry's costs.
    fn split(&mut self, part: Units) -> Self {
        let take = |whole: &mut i64| {
            let taken = share(*whole, part, self.units);
            *whole -= taken;
            taken
        };
        let costs = Costs {
            spread_micros: take(&mut self.costs.spread_micros),
            commission_micros: take(&mut self.costs.commission_micros),
            slippage_micros: take(&mut self.costs.slippage_micros),
            financing_micros: take(&mut self.costs.financing_micros),
        };
        self.units = self.units - part;
        Self { units: part, costs, ..*self }
    }
}
