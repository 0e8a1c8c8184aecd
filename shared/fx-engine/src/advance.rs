//! Taking a run over bars.

use crate::book::{Dealing, Journal, Meeting};
use crate::decide::{Moment, Scratch, View};
use crate::evaluate::{Block, Clock, Column};
use crate::mark::mark;
use crate::program::Program;
use crate::quotes::{Quotes, StoredSides};
use crate::state::{LastBar, config_digest};
use crate::terms::Terms;
use crate::{BLOCK, EngineError, FillTime, RunConfig, Slice, State, intrabar};
use fx_domain::{Bars, Price, PriceSource, ProtectiveLevels, QuoteSide, Side};
use fx_strategy::Plan;
use std::ops::Range;

/// Takes a run from `state` over `bars`, which follow the bars that the state has seen.
///
/// Pure: the same arguments give the same bytes. Cutting the bars into several calls changes nothing:
/// the slices one after the other are the slice of one call over all of them.
///
/// # Errors
/// [`EngineError::State`] when the state belongs to another plan or configuration; [`EngineError::Bar`] for the first
/// bar that cannot be traded on; [`EngineError::Overflow`] when an amount does not fit; [`EngineError::Config`] when the
/// spread model does not go with the data.
pub fn advance(plan: &Plan, config: &RunConfig, state: State, bars: &Bars) -> Result<Slice, EngineError> {
    config.validate()?;
    let program = Program::new(plan)?;
    if state.plan != plan.hash() || state.config != config_digest(config) {
        return Err(EngineError::State { reason: "it belongs to another plan or configuration" });
    }
    let quotes = Quotes::new(bars, config)?;
    if state.stored.is_some_and(|stored| stored != quotes.stored) && !bars.is_empty() {
        return Err(EngineError::SidesChanged);
    }
    let first_decision = bars.lower_bound(config.start);
    let clock = Clock { first_decision, first_index: state.decision_bars };
    let decided = bars.len() - first_decision;
    let warm_up_bars = state.bars_done - state.decision_bars + first_decision as u64;
    let mut run = Run {
        program: &program,
        terms: terms(config, &quotes, warm_up_bars),
        quotes: &quotes,
        clock,
        block: Block::new(&program),
        scratch: Scratch::new(&program),
        state,
        journal: Journal::default(),
        equity: Vec::with_capacity(decided),
        recordings: plan.recordings.iter().map(|_| Vec::with_capacity(decided)).collect(),
    };
    let mut from = 0;
    while from < bars.len() {
        let to = bars.len().min(from + BLOCK);
        run.block(from..to)?;
        run.journal.foresee(to, bars.len());
        from = to;
    }
    Ok(Slice {
        trades: run.journal.trades,
        ledger: run.journal.ledger,
        equity: run.equity,
        equity_times: bars.times[first_decision..].to_vec(),
        recordings: run.recordings,
        events: run.journal.events,
        state: run.state,
    })
}

/// Terms with the modelled spread that is already in the raw prices of one-sided data.
fn terms<'a>(config: &'a RunConfig, quotes: &Quotes<'_>, warm_up_bars: u64) -> Terms<'a> {
    let inside = |shift_nanos: i64| Price::from_nanos(shift_nanos.abs());
    let (in_ask, in_bid) = match quotes.stored {
        StoredSides::One(QuoteSide::Bid | QuoteSide::Ask | QuoteSide::Mid) => {
            (inside(quotes.ask.shift_nanos()), inside(quotes.bid.shift_nanos()))
        }
        StoredSides::Both => (Price::ZERO, Price::ZERO),
    };
    let source = |side| match quotes.stored {
        StoredSides::One(stored) if stored != side => PriceSource::Modelled,
        StoredSides::One(_) | StoredSides::Both => PriceSource::Measured,
    };
    Terms {
        config,
        in_ask,
        in_bid,
        ask_source: source(QuoteSide::Ask),
        bid_source: source(QuoteSide::Bid),
        tick: config.instrument.tick(),
        warm_up_bars,
    }
}

struct Run<'a> {
    program: &'a Program<'a>,
    terms: Terms<'a>,
    quotes: &'a Quotes<'a>,
    clock: Clock,
    block: Block,
    scratch: Scratch,
    state: State,
    journal: Journal,
    equity: Vec<i64>,
    recordings: Vec<Vec<f64>>,
}

impl Run<'_> {
    /// Runs the bars of `rows`, one block at most: indicators first, then the market, bar by bar where something can
    /// happen and in stretches where nothing can.
    fn block(&mut self, rows: Range<usize>) -> Result<(), EngineError> {
        let number = self.state.bars_done;
        self.quotes.check(rows.clone(), self.state.last.map(|last| last.time), number)?;
        let Self { block, program, state, quotes, clock, .. } = self;
        block.evaluate(program, &mut state.memories, quotes, rows.clone(), *clock);
        let first_decision = self.clock.first_decision.clamp(rows.start, rows.end);
        if !self.program.every_bar.is_empty() {
            for row in rows.start..first_decision {
                self.warm_up(row, rows.start)?;
            }
        }
        if first_decision < rows.end {
            if self.state.book.ledger_rows == 0 {
                self.state.book.deposit(self.quotes.bars.times[first_decision], &mut self.journal);
            }
            self.market(first_decision..rows.end, rows.start)?;
            self.record_columns(first_decision - rows.start..rows.end - rows.start);
        }
        let last = rows.end - 1;
        let close = |side: &crate::quotes::SideView<'_>| side.ohlc(last).close;
        self.state.last = Some(LastBar {
            time: self.quotes.bars.times[last],
            bid: close(&self.quotes.bid),
            ask: close(&self.quotes.ask),
        });
        self.state.stored = Some(self.quotes.stored);
        self.state.bars_done += rows.len() as u64;
        self.state.decision_bars += (rows.end - first_decision) as u64;
        Ok(())
    }

    fn market(&mut self, rows: Range<usize>, origin: usize) -> Result<(), EngineError> {
        let mut row = rows.start;
        while row < rows.end {
            if !self.state.book.pending.is_empty() || !self.program.every_bar.is_empty() {
                self.bar(row, origin)?;
                row += 1;
                continue;
            }
            let book = &self.state.book;
            let full = if book.is_full(self.terms.config) { book.side() } else { None };
            let wake = self.block.next_wake(row - origin..rows.end - origin, full);
            let wake = wake.map_or(rows.end, |at| origin + at);
            let busy = self.first_touch(row..wake).unwrap_or(wake);
            self.stretch(row..busy)?;
            row = busy;
            if row < rows.end {
                self.bar(row, origin)?;
                row += 1;
            }
        }
        Ok(())
    }

    /// The first bar of `rows` that touches a level of the open position.
    fn first_touch(&self, rows: Range<usize>) -> Option<usize> {
        let book = &self.state.book;
        let side = book.side()?;
        let levels = |pick: fn(&ProtectiveLevels) -> Option<Price>| {
            book.lots.iter().filter_map(move |lot| pick(&lot.protect))
        };
        let (stops, targets) = (levels(|protect| protect.stop_loss), levels(|protect| protect.take_profit));
        let (below, above) = match side {
            Side::Long => (stops.max(), targets.min()),
            Side::Short => (targets.max(), stops.min()),
        };
        if below.is_none() && above.is_none() {
            return None;
        }
        let view = self.quotes.closing(side);
        let shift = view.shift_nanos();
        let below = below.map_or(i64::MIN, |level| level.nanos().saturating_sub(shift));
        let above = above.map_or(i64::MAX, |level| level.nanos().saturating_sub(shift));
        let bars = view.lows(rows.clone()).iter().zip(view.highs(rows.clone()));
        let touched = bars.map(|(low, high)| (low.nanos() <= below) | (high.nanos() >= above));
        touched.enumerate().find(|(_, touched)| *touched).map(|(offset, _)| rows.start + offset)
    }

    /// Bars at which nothing happens: they are held through and marked.
    fn stretch(&mut self, rows: Range<usize>) -> Result<(), EngineError> {
        if rows.is_empty() {
            return Ok(());
        }
        let book = &mut self.state.book;
        let Some(side) = book.side() else {
            self.equity.resize(self.equity.len() + rows.len(), book.balance.micros());
            return Ok(());
        };
        let view = self.quotes.closing(side);
        let shift = view.shift_nanos();
        let lowest =
            view.lows(rows.clone()).iter().fold(i64::MAX, |lowest, low| lowest.min(low.nanos())) + shift;
        let highest =
            view.highs(rows.clone()).iter().fold(0, |highest, high| highest.max(high.nanos())) + shift;
        let range = [Price::from_nanos(lowest), Price::from_nanos(highest)];
        book.hold_through(range[0], range[1]);
        let last = rows.end - 1;
        let marked = mark(book, view.closes(rows), shift, range, &mut self.equity);
        marked.ok_or_else(|| self.overflow(last, "equity"))
    }

    fn overflow(&self, row: usize, what: &'static str) -> EngineError {
        let decided = self.clock.index(row).unwrap_or_default();
        let index = self.terms.warm_up_bars + decided;
        EngineError::Overflow { index, time: self.quotes.bars.times[row], what }
    }

    /// One bar, in the order that the crate's documentation gives.
    fn bar(&mut self, row: usize, origin: usize) -> Result<(), EngineError> {
        let (bid, ask) = (self.quotes.bid.ohlc(row), self.quotes.ask.ohlc(row));
        let time = self.quotes.bars.times[row];
        let index = self.clock.index(row).unwrap_or_default();
        let at = Meeting { bar: index, time, bid: bid.open, ask: ask.open };
        let closing = |side| if side == Side::Long { bid } else { ask };
        let Self { terms, state, journal, .. } = self;
        let mut dealing = Dealing { book: &mut state.book, terms, journal, at };
        if terms.config.fill == FillTime::Close {
            dealing.fill_pending()?;
        }
        if let Some(side) = dealing.book.side() {
            dealing.exit_where(closing(side), intrabar::at_open)?;
        }
        if terms.config.fill == FillTime::Open {
            dealing.fill_pending()?;
        }
        if let Some(side) = dealing.book.side() {
            let (bar, policy) = (closing(side), terms.config.fill_policy);
            dealing.exit_where(bar, |side, levels, bar| intrabar::inside(policy, side, levels, bar))?;
            dealing.book.hold_through(bar.low, bar.high);
        }
        let mark = if dealing.book.side() == Some(Side::Short) { ask.close } else { bid.close };
        let equity = dealing.book.equity_at(mark).ok_or_else(|| dealing.overflow("equity"))?;
        self.equity.push(equity);
        let moment =
            Moment { at: row - origin, time, index: Some(index), bid: bid.close, ask: ask.close, equity };
        self.close_of(moment)
    }

    /// Decisions and recordings at a bar's close.
    fn close_of(&mut self, moment: Moment) -> Result<(), EngineError> {
        let Self { program, terms, block, scratch, state, journal, recordings, .. } = self;
        let State { memories, book, .. } = state;
        let view = View { program, terms, columns: &block.columns, memories, moment };
        scratch.evaluate(&view, book, &program.every_bar);
        if moment.index.is_some() {
            scratch.decide(&view, book, journal)?;
            for (recording, values) in program.plan.recordings.iter().zip(recordings) {
                if program.reactive[recording.value.index()] {
                    values.push(scratch.number(&view, recording.value));
                }
            }
        }
        if !program.every_bar.is_empty() {
            let view = View { program, terms, columns: &block.columns, memories: &[], moment };
            scratch.remember(&view, memories);
        }
        Ok(())
    }

    /// A bar before the start date: reactive memories see a flat account.
    fn warm_up(&mut self, row: usize, origin: usize) -> Result<(), EngineError> {
        let time = self.quotes.bars.times[row];
        let (bid, ask) = (self.quotes.bid.ohlc(row).close, self.quotes.ask.ohlc(row).close);
        let equity = self.state.book.balance.micros();
        self.close_of(Moment { at: row - origin, time, index: None, bid, ask, equity })
    }

    /// Copies the recordings that are market nodes, for the bars at the places `within` of the block.
    fn record_columns(&mut self, within: Range<usize>) {
        for (recording, values) in self.program.plan.recordings.iter().zip(&mut self.recordings) {
            if let Column::Number(column) = &self.block.columns[recording.value.index()] {
                values.extend_from_slice(&column[within.clone()]);
            }
        }
    }
}
