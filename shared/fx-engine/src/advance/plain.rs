//! The short way through a block, for strategies that enter at the market with known sizes and nothing attached, on one
//! track in the account's currency.
//!
//! It does what deciding, waiting, filling and marking do, without an order that waits and with one look at each bar:
//! nothing can come between a signal and its fill, and nobody wants to be told. What is open is a lot in hand until the
//! block ends. Where a bar is not plain (the margin is close, an amount does not fit, a size is odd), the long way goes
//! on from there.

use super::{At, Run};
use crate::book::{Lot, WHOLE_PERCENT};
use crate::evaluate::Column;
use crate::margin::{danger_of_lot, is_safe};
use crate::mark::{HOLD_BALANCE_MAX, hold};
use crate::market::StoredSides;
use crate::program::Program;
use crate::terms::Setup;
use crate::value::TRUE;
use crate::{EngineError, FillTime, Market, Recorder, RunConfig, UNITS_MAX};
use fx_domain::{Side, Units};
use fx_strategy::{Action, Direction, NodeId, Size, Ticket};
use std::ops::Range;

/// A rule of a plain strategy: where the guard holds, so many units are entered.
#[derive(Clone, Copy)]
pub(super) struct PlainEntry {
    guard: NodeId,
    side: Side,
    units: NodeId,
}

/// The rules of the plan, if its runs may take the short way; else nothing. `places` finds their columns.
pub(super) fn plain_entries(
    program: &Program<'_>,
    places: Option<&[NodeId]>,
    setup: &Setup<'_>,
    market: &Market<'_>,
) -> Vec<PlainEntry> {
    let config = setup.config;
    let alone = market.tracks.len() == 1 && market.rates.is_empty() && market.finer[0].is_none();
    let plain = alone
        && config.financing.is_none()
        && setup.paths[0].is_none()
        && config.fill == FillTime::Open
        && config.pyramiding == 0
        && program.every_bar.is_empty();
    let place = |id: NodeId| places.map_or(id, |places| places[id.index()]);
    let rules = program.plan.rules.iter().zip(&program.rules);
    let entries = rules.map(|(rule, prepared)| match *rule.actions {
        [Action::Enter { direction, size: Size::Units(units), ticket }]
            if ticket == Ticket::default() && prepared.necessary == [rule.guard] =>
        {
            let side = if direction == Direction::Long { Side::Long } else { Side::Short };
            Some(PlainEntry { guard: place(rule.guard), side, units: place(units) })
        }
        _ => None,
    });
    if plain { entries.collect::<Option<_>>().unwrap_or_default() } else { Vec::new() }
}

/// The share of a position's notional that equity must be clearly above: nothing is refused and nobody is called there.
fn watched_share(config: &RunConfig) -> f64 {
    let account = &config.account;
    let percent = account.margin_call_percent.max(account.stop_out_percent).max(WHOLE_PERCENT);
    percent / 100.0 / account.leverage
}

/// How far the short way led.
pub(super) struct Reached {
    /// The first bar that is not done.
    pub(super) row: usize,
    /// Its open has been met.
    pub(super) opened: bool,
}

/// What is open, and the price at or beyond which the margin must be looked at.
struct Held {
    lot: Lot,
    danger_nanos: i64,
}

impl<R: Recorder> Run<'_, R> {
    /// Takes the bars of `rows`, which lie in one block, as far as they are plain.
    #[inline(always)]
    pub(super) fn plainly(&mut self, rows: Range<usize>, origin: usize) -> Result<Reached, EngineError> {
        let mut reached = Reached { row: rows.start, opened: false };
        if !self.state.book.orders.is_empty() {
            self.open(At { track: 0, row: rows.start, origin })?;
            reached.opened = true;
        }
        let watch = (watched_share(self.setup.config), self.market.tracks[0].widest_nanos);
        let book = &mut self.state.book;
        let balance = book.balance.micros();
        if book.called || book.lots.len() > 1 {
            return Ok(reached);
        }
        let mut held = book.lots.pop().map(|lot| {
            let danger_nanos = danger_of_lot(balance, &lot, watch.0, watch.1);
            Held { lot, danger_nanos }
        });
        self.bring_near(rows.clone());
        let done = self.equity.len();
        self.equity.resize(done + rows.len(), 0);
        let mut last_signal = None;
        while reached.row < rows.end {
            let row = reached.row;
            let side = held.as_ref().map(|held| held.lot.side);
            let wake = self.blocks[0].next_wake(row - origin..rows.end - origin, side);
            let to = wake.map_or(rows.end, |at| origin + at + 1);
            if !self.hold(row..to, done + row - rows.start, &mut held) {
                break;
            }
            reached = Reached { row: to, opened: false };
            if wake.is_none() {
                break;
            }
            // What the last bar of the block decides fills in the next one.
            let at = At { track: 0, row: to - 1, origin };
            if to == rows.end || !self.fill_next(at, &mut held, watch)? {
                last_signal = Some(at);
                break;
            }
            reached.opened = true;
        }
        self.state.book.lots.extend(held.map(|held| held.lot));
        self.equity.truncate(done + reached.row - rows.start);
        if reached.opened {
            self.see_open(reached.row);
        } else if reached.row > rows.start {
            self.see_price(reached.row - 1);
        }
        if let Some((at, equity)) = last_signal.zip(self.equity.last().copied()) {
            self.decide(at, equity)?;
        }
        Ok(reached)
    }

    /// Fills read opens and times here and there, which no processor foresees: one pass in order brings them near.
    #[inline(always)]
    fn bring_near(&self, rows: Range<usize>) {
        /// Numbers in one line of the cache.
        const LINE: usize = 8;
        let quotes = &self.market.tracks[0];
        let mut joined = 0;
        for times in quotes.bars.times[rows.clone()].chunks(LINE) {
            joined ^= times[0].get();
        }
        let bids = quotes.bid.opens(rows.clone());
        let asks = if quotes.stored == StoredSides::Both { quotes.ask.opens(rows) } else { &[] };
        for opens in bids.chunks(LINE).chain(asks.chunks(LINE)) {
            joined ^= opens[0].nanos();
        }
        std::hint::black_box(joined);
    }

    /// Holds what is open through `rows` and marks it from place `to` of the equity on, unless something may happen.
    #[inline(always)]
    fn hold(&mut self, rows: Range<usize>, to: usize, held: &mut Option<Held>) -> bool {
        let out = &mut self.equity[to..to + rows.len()];
        let balance = self.state.book.balance.micros();
        let Some(Held { lot, danger_nanos }) = held else {
            out.fill(balance);
            return true;
        };
        let view = self.market.tracks[0].closing(lot.side);
        let bars = [view.lows(rows.clone()), view.highs(rows.clone()), view.closes(rows)];
        let position = (lot.side.sign() * lot.units.get(), lot.price);
        if balance.unsigned_abs() > HOLD_BALANCE_MAX {
            return false;
        }
        let Some([lowest, highest]) = hold(position, balance, bars, view.shift_nanos(), out) else {
            return false;
        };
        let adverse = if lot.side == Side::Long { lowest } else { highest };
        if !is_safe(lot.side, adverse.nanos(), *danger_nanos) {
            return false;
        }
        lot.lowest = lot.lowest.min(lowest);
        lot.highest = lot.highest.max(highest);
        true
    }

    /// Fills what a rule decides at the close of `at` at the next open, which is in the same block. Whether it could.
    #[inline(always)]
    fn fill_next(&mut self, at: At, held: &mut Option<Held>, watch: (f64, i64)) -> Result<bool, EngineError> {
        let place = at.row - at.origin;
        let columns = &self.blocks[0].columns;
        let holds =
            |id: NodeId| matches!(&columns[id.index()], Column::Condition(column) if column[place] == TRUE);
        let Some(entry) = self.plain.iter().find(|entry| holds(entry.guard)) else { return Ok(false) };
        let (side, units) = (entry.side, &columns[entry.units.index()]);
        let Column::Number(units) = units else { return Ok(false) };
        let units = units[place];
        let lacks_side = held.as_ref().is_none_or(|held| held.lot.side != side);
        if !lacks_side || !(1.0..=UNITS_MAX as f64).contains(&units) {
            return Ok(false);
        }
        let next = At { row: at.row + 1, ..at };
        let quotes = &self.market.tracks[0];
        let quote = [quotes.bid.open(next.row), quotes.ask.open(next.row)];
        let mut dealing = self.dealing(next, quote, quotes.bars.times[next.row]);
        let wanted = (side, Units::new(units as i64));
        let open = held.as_ref().map(|held| &held.lot);
        let Some((lot, danger_nanos)) = dealing.reverse_plainly(wanted, open, watch)? else {
            return Ok(false);
        };
        *held = Some(Held { lot, danger_nanos });
        Ok(true)
    }

    /// The account is valued at the open of a bar from now on.
    fn see_open(&mut self, row: usize) {
        let quotes = &self.market.tracks[0];
        let quote = [quotes.bid.open(row), quotes.ask.open(row)];
        self.dealing(At { track: 0, row, origin: row }, quote, quotes.bars.times[row]).see();
    }
}
