//! How entries become trades: closed by an order at the market, or by their own stop or target.

use super::{Dealing, Lot, Posting, Told};
use crate::intrabar::Exit;
use crate::order::PendingOrder;
use crate::terms::{Priced, Purpose, amount_micros, share};
use crate::{EngineError, OrderEventKind};
use fx_domain::{
    Costs, ExitReason, LedgerKind, Money, Ohlc, OrderId, Price, ProtectiveLevels, Side, Trade, Units,
};

/// At what price and cost, why and at whose word an entry is left.
struct Leaving {
    priced: Priced,
    commission: i64,
    reason: ExitReason,
    order: OrderId,
    ambiguous: bool,
}

impl Dealing<'_> {
    /// Closes `units` of the position at the market, the oldest entry first.
    pub(super) fn close(
        &mut self,
        order: &PendingOrder,
        units: Units,
        reason: ExitReason,
    ) -> Result<(), EngineError> {
        let Some(position) = self.book.side() else { return Ok(()) };
        let side = position.opposite();
        let priced = self.price(side, Purpose::Exit)?;
        self.tell(order, Told::of(side, units), OrderEventKind::Filled(priced.fill()));
        let whole = self.terms.commission(units, priced.price).ok_or_else(|| self.overflow("commission"))?;
        let (mut left, mut unpaid) = (units, whole);
        let mut gone = 0;
        while left > Units::ZERO && gone < self.book.lots.len() {
            let part = self.book.lots[gone].units.min(left);
            let commission = share(unpaid, part, left);
            (unpaid, left) = (unpaid - commission, left - part);
            let closed = self.book.lots[gone].split(part);
            gone += usize::from(self.book.lots[gone].units.is_zero());
            let leaving = Leaving { priced, commission, reason, order: order.id, ambiguous: false };
            self.book_trade(&closed, leaving)?;
        }
        self.book.lots.drain(..gone);
        self.charge(whole, order.id)
    }

    /// Leaves every lot whose exit `find` finds in the bar of the closing side.
    pub(crate) fn exit_where(
        &mut self,
        bar: Ohlc,
        find: impl Fn(Side, ProtectiveLevels, Ohlc) -> Option<Exit>,
    ) -> Result<(), EngineError> {
        if !self.book.lots.iter().any(Lot::is_protected) {
            return Ok(());
        }
        let mut index = 0;
        while let Some(lot) = self.book.lots.get(index) {
            match find(lot.side, lot.protect, bar) {
                Some(exit) => {
                    let lot = self.book.lots.remove(index);
                    self.exit(&lot, exit)?;
                }
                None => index += 1,
            }
        }
        Ok(())
    }

    /// Lets a protective exit close a lot that has left the book.
    fn exit(&mut self, lot: &Lot, exit: Exit) -> Result<(), EngineError> {
        let Exit { reason, ambiguous, .. } = exit;
        let purpose = if reason == ExitReason::TakeProfit { Purpose::Target } else { Purpose::Exit };
        let priced = self.terms.price(lot.side.opposite(), exit.price, purpose);
        let priced = priced.ok_or_else(|| self.overflow("fill price"))?;
        let commission = self.terms.commission(lot.units, priced.price);
        let commission = commission.ok_or_else(|| self.overflow("commission"))?;
        self.book_trade(lot, Leaving { priced, commission, reason, order: lot.order, ambiguous })?;
        self.charge(commission, lot.order)
    }

    fn book_trade(&mut self, lot: &Lot, leaving: Leaving) -> Result<(), EngineError> {
        let exit = leaving.priced;
        let difference = Price::from_nanos(lot.side.sign() * (exit.price.nanos() - lot.price.nanos()));
        let gain = amount_micros(lot.units, difference).ok_or_else(|| self.overflow("profit"))?;
        let cost = |distance| amount_micros(lot.units, distance).ok_or_else(|| self.overflow("cost"));
        let sum = |a: i64, b: i64| a.checked_add(b).ok_or_else(|| self.overflow("cost"));
        let costs = Costs {
            spread_micros: sum(lot.costs.spread_micros, cost(exit.spread)?)?,
            commission_micros: sum(lot.costs.commission_micros, leaving.commission)?,
            slippage_micros: sum(lot.costs.slippage_micros, cost(exit.slippage)?)?,
            financing_micros: lot.costs.financing_micros,
        };
        let profit = sum(gain, -sum(costs.commission_micros, costs.financing_micros)?)?;
        let (lowest, highest) = (lot.lowest.min(exit.raw) - lot.price, lot.highest.max(exit.raw) - lot.price);
        let (mae, mfe) = match lot.side {
            Side::Long => (lowest, highest),
            Side::Short => (-highest, -lowest),
        };
        self.journal.trades.push(Trade {
            id: self.book.next_trade,
            position_id: lot.position_id,
            instrument: self.terms.config.instrument,
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
        });
        self.book.next_trade += 1;
        self.post(Posting { kind: LedgerKind::ProfitLoss, order: Some(leaving.order), micros: gain })
    }
}

impl Lot {
    const fn is_protected(&self) -> bool {
        self.protect.stop_loss.is_some() || self.protect.take_profit.is_some()
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
