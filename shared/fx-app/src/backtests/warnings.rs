//! What the reader should know before believing the numbers, in plain words, the gravest first.

use super::compute::Finished;
use super::run::Prepared;
use crate::inputs::RunBars;
use crate::records::SeriesVersion;
use fx_domain::{
    Bars, Currency, Granularity, LedgerKind, QuoteColumns, UnixNanos, calendar_years, has_calendar,
};
use fx_engine::{RunConfig, SpreadModel};
use std::collections::BTreeSet;

/// Below this many trades a statistic says little.
const FEW_TRADES: u64 = 30;

/// Of the result's run.
pub(super) fn warnings(prepared: &Prepared, bars: &RunBars, finished: &Finished) -> Vec<String> {
    let mut warnings = Vec::new();
    if prepared.series.synthetic() {
        let text = "The bars are synthetic: generated, not traded. The result says nothing about a market.";
        warnings.push(text.to_owned());
    }
    warnings.extend(margin(finished));
    warnings.extend(spread(&prepared.config, bars));
    warnings.extend(financing(prepared, finished));
    warnings.extend(conversions(finished));
    warnings.extend(intrabar(&prepared.config, bars));
    warnings.extend(prepared.series.tracks.iter().filter_map(|data| beyond_the_data(prepared, data)));
    let metrics = &finished.report.metrics;
    if metrics.total_trades < FEW_TRADES {
        let trades = metrics.total_trades;
        warnings.push(format!("{trades} closed trades are too few for the statistics to mean much."));
    }
    let ambiguous = metrics.ambiguous_trades;
    if ambiguous > 0 {
        warnings.push(format!(
            "{ambiguous} exits are ambiguous: stop and target lie in one bar, and the fill policy decided."
        ));
    }
    warnings
}

/// The account broke its margin, or lost more than it had.
fn margin(finished: &Finished) -> Vec<String> {
    let mut warnings = Vec::new();
    let (outs, calls) = (finished.report.metrics.stop_outs, finished.report.metrics.margin_calls);
    if outs > 0 {
        warnings.push(format!(
            "The account was stopped out {outs} times: its margin did not carry the positions."
        ));
    } else if calls > 0 {
        warnings.push(format!("The account was called for margin {calls} times."));
    }
    let forgiven =
        finished.journal.ledger.iter().filter(|row| row.kind == LedgerKind::NegativeBalance).count();
    if forgiven > 0 {
        warnings.push(format!(
            "{forgiven} times the balance was below zero and was set to zero: not every broker bears that."
        ));
    }
    warnings
}

/// What stands for a spread that the data does not have.
fn spread(config: &RunConfig, bars: &RunBars) -> Vec<String> {
    let mut warnings = Vec::new();
    for (track, bars) in config.tracks.iter().zip(&bars.tracks) {
        let QuoteColumns::One { side, .. } = &bars.quotes else { continue };
        let instrument = track.instrument;
        warnings.push(match config.spread {
            SpreadModel::Measured => format!(
                "The data of {instrument} holds one side only ({side:?}) and no spread is modelled: buying and selling \
                 cost nothing."
            ),
            SpreadModel::Pips(_)
            | SpreadModel::ByHour(_)
            | SpreadModel::RelativeOnEntry(_)
            | SpreadModel::Relative(_) => format!(
                "The data of {instrument} holds one side only ({side:?}): its spread is modelled, not measured."
            ),
        });
    }
    warnings
}

/// What rollover leaves out, or guesses.
fn financing(prepared: &Prepared, finished: &Finished) -> Vec<String> {
    if prepared.config.financing.is_none() {
        let text = "Financing is zero: positions held over 17:00 New York pay and receive no rollover.";
        return vec![text.to_owned()];
    }
    let mut warnings = Vec::new();
    let pairs = prepared.config.tracks.iter().map(|track| track.instrument);
    let currencies: BTreeSet<Currency> =
        pairs.flat_map(|pair| [pair.base(), pair.quote(), Currency::USD]).collect();
    let without: Vec<&str> =
        currencies.iter().filter(|code| !has_calendar(**code)).map(|code| code.code()).collect();
    if !without.is_empty() {
        warnings.push(format!(
            "Rollover days know no holidays of {}: only weekends are left out.",
            without.join(", ")
        ));
    }
    let (first, last) = (prepared.range.start.utc().year(), prepared.range.end.utc().year());
    let outside = |code: &&Currency| {
        calendar_years(**code).is_some_and(|years| !years.contains(&first) || !years.contains(&last))
    };
    let outside: Vec<&str> = currencies.iter().filter(outside).map(|code| code.code()).collect();
    if !outside.is_empty() {
        warnings.push(format!(
            "The run reaches beyond the known holidays of {}: rollover days outside leave out weekends only.",
            outside.join(", ")
        ));
    }
    let inside =
        finished.journal.ledger.iter().filter(|row| row.rollover.is_some_and(|roll| roll.inside_bar));
    let inside = inside.count();
    if inside > 0 {
        warnings.push(format!(
            "{inside} rollovers lie inside a bar: exits of that bar are taken to come after 17:00 New York."
        ));
    }
    warnings
}

/// By which prices amounts became account currency.
fn conversions(finished: &Finished) -> Vec<String> {
    let to = finished.equity.currency;
    let converted = finished.journal.ledger.iter().filter_map(|row| row.conversion);
    let paths: BTreeSet<(Currency, String)> =
        converted.map(|conversion| (conversion.from, conversion.to_string())).collect();
    let text =
        |(from, path)| format!("Amounts in {from} became {to} at the mid prices of the moment: {path}.");
    paths.into_iter().map(text).collect()
}

/// How far the finer bars reach.
fn intrabar(config: &RunConfig, bars: &RunBars) -> Vec<String> {
    let mut warnings = Vec::new();
    let Some(granularity) = config.intrabar else { return warnings };
    for ((track, bars), finer) in config.tracks.iter().zip(&bars.tracks).zip(&bars.finer) {
        let [covered, all] = covered(bars, finer, config.start, track.granularity);
        if covered < all {
            let share = covered as f64 * 100.0 / all as f64;
            warnings.push(format!(
                "{share:.1} % of the bars of {} have bars of {granularity} inside; in the others the fill policy decided.",
                track.instrument
            ));
        }
    }
    warnings
}

/// Bars from `start` on that have a finer bar inside, and all of them.
fn covered(bars: &Bars, finer: &Bars, start: UnixNanos, granularity: Granularity) -> [usize; 2] {
    let opens = &bars.times[bars.lower_bound(start)..];
    let mut rest = finer.times.iter().peekable();
    let mut covered = 0;
    for (index, open) in opens.iter().enumerate() {
        let close = granularity.close_of(*open);
        let close = opens.get(index + 1).map_or(close, |next| close.min(*next));
        while rest.next_if(|time| *time < open).is_some() {}
        covered += usize::from(rest.peek().is_some_and(|time| **time < close));
    }
    [covered, opens.len()]
}

fn beyond_the_data(prepared: &Prepared, data: &SeriesVersion) -> Option<String> {
    let range = prepared.range;
    let end = data.last.plus_nanos(data.series.granularity.nominal_nanos());
    let text = || {
        let series = &data.series;
        format!(
            "The range asked for is longer than the data of {series}, which is {} to {}.",
            data.first, data.last
        )
    };
    (range.start < data.first || range.end > end).then(text)
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
