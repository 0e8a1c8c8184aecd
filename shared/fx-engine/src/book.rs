//! The account: open entries, waiting orders, balance.
//!
//! Each entry (a lot) keeps its own price, exits and costs, and becomes a trade of its own; what is closed comes from
//! the oldest first, and a part closed early takes its share of the entry's costs with it, rounded half to even, the
//! rest keeping the remainder. On a netting account all lots of one track are on one side.
//!
//! [`Dealing`] is the book while it meets one quote: how orders become entries stands in [`entries`], how entries become
//! trades in [`exits`], what waits for a price in [`waiting`].

mod entries;
mod exits;
mod waiting;

pub(crate) use entries::WHOLE_PERCENT;
pub(crate) use waiting::BarQuotes;

use crate::order::{Decision, PendingOrder};
use crate::rates::{Rate, Seen};
use crate::terms::{Priced, Purpose, Setup, Shown, to_micros_small};
use crate::{EngineError, FillTime, OrderEvent, OrderEventKind, Recorder, RunConfig};
use fx_domain::{
    Conversion, Costs, ExitReason, LedgerKind, LedgerRow, Money, OrderId, Price, ProtectiveLevels, Rollover,
    Side, Units, UnixNanos,
};
use serde::{Deserialize, Serialize};

/// An open entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lot {
    pub(crate) position_id: u64,
    pub(crate) order: OrderId,
    pub(crate) track: u16,
    pub(crate) side: Side,
    pub(crate) units: Units,
    pub(crate) price: Price,
    pub(crate) time: UnixNanos,
    pub(crate) bar: u64,
    pub(crate) protect: ProtectiveLevels,
    /// Where the trailing stop stands.
    pub(crate) trail: Option<Price>,
    /// The next 17:00 New York that costs it; none without a table.
    pub(crate) next_roll: Option<UnixNanos>,
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
    /// Oldest first: what meets the market with the next bar, and what waits for a price.
    pub(crate) orders: Vec<PendingOrder>,
    pub(crate) balance: Money,
    pub(crate) next_order: u64,
    pub(crate) next_position: u64,
    pub(crate) next_trade: u64,
    pub(crate) next_fill: u64,
    /// Rows booked; the first is the deposit.
    pub(crate) ledger_rows: u64,
    /// The margin call has been given, and the level has not recovered since.
    pub(crate) called: bool,
    /// The next 17:00 New York that costs any lot; none without positions or without a table.
    pub(crate) next_roll: Option<UnixNanos>,
}

/// What a ledger row says beside number, time and balance.
#[derive(Clone, Copy)]
pub(crate) struct Posting {
    pub(crate) kind: LedgerKind,
    pub(crate) order: Option<OrderId>,
    pub(crate) micros: i64,
    pub(crate) conversion: Option<Conversion>,
    pub(crate) rollover: Option<Rollover>,
}

impl Posting {
    /// An amount that was account currency from the start.
    pub(crate) const fn of(kind: LedgerKind, order: Option<OrderId>, micros: i64) -> Self {
        Self { kind, order, micros, conversion: None, rollover: None }
    }
}

/// Units and exact cost of the lots of one side, in nanos · units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Exposure {
    pub(crate) long: i64,
    pub(crate) short: i64,
    /// `Σ ±units · entry price`.
    pub(crate) cost: i128,
}

impl Exposure {
    pub(crate) const fn net(&self) -> i64 {
        self.long - self.short
    }

    /// The cost to the nearest float.
    #[inline(always)]
    pub(crate) fn cost_float(&self) -> f64 {
        // Nearly every cost fits 64 bits, which convert in one instruction.
        #[cold]
        #[inline(never)]
        fn wide(cost: i128) -> f64 {
            cost as f64
        }
        i64::try_from(self.cost).map_or_else(|_| wide(self.cost), |cost| cost as f64)
    }

    /// What closing at these prices would gain, in nanos · units.
    pub(crate) fn gain(&self, bid: Price, ask: Price) -> i128 {
        let (long, short) = (i128::from(self.long), i128::from(self.short));
        long * i128::from(bid.nanos()) - short * i128::from(ask.nanos()) - self.cost
    }
}

impl Book {
    pub(crate) const fn new(capital: Money) -> Self {
        Self {
            lots: Vec::new(),
            orders: Vec::new(),
            balance: capital,
            next_order: 0,
            next_position: 0,
            next_trade: 0,
            next_fill: 0,
            ledger_rows: 0,
            called: false,
            next_roll: None,
        }
    }

    pub(crate) fn lots_of(&self, track: u16) -> impl Iterator<Item = &Lot> {
        self.lots.iter().filter(move |lot| lot.track == track)
    }

    /// The side of the net position of a track.
    pub(crate) fn side(&self, track: u16) -> Option<Side> {
        match self.net(track) {
            0 => None,
            1.. => Some(Side::Long),
            _ => Some(Side::Short),
        }
    }

    /// The signed net position. Below [`UNITS_MAX`](crate::UNITS_MAX) by the check at each entry.
    pub(crate) fn net(&self, track: u16) -> i64 {
        self.lots_of(track).map(|lot| lot.side.sign() * lot.units.get()).sum()
    }

    /// Units and cost of a track's lots, exactly.
    #[inline(always)]
    pub(crate) fn exposure(&self, track: u16) -> Exposure {
        let mut exposure = Exposure::default();
        for lot in self.lots_of(track) {
            let units = lot.units.get();
            match lot.side {
                Side::Long => exposure.long += units,
                Side::Short => exposure.short += units,
            }
            exposure.cost += i128::from(lot.side.sign() * units) * i128::from(lot.price.nanos());
        }
        exposure
    }

    /// Whether the track's position takes no further entry on `side`.
    pub(crate) fn is_full(&self, track: u16, side: Side, config: &RunConfig) -> bool {
        let entries = self.lots_of(track).filter(|lot| lot.side == side).count();
        entries as u64 > u64::from(config.pyramiding)
    }

    /// Lots older than `newest` have been open over a range of prices.
    pub(crate) fn hold_through(&mut self, track: u16, bid: [Price; 2], ask: [Price; 2], newest: u64) {
        for lot in self.lots.iter_mut().filter(|lot| lot.track == track && lot.position_id < newest) {
            let [lowest, highest] = if lot.side == Side::Long { bid } else { ask };
            lot.lowest = lot.lowest.min(lowest);
            lot.highest = lot.highest.max(highest);
        }
    }

    /// Books the starting capital.
    pub(crate) fn deposit(&mut self, time: UnixNanos, recorder: &mut impl Recorder) {
        let deposit = Posting::of(LedgerKind::Deposit, None, self.balance.micros());
        self.write(deposit, time, recorder);
    }

    /// Writes a posting that the balance holds already.
    #[inline(always)]
    fn write(&mut self, posting: Posting, time: UnixNanos, recorder: &mut impl Recorder) {
        let Posting { kind, order, micros, conversion, rollover } = posting;
        let amount = Money::from_micros(micros, self.balance.currency());
        let (sequence, balance) = (self.ledger_rows, self.balance);
        recorder.ledger(&LedgerRow { sequence, time, kind, order, amount, balance, conversion, rollover });
        self.ledger_rows += 1;
    }
}

/// The quote that orders meet, and the stamp of their fills.
#[derive(Clone, Copy)]
pub(crate) struct Meeting {
    pub(crate) bar: u64,
    /// Open of the bar: the stamp of what happens in it.
    pub(crate) time: UnixNanos,
    /// Where the run's clock stands.
    pub(crate) now: UnixNanos,
    /// Rollovers up to and including this instant are behind what is filled here.
    pub(crate) settled: UnixNanos,
    pub(crate) bid: Price,
    pub(crate) ask: Price,
}

impl Meeting {
    pub(crate) const fn price(&self, side: Side) -> Price {
        match side {
            Side::Long => self.ask,
            Side::Short => self.bid,
        }
    }

    /// The same moment at other prices.
    pub(crate) const fn at(self, bid: Price, ask: Price) -> Self {
        Self { bid, ask, ..self }
    }
}

/// The book while one track meets one quote: at what terms it trades, and where that is written down.
pub(crate) struct Dealing<'a, R> {
    pub(crate) book: &'a mut Book,
    /// The last prices of every series.
    pub(crate) seen: &'a mut [Option<Seen>],
    pub(crate) setup: &'a Setup<'a>,
    pub(crate) recorder: &'a mut R,
    pub(crate) track: u16,
    pub(crate) at: Meeting,
}

impl<R: Recorder> Dealing<'_, R> {
    /// Moves to another quote of the same bar.
    pub(crate) fn meet(&mut self, bid: Price, ask: Price) {
        self.at = self.at.at(bid, ask);
        self.see();
    }

    /// Moves to where the price that a fill of `side` gets is `price`, the spread as it is.
    pub(crate) fn meet_level(&mut self, side: Side, price: Price) {
        let spread = Price::from_nanos((self.at.ask.nanos() - self.at.bid.nanos()).max(0));
        let (bid, ask) = match side {
            Side::Long => (price - spread, price),
            Side::Short => (price, price + spread),
        };
        self.meet(bid, ask);
    }

    /// The account is valued at this quote from now on.
    pub(crate) fn see(&mut self) {
        let Meeting { bid, ask, now, bar, time, .. } = self.at;
        self.seen[usize::from(self.track)] = Some(Seen { bid, ask, at: now, bar, opened: time });
    }

    /// Lets what waits for the next bar meet the market: this quote, or each the close at which it was decided.
    pub(crate) fn fill_market_orders(&mut self) -> Result<(), EngineError> {
        let quote = self.at;
        let mut index = 0;
        while let Some(order) = self.book.orders.get(index).copied() {
            if order.track != self.track || order.is_resting() {
                index += 1;
                continue;
            }
            self.book.orders.remove(index);
            if self.setup.config.fill == FillTime::Close {
                self.fill_at_deciding_close(&order)?;
            } else {
                self.fill(&order, Purpose::Entry)?;
                self.check_margin()?;
            }
        }
        self.at = quote;
        Ok(())
    }

    /// Fills an order at the close at which it was decided, its amounts converted by the prices of then.
    fn fill_at_deciding_close(&mut self, order: &PendingOrder) -> Result<(), EngineError> {
        self.at = self.deciding_close(order);
        self.see();
        let path = self.setup.paths[usize::from(self.track)];
        let Some((path, conversion)) = path.zip(order.conversion) else {
            return self.fill(order, Purpose::Entry);
        };
        let now = self.seen.to_vec();
        path.recall(&conversion, self.seen);
        self.fill(order, Purpose::Entry)?;
        self.seen.copy_from_slice(&now);
        Ok(())
    }

    /// The close at which an order was decided.
    fn deciding_close(&self, order: &PendingOrder) -> Meeting {
        let PendingOrder { decided_bar: bar, decided_at: time, bid, ask, .. } = *order;
        // A rollover at the close itself comes after.
        let granularity = self.setup.config.tracks[usize::from(self.track)].granularity;
        let rolls = self.setup.config.financing.is_some();
        let before_close = || granularity.close_of(time).plus_nanos(-1);
        // A tick has no length: it is settled when it comes.
        let settled = if rolls { before_close().max(time) } else { time };
        Meeting { bar, time, bid, ask, settled, ..self.at }
    }

    /// Fills an order at this quote.
    pub(crate) fn fill(&mut self, order: &PendingOrder, purpose: Purpose) -> Result<(), EngineError> {
        match order.decision {
            Decision::Enter { side, size, ticket } => {
                self.enter(order, entries::Wish { side, size, ticket, purpose })
            }
            Decision::Trade { side, units, reduce_only, ticket } => {
                let wish = entries::Raw { side, units, reduce_only, ticket, purpose };
                self.trade_raw(order, wish)
            }
            Decision::Close => self.leave(order, None),
            Decision::ClosePartial(portion) => self.leave(order, Some(portion)),
            Decision::Target(target) => self.aim(order, target.get()),
        }
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn overflow(&self, what: &'static str) -> EngineError {
        let index = self.terms().warm_up_bars + self.at.bar;
        EngineError::Overflow { index, time: self.at.time, what }
    }

    #[inline(always)]
    pub(crate) fn terms(&self) -> &crate::terms::Terms {
        &self.setup.terms[usize::from(self.track)]
    }

    pub(crate) const fn config(&self) -> &RunConfig {
        self.setup.config
    }

    /// How amounts in the track's quote currency become account currency now.
    pub(crate) fn rate(&self) -> Result<Rate, EngineError> {
        self.rate_of(self.track)
    }

    pub(crate) fn rate_of(&self, track: u16) -> Result<Rate, EngineError> {
        match &self.setup.paths[usize::from(track)] {
            None => Ok(Rate::Same),
            Some(path) => {
                path.rate(self.seen, self.at.now, self.setup.config.rate_age_hours_max).map(Rate::By)
            }
        }
    }

    /// What the next fill, of `side`, pays here.
    pub(crate) fn price(&mut self, side: Side, purpose: Purpose) -> Result<Priced, EngineError> {
        let number = self.book.next_fill;
        self.book.next_fill += 1;
        self.priced(side, purpose, number)
    }

    /// What fill `number`, of `side`, pays here.
    #[inline(always)]
    fn priced(&self, side: Side, purpose: Purpose, number: u64) -> Result<Priced, EngineError> {
        let Meeting { bid, ask, .. } = self.at;
        let spread = Price::from_nanos((ask.nanos() - bid.nanos()).max(0));
        let shown = Shown { side, raw: self.at.price(side), spread, number };
        let priced = self.terms().price(&self.setup.config.spread, shown, purpose);
        priced.ok_or_else(|| self.overflow("fill price"))
    }

    #[inline(always)]
    pub(crate) fn commission(&self, units: Units, price: Price, rate: Rate) -> Result<i64, EngineError> {
        let commission = self.terms().commission(self.setup.config.commission, units, price, rate);
        commission.ok_or_else(|| self.overflow("commission"))
    }

    /// `units · distance` in millionths of account currency.
    #[inline(always)]
    pub(crate) fn amount(&self, units: Units, distance: Price, rate: Rate) -> Result<i64, EngineError> {
        if distance == Price::ZERO {
            return Ok(0);
        }
        if let (Rate::Same, Some(exact)) = (rate, units.get().checked_mul(distance.nanos())) {
            return Ok(to_micros_small(exact));
        }
        let exact = i128::from(units.get()) * i128::from(distance.nanos());
        rate.micros(exact).ok_or_else(|| self.overflow("amount"))
    }

    /// Books an amount and its row.
    #[inline(always)]
    pub(crate) fn post(&mut self, posting: Posting) -> Result<(), EngineError> {
        self.post_at(posting, self.at.time)
    }

    #[inline(always)]
    pub(crate) fn post_at(&mut self, posting: Posting, time: UnixNanos) -> Result<(), EngineError> {
        let amount = Money::from_micros(posting.micros, self.book.balance.currency());
        let balance = self.book.balance.checked_add(amount);
        self.book.balance = balance.ok_or_else(|| self.overflow("balance"))?;
        self.book.write(posting, time, self.recorder);
        Ok(())
    }

    /// Books the commission of a fill, if there is one.
    #[inline(always)]
    pub(crate) fn charge(&mut self, commission: i64, order: OrderId, rate: Rate) -> Result<(), EngineError> {
        if commission == 0 {
            return Ok(());
        }
        let per_notional = matches!(self.setup.config.commission, crate::Commission::PerNotional { .. });
        let conversion = if per_notional { rate.conversion() } else { None };
        let posting = Posting::of(LedgerKind::Commission, Some(order), -commission);
        self.post(Posting { conversion, ..posting })
    }

    pub(crate) fn tell(&mut self, order: OrderId, kind: OrderEventKind) {
        let (time, instrument) = (self.at.time, self.terms().instrument);
        self.recorder.event(|| OrderEvent { time, order, instrument, kind });
    }

    /// Closes at the market what an order says: all, or a part.
    fn leave(
        &mut self,
        order: &PendingOrder,
        portion: Option<crate::OrderPortion>,
    ) -> Result<(), EngineError> {
        let exposure = self.book.exposure(self.track);
        // Of a hedged position the same is left of both sides, each at its own price.
        let sides = [(Side::Long, exposure.long), (Side::Short, exposure.short)];
        let parts = sides.map(|(side, open)| (side, self.portion(portion, open)));
        if parts.iter().all(|(_, part)| part.is_zero()) {
            self.tell(order.id, OrderEventKind::Lapsed);
        }
        for (side, part) in parts {
            if !part.is_zero() {
                self.close(order.id, side, part, ExitReason::Close)?;
            }
        }
        Ok(())
    }

    /// How many of the open units of a side an order leaves.
    fn portion(&self, portion: Option<crate::OrderPortion>, open: i64) -> Units {
        match portion {
            None => Units::new(open),
            Some(crate::OrderPortion::Units(units)) => Units::new(units.get().clamp(0, open)),
            Some(crate::OrderPortion::Percent(percent)) => {
                let part = (open as f64 * percent / 100.0).floor();
                Units::new((part as i64).clamp(0, open)).floor_to_step(&self.terms().instrument)
            }
        }
    }
}
