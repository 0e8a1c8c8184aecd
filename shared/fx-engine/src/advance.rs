//! Taking a run over bars.

use crate::book::{BarQuotes, Dealing, Meeting};
use crate::decide::{Moment, Scratch, View};
use crate::evaluate::{Block, Clock, Column, Others};
use crate::market::{Inputs, Market};
use crate::program::Program;
use crate::rates::Seen;
use crate::state::{LastBar, config_digest};
use crate::terms::Setup;
use crate::{BLOCK, EngineError, FillTime, Journal, MarginCause, Recorder, RunConfig, Slice, State};
use fearless_simd::Level;
use fx_domain::{Granularity, Price, UnixNanos};
use fx_strategy::{NodeId, Plan};
use plain::{PlainEntry, plain_entries};
use std::ops::Range;

mod merged;
mod plain;
mod stretches;
pub(crate) mod sweep;

/// Takes a run from `state` over `inputs`, which follow the bars that the state has seen.
///
/// Pure: the same arguments give the same bytes. Cutting the bars into several calls changes nothing: the slices one
/// after the other are the slice of one call over all of them. Runs of several tracks are cut where no bar is open.
///
/// # Errors
/// [`EngineError::State`] when the state belongs to another plan or configuration; [`EngineError::Bar`] for the first
/// bar that cannot be traded on; [`EngineError::Overflow`] when an amount does not fit; [`EngineError::NoRate`] and
/// [`EngineError::StaleRate`] when an amount cannot be converted; [`EngineError::NoSwap`] when the financing table has a
/// hole; [`EngineError::CutThroughBar`]; [`EngineError::Config`] when the configuration does not go with the data.
pub fn advance(
    plan: &Plan,
    config: &RunConfig,
    state: State,
    inputs: &Inputs<'_>,
) -> Result<Slice, EngineError> {
    let market = Market::new(config, &state, inputs)?;
    let mut journal = Journal::new(plan.recordings.len());
    let state = advance_over(plan, config, state, &market, &mut journal)?;
    let Journal { trades, ledger, equity, equity_times, recordings, events, margin } = journal;
    Ok(Slice { trades, ledger, equity, equity_times, recordings, events, margin, state })
}

/// [`advance`] over prices that are ready, telling `recorder` what happens. `market` was made for this configuration, at
/// this state or at another one that has seen the same bars.
///
/// # Errors
/// As [`advance`], without those of the bars.
pub fn advance_over<R: Recorder>(
    plan: &Plan,
    config: &RunConfig,
    state: State,
    market: &Market<'_>,
    recorder: &mut R,
) -> Result<State, EngineError> {
    config.validate()?;
    let program = Program::new(plan)?;
    if state.plan != plan.hash() || state.config != config_digest(config) {
        return Err(EngineError::State { reason: "it belongs to another plan or configuration" });
    }
    config.check_feeds(plan)?;
    if market.tracks.len() != config.tracks.len()
        || market.rates.len() != config.rates.len()
        || market.references.len() != config.references.len()
        || market.features.len() != config.features.len()
    {
        return Err(EngineError::State { reason: "its prices are another configuration's" });
    }
    let setup = Setup::new(config, &state, market)?;
    let clocks = market.tracks.iter().zip(&state.tracks).zip(&config.tracks);
    let clocks = clocks.map(|((quotes, seen), track)| Clock {
        first_decision: quotes.bars.lower_bound(config.start),
        first_index: seen.decision_bars,
        granularity: track.granularity,
    });
    let clocks: Vec<_> = clocks.collect();
    let mut run = Run {
        blocks: market.tracks.iter().map(|_| Block::new(&program)).collect(),
        scratch: Scratch::new(&program),
        level: Level::new(),
        equity: Vec::with_capacity(BLOCK),
        recorded: plan.recordings.iter().map(|_| Vec::with_capacity(BLOCK)).collect(),
        plain: if R::DETAILED { Vec::new() } else { plain_entries(&program, None, &setup, market) },
        program: &program,
        places: None,
        setup: &setup,
        market,
        clocks,
        state,
        recorder,
    };
    let alone = market.tracks.len() == 1 && market.rates.is_empty();
    if alone {
        run.single()?
    } else {
        run.merged()?
    }
    run.finish();
    Ok(run.state)
}

struct Run<'a, R> {
    program: &'a Program<'a>,
    /// Of each node of a sweep's plan: where its column is among those of all plans.
    places: Option<&'a [NodeId]>,
    setup: &'a Setup<'a>,
    market: &'a Market<'a>,
    /// One for each track, as the blocks.
    clocks: Vec<Clock>,
    blocks: Vec<Block>,
    scratch: Scratch,
    state: State,
    recorder: &'a mut R,
    /// The widest vectors of the processor at hand; they change no result.
    level: Level,
    /// The rules, where blocks may take the short way of [`plain`].
    plain: Vec<PlainEntry>,
    /// Equity of the block under way.
    equity: Vec<i64>,
    /// Recorded reactive values of the block under way.
    recorded: Vec<Vec<f64>>,
}

/// One bar of one track.
#[derive(Clone, Copy)]
struct At {
    track: usize,
    row: usize,
    /// The first row of the block that holds it.
    origin: usize,
}

impl<R: Recorder> Run<'_, R> {
    /// One track and nothing to convert by: a block of bars at a time, in stretches where nothing can happen.
    fn single(&mut self) -> Result<(), EngineError> {
        let bars = self.market.tracks[0].bars.len();
        let mut from = 0;
        while from < bars {
            let to = bars.min(from + BLOCK);
            self.block(from..to)?;
            from = to;
        }
        Ok(())
    }

    /// Runs the bars of `rows`, one block at most: indicators first, then the market.
    fn block(&mut self, rows: Range<usize>) -> Result<(), EngineError> {
        self.columns(0, rows.clone())?;
        self.trade_block(rows)
    }

    /// The market of a block whose columns are there.
    fn trade_block(&mut self, rows: Range<usize>) -> Result<(), EngineError> {
        let first_decision = self.clocks[0].first_decision.clamp(rows.start, rows.end);
        if !self.program.every_bar.is_empty() {
            for row in rows.start..first_decision {
                self.warm_up(At { track: 0, row, origin: rows.start })?;
            }
        }
        if first_decision < rows.end {
            let times = &self.market.tracks[0].bars.times;
            self.deposit(times[first_decision]);
            self.market(first_decision..rows.end, rows.start)?;
            self.recorder.equity(&times[first_decision..rows.end], &self.equity);
            self.equity.clear();
            self.record(0, first_decision - rows.start..rows.end - rows.start);
        }
        self.see_close(0, rows.end - 1);
        Ok(())
    }

    /// Evaluates the market nodes of a track over a block.
    fn columns(&mut self, track: usize, rows: Range<usize>) -> Result<(), EngineError> {
        let (quotes, clock) = (&self.market.tracks[track], self.clocks[track]);
        let state = &mut self.state.tracks[track];
        if self.program.reads_others() {
            let config = self.setup.config;
            let others = Others::of(self.program, config, self.market, (state, config.tracks[track]));
            let at = (rows.clone(), clock);
            self.blocks[track].evaluate_others(self.program, state, quotes, at, &others)?;
        }
        self.blocks[track].evaluate(self.program, &mut state.memories, quotes, rows, clock);
        Ok(())
    }

    fn deposit(&mut self, time: UnixNanos) {
        if self.state.book.ledger_rows == 0 {
            self.state.book.deposit(time, self.recorder);
        }
    }

    fn see(&mut self, series: usize, seen: Seen) {
        self.state.seen[series] = Some(seen);
    }

    /// The account is valued at the close of a bar from now on.
    fn see_close(&mut self, series: usize, row: usize) {
        let quotes = self.market.feed(series);
        let (bid, ask) = (quotes.bid.close(row), quotes.ask.close(row));
        let opened = quotes.bars.times[row];
        let at = self.granularity(series).close_of(opened);
        let bar = self.clocks.get(series).and_then(|clock| clock.index(row)).unwrap_or_default();
        self.see(series, Seen { bid, ask, at, bar, opened });
    }

    /// The same inside a block of a single track. Only rollovers ask when a price was seen before the block ends.
    fn see_price(&mut self, row: usize) {
        let quotes = &self.market.tracks[0];
        let (bid, ask) = (quotes.bid.close(row), quotes.ask.close(row));
        match &mut self.state.seen[0] {
            Some(seen) if self.setup.config.financing.is_none() => (seen.bid, seen.ask) = (bid, ask),
            _ => self.see_close(0, row),
        }
    }

    fn granularity(&self, series: usize) -> Granularity {
        let config = self.setup.config;
        let track = config.tracks.get(series).or_else(|| config.rates.get(series - config.tracks.len()));
        track.map_or(Granularity::Tick, |track| track.granularity)
    }

    /// The account at a bar's open.
    #[inline(always)]
    fn dealing(&mut self, at: At, quote: [Price; 2], now: UnixNanos) -> Dealing<'_, R> {
        let time = self.market.tracks[at.track].bars.times[at.row];
        let bar = self.clocks[at.track].index(at.row).unwrap_or_default();
        let [bid, ask] = quote;
        Dealing {
            book: &mut self.state.book,
            seen: &mut self.state.seen,
            setup: self.setup,
            recorder: &mut *self.recorder,
            track: at.track as u16,
            at: Meeting { bar, time, now, settled: now, bid, ask },
        }
    }

    /// The open of a bar: close-fills, rollovers, gaps, market orders.
    fn open(&mut self, at: At) -> Result<(), EngineError> {
        let quotes = &self.market.tracks[at.track];
        let (bid, ask) = (quotes.bid.open(at.row), quotes.ask.open(at.row));
        let time = quotes.bars.times[at.row];
        let config = self.setup.config;
        let granularity = config.tracks[at.track].granularity;
        let mut dealing = self.dealing(at, [bid, ask], time);
        if config.fill == FillTime::Close {
            dealing.fill_market_orders()?;
        }
        dealing.roll_through(time, false)?;
        dealing.see();
        dealing.expire();
        dealing.gap()?;
        if config.fill == FillTime::Open {
            dealing.fill_market_orders()?;
        }
        dealing.check_margin()?;
        if dealing.book.next_roll.is_some_and(|next| next < time.plus_nanos(granularity.nominal_nanos())) {
            dealing.roll_through(granularity.close_of(time).plus_nanos(-1), true)?;
        }
        Ok(())
    }

    /// The path of a bar after its open, by finer bars where there are any. `now` is when the bar is complete.
    fn inside(&mut self, at: At, now: UnixNanos) -> Result<(), EngineError> {
        let market = self.market;
        let quotes = &market.tracks[at.track];
        let bar = BarQuotes { bid: quotes.bid.ohlc(at.row), ask: quotes.ask.ohlc(at.row) };
        let newest = self.state.book.next_position;
        let time = quotes.bars.times[at.row];
        let rolls = self.setup.config.financing.is_some();
        let mut dealing = self.dealing(at, [bar.bid.open, bar.ask.open], now);
        dealing.at.settled = if rolls { now.plus_nanos(-1) } else { time };
        let busy = dealing.is_busy();
        if busy {
            let finer = market.finer[at.track]
                .as_ref()
                .map(|finer| (finer, finer.bars.lower_bound(time)..finer.bars.lower_bound(now)));
            match finer.filter(|(_, rows)| !rows.is_empty()) {
                Some((finer, rows)) => {
                    for row in rows.clone() {
                        let part = BarQuotes { bid: finer.bid.ohlc(row), ask: finer.ask.ohlc(row) };
                        dealing.meet(part.bid.open, part.ask.open);
                        dealing.gap()?;
                        dealing.inside(part)?;
                    }
                    if !finer.shows(rows, bar) {
                        dealing.meet(bar.bid.open, bar.ask.open);
                        dealing.exit_missed(bar, newest)?;
                    }
                }
                None => dealing.inside(bar)?,
            }
        }
        dealing.meet(bar.bid.close, bar.ask.close);
        if busy {
            dealing.check_margin()?;
        }
        let range = |side: fx_domain::Ohlc| [side.low, side.high];
        dealing.book.hold_through(at.track as u16, range(bar.bid), range(bar.ask), newest);
        Ok(())
    }

    /// Writes down the margin where a bar has changed it.
    fn trace_fills(&mut self, at: At, counts: [u64; 2]) -> Result<(), EngineError> {
        if R::DETAILED && counts != self.counts() {
            let Some(seen) = self.state.seen[at.track] else { return Ok(()) };
            self.dealing(at, [seen.bid, seen.ask], seen.at).trace_margin(MarginCause::Fill)?;
        }
        Ok(())
    }

    /// Positions and trades so far: they change with every fill.
    const fn counts(&self) -> [u64; 2] {
        [self.state.book.next_position, self.state.book.next_trade]
    }

    /// Balance and open gain at the last prices seen.
    fn account_equity(&mut self, at: At) -> Result<i64, EngineError> {
        let seen = self.state.seen[at.track];
        let (quote, now) =
            seen.map_or(([Price::ZERO; 2], UnixNanos::new(0)), |seen| ([seen.bid, seen.ask], seen.at));
        self.dealing(at, quote, now).equity()
    }

    /// Decisions and recordings at a bar's close.
    fn close_of(&mut self, at: At, moment: Moment, now: UnixNanos) -> Result<(), EngineError> {
        let Self { program, places, blocks, scratch, state, recorder, recorded, setup, .. } = self;
        let State { tracks, seen, book, .. } = state;
        let memories = &mut tracks[at.track].memories;
        let pip_nanos = setup.terms[at.track].instrument.pip().nanos();
        let columns = &blocks[at.track].columns;
        let (track, places) = (at.track as u16, *places);
        let view = View { program, places, track, pip_nanos, columns, memories, moment };
        scratch.evaluate(&view, book, &program.every_bar);
        if let Some(bar) = moment.index {
            let (bid, ask, time) = (moment.bid, moment.ask, moment.time);
            let at = Meeting { bar, time, now, settled: now, bid, ask };
            let mut dealing =
                Dealing { book: &mut *book, seen, setup, recorder: &mut **recorder, track: view.track, at };
            scratch.decide(&view, &mut dealing)?;
            if view.track == 0 {
                for (recording, values) in program.plan.recordings.iter().zip(recorded) {
                    if program.reactive[recording.value.index()] {
                        values.push(scratch.number(&view, recording.value));
                    }
                }
            }
        }
        if !program.every_bar.is_empty() {
            let view = View { program, places, track, pip_nanos, columns, memories: &[], moment };
            scratch.remember(&view, memories);
        }
        Ok(())
    }

    fn moment(&self, at: At, equity: i64) -> Moment {
        let quotes = &self.market.tracks[at.track];
        Moment {
            at: at.row - at.origin,
            time: quotes.bars.times[at.row],
            index: self.clocks[at.track].index(at.row),
            bid: quotes.bid.close(at.row),
            ask: quotes.ask.close(at.row),
            equity,
        }
    }

    /// A bar before the start date: reactive memories see a flat account.
    fn warm_up(&mut self, at: At) -> Result<(), EngineError> {
        let moment = self.moment(at, self.state.book.balance.micros());
        self.close_of(at, Moment { index: None, ..moment }, moment.time)
    }

    /// Hands over what was recorded of the first track at the places `within` of its block.
    fn record(&mut self, track: usize, within: Range<usize>) {
        for (index, recording) in self.program.plan.recordings.iter().enumerate() {
            let place = self.places.map_or(recording.value, |places| places[recording.value.index()]);
            match &self.blocks[track].columns[place.index()] {
                Column::Number(column) => self.recorder.recording(index, &column[within.clone()]),
                _ => self.recorder.recording(index, &self.recorded[index]),
            }
            self.recorded[index].clear();
        }
    }

    /// Writes down how far the run has come.
    fn finish(&mut self) {
        let series = self.setup.config.tracks.len() + self.setup.config.rates.len();
        for index in 0..series {
            let quotes = self.market.feed(index);
            let Some(last) = quotes.bars.len().checked_sub(1) else { continue };
            let decided = self.clocks.get(index).map_or(0, |clock| quotes.bars.len() - clock.first_decision);
            let track = &mut self.state.tracks[index];
            track.last = Some(LastBar { opened: quotes.bars.times[last] });
            track.stored = Some(quotes.stored);
            track.bars_done += quotes.bars.len() as u64;
            track.decision_bars += decided as u64;
        }
    }
}
