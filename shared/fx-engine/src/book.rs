//! The account: open entries, waiting orders, balance.
//!
//! Positions are netted: all open entries are on one side. Each entry (a lot) keeps its own price, levels and costs, and
//! becomes a trade of its own; what is closed comes from the oldest first, and a part closed early takes its share of the
//! entry's costs with it, rounded half to even, the rest keeping the remainder.
//!
//! [`Dealing`] is the book while it meets one quote: how orders become entries stands in [`entries`], how entries become
//! trades in [`exits`].

mod entries;
mod exits;

use crate::order::{Decision, PendingOrder};
use crate::terms::{Terms, to_micros};
use crate::{BLOCK, EngineError, FillTime, OrderEvent, OrderEventKind, RunConfig};
use fx_domain::{
    Costs, ExitReason, LedgerKind, LedgerRow, Money, Order, OrderId, OrderKind, Price, ProtectiveLevels,
    Side, Trade, Units, UnixNanos,
};
use serde::{Deserialize, Serialize};

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

impl Journal {
    /// Makes room for what the bars from `done` to `total` will bring if they go on like those before: growing by
    /// doubling would copy every row once more.
    pub(crate) fn foresee(&mut self, done: usize, total: usize) {
        let blocks = [done.div_ceil(BLOCK), (total - done).div_ceil(BLOCK)];
        make_room(&mut self.trades, blocks);
        make_room(&mut self.ledger, blocks);
        make_room(&mut self.events, blocks);
    }
}

fn make_room<T>(rows: &mut Vec<T>, [blocks_done, blocks_left]: [usize; 2]) {
    let per_block = rows.len() / blocks_done.max(1) + 1;
    if rows.capacity() - rows.len() < 2 * per_block {
        let expected = per_block * blocks_left;
        rows.reserve(expected + expected / 8);
    }
}

/// What a ledger row says beside number, time and balance.
#[derive(Clone, Copy)]
struct Posting {
    kind: LedgerKind,
    order: Option<OrderId>,
    micros: i64,
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

    /// The signed net position. Below [`UNITS_MAX`](crate::UNITS_MAX) by the check at each entry.
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
        let gain = to_micros(i128::from(net) * i128::from(mark.nanos()) - cost);
        i64::try_from(i128::from(self.balance.micros()) + gain).ok()
    }

    /// Whether the position takes no further entry.
    pub(crate) fn is_full(&self, config: &RunConfig) -> bool {
        self.lots.len() as u64 > u64::from(config.pyramiding)
    }

    /// The range of some bars has been held by every open lot.
    pub(crate) fn hold_through(&mut self, lowest: Price, highest: Price) {
        for lot in &mut self.lots {
            lot.lowest = lot.lowest.min(lowest);
            lot.highest = lot.highest.max(highest);
        }
    }

    /// Books the starting capital.
    pub(crate) fn deposit(&mut self, time: UnixNanos, journal: &mut Journal) {
        let deposit = Posting { kind: LedgerKind::Deposit, order: None, micros: self.balance.micros() };
        self.write(deposit, time, journal);
    }

    /// Writes a posting that the balance holds already.
    fn write(&mut self, posting: Posting, time: UnixNanos, journal: &mut Journal) {
        let Posting { kind, order, micros } = posting;
        let amount = Money::from_micros(micros, self.balance.currency());
        let (sequence, balance) = (self.ledger_rows, self.balance);
        journal.ledger.push(LedgerRow { sequence, time, kind, order, amount, balance });
        self.ledger_rows += 1;
    }
}

/// The quote that orders meet, and the stamp of their fills.
#[derive(Clone, Copy)]
pub(crate) struct Meeting {
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
}

/// The book while it meets one quote: at what terms it trades, and where that is written down.
pub(crate) struct Dealing<'a> {
    pub(crate) book: &'a mut Book,
    pub(crate) terms: &'a Terms<'a>,
    pub(crate) journal: &'a mut Journal,
    pub(crate) at: Meeting,
}

impl Dealing<'_> {
    /// Lets every waiting order meet the market: this quote, or each the close at which it was decided.
    pub(crate) fn fill_pending(&mut self) -> Result<(), EngineError> {
        let quote = self.at;
        let mut pending = std::mem::take(&mut self.book.pending);
        for order in pending.drain(..) {
            self.at = match self.terms.config.fill {
                FillTime::Open => quote,
                FillTime::Close => order.meeting(),
            };
            self.fill(&order)?;
        }
        self.at = quote;
        // Keeps the allocation: orders come and go by the thousand.
        self.book.pending = pending;
        Ok(())
    }

    fn fill(&mut self, order: &PendingOrder) -> Result<(), EngineError> {
        match order.decision {
            Decision::Enter { side, size, stop_loss, take_profit } => {
                let wish = entries::Wish { side, size, stop_loss, take_profit };
                self.enter(order, wish)
            }
            Decision::Close => match Units::new(self.book.net().abs()) {
                Units::ZERO => {
                    self.tell(order, Told::of(Side::Long, Units::ZERO), OrderEventKind::Lapsed);
                    Ok(())
                }
                units => self.close(order, units, ExitReason::Close),
            },
            Decision::Target(target) => self.aim(order, target.get()),
        }
    }

    pub(crate) fn overflow(&self, what: &'static str) -> EngineError {
        EngineError::Overflow { index: self.terms.warm_up_bars + self.at.bar, time: self.at.time, what }
    }

    /// Books an amount and its row.
    fn post(&mut self, posting: Posting) -> Result<(), EngineError> {
        let amount = Money::from_micros(posting.micros, self.book.balance.currency());
        let balance = self.book.balance.checked_add(amount);
        self.book.balance = balance.ok_or_else(|| self.overflow("balance"))?;
        self.book.write(posting, self.at.time, self.journal);
        Ok(())
    }

    /// Books the commission of a fill, if there is one.
    fn charge(&mut self, commission: i64, order: OrderId) -> Result<(), EngineError> {
        if commission == 0 {
            return Ok(());
        }
        self.post(Posting { kind: LedgerKind::Commission, order: Some(order), micros: -commission })
    }

    fn tell(&mut self, order: &PendingOrder, told: Told, kind: OrderEventKind) {
        self.journal.events.push(event(order, told, self.at.time, kind));
    }
}

/// What an event says of its order beside number and time.
pub(crate) struct Told {
    pub(crate) side: Side,
    pub(crate) units: Units,
    pub(crate) protect: ProtectiveLevels,
}

impl Told {
    /// Without levels.
    fn of(side: Side, units: Units) -> Self {
        Self { side, units, protect: ProtectiveLevels::default() }
    }
}

pub(crate) fn event(order: &PendingOrder, told: Told, time: UnixNanos, kind: OrderEventKind) -> OrderEvent {
    let Told { side, units, protect } = told;
    let order =
        Order { id: order.id, decided_at: order.decided_at, kind: OrderKind::Market, side, units, protect };
    OrderEvent { time, order, kind }
}
