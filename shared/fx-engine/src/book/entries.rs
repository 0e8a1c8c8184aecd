//! How orders become entries: what they are for, how large they are, and why they are refused.

use super::{Dealing, Lot, Posting};
use crate::margin::{danger_of_lot, is_safe};
use crate::order::{OrderLevel, OrderSize, OrderTicket, PendingOrder};
use crate::rates::Rate;
use crate::terms::{Priced, Purpose};
use crate::{AccountKind, EngineError, OrderEventKind, Recorder, RejectReason, UNITS_MAX};
use fx_domain::{
    Costs, ExitReason, LedgerKind, OrderId, Price, ProtectiveLevels, Side, Units, f64_to_i64_half_even,
};

/// The margin level at which equity is all used: an entry beyond it is refused.
pub(crate) const WHOLE_PERCENT: f64 = 100.0;

/// What an entry order wants.
pub(super) struct Wish {
    pub(super) side: Side,
    pub(super) size: OrderSize,
    pub(super) ticket: OrderTicket,
    pub(super) purpose: Purpose,
}

/// What an order wants that trades whatever the position.
pub(super) struct Raw {
    pub(super) side: Side,
    pub(super) units: Units,
    pub(super) reduce_only: bool,
    pub(super) ticket: OrderTicket,
    pub(super) purpose: Purpose,
}

/// An entry that has its price, its exits and its size.
struct Entry {
    order: OrderId,
    side: Side,
    units: Units,
    priced: Priced,
    protect: ProtectiveLevels,
    purpose: Purpose,
}

impl<R: Recorder> Dealing<'_, R> {
    /// Enters a side, leaving an opposite position first.
    pub(super) fn enter(&mut self, order: &PendingOrder, wish: Wish) -> Result<(), EngineError> {
        let side = wish.side;
        if self.book.is_full(self.track, side, self.setup.config) {
            self.tell(order.id, OrderEventKind::Lapsed);
            return Ok(());
        }
        let priced = self.price(side, wish.purpose)?;
        let protect = self.protect(&wish.ticket, &priced, side)?;
        let Some(units) = self.size(&wish, protect, priced.price)? else {
            self.reject(order.id, RejectReason::StopOnWrongSide);
            return Ok(());
        };
        let instrument = &self.terms().instrument;
        let (units, least) = (units.floor_to_step(instrument), instrument.unit_step());
        if units < least {
            self.reject(order.id, RejectReason::BelowMinimumSize);
            return Ok(());
        }
        let opposite = self.opposite(side);
        let entry = Entry { order: order.id, side, units, priced, protect, purpose: wish.purpose };
        self.open_after(entry, opposite, ExitReason::Reverse)
    }

    /// Units of the other side of the track.
    fn opposite(&self, side: Side) -> i64 {
        let exposure = self.book.exposure(self.track);
        if side == Side::Long { exposure.short } else { exposure.long }
    }

    /// Enters a side at the market with nothing attached, leaving `held`, the one lot that is open, if any, on the other
    /// side; the book's own list of lots is not looked at. Yields the new lot and its danger: what [`danger_of_lot`] says for
    /// `share`. Or yields nothing where this quote is beyond that already: then nothing has happened.
    #[inline(always)]
    pub(crate) fn reverse_plainly(
        &mut self,
        (side, units): (Side, Units),
        held: Option<&Lot>,
        (share, widest_nanos): (f64, i64),
    ) -> Result<Option<(Lot, i64)>, EngineError> {
        let order = OrderId(self.book.next_order);
        let (purpose, protect) = (Purpose::Entry, ProtectiveLevels::default());
        let priced = self.priced(side, purpose, self.book.next_fill)?;
        let left = match held {
            Some(lot) => Some(self.reversed(lot, order)?),
            None => None,
        };
        let lot = self.lot(&Entry { order, side, units, priced, protect, purpose }, Rate::Same)?;
        let gain = left.as_ref().map_or(0, |left| left.gain);
        let paid = left.as_ref().map_or(0, |left| left.commission);
        let (balance, gained) = (self.book.balance.micros(), gain.checked_sub(paid));
        let balance =
            gained.and_then(|gained| balance.checked_add(gained)?.checked_sub(lot.costs.commission_micros));
        let balance = balance.ok_or_else(|| self.overflow("balance"))?;
        // What it costs is never negative: the margin before it was no lower than the margin after it.
        let danger = danger_of_lot(balance, &lot, share, widest_nanos);
        if !is_safe(side, self.at.price(side.opposite()).nanos(), danger) {
            return Ok(None);
        }
        if let Some(left) = &left {
            self.recorder.trade(&left.trade);
            self.book.next_fill += 1;
            self.book.next_trade += 1;
            self.post(Posting::of(LedgerKind::ProfitLoss, Some(order), left.gain))?;
            self.charge(left.commission, order, Rate::Same)?;
        }
        self.book.next_order += 1;
        self.book.next_fill += 1;
        self.book.next_position += 1;
        self.charge(lot.costs.commission_micros, order, Rate::Same)?;
        Ok(Some((lot, danger)))
    }

    /// Trades units whatever the position: against it first on a netting account, beside it on a hedging one.
    pub(super) fn trade_raw(&mut self, order: &PendingOrder, wish: Raw) -> Result<(), EngineError> {
        let Raw { side, reduce_only, ticket, purpose, .. } = wish;
        let opposite = self.opposite(side);
        let netting = self.setup.config.account.kind == AccountKind::Netting;
        let units = wish.units.floor_to_step(&self.terms().instrument);
        if units.is_zero() {
            self.reject(order.id, RejectReason::BelowMinimumSize);
            return Ok(());
        }
        let closing = if netting || reduce_only { units.get().min(opposite) } else { 0 };
        let opening = if reduce_only { 0 } else { units.get() - closing };
        if closing + opening == 0 {
            self.tell(order.id, OrderEventKind::Lapsed);
            return Ok(());
        }
        if opening == 0 {
            let (position, units) = (side.opposite(), Units::new(closing));
            return self.close_at(order.id, position, units, ExitReason::Close, leaving(purpose));
        }
        let priced = self.price(side, purpose)?;
        let protect = self.protect(&ticket, &priced, side)?;
        let entry = Entry { order: order.id, side, units: Units::new(opening), priced, protect, purpose };
        self.open_after(entry, closing, ExitReason::Close)
    }

    /// Opens an entry once so many units of the other side are closed, unless the margin refuses it.
    fn open_after(&mut self, entry: Entry, closing: i64, reason: ExitReason) -> Result<(), EngineError> {
        let exposure = self.book.exposure(self.track);
        let (kept, opposite) = match entry.side {
            Side::Long => (exposure.long, exposure.short),
            Side::Short => (exposure.short, exposure.long),
        };
        if self.refused_by_margin(&entry, kept, opposite - closing)? {
            self.reject(entry.order, RejectReason::InsufficientMargin);
            return Ok(());
        }
        if closing > 0 {
            let purpose = leaving(entry.purpose);
            self.close_at(entry.order, entry.side.opposite(), Units::new(closing), reason, purpose)?;
        }
        self.open(&entry)
    }

    /// Trades to the net position `target`: what is too much is closed, what is missing is entered.
    pub(super) fn aim(&mut self, order: &PendingOrder, target: i64) -> Result<(), EngineError> {
        let net = self.book.net(self.track);
        if net == target {
            self.tell(order.id, OrderEventKind::Lapsed);
            return Ok(());
        }
        let side = if target > net { Side::Long } else { Side::Short };
        let missing = (target - net).abs();
        let closing = missing.min(self.opposite(side));
        let units = Units::new(missing - closing);
        if units.is_zero() {
            return self.close(order.id, side.opposite(), Units::new(closing), ExitReason::Close);
        }
        let (purpose, protect) = (Purpose::Entry, ProtectiveLevels::default());
        let priced = self.price(side, purpose)?;
        let entry = Entry { order: order.id, side, units, priced, protect, purpose };
        self.open_after(entry, closing, ExitReason::Reverse)
    }

    fn reject(&mut self, order: OrderId, reason: RejectReason) {
        self.tell(order, OrderEventKind::Rejected { reason });
    }

    /// Exits as prices, for a fill.
    fn protect(
        &self,
        ticket: &OrderTicket,
        fill: &Priced,
        side: Side,
    ) -> Result<ProtectiveLevels, EngineError> {
        let level = |level: Option<OrderLevel>, away| {
            let Some(level) = level else { return Ok(None) };
            match level.at(fill.price, side, away, self.terms().tick) {
                None => Err(self.overflow("level")),
                found => Ok(found),
            }
        };
        Ok(ProtectiveLevels {
            stop_loss: level(ticket.stop_loss, -1)?,
            take_profit: level(ticket.take_profit, 1)?,
            trailing_distance: ticket.trailing,
        })
    }

    /// The size of an entry filled at `price`; `None` when its stop stands on the wrong side of that. Equity is taken at
    /// the market that the fill meets, before its own costs.
    fn size(
        &self,
        wish: &Wish,
        protect: ProtectiveLevels,
        price: Price,
    ) -> Result<Option<Units>, EngineError> {
        match wish.size {
            OrderSize::Units(units) => Ok(Some(units)),
            OrderSize::EquityPercent(percent) => self.units_for(percent, price).map(Some),
            OrderSize::RiskPercent(percent) => {
                let distance = protect.stop_loss.map(|stop| match wish.side {
                    Side::Long => price.nanos().saturating_sub(stop.nanos()),
                    Side::Short => stop.nanos().saturating_sub(price.nanos()),
                });
                match distance {
                    Some(distance @ 1..) => self.units_for(percent, Price::from_nanos(distance)).map(Some),
                    _ => Ok(None),
                }
            }
        }
    }

    /// The whole units that `percent` of equity buys at `per_unit` of the quote currency each.
    fn units_for(&self, percent: f64, per_unit: Price) -> Result<Units, EngineError> {
        let budget_micros = f64_to_i64_half_even((self.equity()? as f64 * percent / 100.0).floor());
        let budget_micros = budget_micros.ok_or_else(|| self.overflow("size"))?;
        let units = self.rate()?.units_within(budget_micros, per_unit).filter(|units| *units <= UNITS_MAX);
        units.map(Units::new).ok_or_else(|| self.overflow("size"))
    }

    /// Whether the entry on top of `kept` units of its side, with `beside` units left opposite, needs more margin than
    /// equity has.
    fn refused_by_margin(&self, entry: &Entry, kept: i64, beside: i64) -> Result<bool, EngineError> {
        let resulting = kept.checked_add(entry.units.get()).filter(|units| *units <= UNITS_MAX);
        let resulting = resulting.ok_or_else(|| self.overflow("size"))?;
        if self.is_clearly_above(WHOLE_PERCENT, resulting.max(beside)) {
            return Ok(false);
        }
        let used = self.used_margin_with(self.track, resulting.max(beside))?;
        Ok(used > self.equity()? as f64)
    }

    fn open(&mut self, entry: &Entry) -> Result<(), EngineError> {
        let Entry { order, side, units, priced, protect, .. } = *entry;
        let rate = self.rate()?;
        let lot = self.lot(entry, rate)?;
        self.book.lots.push(lot);
        self.book.next_position += 1;
        self.charge(lot.costs.commission_micros, order, rate)?;
        self.tell(order, OrderEventKind::Filled { side, units, fill: priced.fill(), protect });
        self.start_rolling();
        Ok(())
    }

    /// What an entry becomes at this quote.
    #[inline(always)]
    fn lot(&self, entry: &Entry, rate: Rate) -> Result<Lot, EngineError> {
        let Entry { order, side, units, priced, protect, .. } = *entry;
        let costs = Costs {
            spread_micros: self.amount(units, priced.spread, rate)?,
            commission_micros: self.commission(units, priced.price, rate)?,
            slippage_micros: self.amount(units, priced.slippage, rate)?,
            financing_micros: 0,
        };
        let trail = protect.trailing_distance.map(|distance| {
            let best = self.at.price(side.opposite()).nanos();
            Price::from_nanos(best - side.sign() * distance.nanos())
        });
        Ok(Lot {
            position_id: self.book.next_position,
            order,
            track: self.track,
            side,
            units,
            price: priced.price,
            time: self.at.time,
            bar: self.at.bar,
            protect,
            trail,
            next_roll: None,
            costs,
            lowest: priced.price,
            highest: priced.price,
        })
    }
}

/// What closes at the price of an order: a limit pays no slippage for that either.
fn leaving(purpose: Purpose) -> Purpose {
    if purpose == Purpose::LimitEntry { Purpose::Target } else { Purpose::Exit }
}
