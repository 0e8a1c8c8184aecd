//! What a run's rows and bars tell besides their figures.

use crate::inputs::RunBars;
use fx_domain::{
    Bars, Conversion, Currency, Granularity, Instrument, LedgerKind, LedgerRow, OrderId, UnixNanos,
};
use fx_engine::{OrderEvent, OrderEventKind, RunConfig};
use std::collections::BTreeMap;

/// Of an amount: its currency, and by which pairs it was converted, multiplied or divided by.
type Path = (Currency, [Option<(Instrument, bool)>; 2]);

/// What the warnings speak of.
#[derive(Default)]
pub(in crate::backtests) struct Noted {
    /// Times that a balance below zero was set to zero.
    pub(in crate::backtests) forgiven: u64,
    /// Rollovers inside a bar.
    pub(in crate::backtests) inside_bars: u64,
    /// How amounts were converted, in words, by currency.
    pub(in crate::backtests) conversions: BTreeMap<Path, String>,
    /// Of each track: the bars with a finer bar inside, and all.
    pub(in crate::backtests) covered: Vec<[u64; 2]>,
}

impl Noted {
    pub(super) fn ledger(&mut self, rows: &[LedgerRow]) {
        for row in rows {
            self.forgiven += u64::from(row.kind == LedgerKind::NegativeBalance);
            self.inside_bars += u64::from(row.rollover.is_some_and(|roll| roll.inside_bar));
            if let Some(conversion) = row.conversion {
                self.conversions.entry(path(&conversion)).or_insert_with(|| conversion.to_string());
            }
        }
    }

    /// The bars of an account whose first track is the run's track number `first`.
    pub(super) fn window(&mut self, first: usize, config: &RunConfig, bars: &RunBars) {
        if config.intrabar.is_none() {
            return;
        }
        let known = self.covered.len().max(first + config.tracks.len());
        self.covered.resize(known, [0, 0]);
        let tracks = config.tracks.iter().zip(&bars.tracks).zip(&bars.finer);
        for (((track, bars), finer), sum) in tracks.zip(&mut self.covered[first..]) {
            let [with, all] = covered(bars, finer, config.start, track.granularity);
            sum[0] += with;
            sum[1] += all;
        }
    }
}

fn path(conversion: &Conversion) -> Path {
    let step = |step: fx_domain::ConversionStep| (step.instrument, step.inverse);
    (conversion.from, [Some(step(conversion.first)), conversion.second.map(step)])
}

/// Bars from `start` on that have a finer bar inside, and all of them.
fn covered(bars: &Bars, finer: &Bars, start: UnixNanos, granularity: Granularity) -> [u64; 2] {
    let opens = &bars.times[bars.lower_bound(start)..];
    let mut rest = finer.times.iter().peekable();
    let mut covered = 0;
    for (index, open) in opens.iter().enumerate() {
        let close = granularity.close_of(*open);
        let close = opens.get(index + 1).map_or(close, |next| close.min(*next));
        while rest.next_if(|time| *time < open).is_some() {}
        covered += u64::from(rest.peek().is_some_and(|time| **time < close));
    }
    [covered, opens.len() as u64]
}

/// The orders that wait: what happened to each, as far as that says how it waits now.
#[derive(Default)]
pub(super) struct Pending(BTreeMap<OrderId, Vec<OrderEvent>>);

impl Pending {
    pub(super) fn follow(&mut self, events: &[OrderEvent]) {
        for event in events {
            match event.kind {
                OrderEventKind::Submitted { .. } => {
                    self.0.insert(event.order, vec![event.clone()]);
                }
                OrderEventKind::Moved { .. } | OrderEventKind::Triggered { .. } => {
                    if let Some(waiting) = self.0.get_mut(&event.order) {
                        // Where it was before says nothing any more.
                        waiting.retain(|earlier| !matches!(earlier.kind, OrderEventKind::Moved { .. }));
                        waiting.push(event.clone());
                    }
                }
                kind if kind.ends_waiting() => {
                    self.0.remove(&event.order);
                }
                _ => {}
            }
        }
    }

    /// By order, each order's in the order in which they happened.
    pub(super) fn into_events(self) -> Vec<OrderEvent> {
        self.0.into_values().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fx_domain::{Bar, NANOS_PER_HOUR, NANOS_PER_MINUTE, Ohlc, Price, QuoteSide};

    fn bars(times: impl IntoIterator<Item = i64>) -> Bars {
        let mut bars = Bars::empty(Some(QuoteSide::Bid));
        for time in times {
            let bid = Ohlc::flat(Price::from_nanos(1));
            bars.push(Bar { time: UnixNanos::new(time), bid, ask: None, volume: 0 });
        }
        bars
    }

    #[test]
    fn a_bar_is_covered_by_finer_bars_that_open_inside_it() {
        let hours = bars((0..5).map(|hour| hour * NANOS_PER_HOUR));
        let minutes = [0, 59, 60, 121, 300].map(|minute| minute * NANOS_PER_MINUTE);
        let count = |start, finer: &[i64]| {
            covered(&hours, &bars(finer.iter().copied()), UnixNanos::new(start), Granularity::H1)
        };
        assert_eq!(count(0, &minutes), [3, 5]);
        assert_eq!(count(NANOS_PER_HOUR, &minutes), [2, 4]);
        assert_eq!(count(0, &[]), [0, 5]);
    }
}
