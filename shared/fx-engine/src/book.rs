//! The account: open entries, waiting orders, balance; and what fills do to them.
//!
//! Positions are netted: all open entries are on one side. Each entry (a lot) keeps its own price, levels and costs, and
//! becomes a trade of its own; what is closed comes from the oldest first, and a part closed early takes its share of the
//! entry's costs with it, rounded half to even, the rest keeping the remainder.

use crate::intrabar::Exit;
use crate::order::{Decision, OrderLevel, OrderSize, PendingOrder};
use crate::{
    Commission, EngineError, OrderEvent, OrderEventKind, RejectReason, RunConfig, SpreadModel, UNITS_MAX,
};
use fx_domain::{
    Costs, ExitReason, LedgerKind, LedgerRow, Money, Ohlc, Order, OrderId, OrderKind, Price,
    ProtectiveLevels, Side, Trade, Units, UnixNanos, div_half_even, f64_to_i64_half_even,
};
use serde::{Deserialize, Serialize};

/// Nanos of price · units in a millionth of money.
const NANOS_PER_MICRO: i128 = (Price::SCALE / Money::SCALE) as i128;

/// An open entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lot {
    pub(crate) position_id: u64,
    pub(crate) order: OrderId,
    pub(crate) side: Side,
    pub(crate) units: Units,
    pub(crate) price: Price,
    pub(crate) time: UnixNanos,
    pub(crate) bar: u64,
    pub(crate) protect: ProtectiveLevels,
    /// Costs of the entry that no trade has taken yet.
    pub(crate) costs: Costs,
    /// Lowest and highest price of the closing side while it was open, the entry price included.
    pub(crate) lowest: Price,
    pub(crate) highest: Price,
}

/// What a run has, and what waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Book {
    /// Oldest first.
    pub(crate) lots: Vec<Lot>,
    pub(crate) pending: Vec<PendingOrder>,
    pub(crate) balance: Money,
    pub(crate) next_order: u64,
    pub(crate) next_position: u64,
    pub(crate) next_trade: u64,
    /// Rows booked; the first is the deposit.
    pub(crate) ledger_rows: u64,
}

/// Where fills are written down.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    pub(crate) trades: Vec<Trade>,
    pub(crate) ledger: Vec<LedgerRow>,
    pub(crate) events: Vec<OrderEvent>,
}

/// What prices a fill, the same for a whole run of bars.
pub(crate) struct Terms<'a> {
    pub(crate) config: &'a RunConfig,
    /// Modelled spread in the raw ask and in the raw bid, above zero.
    pub(crate) in_ask: Price,
    pub(crate) in_bid: Price,
}

/// The quote that market orders meet.
#[derive(Clone, Copy)]
pub(crate) struct Meeting {
    /// Stamp of the fill.
    pub(crate) bar: u64,
    pub(crate) time: UnixNanos,
    pub(crate) bid: Price,
    pub(crate) ask: Price,
}

impl Meeting {
    const fn price(&self, side: Side) -> Price {
        match side {
            Side::Long => self.ask,
            Side::Short => self.bid,
        }
    }

    pub(crate) const fn overflow(&self, what: &'static str) -> EngineError {
        EngineError::Overflow { index: self.bar, time: self.time, what }
    }
}

/// A price and what it cost to get it, per unit.
#[derive(Clone, Copy)]
struct Priced {
    raw: Price,
    price: Price,
    spread: Price,
    slippage: Price,
}

/// Why and at whose word a position is left.
#[derive(Clone, Copy)]
struct Leaving {
    reason: ExitReason,
    order: OrderId,
    ambiguous: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Entry,
    Exit,
    /// An exit that waits at its price: no slippage.
    Target,
}

impl Terms<'_> {
    /// The price that a fill of `side` (long buys) gets when the market shows `raw`.
    ///
    /// The spread model moves it by a fraction, rounded half to even at 1e-9; then slippage is added.
    fn price(&self, side: Side, raw: Price, purpose: Purpose) -> Option<Priced> {
        let fraction = match self.config.spread {
            SpreadModel::RelativeOnEntry(fraction) if purpose == Purpose::Entry => fraction,
            SpreadModel::Relative(fraction) => fraction / 2.0,
            _ => 0.0,
        };
        let sign = side.sign();
        let moved = if fraction > 0.0 {
            Price::from_nanos(f64_to_i64_half_even(raw.nanos() as f64 * (1.0 + sign as f64 * fraction))?)
        } else {
            raw
        };
        let slippage = if purpose == Purpose::Target { Price::ZERO } else { self.config.slippage };
        let price = Price::from_nanos(moved.nanos() + sign * slippage.nanos());
        let inside = match side {
            Side::Long => self.in_ask,
            Side::Short => self.in_bid,
        };
        let spread = (moved - raw).abs() + inside;
        price.is_positive().then_some(Priced { raw, price, spread, slippage })
    }

    /// Commission of one fill in millionths, rounded once, half to even.
    fn commission(&self, units: Units, price: Price) -> Option<i64> {
        let units_float = units.get() as f64;
        let scale = Money::SCALE as f64;
        let micros = match self.config.commission {
            Commission::None => return Some(0),
            Commission::PerLot(amount) => {
                units_float * amount * scale / self.config.instrument.lot_units().get() as f64
            }
            Commission::PerUnit(amount) => units_float * amount * scale,
            Commission::PerNotional { rate, minimum } => {
                let notional = (i128::from(units.get()) * i128::from(price.nanos())) as f64;
                (notional * rate / NANOS_PER_MICRO as f64).max(minimum * scale)
            }
        };
        f64_to_i64_half_even(micros)
    }
}

/// `units · distance` in millionths, rounded once, half to even.
fn amount_micros(units: Units, distance: Price) -> Option<i64> {
    let exact = i128::from(units.get()) * i128::from(distance.nanos());
    i64::try_from(div_half_even(exact, NANOS_PER_MICRO)).ok()
}

/// The share of `whole` that belongs to `part` of `units`, rounded half to even.
fn share(whole: i64, part: Units, units: Units) -> i64 {
    // Not beyond `whole`, since the part is not beyond the units: it fits.
    div_half_even(i128::from(whole) * i128::from(part.get()), i128::from(units.get())) as i64
}

impl Book {
    pub(crate) const fn new(capital: Money) -> Self {
        Self {
            lots: Vec::new(),
            pending: Vec::new(),
            balance: capital,
            next_order: 0,
            next_position: 0,
            next_trade: 0,
            ledger_rows: 0,
        }
    }

    /// The side of the open position.
    pub(crate) fn side(&self) -> Option<Side> {
        self.lots.first().map(|lot| lot.side)
    }

    /// The signed net position. Below [`UNITS_MAX`] by the check at each entry.
    pub(crate) fn net(&self) -> i64 {
        self.lots.iter().map(|lot| lot.side.sign() * lot.units.get()).sum()
    }

    /// Signed units, and their sum of `units · entry price`, exactly.
    pub(crate) fn exposure(&self) -> (i64, i128) {
        self.lots.iter().fold((0, 0), |(net, cost), lot| {
            let signed = lot.side.sign() * lot.units.get();
            (net + signed, cost + i128::from(signed) * i128::from(lot.price.nanos()))
        })
    }

    /// Balance and open gain in millionths, the gain at `mark` rounded once, half to even.
    pub(crate) fn equity_at(&self, mark: Price) -> Option<i64> {
        let (net, cost) = self.exposure();
        let gain = div_half_even(i128::from(net) * i128::from(mark.nanos()) - cost, NANOS_PER_MICRO);
        i64::try_from(i128::from(self.balance.micros()) + gain).ok()
    }

    fn post(
        &mut self,
        at: &Meeting,
        kind: LedgerKind,
        order: Option<OrderId>,
        micros: i64,
        journal: &mut Journal,
    ) -> Result<(), EngineError> {
        let amount = Money::from_micros(micros, self.balance.currency());
        self.balance = self.balance.checked_add(amount).ok_or_else(|| at.overflow("balance"))?;
        self.write_row(
            LedgerRow { sequence: 0, time: at.time, kind, order, amount, balance: self.balance },
            journal,
        );
        Ok(())
    }

    fn write_row(&mut self, row: LedgerRow, journal: &mut Journal) {
        journal.ledger.push(LedgerRow { sequence: self.ledger_rows, ..row });
        self.ledger_rows += 1;
    }

    /// Books the starting capital.
    pub(crate) fn deposit(&mut self, time: UnixNanos, journal: &mut Journal) {
        let (amount, balance) = (self.balance, self.balance);
        self.write_row(
            LedgerRow { sequence: 0, time, kind: LedgerKind::Deposit, order: None, amount, balance },
            journal,
        );
    }

    /// Lets every waiting order meet the market: at `open`, or each at its own deciding close.
    pub(crate) fn fill_pending(
        &mut self,
        terms: &Terms<'_>,
        open: Option<Meeting>,
        journal: &mut Journal,
    ) -> Result<(), EngineError> {
        let mut pending = std::mem::take(&mut self.pending);
        for order in pending.drain(..) {
            let own =
                Meeting { bar: order.decided_bar, time: order.decided_at, bid: order.bid, ask: order.ask };
            self.fill(terms, &order, &open.unwrap_or(own), journal)?;
        }
        // Keeps the allocation: orders come and go by the thousand.
        self.pending = pending;
        Ok(())
    }

    fn fill(
        &mut self,
        terms: &Terms<'_>,
        order: &PendingOrder,
        at: &Meeting,
        journal: &mut Journal,
    ) -> Result<(), EngineError> {
        let net = self.net();
        match order.decision {
            Decision::Enter { side, size, stop_loss, take_profit } => {
                let entry = Entry { side, size, levels: [stop_loss, take_profit] };
                self.enter(terms, order, entry, at, journal)
            }
            Decision::Close if net == 0 => {
                self.tell(order, Side::Long, Units::ZERO, at, OrderEventKind::Lapsed, journal);
                Ok(())
            }
            Decision::Close => {
                let leaving = Leaving { reason: ExitReason::Close, order: order.id, ambiguous: false };
                self.close_at_market(terms, order, Units::new(net.abs()), leaving, at, journal)
            }
            Decision::Target(target) => self.aim(terms, order, net, target.get(), at, journal),
        }
    }

    /// Trades from `net` to `target`: what is too much is closed, what is missing is entered.
    fn aim(
        &mut self,
        terms: &Terms<'_>,
        order: &PendingOrder,
        net: i64,
        target: i64,
        at: &Meeting,
        journal: &mut Journal,
    ) -> Result<(), EngineError> {
        let side = if target > net { Side::Long } else { Side::Short };
        let crosses = net != 0 && target != 0 && (net > 0) != (target > 0);
        let kept = if crosses { 0 } else { target };
        if net == target {
            self.tell(order, side, Units::ZERO, at, OrderEventKind::Lapsed, journal);
        } else if kept.abs() < net.abs() && !crosses {
            let leaving = Leaving { reason: ExitReason::Close, order: order.id, ambiguous: false };
            self.close_at_market(terms, order, Units::new((net - target).abs()), leaving, at, journal)?;
        } else {
            let units = if crosses { target.abs() } else { (target - net).abs() };
            let price =
                terms.price(side, at.price(side), Purpose::Entry).ok_or_else(|| at.overflow("fill price"))?;
            let kept = if crosses { 0 } else { net.abs() };
            if self.refused_by_margin(terms, Units::new(units), kept, price.price, at)? {
                let kind = OrderEventKind::Rejected { reason: RejectReason::InsufficientMargin };
                self.tell(order, side, Units::new(units), at, kind, journal);
                return Ok(());
            }
            self.reverse(terms, order, side, at, journal)?;
            self.open(
                terms,
                order,
                side,
                Units::new(units),
                ProtectiveLevels::default(),
                price,
                at,
                journal,
            )?;
        }
        Ok(())
    }
}

struct Entry {
    side: Side,
    size: OrderSize,
    /// Stop, target.
    levels: [Option<OrderLevel>; 2],
}

impl Book {
    fn enter(
        &mut self,
        terms: &Terms<'_>,
        order: &PendingOrder,
        entry: Entry,
        at: &Meeting,
        journal: &mut Journal,
    ) -> Result<(), EngineError> {
        let side = entry.side;
        let same = self.side() == Some(side);
        let known = match entry.size {
            OrderSize::Units(units) => units,
            _ => Units::ZERO,
        };
        if same && self.is_full(terms.config) {
            self.tell(order, side, known, at, OrderEventKind::Lapsed, journal);
            return Ok(());
        }
        let price =
            terms.price(side, at.price(side), Purpose::Entry).ok_or_else(|| at.overflow("fill price"))?;
        let tick = terms.config.instrument.tick();
        let level = |level: Option<OrderLevel>, away| match level {
            None => Ok(None),
            Some(level) => match level.at(price.price, side, away, tick) {
                None => Err(at.overflow("level")),
                found => Ok(found),
            },
        };
        let protect = ProtectiveLevels {
            stop_loss: level(entry.levels[0], -1)?,
            take_profit: level(entry.levels[1], 1)?,
        };
        let units = match self.size(terms, &entry, protect, price.price, at)? {
            Ok(units) => units.floor_to_step(&terms.config.instrument),
            Err(reason) => {
                self.tell(order, side, known, at, OrderEventKind::Rejected { reason }, journal);
                return Ok(());
            }
        };
        let kept = if same { self.net().abs() } else { 0 };
        let refusal = if units < terms.config.instrument.unit_step() {
            Some(RejectReason::BelowMinimumSize)
        } else if self.refused_by_margin(terms, units, kept, price.price, at)? {
            Some(RejectReason::InsufficientMargin)
        } else {
            None
        };
        if let Some(reason) = refusal {
            self.tell(order, side, units, at, OrderEventKind::Rejected { reason }, journal);
            return Ok(());
        }
        self.reverse(terms, order, side, at, journal)?;
        self.open(terms, order, side, units, protect, price, at, journal)
    }

    /// Whether the position takes no further entry.
    pub(crate) fn is_full(&self, config: &RunConfig) -> bool {
        self.lots.len() as u64 > u64::from(config.pyramiding)
    }

    /// The size of an entry filled at `price`. Equity is taken at the market that the fill meets, before its own costs.
    fn size(
        &self,
        terms: &Terms<'_>,
        entry: &Entry,
        protect: ProtectiveLevels,
        price: Price,
        at: &Meeting,
    ) -> Result<Result<Units, RejectReason>, EngineError> {
        let budget = |percent: f64| {
            let micros = self.equity_at_meeting(at)? as f64 * percent / 100.0;
            f64_to_i64_half_even(micros.floor()).ok_or_else(|| at.overflow("size"))
        };
        let units_for = |budget_micros: i64, per_unit: Price| {
            let units = (i128::from(budget_micros.max(0)) * NANOS_PER_MICRO) / i128::from(per_unit.nanos());
            if units <= i128::from(UNITS_MAX) {
                Ok(Ok(Units::new(units as i64)))
            } else {
                Err(at.overflow("size"))
            }
        };
        debug_assert!(terms.config.initial_capital.micros() > 0, "the configuration is checked");
        match entry.size {
            OrderSize::Units(units) => Ok(Ok(units)),
            OrderSize::EquityPercent(percent) => units_for(budget(percent)?, price),
            OrderSize::RiskPercent(percent) => {
                let distance = protect.stop_loss.map(|stop| match entry.side {
                    Side::Long => price.nanos().saturating_sub(stop.nanos()),
                    Side::Short => stop.nanos().saturating_sub(price.nanos()),
                });
                match distance {
                    Some(distance @ 1..) => units_for(budget(percent)?, Price::from_nanos(distance)),
                    _ => Ok(Err(RejectReason::StopOnWrongSide)),
                }
            }
        }
    }

    fn equity_at_meeting(&self, at: &Meeting) -> Result<i64, EngineError> {
        let mark = if self.side() == Some(Side::Short) { at.ask } else { at.bid };
        self.equity_at(mark).ok_or_else(|| at.overflow("equity"))
    }

    /// Whether the position that would result is worth more than equity · leverage.
    fn refused_by_margin(
        &self,
        terms: &Terms<'_>,
        units: Units,
        kept: i64,
        price: Price,
        at: &Meeting,
    ) -> Result<bool, EngineError> {
        let resulting = kept.checked_add(units.get()).filter(|units| *units <= UNITS_MAX);
        let resulting = resulting.ok_or_else(|| at.overflow("size"))?;
        let notional_micros =
            (i128::from(resulting) * i128::from(price.nanos())) as f64 / NANOS_PER_MICRO as f64;
        Ok(notional_micros > self.equity_at_meeting(at)? as f64 * terms.config.leverage)
    }

    /// Leaves a position on the side opposite to `side`.
    fn reverse(
        &mut self,
        terms: &Terms<'_>,
        order: &PendingOrder,
        side: Side,
        at: &Meeting,
        journal: &mut Journal,
    ) -> Result<(), EngineError> {
        if self.side() != Some(side.opposite()) {
            return Ok(());
        }
        let leaving = Leaving { reason: ExitReason::Reverse, order: order.id, ambiguous: false };
        self.close_at_market(terms, order, Units::new(self.net().abs()), leaving, at, journal)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "an entry is all of these; a struct would be built once to be read once"
    )]
    fn open(
        &mut self,
        terms: &Terms<'_>,
        order: &PendingOrder,
        side: Side,
        units: Units,
        protect: ProtectiveLevels,
        priced: Priced,
        at: &Meeting,
        journal: &mut Journal,
    ) -> Result<(), EngineError> {
        let commission = terms.commission(units, priced.price).ok_or_else(|| at.overflow("commission"))?;
        let micros = |distance| amount_micros(units, distance).ok_or_else(|| at.overflow("cost"));
        let costs = Costs {
            spread_micros: micros(priced.spread)?,
            commission_micros: commission,
            slippage_micros: micros(priced.slippage)?,
            financing_micros: 0,
        };
        self.lots.push(Lot {
            position_id: self.next_position,
            order: order.id,
            side,
            units,
            price: priced.price,
            time: at.time,
            bar: at.bar,
            protect,
            costs,
            lowest: priced.price,
            highest: priced.price,
        });
        self.next_position += 1;
        if commission != 0 {
            self.post(at, LedgerKind::Commission, Some(order.id), -commission, journal)?;
        }
        let told = Told { side, units, protect };
        journal.events.push(event(order, told, at.time, OrderEventKind::Filled { price: priced.price }));
        Ok(())
    }

    fn close_at_market(
        &mut self,
        terms: &Terms<'_>,
        order: &PendingOrder,
        units: Units,
        leaving: Leaving,
        at: &Meeting,
        journal: &mut Journal,
    ) -> Result<(), EngineError> {
        let Some(position) = self.side() else { return Ok(()) };
        let side = position.opposite();
        let priced =
            terms.price(side, at.price(side), Purpose::Exit).ok_or_else(|| at.overflow("fill price"))?;
        self.tell(order, side, units, at, OrderEventKind::Filled { price: priced.price }, journal);
        let mut left = units;
        let mut commission =
            terms.commission(units, priced.price).ok_or_else(|| at.overflow("commission"))?;
        let whole = commission;
        let mut gone = 0;
        while left > Units::ZERO && gone < self.lots.len() {
            let part = if self.lots[gone].units < left { self.lots[gone].units } else { left };
            let paid = share(commission, part, left);
            (commission, left) = (commission - paid, left - part);
            let closed = self.split(gone, part);
            gone += usize::from(self.lots[gone].units.is_zero());
            self.book_trade(terms, &closed, priced, paid, leaving, at, journal)?;
        }
        self.lots.drain(..gone);
        if whole != 0 {
            self.post(at, LedgerKind::Commission, Some(leaving.order), -whole, journal)?;
        }
        Ok(())
    }

    /// Takes `part` off a lot, with its share of the entry's costs.
    fn split(&mut self, index: usize, part: Units) -> Lot {
        let lot = &mut self.lots[index];
        let take = |whole: &mut i64| {
            let taken = share(*whole, part, lot.units);
            *whole -= taken;
            taken
        };
        let costs = Costs {
            spread_micros: take(&mut lot.costs.spread_micros),
            commission_micros: take(&mut lot.costs.commission_micros),
            slippage_micros: take(&mut lot.costs.slippage_micros),
            financing_micros: take(&mut lot.costs.financing_micros),
        };
        lot.units = lot.units - part;
        Lot { units: part, costs, ..*lot }
    }

    /// Lets a protective exit close lot `index` and takes it off the book.
    pub(crate) fn exit_lot(
        &mut self,
        terms: &Terms<'_>,
        index: usize,
        exit: Exit,
        at: &Meeting,
        journal: &mut Journal,
    ) -> Result<(), EngineError> {
        let lot = self.lots.remove(index);
        let purpose = if exit.reason == ExitReason::TakeProfit { Purpose::Target } else { Purpose::Exit };
        let priced =
            terms.price(lot.side.opposite(), exit.price, purpose).ok_or_else(|| at.overflow("fill price"))?;
        let commission =
            terms.commission(lot.units, priced.price).ok_or_else(|| at.overflow("commission"))?;
        let leaving = Leaving { reason: exit.reason, order: lot.order, ambiguous: exit.ambiguous };
        self.book_trade(terms, &lot, priced, commission, leaving, at, journal)?;
        if commission != 0 {
            self.post(at, LedgerKind::Commission, Some(lot.order), -commission, journal)?;
        }
        Ok(())
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a trade is all of these; a struct would be built once to be read once"
    )]
    fn book_trade(
        &mut self,
        terms: &Terms<'_>,
        lot: &Lot,
        exit: Priced,
        commission: i64,
        leaving: Leaving,
        at: &Meeting,
        journal: &mut Journal,
    ) -> Result<(), EngineError> {
        let overflow = |what| at.overflow(what);
        let sign = lot.side.sign();
        let difference = Price::from_nanos(sign * (exit.price.nanos() - lot.price.nanos()));
        let gain = amount_micros(lot.units, difference).ok_or_else(|| overflow("profit"))?;
        let cost = |distance| amount_micros(lot.units, distance).ok_or_else(|| overflow("cost"));
        let sum = |a: i64, b: i64| a.checked_add(b).ok_or_else(|| overflow("cost"));
        let costs = Costs {
            spread_micros: sum(lot.costs.spread_micros, cost(exit.spread)?)?,
            commission_micros: sum(lot.costs.commission_micros, commission)?,
            slippage_micros: sum(lot.costs.slippage_micros, cost(exit.slippage)?)?,
            financing_micros: lot.costs.financing_micros,
        };
        let profit = sum(gain, -sum(costs.commission_micros, costs.financing_micros)?)?;
        let (lowest, highest) = (lot.lowest.min(exit.raw) - lot.price, lot.highest.max(exit.raw) - lot.price);
        let (mae, mfe) = match lot.side {
            Side::Long => (lowest, highest),
            Side::Short => (-highest, -lowest),
        };
        journal.trades.push(Trade {
            id: self.next_trade,
            position_id: lot.position_id,
            instrument: terms.config.instrument,
            side: lot.side,
            units: lot.units,
            entry_bar: lot.bar,
            exit_bar: at.bar,
            entry_time: lot.time,
            exit_time: at.time,
            entry_price: lot.price,
            exit_price: exit.price,
            profit_loss: Money::from_micros(profit, self.balance.currency()),
            costs,
            exit_reason: leaving.reason,
            ambiguous: leaving.ambiguous,
            mae,
            mfe,
        });
        self.next_trade += 1;
        self.post(at, LedgerKind::ProfitLoss, Some(leaving.order), gain, journal)
    }

    /// The bar's range has been held by every open lot.
    pub(crate) fn hold_through(&mut self, lowest: Price, highest: Price) {
        for lot in &mut self.lots {
            lot.lowest = lot.lowest.min(lowest);
            lot.highest = lot.highest.max(highest);
        }
    }

    /// Leaves every lot whose exit `find` finds in the bar of the closing side.
    pub(crate) fn exit_where(
        &mut self,
        terms: &Terms<'_>,
        at: &Meeting,
        bar: Ohlc,
        find: impl Fn(Side, ProtectiveLevels, Ohlc) -> Option<Exit>,
        journal: &mut Journal,
    ) -> Result<(), EngineError> {
        let mut index = 0;
        while let Some(lot) = self.lots.get(index) {
            match find(lot.side, lot.protect, bar) {
                Some(exit) => self.exit_lot(terms, index, exit, at, journal)?,
                None => index += 1,
            }
        }
        Ok(())
    }

    fn tell(
        &self,
        order: &PendingOrder,
        side: Side,
        units: Units,
        at: &Meeting,
        kind: OrderEventKind,
        journal: &mut Journal,
    ) {
        let told = Told { side, units, protect: ProtectiveLevels::default() };
        journal.events.push(event(order, told, at.time, kind));
    }
}

/// What an event says of its order beside number and time.
pub(crate) struct Told {
    pub(crate) side: Side,
    pub(crate) units: Units,
    pub(crate) protect: ProtectiveLevels,
}

pub(crate) fn event(order: &PendingOrder, told: Told, time: UnixNanos, kind: OrderEventKind) -> OrderEvent {
    let Told { side, units, protect } = told;
    let order =
        Order { id: order.id, decided_at: order.decided_at, kind: OrderKind::Market, side, units, protect };
    OrderEvent { time, order, kind }
}
