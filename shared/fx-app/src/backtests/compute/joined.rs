//! Accounts side by side: what each did, put together to the rows of one result.
//!
//! A row's place is its time, at equal times its account's, in one account its own order. Rows go on when every account has
//! passed their time, so their order says nothing about how the bars were read. In an account no row is before the open of
//! the last bar that it has seen.

use crate::ports::RunRows;
use fx_domain::{
    Currency, EquityCurve, ErrorKind, LedgerRow, Money, OrderId, PlatformError, PlatformResult, Trade,
    UnixNanos,
};
use fx_engine::{MarginPoint, OpenPosition, OrderEvent, RunConfig};

/// One configuration for each track: the capital is split equally, and the millionths that do not divide go to the first.
pub(in crate::backtests) fn split(config: &RunConfig) -> Vec<RunConfig> {
    let (capital, count) = (config.account.capital, config.tracks.len() as i64);
    let alone = |(index, track): (usize, &fx_engine::Track)| {
        let rest = if index == 0 { capital.micros() % count } else { 0 };
        let mut alone = RunConfig { tracks: vec![*track], ..config.clone() };
        alone.account.capital = Money::from_micros(capital.micros() / count + rest, capital.currency());
        alone
    };
    config.tracks.iter().enumerate().map(alone).collect()
}

/// The rows of all accounts. Those of a single one go through as they are.
pub(super) struct Joined {
    currency: Currency,
    accounts: Vec<Held>,
    /// Trades that went on.
    trades: u64,
    /// Ledger rows that went on.
    ledger: u64,
    /// Of all accounts, after the last ledger row that went on.
    balance_micros: i64,
    /// Of all accounts, at the last point that went on.
    equity_micros: i64,
}

/// What one account did and others have not passed.
struct Held {
    /// The open of its last bar so far.
    passed: Option<UnixNanos>,
    /// Nothing more comes of it.
    ended: bool,
    trades: Queue<Trade>,
    ledger: Queue<LedgerRow>,
    equity: Queue<i64>,
    events: Queue<OrderEvent>,
    margin: Queue<MarginPoint>,
    /// At the last point that went on.
    equity_micros: i64,
}

/// Rows in their order, each with the latest time up to it.
struct Queue<T> {
    reached: UnixNanos,
    rows: Vec<(UnixNanos, T)>,
}

impl<T> Queue<T> {
    const fn new() -> Self {
        Self { reached: UnixNanos::new(i64::MIN), rows: Vec::new() }
    }

    fn extend(&mut self, rows: impl IntoIterator<Item = T>, time: impl Fn(&T) -> UnixNanos) {
        self.extend_timed(rows.into_iter().map(|row| (time(&row), row)));
    }

    fn extend_timed(&mut self, rows: impl IntoIterator<Item = (UnixNanos, T)>) {
        for (time, row) in rows {
            self.reached = self.reached.max(time);
            self.rows.push((self.reached, row));
        }
    }
}

impl Joined {
    pub(super) fn new(accounts: &[RunConfig], currency: Currency) -> PlatformResult<Self> {
        let held = |config: &RunConfig| Held {
            passed: None,
            ended: false,
            trades: Queue::new(),
            ledger: Queue::new(),
            equity: Queue::new(),
            events: Queue::new(),
            margin: Queue::new(),
            equity_micros: config.account.capital.micros(),
        };
        let accounts: Vec<Held> = accounts.iter().map(held).collect();
        let equity_micros = sum("capital", accounts.iter().map(|held| held.equity_micros))?;
        Ok(Self { currency, accounts, trades: 0, ledger: 0, balance_micros: 0, equity_micros })
    }

    /// Takes what an account did until it passed the bar that opens at `passed`, and gives what all have passed.
    pub(super) fn add(
        &mut self,
        account: usize,
        rows: RunRows,
        passed: Option<UnixNanos>,
    ) -> PlatformResult<RunRows> {
        if self.accounts.len() == 1 {
            return Ok(rows);
        }
        let held = &mut self.accounts[account];
        held.trades.extend(rows.trades, |trade| trade.exit_time);
        held.ledger.extend(rows.ledger, |row| row.time);
        held.equity.extend_timed(rows.equity.times.into_iter().zip(rows.equity.micros));
        held.events.extend(rows.events, |event| event.time);
        held.margin.extend(rows.margin, |point| point.time);
        held.passed = passed.or(held.passed);
        self.release()
    }

    /// Nothing more comes of an account: the others need not wait for it.
    pub(super) fn end(&mut self, account: usize) -> PlatformResult<RunRows> {
        self.accounts[account].ended = true;
        self.release()
    }

    /// An account's number of an order or a position, as a number that no other account has.
    pub(super) fn numbered(&self, account: usize, number: u64) -> u64 {
        number * self.accounts.len() as u64 + account as u64
    }

    /// An account's open positions, as the result shows them.
    pub(super) fn open(
        &self,
        account: usize,
        open: Vec<OpenPosition>,
    ) -> impl Iterator<Item = OpenPosition> + '_ {
        open.into_iter().map(move |position| OpenPosition {
            position_id: self.numbered(account, position.position_id),
            ..position
        })
    }

    fn release(&mut self) -> PlatformResult<RunRows> {
        let going = self.accounts.iter().filter(|held| !held.ended);
        let until = going.map(|held| held.passed.unwrap_or(UnixNanos::new(i64::MIN))).min();
        let trades = self.due(until, |held| &mut held.trades);
        let ledger = self.due(until, |held| &mut held.ledger);
        let equity = self.due(until, |held| &mut held.equity);
        let events = self.due(until, |held| &mut held.events);
        let margin = self.due(until, |held| &mut held.margin);
        Ok(RunRows {
            trades: trades.into_iter().map(|(_, account, trade)| self.trade(account, trade)).collect(),
            ledger: ledger
                .into_iter()
                .map(|(_, account, row)| self.booked(account, row))
                .collect::<PlatformResult<_>>()?,
            equity: self.summed(equity)?,
            events: events
                .into_iter()
                .map(|(_, account, event)| OrderEvent { order: self.order(account, event.order), ..event })
                .collect(),
            margin: margin.into_iter().map(|(_, _, point)| point).collect(),
        })
    }

    /// The rows of one kind before `until`, or all, each with its time and its account.
    fn due<T>(
        &mut self,
        until: Option<UnixNanos>,
        kind: impl Fn(&mut Held) -> &mut Queue<T>,
    ) -> Vec<(UnixNanos, usize, T)> {
        let mut due = Vec::new();
        for (account, held) in self.accounts.iter_mut().enumerate() {
            let rows = &mut kind(held).rows;
            let count = until.map_or(rows.len(), |until| rows.partition_point(|(time, _)| *time < until));
            due.extend(rows.drain(..count).map(|(time, row)| (time, account, row)));
        }
        // Stable: what one account did at one time keeps its order.
        due.sort_by_key(|(time, account, _)| (*time, *account));
        due
    }

    fn order(&self, account: usize, order: OrderId) -> OrderId {
        OrderId(self.numbered(account, order.0))
    }

    fn trade(&mut self, account: usize, trade: Trade) -> Trade {
        let id = self.trades;
        self.trades += 1;
        Trade { id, position_id: self.numbered(account, trade.position_id), ..trade }
    }

    /// A row with the balance of all accounts.
    fn booked(&mut self, account: usize, row: LedgerRow) -> PlatformResult<LedgerRow> {
        let sequence = self.ledger;
        self.ledger += 1;
        self.balance_micros = sum("balance", [self.balance_micros, row.amount.micros()])?;
        let balance = Money::from_micros(self.balance_micros, self.currency);
        let order = row.order.map(|order| self.order(account, order));
        Ok(LedgerRow { sequence, balance, order, ..row })
    }

    /// One point at each instant at which one of the equities has one: of the others the last one before counts, and before the
    /// first their capital.
    fn summed(&mut self, points: Vec<(UnixNanos, usize, i64)>) -> PlatformResult<EquityCurve> {
        let mut curve = EquityCurve { times: Vec::new(), micros: Vec::new(), currency: self.currency };
        for (time, account, micros) in points {
            let before = std::mem::replace(&mut self.accounts[account].equity_micros, micros);
            let change = micros.checked_sub(before).ok_or_else(|| too_large("equity"))?;
            self.equity_micros = sum("equity", [self.equity_micros, change])?;
            match (curve.times.last(), curve.micros.last_mut()) {
                (Some(known), Some(last)) if *known == time => *last = self.equity_micros,
                _ => {
                    curve.times.push(time);
                    curve.micros.push(self.equity_micros);
                }
            }
        }
        Ok(curve)
    }
}

/// # Errors
/// `BacktestExecutionError` when it does not fit.
pub(super) fn sum(what: &str, micros: impl IntoIterator<Item = i64>) -> PlatformResult<i64> {
    micros.into_iter().try_fold(0, i64::checked_add).ok_or_else(|| too_large(what))
}

fn too_large(what: &str) -> PlatformError {
    let message = format!("the {what} of all accounts together is out of range");
    PlatformError::new(ErrorKind::BacktestExecution, message)
}
