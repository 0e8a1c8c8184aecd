//! What a backtest is asked for, and the run configuration that follows from it.

use crate::records::{Parameters, SeriesKey, StrategyVersion};
use fx_domain::{
    Currency, DatasetName, Digest, ErrorKind, Instrument, Money, Pips, PlatformError, PlatformResult, Price,
    StrategyId, UnixNanos,
};
use fx_engine::{Commission, FillTime, IntrabarPolicy, RunConfig, SpreadModel};

/// Starting capital at most: below the point where millionths of it overflow with the profits of a run.
pub const INITIAL_CAPITAL_MAX: f64 = 1e12;
/// Leverage at most.
pub const LEVERAGE_MAX: f64 = 10_000.0;
/// Entries on one side on top of the first, at most.
pub const PYRAMIDING_MAX: u32 = 100;
/// A fixed spread or a slippage at most, in pips.
pub const PIPS_MAX: f64 = 10_000.0;
/// A relative spread or commission at most: 10 %.
pub const RATE_MAX: f64 = 0.1;

/// What a backtest is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct BacktestRequest {
    /// The strategy.
    pub strategy_id: StrategyId,
    /// Its version; the latest when absent.
    pub strategy_version: Option<Digest>,
    /// First instant of decisions.
    pub start: UnixNanos,
    /// First instant behind the run.
    pub end: UnixNanos,
    /// Starting balance in the account currency.
    pub initial_capital: f64,
    /// Overrides of the registered parameters.
    pub parameters: Parameters,
    /// The currency of balance and P&L; the pair's quote currency when absent.
    pub account_currency: Option<Currency>,
    /// When market orders fill.
    pub fill: FillTime,
    /// Which exit comes first inside a bar.
    pub fill_policy: IntrabarPolicy,
    /// Modelled spread.
    pub spread: SpreadRequest,
    /// Commission.
    pub commission: Commission,
    /// Slippage of market and stop fills, in pips.
    pub slippage_pips: f64,
    /// Entries on the side already held that are allowed on top of the first.
    pub pyramiding: u32,
    /// Notional over equity at most.
    pub leverage: f64,
    /// The source of the bars.
    pub dataset: DatasetName,
    /// The version of the bars; the latest when absent.
    pub data_version: Option<Digest>,
    /// The seed of everything random.
    pub seed: u64,
}

/// How the missing side of one-sided data is made, before the instrument is known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum SpreadRequest {
    /// As stored; none for one-sided data.
    #[default]
    Measured,
    /// A fixed number of pips.
    Pips(f64),
    /// Tenths of a pip: the smallest quoted step.
    Points(f64),
    /// As [`SpreadModel::RelativeOnEntry`].
    RelativeOnEntry(f64),
    /// As [`SpreadModel::Relative`].
    Relative(f64),
}

impl BacktestRequest {
    /// A request with every option at its default.
    #[must_use]
    pub fn new(strategy_id: StrategyId, start: UnixNanos, end: UnixNanos) -> Self {
        Self {
            strategy_id,
            strategy_version: None,
            start,
            end,
            initial_capital: 10_000.0,
            parameters: Parameters::new(),
            account_currency: None,
            fill: FillTime::default(),
            fill_policy: IntrabarPolicy::default(),
            spread: SpreadRequest::default(),
            commission: Commission::default(),
            slippage_pips: 0.0,
            pyramiding: 0,
            leverage: 30.0,
            dataset: DatasetName::default(),
            data_version: None,
            seed: 0,
        }
    }

    /// The series that the run needs.
    pub(crate) fn series(&self, strategy: &StrategyVersion) -> PlatformResult<SeriesKey> {
        match strategy.instruments.as_slice() {
            [instrument] => Ok(SeriesKey {
                dataset: self.dataset.clone(),
                instrument: *instrument,
                granularity: strategy.timeframe,
            }),
            instruments => Err(PlatformError::field(
                ErrorKind::BacktestConfig,
                "strategy_id",
                format!("the strategy trades {} instruments; a run takes one", instruments.len()),
            )),
        }
    }

    /// The configuration of the run, every field checked.
    ///
    /// # Errors
    /// `BacktestConfigError` naming the field.
    pub fn run_config(&self, instrument: Instrument) -> PlatformResult<RunConfig> {
        if self.start >= self.end {
            return Err(refuse("end_date", format!("{} is not after start_date {}", self.end, self.start)));
        }
        let account_currency = self.account_currency.unwrap_or(instrument.quote());
        if account_currency != instrument.quote() {
            let message =
                format!("{account_currency} is not the quote currency of {instrument}: P&L is not converted");
            return Err(refuse("account_currency", message));
        }
        between("initial_capital", self.initial_capital, f64::MIN_POSITIVE, INITIAL_CAPITAL_MAX)?;
        between("leverage", self.leverage, f64::MIN_POSITIVE, LEVERAGE_MAX)?;
        if self.pyramiding > PYRAMIDING_MAX {
            return Err(refuse("pyramiding", format!("{} is above {PYRAMIDING_MAX}", self.pyramiding)));
        }
        let initial_capital = Money::from_f64(self.initial_capital, account_currency)
            .filter(|money| money.micros() > 0)
            .ok_or_else(|| refuse("initial_capital", format!("{} is too small", self.initial_capital)))?;
        Ok(RunConfig {
            instrument,
            account_currency,
            initial_capital,
            start: self.start,
            fill: self.fill,
            fill_policy: self.fill_policy,
            spread: self.spread.model(&instrument)?,
            commission: check_commission(self.commission)?,
            slippage: pips("slippage", self.slippage_pips, &instrument)?,
            pyramiding: self.pyramiding,
            leverage: self.leverage,
        })
    }
}

impl SpreadRequest {
    fn model(self, instrument: &Instrument) -> PlatformResult<SpreadModel> {
        match self {
            Self::Measured => Ok(SpreadModel::Measured),
            Self::Pips(value) => pips("spread", value, instrument).map(SpreadModel::Fixed),
            Self::Points(value) => pips("spread.points", value / 10.0, instrument).map(SpreadModel::Fixed),
            Self::RelativeOnEntry(rate) => {
                between("spread.relative_on_entry", rate, 0.0, RATE_MAX).map(SpreadModel::RelativeOnEntry)
            }
            Self::Relative(rate) => {
                between("spread.relative", rate, 0.0, RATE_MAX).map(SpreadModel::Relative)
            }
        }
    }
}

fn check_commission(commission: Commission) -> PlatformResult<Commission> {
    match commission {
        Commission::None => {}
        Commission::PerLot(value) => {
            between("commission", value, 0.0, INITIAL_CAPITAL_MAX)?;
        }
        Commission::PerUnit(value) => {
            between("commission.per_unit", value, 0.0, RATE_MAX)?;
        }
        Commission::PerNotional { rate, minimum } => {
            between("commission.per_notional", rate, 0.0, RATE_MAX)?;
            between("commission.minimum", minimum, 0.0, INITIAL_CAPITAL_MAX)?;
        }
    }
    Ok(commission)
}

fn pips(field: &str, value: f64, instrument: &Instrument) -> PlatformResult<Price> {
    between(field, value, 0.0, PIPS_MAX)?;
    Pips(value).to_price(instrument).ok_or_else(|| refuse(field, format!("{value} is not a distance")))
}

fn between(field: &str, value: f64, low: f64, high: f64) -> PlatformResult<f64> {
    if (low..=high).contains(&value) {
        return Ok(value);
    }
    let expected =
        if low > 0.0 { format!("above 0 and at most {high}") } else { format!("from {low} to {high}") };
    Err(refuse(field, format!("{value} is out of range: expected a number {expected}")))
}

fn refuse(field: &str, message: String) -> PlatformError {
    PlatformError::field(ErrorKind::BacktestConfig, field, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> BacktestRequest {
        let at = |text| UnixNanos::parse(text).unwrap();
        BacktestRequest::new(StrategyId::parse("s").unwrap(), at("2024-01-01"), at("2024-02-01"))
    }

    fn refused(request: &BacktestRequest) -> String {
        request.run_config(Instrument::parse("EUR/USD").unwrap()).unwrap_err().message().to_owned()
    }

    #[test]
    fn a_wrong_option_is_named() {
        let end = BacktestRequest { end: UnixNanos::new(0), ..request() };
        assert!(refused(&end).starts_with("end_date: "));
        for capital in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e13] {
            assert!(
                refused(&BacktestRequest { initial_capital: capital, ..request() })
                    .starts_with("initial_capital: ")
            );
        }
        let spread = BacktestRequest { spread: SpreadRequest::Pips(-1.0), ..request() };
        assert!(refused(&spread).starts_with("spread: "));
        let currency = BacktestRequest { account_currency: Some(Currency::JPY), ..request() };
        assert!(refused(&currency).starts_with("account_currency: "));
        let commission =
            BacktestRequest { commission: Commission::PerNotional { rate: 2.0, minimum: 0.0 }, ..request() };
        assert!(refused(&commission).starts_with("commission.per_notional: "));
    }

    #[test]
    fn points_are_tenths_of_a_pip() {
        let config = BacktestRequest { spread: SpreadRequest::Points(15.0), ..request() };
        let config = config.run_config(Instrument::parse("USD/JPY").unwrap()).unwrap();
        assert_eq!(config.spread, SpreadModel::Fixed(Price::parse("0.015").unwrap()));
        assert_eq!(config.account_currency, Currency::JPY);
    }
}
