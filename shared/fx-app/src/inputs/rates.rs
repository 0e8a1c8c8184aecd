//! Which series convert a run's amounts into its account currency.
//!
//! A way is the pair of both currencies, its inverse, or both against the US dollar, in this order: the engine looks for
//! them in the same. What is traded anyway converts before anything else is read.

use super::{RATE_LEAD_NANOS, Stretch, Wanted};
use crate::records::{SeriesKey, SeriesVersion};
use crate::{App, errors};
use fx_domain::{
    Currency, ErrorKind, Granularity, Instrument, PlatformError, PlatformResult, SwapRate, UnixNanos,
};
use fx_engine::RunConfig;

/// The currencies, besides the account's, that amounts of the run may be in: quote currencies of what is traded, and
/// those of rollover rates per lot.
pub(super) fn needed(config: &RunConfig) -> impl Iterator<Item = Currency> {
    let account = config.account.currency;
    let quotes = config.tracks.iter().map(|track| track.instrument.quote());
    let traded = |instrument| config.tracks.iter().any(|track| track.instrument == instrument);
    let rows = config.financing.iter().flat_map(|table| table.rows());
    let per_lot = rows.filter(move |row| traded(row.instrument)).flat_map(|row| {
        [row.long, row.short].into_iter().filter_map(|rate| match rate {
            SwapRate::PerLot { currency, .. } => currency,
            SwapRate::Points(_) | SwapRate::AnnualPercent { .. } => None,
        })
    });
    quotes.chain(per_lot).filter(move |currency| *currency != account)
}

/// From one currency to another.
type Leg = [Currency; 2];

/// The ways from one currency to another, the first that can be gone is taken.
fn ways(from: Currency, to: Currency) -> Vec<Vec<Leg>> {
    let dollar = Currency::USD;
    if from == dollar || to == dollar {
        vec![vec![[from, to]]]
    } else {
        vec![vec![[from, to]], vec![[from, dollar], [dollar, to]]]
    }
}

/// The pair of two currencies and its inverse.
fn pairs([from, to]: Leg) -> impl Iterator<Item = Instrument> {
    [format!("{from}/{to}"), format!("{to}/{from}")]
        .into_iter()
        .filter_map(|pair| Instrument::parse(&pair).ok())
}

/// The lengths of bars to convert by, the best first: those of the run, then the finest. Weeks are left out unless
/// nothing else is there: such a price is too old before the next.
fn lengths(timeframe: Granularity) -> impl Iterator<Item = Granularity> {
    let last = [Granularity::Tick, Granularity::W1];
    let others =
        Granularity::ALL.into_iter().filter(move |length| !last.contains(length) && *length != timeframe);
    let first = Some(timeframe).filter(|timeframe| !last.contains(timeframe));
    first.into_iter().chain(others).chain(last)
}

impl App {
    /// The series that convert, besides the tracks.
    ///
    /// # Errors
    /// `BacktestDataError` naming the pairs that would do.
    pub(super) async fn find_rates(
        &self,
        wanted: &Wanted<'_>,
        config: &RunConfig,
        tracks: &[SeriesVersion],
    ) -> PlatformResult<Vec<SeriesVersion>> {
        let Some(span) = Span::of(wanted, tracks) else { return Ok(Vec::new()) };
        let mut found: Vec<SeriesVersion> = Vec::new();
        for from in needed(config) {
            let ways = ways(from, config.account.currency);
            let known = |leg: &Leg, found: &[SeriesVersion]| {
                let mut series = tracks.iter().chain(found).map(|data| data.series.instrument);
                series.any(|known| pairs(*leg).any(|pair| pair == known))
            };
            if ways.iter().any(|way| way.iter().all(|leg| known(leg, &found))) {
                continue;
            }
            let mut taken = None;
            for way in &ways {
                let mut added = Vec::new();
                for leg in way.iter().filter(|leg| !known(leg, &found)) {
                    added.push(self.find_leg(wanted, *leg, &span).await?);
                }
                // All legs or none.
                taken = added.into_iter().collect::<Option<Vec<_>>>();
                if taken.is_some() {
                    break;
                }
            }
            found.extend(taken.ok_or_else(|| no_rate(wanted, config, from, &span))?);
        }
        Ok(found)
    }

    async fn find_leg(
        &self,
        wanted: &Wanted<'_>,
        leg: Leg,
        span: &Span,
    ) -> PlatformResult<Option<SeriesVersion>> {
        for instrument in pairs(leg) {
            for granularity in lengths(span.timeframe) {
                let key = SeriesKey { dataset: wanted.dataset.clone(), instrument, granularity };
                let data = self.files.bars.describe(&key, None).await.map_err(errors::store)?;
                if let Some(data) = data.filter(|data| span.is_covered_by(data)) {
                    return Ok(Some(data));
                }
            }
        }
        Ok(None)
    }
}

/// The stretch of time over which a run converts.
struct Span {
    first: UnixNanos,
    last: UnixNanos,
    timeframe: Granularity,
}

impl Span {
    /// From the first to the last bar that is decided on.
    fn of(wanted: &Wanted<'_>, tracks: &[SeriesVersion]) -> Option<Self> {
        let stored_first = tracks.iter().map(|data| data.first).min()?;
        let stored_last = tracks.iter().map(|data| data.last).max()?;
        let timeframe = tracks.first()?.series.granularity;
        let (first, last) = match wanted.stretch {
            Stretch::Range(range) => (range.start.max(stored_first), range.end.min(stored_last)),
            Stretch::Newest(bars) => {
                let bars = i64::try_from(bars).unwrap_or(i64::MAX);
                let back = timeframe.nominal_nanos().saturating_mul(bars);
                (stored_last.plus_nanos(-back).max(stored_first), stored_last)
            }
        };
        Some(Self { first, last, timeframe })
    }

    /// A price is used for as long as the engine lets it be, so the ends may miss that much.
    fn is_covered_by(&self, data: &SeriesVersion) -> bool {
        let closes = data.last.plus_nanos(data.series.granularity.nominal_nanos());
        data.first <= self.first.plus_nanos(RATE_LEAD_NANOS)
            && closes.plus_nanos(RATE_LEAD_NANOS) >= self.last
    }
}

fn no_rate(wanted: &Wanted<'_>, config: &RunConfig, from: Currency, span: &Span) -> PlatformError {
    let to = config.account.currency;
    let names = |leg: Leg| pairs(leg).map(|pair| pair.to_string()).collect::<Vec<_>>().join(" or ");
    let ways = ways(from, to).into_iter().map(|way| {
        let legs: Vec<_> = way.into_iter().map(names).collect();
        legs.join(" together with ")
    });
    let message = format!(
        "amounts in {from} cannot be converted into {to}: data set `{}` has no series from {} to {} of {}",
        wanted.dataset,
        span.first,
        span.last,
        ways.collect::<Vec<_>>().join(", nor of ")
    );
    PlatformError::field(ErrorKind::BacktestData, "account_currency", message)
}
