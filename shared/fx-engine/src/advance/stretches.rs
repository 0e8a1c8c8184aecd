//! Bars of a single track: one by one where something can happen, in stretches where nothing can.
//!
//! A stretch is a run of bars whose prices touch nothing: no exit, no margin level, no rollover. It is held through and
//! marked at once. It may begin at a bar whose open has filled an order, and end with a bar at whose close a rule acts.

use super::plain::Reached;
use super::{At, Run};
use crate::evaluate::widest;
use crate::margin::danger;
use crate::mark::mark;
use crate::{EngineError, Recorder};
use fx_domain::{Price, Side, UnixNanos};
use std::ops::Range;

/// Where a stretch ends.
#[derive(Clone, Copy)]
enum End {
    /// With the bars there are.
    Rows,
    /// Before a bar that touches something.
    Touch,
    /// With a bar at whose close a rule may act.
    Wake,
}

impl<R: Recorder> Run<'_, R> {
    pub(super) fn market(&mut self, rows: Range<usize>, origin: usize) -> Result<(), EngineError> {
        // Up to which bar we are, and whether its open has been met.
        let Reached { mut row, mut opened } = if self.plain.is_empty() {
            Reached { row: rows.start, opened: false }
        } else {
            widest(
                self.level,
                #[inline(always)]
                || self.plainly(rows.clone(), origin),
            )?
        };
        // What was filled before that bar.
        let mut counts = self.counts();
        while row < rows.end {
            let at = At { track: 0, row, origin };
            if !opened {
                counts = self.counts();
            }
            if self.must_step() {
                self.bar(at, opened)?;
                self.trace_fills(at, counts)?;
                (row, opened) = (row + 1, false);
                continue;
            }
            if !opened && !self.state.book.orders.is_empty() {
                self.open(at)?;
                opened = true;
                continue;
            }
            let (to, end, range) = self.next_event(row..rows.end, origin);
            if R::DETAILED && opened && to > row {
                self.see_price(row);
                self.trace_fills(at, counts)?;
            }
            self.stretch(row..to, range)?;
            opened &= to == row;
            row = to;
            match end {
                End::Rows => {}
                End::Touch => {
                    if !opened {
                        counts = self.counts();
                    }
                    let at = At { row, ..at };
                    self.bar(at, opened)?;
                    self.trace_fills(at, counts)?;
                    (row, opened) = (row + 1, false);
                }
                End::Wake => {
                    let equity = self.equity.last().copied().unwrap_or_default();
                    self.decide(At { row: to - 1, ..at }, equity)?;
                }
            }
        }
        Ok(())
    }

    /// Whether something can happen at any bar.
    fn must_step(&self) -> bool {
        let book = &self.state.book;
        let steady = book.lots.iter().all(|lot| lot.trail.is_none() && lot.side == book.lots[0].side);
        // Finer bars may reach further than the bars whose ranges stretches are found by.
        let finer_path = self.market.finer[0].is_some() && !book.lots.is_empty();
        !steady
            || finer_path
            || !self.program.every_bar.is_empty()
            || self.setup.paths[0].is_some()
            || book.orders.iter().any(crate::PendingOrder::is_resting)
    }

    /// Up to where the bars of `rows` make a stretch, what ends it, and the lowest and highest stored price of the side
    /// that closes the position in it.
    fn next_event(&self, rows: Range<usize>, origin: usize) -> (usize, End, [i64; 2]) {
        let book = &self.state.book;
        let side = book.lots.first().map(|lot| lot.side);
        let full = side.filter(|side| book.is_full(0, *side, self.setup.config));
        let wake = self.blocks[0].next_wake(rows.start - origin..rows.end - origin, full);
        let (mut to, mut end) = wake.map_or((rows.end, End::Rows), |at| (origin + at + 1, End::Wake));
        let Some(side) = side else { return (to, end, [0; 2]) };
        if let Some(next) = book.next_roll {
            let length = self.setup.config.tracks[0].granularity.nominal_nanos();
            let times = &self.market.tracks[0].bars.times[rows.start..to];
            let before = times.partition_point(|time| *time < next && time.plus_nanos(length) <= next);
            if rows.start + before < to {
                (to, end) = (rows.start + before, End::Touch);
            }
        }
        let [below, above] = self.bounds(side);
        let view = self.market.tracks[0].closing(side);
        let (lows, highs) = (view.lows(rows.start..to), view.highs(rows.start..to));
        let [lowest, highest] = widest(self.level, || range_of(lows, highs));
        if lowest > below && highest < above {
            return (to, end, [lowest, highest]);
        }
        let mut bars = lows.iter().zip(highs);
        let touched = bars.position(|(low, high)| low.nanos() <= below || high.nanos() >= above);
        let touch = rows.start + touched.unwrap_or_default();
        let range = range_of(view.lows(rows.start..touch), view.highs(rows.start..touch));
        (touch, End::Touch, range)
    }

    /// The levels of the open position, in nanos of the stored column of its closing side: something happens at or below
    /// the first, and at or above the second.
    fn bounds(&self, side: Side) -> [i64; 2] {
        let quotes = &self.market.tracks[0];
        let book = &self.state.book;
        let [mut below, mut above] = danger(book, self.setup.config, quotes.widest_nanos);
        for lot in &book.lots {
            let stop = lot.protect.stop_loss.map(Price::nanos);
            let target = lot.protect.take_profit.map(Price::nanos);
            let (low, high) = if side == Side::Long { (stop, target) } else { (target, stop) };
            below = below.max(low.unwrap_or(i64::MIN));
            above = above.min(high.unwrap_or(i64::MAX));
        }
        let shift = quotes.closing(side).shift_nanos();
        [below.saturating_sub(shift), above.saturating_sub(shift)]
    }

    /// Bars at which nothing happens: they are held through and marked. `range` has their lowest and highest stored price
    /// of the closing side.
    fn stretch(&mut self, rows: Range<usize>, range: [i64; 2]) -> Result<(), EngineError> {
        if rows.is_empty() {
            return Ok(());
        }
        let book = &mut self.state.book;
        let Some(side) = book.lots.first().map(|lot| lot.side) else {
            self.equity.resize(self.equity.len() + rows.len(), book.balance.micros());
            self.see_price(rows.end - 1);
            return Ok(());
        };
        let view = self.market.tracks[0].closing(side);
        let shift = view.shift_nanos();
        let range = range.map(|nanos| Price::from_nanos(nanos + shift));
        for lot in &mut book.lots {
            lot.lowest = lot.lowest.min(range[0]);
            lot.highest = lot.highest.max(range[1]);
        }
        let (exposure, balance) = (book.exposure(0), book.balance.micros());
        let marked = mark(exposure, balance, view.closes(rows.clone()), shift, range, &mut self.equity);
        if marked.is_none() {
            let at = At { track: 0, row: rows.end - 1, origin: 0 };
            return Err(self.dealing(at, range, UnixNanos::new(0)).overflow("equity"));
        }
        self.see_price(rows.end - 1);
        Ok(())
    }

    /// One bar, in the order that the crate's documentation gives; its open may have been met.
    fn bar(&mut self, at: At, opened: bool) -> Result<(), EngineError> {
        if !opened {
            self.open(at)?;
        }
        self.inside(at, self.complete(at.row))?;
        let equity = self.account_equity(at)?;
        self.equity.push(equity);
        self.decide(at, equity)
    }

    pub(super) fn decide(&mut self, at: At, equity: i64) -> Result<(), EngineError> {
        let moment = self.moment(at, equity);
        self.close_of(at, moment, self.complete(at.row))
    }

    /// When the bar of `row` is complete.
    fn complete(&self, row: usize) -> UnixNanos {
        let granularity = self.setup.config.tracks[0].granularity;
        granularity.close_of(self.market.tracks[0].bars.times[row])
    }
}

/// The lowest low and the highest high.
#[inline(always)]
fn range_of(lows: &[Price], highs: &[Price]) -> [i64; 2] {
    let lowest = lows.iter().fold(i64::MAX, |lowest, low| lowest.min(low.nanos()));
    let highest = highs.iter().fold(0, |highest, high| highest.max(high.nanos()));
    [lowest, highest]
}
