//! How orders become entries: what they are for, how large they are, and why they are refused.

use super::{Dealing, Lot, Told};
use crate::order::{OrderLevel, OrderSize, PendingOrder};
use crate::terms::{NANOS_PER_MICRO, Priced, Purpose, amount_micros};
use crate::{EngineError, OrderEventKind, RejectReason, UNITS_MAX};
use fx_domain::{Costs, ExitReason, Price, ProtectiveLevels, Side, Units, f64_to_i64_half_even};

/// What an entry order wants.
pub(super) struct Wish {
    pub(super) side: Side,
    pub(super) size: OrderSize,
    pub(super) stop_loss: Option<OrderLevel>,
    pub(super) take_profit: Option<OrderLevel>,
}

/// An entry that has its price, its exits and its size.
struct Entry {
    side: Side,
    units: Units,
    priced: Priced,
    protect: ProtectiveLevels,
}

impl Dealing<'_> {
    /// Enters a side, leaving an opposite position first.
    pub(super) fn enter(&mut self, order: &PendingOrder, wish: Wish) -> Result<(), EngineError> {
        let side = wish.side;
        let same = self.book.side() == Some(side);
        let known = match wish.size {
            OrderSize::Units(units) => units,
            _ => Units::ZERO,
        };
        if same && self.book.is_full(self.terms.config) {
            self.tell(order, Told::of(side, known), OrderEventKind::Lapsed);
            return Ok(());
        }
        let priced = self.price(side, Purpose::Entry)?;
        let protect = ProtectiveLevels {
            stop_loss: self.level(wish.stop_loss, &priced, side, -1)?,
            take_profit: self.level(wish.take_profit, &priced, side, 1)?,
        };
        let Some(units) = self.size(&wish, protect, priced.price)? else {
            let kind = OrderEventKind::Rejected { reason: RejectReason::StopOnWrongSide };
            self.tell(order, Told::of(side, known), kind);
            return Ok(());
        };
        let units = units.floor_to_step(&self.terms.config.instrument);
        let kept = if same { self.book.net().abs() } else { 0 };
        if units < self.terms.config.instrument.unit_step() {
            let kind = OrderEventKind::Rejected { reason: RejectReason::BelowMinimumSize };
            self.tell(order, Told::of(side, units), kind);
            return Ok(());
        }
        self.trade(order, Entry { side, units, priced, protect }, kept)
    }

    /// Trades to the net position `target`: what is too much is closed, what is missing is entered.
    pub(super) fn aim(&mut self, order: &PendingOrder, target: i64) -> Result<(), EngineError> {
        let net = self.book.net();
        let side = if target > net { Side::Long } else { Side::Short };
        let crosses = net != 0 && target != 0 && (net > 0) != (target > 0);
        if net == target {
            self.tell(order, Told::of(side, Units::ZERO), OrderEventKind::Lapsed);
            return Ok(());
        }
        let missing = Units::new((target - net).abs());
        if target.abs() < net.abs() && !crosses {
            return self.close(order, missing, ExitReason::Close);
        }
        let (units, kept) = if crosses { (Units::new(target.abs()), 0) } else { (missing, net.abs()) };
        let priced = self.price(side, Purpose::Entry)?;
        self.trade(order, Entry { side, units, priced, protect: ProtectiveLevels::default() }, kept)
    }

    /// Opens an entry on top of `kept` units of its side, unless the margin refuses it.
    fn trade(&mut self, order: &PendingOrder, entry: Entry, kept: i64) -> Result<(), EngineError> {
        if self.refused_by_margin(&entry, kept)? {
            let kind = OrderEventKind::Rejected { reason: RejectReason::InsufficientMargin };
            self.tell(order, Told::of(entry.side, entry.units), kind);
            return Ok(());
        }
        if self.book.side() == Some(entry.side.opposite()) {
            self.close(order, Units::new(self.book.net().abs()), ExitReason::Reverse)?;
        }
        self.open(order, entry)
    }

    /// What a market fill of `side` pays here.
    pub(super) fn price(&self, side: Side, purpose: Purpose) -> Result<Priced, EngineError> {
        let priced = self.terms.price(side, self.at.price(side), purpose);
        priced.ok_or_else(|| self.overflow("fill price"))
    }

    /// The level of a stop (`away` −1) or a target (+1) of a fill.
    fn level(
        &self,
        level: Option<OrderLevel>,
        fill: &Priced,
        side: Side,
        away: i64,
    ) -> Result<Option<Price>, EngineError> {
        let Some(level) = level else { return Ok(None) };
        match level.at(fill.price, side, away, self.terms.tick) {
            None => Err(self.overflow("level")),
            found => Ok(found),
        }
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

    /// The whole units that `percent` of equity buys at `per_unit` each.
    fn units_for(&self, percent: f64, per_unit: Price) -> Result<Units, EngineError> {
        let budget_micros = self.equity()? as f64 * percent / 100.0;
        let budget_micros = f64_to_i64_half_even(budget_micros.floor());
        let budget_micros = budget_micros.ok_or_else(|| self.overflow("size"))?;
        let budget_nanos = i128::from(budget_micros.max(0)) * i128::from(NANOS_PER_MICRO);
        let units = budget_nanos / i128::from(per_unit.nanos());
        let units = i64::try_from(units).ok().filter(|units| *units <= UNITS_MAX);
        units.map(Units::new).ok_or_else(|| self.overflow("size"))
    }

    /// Equity at this quote, at the side that would close the position.
    fn equity(&self) -> Result<i64, EngineError> {
        let mark = if self.book.side() == Some(Side::Short) { self.at.ask } else { self.at.bid };
        self.book.equity_at(mark).ok_or_else(|| self.overflow("equity"))
    }

    /// Whether the position that would result is worth more than equity · leverage.
    fn refused_by_margin(&self, entry: &Entry, kept: i64) -> Result<bool, EngineError> {
        let resulting = kept.checked_add(entry.units.get()).filter(|units| *units <= UNITS_MAX);
        let resulting = resulting.ok_or_else(|| self.overflow("size"))?;
        let notional = i128::from(resulting) * i128::from(entry.priced.price.nanos());
        let notional_micros = notional as f64 / NANOS_PER_MICRO as f64;
        Ok(notional_micros > self.equity()? as f64 * self.terms.config.leverage)
    }

    fn open(&mut self, order: &PendingOrder, entry: Entry) -> Result<(), EngineError> {
        let Entry { side, units, priced, protect } = entry;
        let commission = self.terms.commission(units, priced.price);
        let commission = commission.ok_or_else(|| self.overflow("commission"))?;
        let micros = |distance| amount_micros(units, distance).ok_or_else(|| self.overflow("cost"));
        let costs = Costs {
            spread_micros: micros(priced.spread)?,
            commission_micros: commission,
            slippage_micros: micros(priced.slippage)?,
            financing_micros: 0,
        };
        self.book.lots.push(Lot {
            position_id: self.book.next_position,
            order: order.id,
            side,
            units,
            price: priced.price,
            time: self.at.time,
            bar: self.at.bar,
            protect,
            costs,
            lowest: priced.price,
            highest: priced.price,
        });
        self.book.next_position += 1;
        self.charge(commission, order.id)?;
        self.tell(order, Told { side, units, protect }, OrderEventKind::Filled(priced.fill()));
        Ok(())
    }
}
