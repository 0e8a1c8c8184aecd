//! Several tracks and rates on one clock.
//!
//! A bar has two events: it opens, and it is complete. At one instant what is complete comes before what opens, rates
//! before tracks, and tracks in the order of the configuration. What complete bars have done is valued and margined
//! before the strategy is asked for each of them, so that no answer depends on the order of the tracks' prices.

use super::{At, Run};
use crate::rates::Seen;
use crate::{BLOCK, EngineError, Recorder};
use fx_domain::UnixNanos;

/// How far one series has come.
struct Cursor {
    row: usize,
    /// The bar of `row` has opened and is not complete.
    open: bool,
    /// The rows of the block under way.
    block: std::ops::Range<usize>,
    /// What was filled before the bar opened.
    counts: [u64; 2],
}

impl<R: Recorder> Run<'_, R> {
    pub(super) fn merged(&mut self) -> Result<(), EngineError> {
        let tracks = self.market.tracks.len();
        let series = tracks + self.market.rates.len();
        let mut cursors: Vec<_> =
            (0..series).map(|_| Cursor { row: 0, open: false, block: 0..0, counts: [0; 2] }).collect();
        self.check_cut(series)?;
        let mut equity_times: Vec<UnixNanos> = Vec::with_capacity(BLOCK);
        let mut complete: Vec<At> = Vec::with_capacity(tracks);
        while let Some(now) = self.next_instant(&cursors) {
            self.state.now = Some(now);
            // Rates before tracks: their prices convert what the tracks do at this instant.
            for index in (tracks..series).chain(0..tracks) {
                if cursors[index].open && self.completes(index, cursors[index].row) <= now {
                    let cursor = &mut cursors[index];
                    let at = At { track: index, row: cursor.row, origin: cursor.block.start };
                    (cursor.open, cursor.row) = (false, cursor.row + 1);
                    if index < tracks && self.clocks[index].index(at.row).is_some() {
                        let counts = cursor.counts;
                        self.inside(at, now)?;
                        self.trace_fills(at, counts)?;
                    }
                    self.see_close(index, at.row);
                    if index < tracks {
                        complete.push(at);
                    }
                }
            }
            self.decide_all(&complete, now, &mut equity_times)?;
            for at in complete.drain(..) {
                if at.row + 1 == cursors[at.track].block.end {
                    self.end_block(at.track, &cursors[at.track].block);
                }
            }
            for index in (tracks..series).chain(0..tracks) {
                let times = &self.market.feed(index).bars.times;
                if !cursors[index].open && times.get(cursors[index].row) == Some(&now) {
                    self.opens(index, &mut cursors[index], now)?;
                }
            }
            if self.equity.len() >= BLOCK {
                self.flush(&mut equity_times);
            }
        }
        self.flush(&mut equity_times);
        Ok(())
    }

    /// A call must not begin before the instant that the run has come to.
    fn check_cut(&self, series: usize) -> Result<(), EngineError> {
        let Some(now) = self.state.now else { return Ok(()) };
        let config = self.setup.config;
        for (index, track) in (0..series).zip(config.tracks.iter().chain(&config.rates)) {
            if let Some(time) = self.market.feed(index).bars.times.first().copied().filter(|time| *time < now)
            {
                return Err(EngineError::CutThroughBar { instrument: track.instrument, time, now });
            }
        }
        Ok(())
    }

    /// When the bar of `row` is complete: its length after its open, or when the next one opens if that is earlier.
    fn completes(&self, series: usize, row: usize) -> UnixNanos {
        let times = &self.market.feed(series).bars.times;
        let complete = self.granularity(series).close_of(times[row]);
        times.get(row + 1).map_or(complete, |next| complete.min(*next))
    }

    fn next_instant(&self, cursors: &[Cursor]) -> Option<UnixNanos> {
        let instants = cursors.iter().enumerate().filter_map(|(index, cursor)| {
            if cursor.open {
                Some(self.completes(index, cursor.row))
            } else {
                self.market.feed(index).bars.times.get(cursor.row).copied()
            }
        });
        instants.min()
    }

    /// A bar opens.
    fn opens(&mut self, index: usize, cursor: &mut Cursor, now: UnixNanos) -> Result<(), EngineError> {
        cursor.open = true;
        let row = cursor.row;
        if index < self.market.tracks.len() {
            if row == cursor.block.end {
                cursor.block = row..self.market.tracks[index].bars.len().min(row + BLOCK);
                self.columns(index, cursor.block.clone())?;
            }
            if self.clocks[index].index(row).is_some() {
                self.deposit(now);
                let at = At { track: index, row, origin: cursor.block.start };
                cursor.counts = self.counts();
                return self.open(at);
            }
        }
        let quotes = self.market.feed(index);
        let (bid, ask) = (quotes.bid.open(row), quotes.ask.open(row));
        self.see(index, Seen { bid, ask, at: now, bar: 0, opened: now });
        Ok(())
    }

    /// Values the account where bars are complete, then asks the strategy for each of them.
    fn decide_all(
        &mut self,
        complete: &[At],
        now: UnixNanos,
        equity_times: &mut Vec<UnixNanos>,
    ) -> Result<(), EngineError> {
        let opened = |run: &Self, at: &At| run.market.tracks[at.track].bars.times[at.row];
        let decided = complete.iter().filter(|at| self.clocks[at.track].index(at.row).is_some());
        let last = decided.map(|at| (opened(self, at), *at)).max_by_key(|(time, _)| *time);
        let Some((time, any)) = last else {
            for at in complete {
                self.warm_up(*at)?;
            }
            return Ok(());
        };
        let equity = self.account_equity(any)?;
        self.equity.push(equity);
        equity_times.push(time);
        for at in complete {
            if self.clocks[at.track].index(at.row).is_some() {
                let moment = self.moment(*at, equity);
                self.close_of(*at, moment, now)?;
            } else {
                self.warm_up(*at)?;
            }
        }
        Ok(())
    }

    fn end_block(&mut self, track: usize, block: &std::ops::Range<usize>) {
        if track == 0 {
            let first = self.clocks[0].first_decision.clamp(block.start, block.end);
            self.record(0, first - block.start..block.len());
        }
    }

    fn flush(&mut self, equity_times: &mut Vec<UnixNanos>) {
        self.recorder.equity(equity_times, &self.equity);
        self.equity.clear();
        equity_times.clear();
    }
}
