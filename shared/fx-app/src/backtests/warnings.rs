//! What the reader should know before believing the numbers, in plain words, the gravest first.

use super::compute::Noted;
use super::run::Prepared;
use crate::records::SeriesVersion;
use fx_analytics::Report;
use fx_domain::{Currency, PriceSource, calendar_years, has_calendar};
use fx_engine::{RunConfig, SpreadModel};
use std::collections::BTreeSet;

/// Below this many trades a statistic says little.
const FEW_TRADES: u64 = 30;

/// Of the result's run.
pub(super) fn warnings(prepared: &Prepared, noted: &Noted, report: &Report) -> Vec<String> {
    let mut warnings = Vec::new();
    if prepared.series.synthetic() {
        let text = "The bars are synthetic: generated, not traded. The result says nothing about a market.";
        warnings.push(text.to_owned());
    }
    warnings.extend(margin(noted, report));
    warnings.extend(spread(prepared));
    warnings.extend(financing(prepared, noted));
    warnings.extend(conversions(&prepared.config, noted));
    warnings.extend(intrabar(&prepared.config, noted));
    warnings.extend(prepared.series.tracks.iter().filter_map(|data| beyond_the_data(prepared, data)));
    let metrics = &report.metrics;
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
fn margin(noted: &Noted, report: &Report) -> Vec<String> {
    let mut warnings = Vec::new();
    let (outs, calls) = (report.metrics.stop_outs, report.metrics.margin_calls);
    if outs > 0 {
        warnings.push(format!(
            "The account was stopped out {outs} times: its margin did not carry the positions."
        ));
    } else if calls > 0 {
        warnings.push(format!("The account was called for margin {calls} times."));
    }
    let forgiven = noted.forgiven;
    if forgiven > 0 {
        warnings.push(format!(
            "{forgiven} times the balance was below zero and was set to zero: not every broker bears that."
        ));
    }
    warnings
}

/// What stands for a spread that the data does not have.
fn spread(prepared: &Prepared) -> Vec<String> {
    let mut warnings = Vec::new();
    for data in &prepared.series.tracks {
        let instrument = data.series.instrument;
        let Some(side) = data.side else {
            if data.ask_source == PriceSource::Modelled {
                warnings.push(format!(
                    "The asks of {instrument} are made of the bids and a column of spreads: modelled, not measured."
                ));
            }
            continue;
        };
        warnings.push(match prepared.config.spread {
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
fn financing(prepared: &Prepared, noted: &Noted) -> Vec<String> {
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
    let inside = noted.inside_bars;
    if inside > 0 {
        warnings.push(format!(
            "{inside} rollovers lie inside a bar: exits of that bar are taken to come after 17:00 New York."
        ));
    }
    warnings
}

/// By which prices amounts became account currency.
fn conversions(config: &RunConfig, noted: &Noted) -> Vec<String> {
    let to = config.account.currency;
    let paths = noted.conversions.iter();
    paths
        .map(|((from, _), path)| {
            format!("Amounts in {from} became {to} at the mid prices of the moment: {path}.")
        })
        .collect()
}

/// How far the finer bars reach.
fn intrabar(config: &RunConfig, noted: &Noted) -> Vec<String> {
    let mut warnings = Vec::new();
    let Some(granularity) = config.intrabar else { return warnings };
    for (track, [covered, all]) in config.tracks.iter().zip(&noted.covered) {
        if covered < all {
            let share = *covered as f64 * 100.0 / *all as f64;
            warnings.push(format!(
                "{share:.1} % of the bars of {} have bars of {granularity} inside; in the others the fill policy decided.",
                track.instrument
            ));
        }
    }
    warnings
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
