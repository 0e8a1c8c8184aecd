//! Other bars: of a longer timeframe, put together from the strategy's own, and of other instruments.
//!
//! A bar is seen at the first close of a bar of the strategy's own that is at or after its end. A bar that is put
//! together has the bars that end within it; it is complete when its end has passed, whether or not bars are missing.
//! Every node of a feed is evaluated at the feed's bars, by the columns that the strategy's own bars use too; what is
//! seen of them at each close is written for the nodes of the strategy's own bars to read.

use super::{Block, Clock, Column, Market, Memory};
use crate::BLOCK;
use crate::features::Source;
use crate::market::{Quotes, SideView, StoredSides};
use crate::program::Program;
use crate::state::TrackState;
use crate::{EngineError, FeatureTrack, PRICE_MAX, RunConfig, Track};
use fx_domain::{Bars, Granularity, Ohlc, OhlcColumns, Price, QuoteColumns, QuoteSide, UnixNanos};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A bar of a feed that is not complete.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Forming {
    ends: UnixNanos,
    sides: Sides,
    volume: i64,
}

/// The prices of a bar: of the side that strategies see, of the bid, of the ask.
type Sides = [Ohlc; 3];

impl Forming {
    /// Whether a run can have left it.
    pub(crate) fn is_sound(&self) -> bool {
        let largest = 2 * PRICE_MAX.nanos();
        let price = |price: Price| (1..=largest).contains(&price.nanos());
        let side = |side: &Ohlc| [side.open, side.high, side.low, side.close].into_iter().all(price);
        self.volume >= 0 && self.sides.iter().all(side)
    }

    fn join(&mut self, sides: Sides, volume: i64) {
        for (known, more) in self.sides.iter_mut().zip(sides) {
            known.high = known.high.max(more.high);
            known.low = known.low.min(more.low);
            known.close = more.close;
        }
        self.volume = self.volume.saturating_add(volume);
    }
}

/// What a track's strategy reads beside its own bars.
pub(crate) struct Others<'a> {
    /// Of each feed: the series of another instrument, or none for the strategy's own bars.
    series: Vec<Option<&'a Quotes<'a>>>,
    /// What completed by then was seen by calls before.
    seen: Option<UnixNanos>,
    /// Of each feature of the plan: the values for this track.
    pub(crate) features: Vec<Option<Source<'a>>>,
}

impl<'a> Others<'a> {
    /// What `market` has for a track of `config`; `state` is where the run stands.
    pub(crate) fn of(
        program: &Program<'_>,
        config: &'a RunConfig,
        market: &'a crate::Market<'a>,
        (state, track): (&TrackState, Track),
    ) -> Self {
        let Track { instrument, granularity } = track;
        let series = program.feeds.all.iter().map(|feed| {
            let wanted = Track { instrument: feed.instrument?, granularity };
            let place = config.references.iter().position(|track| *track == wanted)?;
            market.references.get(place)
        });
        let features = program.plan.features.iter().map(|feature| {
            let is_wanted =
                |track: &FeatureTrack| track.instrument == instrument && track.feature == *feature;
            let place = config.features.iter().position(is_wanted)?;
            let (series, track) = (market.features.get(place)?, &config.features[place]);
            Some(Source { series, track, age_hours_max: config.features_age_hours_max })
        });
        let seen = state.last.map(|last| granularity.close_of(last.opened));
        Self { series: series.collect(), seen, features: features.collect() }
    }
}

/// Bars of a feed that are complete and not yet evaluated, a block at most.
#[derive(Default)]
pub(super) struct Room {
    /// The next bar of another instrument's series, once the first was found.
    next: Option<usize>,
    sides: [OhlcColumns; 2],
    bars: Option<Bars>,
    /// At each close since the last evaluation: how many are seen.
    visible: Vec<usize>,
}

/// Bars that one bar of the strategy's own can complete, besides those of another instrument.
const COMPLETED_AT_ONCE: usize = 2;

impl Room {
    pub(super) fn new() -> Self {
        Self::default()
    }

    fn len(&self) -> usize {
        self.bars.as_ref().map_or(0, Bars::len)
    }

    fn is_full(&self) -> bool {
        self.len() + COMPLETED_AT_ONCE > BLOCK
    }

    fn push(&mut self, instant: UnixNanos, [signal, bid, ask]: Sides, volume: i64) {
        let bars = self.bars.get_or_insert_with(|| Bars::empty(Some(QuoteSide::Bid)));
        bars.times.push(instant);
        bars.volume.push(volume);
        if let QuoteColumns::One { ohlc, .. } = &mut bars.quotes {
            ohlc.push(signal);
        }
        self.sides[0].push(bid);
        self.sides[1].push(ask);
    }

    /// Takes the bar of `row`, whose `instant` lies in the bar of the feed that it belongs to.
    fn take(
        &mut self,
        forming: &mut Option<Forming>,
        quotes: &Quotes<'_>,
        row: usize,
        (instant, longer): (UnixNanos, Option<Granularity>),
    ) {
        let sides = [quotes.bars.signal_side().get(row), quotes.bid.ohlc(row), quotes.ask.ohlc(row)];
        let volume = quotes.bars.volume[row];
        let Some(longer) = longer else { return self.push(instant, sides, volume) };
        self.complete(forming, instant);
        match forming {
            Some(forming) => forming.join(sides, volume),
            None => *forming = Some(Forming { ends: longer.end_after(instant), sides, volume }),
        }
    }

    /// Completes a bar that has ended by `now`.
    fn complete(&mut self, forming: &mut Option<Forming>, now: UnixNanos) {
        if let Some(Forming { ends, sides, volume }) = *forming
            && ends <= now
        {
            // An instant that lies in the bar, as all times of the feed.
            self.push(ends.plus_nanos(-1), sides, volume);
            *forming = None;
        }
    }

    /// Empties the columns, which keep their room.
    fn clear(&mut self) {
        self.visible.clear();
        self.sides.iter_mut().for_each(empty);
        if let Some(Bars { times, volume, quotes, .. }) = &mut self.bars {
            times.clear();
            volume.clear();
            if let QuoteColumns::One { ohlc, .. } = quotes {
                empty(ohlc);
            }
        }
    }
}

fn empty(OhlcColumns { open, high, low, close }: &mut OhlcColumns) {
    for column in [open, high, low, close] {
        column.clear();
    }
}

/// An instant that lies in the bar of a longer timeframe to which a bar belongs: the one in which it ends.
fn within(opens: UnixNanos, closes: UnixNanos) -> UnixNanos {
    opens.max(closes.plus_nanos(-1))
}

impl Block {
    /// Writes what a track's nodes see beside its own bars at those in `rows`, one block at most.
    ///
    /// # Errors
    /// [`EngineError::StaleFeature`]
    pub(crate) fn evaluate_others(
        &mut self,
        program: &Program<'_>,
        track: &mut TrackState,
        quotes: &Quotes<'_>,
        (rows, clock): (Range<usize>, Clock),
        others: &Others<'_>,
    ) -> Result<(), EngineError> {
        self.evaluate_feeds(program, track, quotes, (rows.clone(), clock), others);
        self.see_features(program.plan, track, &quotes.bars.times, (rows, clock), others)
    }

    /// Evaluates the nodes of every feed up to the closes of the strategy's own bars in `rows`, one block at most, and
    /// writes what is seen of them at each.
    fn evaluate_feeds(
        &mut self,
        program: &Program<'_>,
        track: &mut TrackState,
        quotes: &Quotes<'_>,
        (rows, clock): (Range<usize>, Clock),
        others: &Others<'_>,
    ) {
        for feed in 0..program.feeds.all.len() {
            let mut room = std::mem::take(&mut self.feeds[feed]);
            let mut forming = track.forming[feed];
            let source = others.series[feed];
            let longer = program.feeds.all[feed].granularity;
            let mut step = Step { program, feed, clock, stored: source.unwrap_or(quotes).stored };
            let mut from = 0;
            for (place, row) in rows.clone().enumerate() {
                let opens = quotes.bars.times[row];
                let closes = clock.granularity.close_of(opens);
                match source {
                    None => room.take(&mut forming, quotes, row, (within(opens, closes), longer)),
                    Some(other) => {
                        let mut next = room.next.unwrap_or_else(|| others.first(other, clock.granularity));
                        while let Some(opens) = other.bars.times.get(next) {
                            let complete = clock.granularity.close_of(*opens);
                            if complete > closes {
                                break;
                            }
                            if room.is_full() {
                                self.flush(&mut step, &mut room, &mut track.memories, from..place);
                                from = place;
                            }
                            room.take(&mut forming, other, next, (within(*opens, complete), longer));
                            next += 1;
                        }
                        room.next = Some(next);
                    }
                }
                room.complete(&mut forming, closes);
                room.visible.push(room.len());
                if room.is_full() {
                    self.flush(&mut step, &mut room, &mut track.memories, from..place + 1);
                    from = place + 1;
                }
            }
            self.flush(&mut step, &mut room, &mut track.memories, from..rows.len());
            track.forming[feed] = forming;
            self.feeds[feed] = room;
        }
    }

    /// Evaluates the nodes of a feed at the bars in `room`, and writes what is seen of them at the strategy's own bars in
    /// `places` of the block.
    fn flush(&mut self, step: &mut Step<'_>, room: &mut Room, memories: &mut [Memory], places: Range<usize>) {
        let Step { program, feed, clock, stored } = *step;
        let count = room.len();
        if let Some(bars) = room.bars.as_ref().filter(|bars| !bars.is_empty()) {
            let [bid, ask] = &room.sides;
            let (bid, ask) = (SideView::plain(bid), SideView::plain(ask));
            let quotes = Quotes { bars, bid, ask, stored, widest_nanos: 0 };
            let market =
                Market { quotes: &quotes, range: 0..count, clock, plan: program.plan, feed: Some(feed) };
            self.add_up(program, &market);
            self.evaluate_nodes(program, 0..program.plan.nodes.len(), memories, &market);
        }
        for (_, id, x) in program.feeds.as_of.iter().filter(|(of, ..)| *of == feed) {
            let (before, rest) = self.columns.split_at_mut(id.index());
            match (&before[x.index()], &mut rest[0], &mut memories[id.index()]) {
                (Column::Number(values), Column::Number(out), Memory::HeldNumber(held)) => {
                    show(&values[..count], &room.visible, held, &mut out[places.clone()]);
                }
                (Column::Condition(values), Column::Condition(out), Memory::HeldCondition(held)) => {
                    show(&values[..count], &room.visible, held, &mut out[places.clone()]);
                }
                _ => {}
            }
        }
        room.clear();
    }
}

impl Others<'_> {
    /// The first bar of another series that calls before have not seen.
    fn first(&self, other: &Quotes<'_>, granularity: Granularity) -> usize {
        let seen = |opens: &UnixNanos| self.seen.is_some_and(|seen| granularity.close_of(*opens) <= seen);
        other.bars.times.partition_point(seen)
    }
}

/// Which feed is evaluated.
#[derive(Clone, Copy)]
struct Step<'a> {
    program: &'a Program<'a>,
    feed: usize,
    clock: Clock,
    stored: StoredSides,
}

/// At each close, the last of the `values` that are seen there, or what was `held` before.
fn show<T: Copy>(values: &[T], visible: &[usize], held: &mut T, out: &mut [T]) {
    for (out, seen) in out.iter_mut().zip(visible) {
        *out = seen.checked_sub(1).map_or(*held, |last| values[last]);
    }
    if let Some(last) = values.last() {
        *held = *last;
    }
}
