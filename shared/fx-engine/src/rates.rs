//! Conversion of amounts into the account currency.
//!
//! An amount in a pair's quote currency is converted at the mid price of the moment, by the pair of both currencies, by
//! its inverse, or through the US dollar. The way is chosen before the first bar; a price that is missing or too old is
//! an error, never zero.

use crate::terms::to_micros;
use crate::{EngineError, RunConfig};
use fx_domain::{
    Conversion, ConversionStep, Currency, Instrument, NANOS_PER_HOUR, Price, UnixNanos, div_half_even,
};
use serde::{Deserialize, Serialize};

/// The last price seen of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) bid: Price,
    pub(crate) ask: Price,
    /// When it was seen.
    pub(crate) at: UnixNanos,
    /// Number and open of its bar, as what happens in it is stamped.
    pub(crate) bar: u64,
    pub(crate) opened: UnixNanos,
}

/// How amounts of one currency become account currency: the series to convert by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    from: Currency,
    first: Step,
    second: Option<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    series: usize,
    instrument: Instrument,
    inverse: bool,
}

/// What becomes of an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rate {
    /// It is in the account currency.
    Same,
    /// It is converted.
    By(Conversion),
}

impl Path {
    /// The way from `from` to the account currency; `None` where they are the same.
    ///
    /// # Errors
    /// [`EngineError::NoRate`] where none of the run's series leads there.
    pub(crate) fn find(config: &RunConfig, from: Currency) -> Result<Option<Self>, EngineError> {
        let to = config.account.currency;
        if from == to {
            return Ok(None);
        }
        let step = |from: Currency, to: Currency| {
            let series = config.tracks.iter().chain(&config.rates).enumerate();
            let mut direct = series
                .clone()
                .filter(|(_, track)| (track.instrument.base(), track.instrument.quote()) == (from, to));
            let mut inverse =
                series.filter(|(_, track)| (track.instrument.base(), track.instrument.quote()) == (to, from));
            let step = |(series, track): (usize, &crate::Track), inverse| Step {
                series,
                instrument: track.instrument,
                inverse,
            };
            direct
                .next()
                .map(|found| step(found, false))
                .or_else(|| inverse.next().map(|found| step(found, true)))
        };
        if let Some(first) = step(from, to) {
            return Ok(Some(Self { from, first, second: None }));
        }
        match (step(from, Currency::USD), step(Currency::USD, to)) {
            (Some(first), Some(second)) => Ok(Some(Self { from, first, second: Some(second) })),
            _ => Err(EngineError::NoRate { from, to }),
        }
    }

    /// The prices of the moment.
    ///
    /// # Errors
    /// [`EngineError::StaleRate`] for a price that is missing or older than the configuration allows.
    pub(crate) fn rate(
        &self,
        seen: &[Option<Seen>],
        now: UnixNanos,
        age_hours_max: u32,
    ) -> Result<Conversion, EngineError> {
        let price = |step: &Step| {
            let stale = |seen| EngineError::StaleRate { instrument: step.instrument, time: now, seen };
            let Some(last) = seen[step.series] else { return Err(stale(None)) };
            let age_max = i64::from(age_hours_max).saturating_mul(NANOS_PER_HOUR);
            if now.get().saturating_sub(last.at.get()) > age_max {
                return Err(stale(Some(last.at)));
            }
            Ok(ConversionStep {
                instrument: step.instrument,
                bid_plus_ask: last.bid + last.ask,
                inverse: step.inverse,
                time: last.at,
            })
        };
        Ok(Conversion {
            from: self.from,
            first: price(&self.first)?,
            second: self.second.as_ref().map(price).transpose()?,
        })
    }
}

impl Path {
    /// Puts the prices of an earlier conversion back.
    pub(crate) fn recall(&self, conversion: &Conversion, seen: &mut [Option<Seen>]) {
        let steps = std::iter::once((&self.first, &conversion.first));
        for (step, price) in steps.chain(self.second.as_ref().zip(conversion.second.as_ref())) {
            let bid = Price::from_nanos(price.bid_plus_ask.nanos() / 2);
            seen[step.series] =
                Some(Seen { bid, ask: price.bid_plus_ask - bid, at: price.time, bar: 0, opened: price.time });
        }
    }
}

impl Rate {
    /// The conversion that a ledger row names.
    pub(crate) const fn conversion(self) -> Option<Conversion> {
        match self {
            Self::Same => None,
            Self::By(conversion) => Some(conversion),
        }
    }

    /// Account currency for one of the amount's.
    pub(crate) fn factor(self) -> f64 {
        match self {
            Self::Same => 1.0,
            Self::By(conversion) => conversion.rate(),
        }
    }

    /// Nanos of price · units in millionths of account currency, rounded once, half to even.
    #[inline]
    pub(crate) fn micros(self, exact: i128) -> Option<i64> {
        match self {
            Self::Same => i64::try_from(to_micros(exact)).ok(),
            Self::By(conversion) => converted(conversion, exact),
        }
    }

    /// The whole units that a budget in millionths of account currency pays for at `per_unit` of the amount's currency
    /// each, rounded down once; a price above zero.
    pub(crate) fn units_within(self, budget_micros: i64, per_unit: Price) -> Option<i64> {
        let budget_nanos = i128::from(budget_micros.max(0)) * i128::from(crate::terms::NANOS_PER_MICRO);
        let each = i128::from(per_unit.nanos());
        let (each, budget) = match self {
            Self::Same => (each, budget_nanos),
            Self::By(conversion) => scaled(conversion, each, budget_nanos)?,
        };
        i64::try_from(budget / each).ok()
    }
}

/// Nanos of price · units in millionths at the prices of a conversion, rounded once, half to even.
fn converted(conversion: Conversion, exact: i128) -> Option<i64> {
    let (above, below) = scaled(conversion, exact, i128::from(crate::terms::NANOS_PER_MICRO))?;
    // Twice the remainder is compared with the divisor.
    let fits = below < i128::MAX / 2;
    fits.then(|| i64::try_from(div_half_even(above, below)).ok()).flatten()
}

/// `above ÷ below` times the rate of a conversion, as a quotient again; `None` where that does not fit.
fn scaled(conversion: Conversion, mut above: i128, mut below: i128) -> Option<(i128, i128)> {
    for step in std::iter::once(conversion.first).chain(conversion.second) {
        // Twice the mid price in nanos over twice the scale.
        let (price, one) = (i128::from(step.bid_plus_ask.nanos()), i128::from(2 * Price::SCALE));
        let (times, over) = if step.inverse { (one, price) } else { (price, one) };
        let shared = gcd(times, over);
        (above, below) = (above.checked_mul(times / shared)?, below.checked_mul(over / shared)?);
    }
    Some((above, below))
}

const fn gcd(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    if a == 0 { 1 } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Track;
    use fx_domain::{Granularity, Money};
    use proptest::prelude::*;

    fn config(account: Currency, pairs: &[&str]) -> RunConfig {
        let track = |pair: &&str| Track {
            instrument: Instrument::parse(pair).unwrap(),
            granularity: Granularity::H1,
        };
        let mut config = RunConfig::new(
            Instrument::parse(pairs[0]).unwrap(),
            Granularity::H1,
            Money::from_micros(1, account),
        );
        config.rates = pairs[1..].iter().map(track).collect();
        config
    }

    fn seen(prices: &[i64]) -> Vec<Option<Seen>> {
        let price = |nanos: &i64| {
            let price = Price::from_nanos(*nanos);
            let at = UnixNanos::new(0);
            Some(Seen { bid: price, ask: price, at, bar: 0, opened: at })
        };
        prices.iter().map(price).collect()
    }

    #[test]
    fn the_way_is_direct_then_inverse_then_through_the_dollar() {
        let gbp: Currency = "GBP".parse().unwrap();
        let path = |account, pairs: &[&str], from| {
            let config = config(account, pairs);
            let rate = Path::find(&config, from)?.map(|path| {
                path.rate(&seen(&[1_250_000_000, 160_000_000_000, 2_000_000_000]), UnixNanos::new(1), 72)
                    .unwrap()
            });
            Ok(rate.map(|rate| (rate.to_string(), rate.rate())))
        };
        assert_eq!(path(Currency::USD, &["EUR/USD"], Currency::USD), Ok(None));
        assert_eq!(
            path(Currency::USD, &["EUR/USD", "USD/JPY"], Currency::JPY),
            Ok(Some(("1/USD/JPY".to_owned(), 1.0 / 160.0)))
        );
        assert_eq!(
            path(Currency::USD, &["EUR/GBP", "EUR/JPY", "GBP/USD"], gbp),
            Ok(Some(("GBP/USD".to_owned(), 2.0)))
        );
        assert_eq!(
            path(Currency::EUR, &["EUR/USD", "USD/JPY"], Currency::JPY),
            Ok(Some(("1/USD/JPY x 1/EUR/USD".to_owned(), 1.0 / 160.0 / 1.25)))
        );
        assert_eq!(
            path(gbp, &["EUR/JPY"], Currency::JPY),
            Err(EngineError::NoRate { from: Currency::JPY, to: gbp })
        );
    }

    #[test]
    fn a_price_that_is_missing_or_too_old_converts_nothing() {
        let config = config(Currency::USD, &["EUR/USD", "USD/JPY"]);
        let path = Path::find(&config, Currency::JPY).unwrap().unwrap();
        let now = UnixNanos::new(72 * NANOS_PER_HOUR);
        let prices = seen(&[1, 160_000_000_000]);
        assert!(path.rate(&prices, now, 72).is_ok());
        let stale = path.rate(&prices, now.plus_nanos(1), 72);
        assert!(matches!(stale, Err(EngineError::StaleRate { seen: Some(_), .. })), "{stale:?}");
        assert!(matches!(
            path.rate(&[prices[0], None], now, 72),
            Err(EngineError::StaleRate { seen: None, .. })
        ));
    }

    proptest! {
        #[test]
        fn a_conversion_rounds_once(exact in -1_000_000_000_000_000_000_i128..1_000_000_000_000_000_000, jpy in 80_000_000_000_i64..180_000_000_000, eur in 900_000_000_i64..1_600_000_000) {
            let config = config(Currency::EUR, &["EUR/USD", "USD/JPY"]);
            let path = Path::find(&config, Currency::JPY).unwrap().unwrap();
            let rate = Rate::By(path.rate(&seen(&[eur, jpy]), UnixNanos::new(0), 72).unwrap());
            let micros = rate.micros(exact).unwrap();
            // exact ÷ 1000 · 1e18 ÷ (jpy · eur), by whole numbers.
            let expected = div_half_even(exact * 1_000_000_000_000_000, i128::from(jpy) * i128::from(eur));
            prop_assert_eq!(i128::from(micros), expected);
            let float = exact as f64 / 1e3 * rate.factor();
            prop_assert!((float - micros as f64).abs() <= 1.0 + float.abs() * 1e-12);
        }
    }
}
