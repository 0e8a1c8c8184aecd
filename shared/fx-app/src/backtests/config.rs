//! From a request to the configuration of the run, every field checked and named.

use super::{BacktestRequest, FinancingRequest, SpreadRequest};
use fx_domain::financing::RowPlace;
use fx_domain::{
    ErrorKind, FinancingError, Granularity, Instrument, Money, Pips, PlatformError, PlatformResult,
};
use fx_engine::{
    Account, Commission, RATE_AGE_HOURS_DEFAULT, RunConfig, Slippage, SpreadModel, TRACKS_MAX, Track,
};

/// Starting capital at most: below the point where millionths of it overflow with the profits of a run.
pub const INITIAL_CAPITAL_MAX: f64 = 1e12;
/// Leverage at most.
pub const LEVERAGE_MAX: f64 = 10_000.0;
/// A margin level of call or stop-out at most, in percent.
pub const MARGIN_LEVEL_PCT_MAX: f64 = 10_000.0;
/// Entries on one side on top of the first, at most.
pub const PYRAMIDING_MAX: u32 = 100;
/// A fixed spread or a slippage at most, in pips.
pub const PIPS_MAX: f64 = 10_000.0;
/// A relative spread or commission at most: 10 %.
pub const RATE_MAX: f64 = 0.1;
/// Commission per lot, and its minimum per fill, at most, in the account currency.
pub const COMMISSION_MAX: f64 = 100_000.0;
/// The longest age that a feature's value may be allowed, in hours: ten years.
pub const FEATURES_AGE_HOURS_MAX: u32 = 87_600;
/// Scenarios of one backtest, at most: each policy once.
pub const SCENARIOS_MAX: usize = 5;
/// Rows of a table of rates that comes with a request, at most: they are kept in the result's record. A longer table is
/// stored under a name.
pub const INLINE_RATES_MAX: usize = 500;

impl BacktestRequest {
    /// The configuration of the run on `instruments` at bars of `timeframe`, every field checked. What is converted by,
    /// and a table of rates that is only named, is not in it yet. The fill policy is the first scenario's.
    ///
    /// # Errors
    /// `BacktestConfigError` naming the field.
    pub fn run_config(
        &self,
        instruments: &[Instrument],
        timeframe: Granularity,
    ) -> PlatformResult<RunConfig> {
        if self.start >= self.end {
            return Err(refuse("end_date", format!("{} is not after start_date {}", self.end, self.start)));
        }
        let tracks = tracks(instruments, timeframe)?;
        let Some(first) = instruments.first() else {
            return Err(refuse("instruments", "there is none to trade".to_owned()));
        };
        if self.pyramiding > PYRAMIDING_MAX {
            return Err(refuse("pyramiding", format!("{} is above {PYRAMIDING_MAX}", self.pyramiding)));
        }
        if let Some(finer) = self.intrabar.filter(|finer| *finer >= timeframe) {
            let message = format!("{finer} is not finer than the strategy's bars of {timeframe}");
            return Err(refuse("intrabar", message));
        }
        self.check_scenarios()?;
        Ok(RunConfig {
            tracks,
            rates: Vec::new(),
            references: Vec::new(),
            features: Vec::new(),
            account: self.account_of(first)?,
            start: self.start,
            fill: self.fill,
            fill_policy: self.scenarios.first().copied().unwrap_or(self.fill_policy),
            intrabar: self.intrabar,
            spread: self.spread.model()?,
            commission: check_commission(self.commission)?,
            slippage: check_slippage(self.slippage)?,
            financing: self.inline_rates()?,
            pyramiding: self.pyramiding,
            rate_age_hours_max: RATE_AGE_HOURS_DEFAULT,
            features_age_hours_max: self.features_age_hours()?,
            seed: self.seed,
        })
    }

    fn account_of(&self, first: &Instrument) -> PlatformResult<Account> {
        let currency = self.account_currency.unwrap_or(first.quote());
        between("initial_capital", self.initial_capital, f64::MIN_POSITIVE, INITIAL_CAPITAL_MAX)?;
        let capital = Money::from_f64(self.initial_capital, currency)
            .filter(|money| money.micros() > 0)
            .ok_or_else(|| refuse("initial_capital", format!("{} is too small", self.initial_capital)))?;
        between("leverage", self.leverage, f64::MIN_POSITIVE, LEVERAGE_MAX)?;
        between("margin_call_pct", self.margin_call_pct, 0.0, MARGIN_LEVEL_PCT_MAX)?;
        between("stop_out.level_pct", self.stop_out_pct, 0.0, MARGIN_LEVEL_PCT_MAX)?;
        if self.stop_out_pct > self.margin_call_pct {
            let message = format!("{} is above margin_call_pct {}", self.stop_out_pct, self.margin_call_pct);
            return Err(refuse("stop_out.level_pct", message));
        }
        Ok(Account {
            currency,
            capital,
            kind: self.account,
            leverage: self.leverage,
            margin_call_percent: self.margin_call_pct,
            stop_out_percent: self.stop_out_pct,
            stop_out: self.stop_out_policy,
            negative_balance_protection: self.negative_balance_protection,
        })
    }

    fn features_age_hours(&self) -> PlatformResult<u32> {
        let hours = self.features_age_hours_max;
        if (1..=FEATURES_AGE_HOURS_MAX).contains(&hours) {
            return Ok(hours);
        }
        let message = format!("{hours} is out of range: expected 1 to {FEATURES_AGE_HOURS_MAX}");
        Err(refuse("features_age_hours_max", message))
    }

    fn check_scenarios(&self) -> PlatformResult<()> {
        for (index, policy) in self.scenarios.iter().enumerate() {
            if self.scenarios.iter().take(index).any(|before| before == policy) {
                return Err(refuse(&format!("scenarios[{index}]"), "the policy is there twice".to_owned()));
            }
        }
        if self.scenarios.len() > SCENARIOS_MAX {
            let message = format!("{} are more than {SCENARIOS_MAX}", self.scenarios.len());
            return Err(refuse("scenarios", message));
        }
        Ok(())
    }

    fn inline_rates(&self) -> PlatformResult<Option<fx_domain::FinancingTable>> {
        match &self.financing {
            FinancingRequest::Rates(table) if table.rows().len() > INLINE_RATES_MAX => {
                let message = format!(
                    "{} rows are more than {INLINE_RATES_MAX}: store a longer table under a name",
                    table.rows().len()
                );
                Err(refuse("financing.rates", message))
            }
            FinancingRequest::Rates(table) => Ok(Some(table.clone())),
            FinancingRequest::Zero | FinancingRequest::Table(_) => Ok(None),
        }
    }
}

/// The field of a request that a table of rates was refused for: `financing.rates[2].from`.
#[must_use]
pub fn financing_error(error: &FinancingError) -> PlatformError {
    let row = |place: &RowPlace| match place {
        RowPlace::Index(index) => format!("financing.rates[{index}]"),
        RowPlace::Line(line) => format!("financing: line {line}"),
    };
    let (field, message) = match error {
        FinancingError::Name => ("financing.name".to_owned(), error.to_string()),
        FinancingError::RowCount(_) => ("financing.rates".to_owned(), error.to_string()),
        FinancingError::Field { place, field, problem } => {
            (format!("{}.{field}", row(place)), problem.clone())
        }
        FinancingError::Duplicate { first, second, instrument, from } => (
            format!("{}.from", row(second)),
            format!("{first} already has rates of {instrument} from {from}"),
        ),
        FinancingError::DayWeight(_) | FinancingError::DayWeightsWithoutRates(_) => {
            ("financing.day_weights".to_owned(), error.to_string())
        }
        FinancingError::DayCount(_) | FinancingError::Header { .. } => {
            ("financing".to_owned(), error.to_string())
        }
    };
    refuse(&field, message)
}

fn tracks(instruments: &[Instrument], granularity: Granularity) -> PlatformResult<Vec<Track>> {
    if instruments.len() > TRACKS_MAX {
        return Err(refuse("instruments", format!("{} are more than {TRACKS_MAX}", instruments.len())));
    }
    for (index, instrument) in instruments.iter().enumerate() {
        if instruments.iter().take(index).any(|before| before == instrument) {
            return Err(refuse(&format!("instruments[{index}]"), format!("{instrument} is there twice")));
        }
    }
    Ok(instruments.iter().map(|instrument| Track { instrument: *instrument, granularity }).collect())
}

impl SpreadRequest {
    fn model(self) -> PlatformResult<SpreadModel> {
        match self {
            Self::Measured => Ok(SpreadModel::Measured),
            Self::Pips(value) => pips("spread", value).map(|pips| SpreadModel::Pips(pips.0)),
            Self::Points(value) => pips("spread.points", value / 10.0).map(|pips| SpreadModel::Pips(pips.0)),
            Self::ByHour(hours) => {
                for (hour, value) in hours.into_iter().enumerate() {
                    pips(&format!("spread.by_hour[{hour}]"), value)?;
                }
                Ok(SpreadModel::ByHour(hours))
            }
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
            between("commission", value, 0.0, COMMISSION_MAX)?;
        }
        Commission::PerUnit(value) => {
            between("commission.per_unit", value, 0.0, RATE_MAX)?;
        }
        Commission::PerNotional { rate, minimum } => {
            between("commission.per_notional", rate, 0.0, RATE_MAX)?;
            between("commission.minimum", minimum, 0.0, COMMISSION_MAX)?;
        }
    }
    Ok(commission)
}

fn check_slippage(slippage: Slippage) -> PlatformResult<Slippage> {
    match slippage {
        Slippage::None => {}
        Slippage::Pips(value) => {
            pips("slippage", value)?;
        }
        Slippage::SpreadShare(share) => {
            between("slippage.spread_share", share, 0.0, 1.0)?;
        }
        Slippage::Random(value) => {
            pips("slippage.random", value)?;
        }
    }
    Ok(slippage)
}

/// A distance in pips: within the limit it fits the prices of every pair.
fn pips(field: &str, value: f64) -> PlatformResult<Pips> {
    between(field, value, 0.0, PIPS_MAX).map(Pips)
}

fn between(field: &str, value: f64, low: f64, high: f64) -> PlatformResult<f64> {
    if (low..=high).contains(&value) {
        return Ok(value);
    }
    let expected =
        if low > 0.0 { format!("above 0 and at most {high}") } else { format!("from {low} to {high}") };
    Err(refuse(field, format!("{value} is out of range: expected a number {expected}")))
}

pub(super) fn refuse(field: &str, message: String) -> PlatformError {
    PlatformError::field(ErrorKind::BacktestConfig, field, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fx_domain::{Currency, FinancingRow, FinancingTable, StrategyId, SwapRate, UnixNanos};
    use fx_engine::IntrabarPolicy;

    fn request() -> BacktestRequest {
        let at = |text| UnixNanos::parse(text).unwrap();
        BacktestRequest::new(StrategyId::parse("s").unwrap(), at("2024-01-01"), at("2024-02-01"))
    }

    fn pairs(names: &[&str]) -> Vec<Instrument> {
        names.iter().map(|name| Instrument::parse(name).unwrap()).collect()
    }

    fn config(request: &BacktestRequest) -> PlatformResult<RunConfig> {
        request.run_config(&pairs(&["EUR/USD"]), Granularity::H1)
    }

    type Change = fn(&mut BacktestRequest);

    fn hours(hour: usize, pips: f64) -> SpreadRequest {
        let mut hours = [1.0; 24];
        hours[hour] = pips;
        SpreadRequest::ByHour(hours)
    }

    #[test]
    fn a_wrong_option_is_named() {
        let notional = |rate, minimum| Commission::PerNotional { rate, minimum };
        let changes: [(&str, Change); 12] = [
            ("end_date", |request| request.end = request.start),
            ("leverage", |request| request.leverage = 0.0),
            ("margin_call_pct", |request| request.margin_call_pct = f64::NAN),
            ("stop_out.level_pct", |request| request.stop_out_pct = -1.0),
            ("stop_out.level_pct", |request| request.stop_out_pct = 101.0),
            ("features_age_hours_max", |request| request.features_age_hours_max = 0),
            ("features_age_hours_max", |request| {
                request.features_age_hours_max = FEATURES_AGE_HOURS_MAX + 1;
            }),
            ("pyramiding", |request| request.pyramiding = PYRAMIDING_MAX + 1),
            ("intrabar", |request| request.intrabar = Some(Granularity::H1)),
            ("slippage", |request| request.slippage = Slippage::Pips(-1.0)),
            ("slippage.spread_share", |request| request.slippage = Slippage::SpreadShare(1.5)),
            ("slippage.random", |request| request.slippage = Slippage::Random(f64::INFINITY)),
        ];
        let mut wrong: Vec<(&str, BacktestRequest)> = Vec::new();
        for (field, change) in changes {
            let mut request = request();
            change(&mut request);
            wrong.push((field, request));
        }
        for capital in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e13, 1e-9] {
            wrong.push(("initial_capital", BacktestRequest { initial_capital: capital, ..request() }));
        }
        let spreads = [
            ("spread", SpreadRequest::Pips(-1.0)),
            ("spread.points", SpreadRequest::Points(f64::NAN)),
            ("spread.by_hour[7]", hours(7, -0.1)),
            ("spread.relative", SpreadRequest::Relative(0.2)),
            ("spread.relative_on_entry", SpreadRequest::RelativeOnEntry(-0.2)),
        ];
        wrong.extend(spreads.map(|(field, spread)| (field, BacktestRequest { spread, ..request() })));
        let commissions = [
            ("commission", Commission::PerLot(COMMISSION_MAX * 2.0)),
            ("commission.per_unit", Commission::PerUnit(-1.0)),
            ("commission.per_notional", notional(2.0, 0.0)),
            ("commission.minimum", notional(0.0, f64::NAN)),
        ];
        wrong.extend(
            commissions.map(|(field, commission)| (field, BacktestRequest { commission, ..request() })),
        );
        for (field, request) in wrong {
            let refused = config(&request).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::BacktestConfig);
            assert!(refused.message().starts_with(&format!("{field}: ")), "{field}: {}", refused.message());
        }
    }

    #[test]
    fn whatever_is_within_the_limits_the_engine_takes() {
        let lots = [
            BacktestRequest { commission: Commission::PerLot(COMMISSION_MAX), ..request() },
            BacktestRequest { spread: SpreadRequest::Points(PIPS_MAX * 10.0), ..request() },
            BacktestRequest { spread: hours(3, PIPS_MAX), slippage: Slippage::Random(PIPS_MAX), ..request() },
            BacktestRequest {
                spread: SpreadRequest::Relative(RATE_MAX),
                leverage: LEVERAGE_MAX,
                ..request()
            },
            BacktestRequest { stop_out_pct: 0.0, margin_call_pct: 0.0, ..request() },
            BacktestRequest { initial_capital: INITIAL_CAPITAL_MAX, ..request() },
        ];
        for request in lots {
            for pair in ["EUR/USD", "USD/JPY"] {
                request.run_config(&pairs(&[pair]), Granularity::D1).unwrap().validate().unwrap();
            }
        }
    }

    #[test]
    fn instruments_and_scenarios_are_there_once_each() {
        let twice = request().run_config(&pairs(&["EUR/USD", "USD/JPY", "EUR/USD"]), Granularity::H1);
        assert!(twice.unwrap_err().message().starts_with("instruments[2]: "));
        assert!(
            request().run_config(&[], Granularity::H1).unwrap_err().message().starts_with("instruments: ")
        );
        let scenarios = vec![IntrabarPolicy::Ohlc, IntrabarPolicy::Olhc, IntrabarPolicy::Ohlc];
        let refused = config(&BacktestRequest { scenarios, ..request() }).unwrap_err();
        assert!(refused.message().starts_with("scenarios[2]: "), "{}", refused.message());
    }

    #[test]
    fn points_are_tenths_of_a_pip_and_the_account_is_in_the_first_quote_currency() {
        let asked = BacktestRequest { spread: SpreadRequest::Points(15.0), ..request() };
        let config = asked.run_config(&pairs(&["USD/JPY", "EUR/USD"]), Granularity::H1).unwrap();
        assert_eq!(config.spread, SpreadModel::Pips(1.5));
        assert_eq!(config.account.currency, Currency::JPY);
        let francs = BacktestRequest { account_currency: "CHF".parse().ok(), ..asked };
        let config = francs.run_config(&pairs(&["USD/JPY"]), Granularity::H1).unwrap();
        assert_eq!(config.account.capital.currency().code(), "CHF");
    }

    #[test]
    fn a_refused_table_of_rates_names_row_and_field() {
        let row = |from: &str, long| FinancingRow {
            instrument: Instrument::parse("EUR/USD").unwrap(),
            from: from.parse().unwrap(),
            long: SwapRate::Points(long),
            short: SwapRate::Points(0.0),
        };
        let refused =
            |rows| financing_error(&FinancingTable::new("t", rows).unwrap_err()).message().to_owned();
        let repeated = refused(vec![row("2024-01-01", 1.0), row("2024-02-01", 1.0), row("2024-01-01", 2.0)]);
        assert!(repeated.starts_with("financing.rates[2].from: "), "{repeated}");
        let infinite = refused(vec![row("2024-01-01", 1.0), row("2024-02-01", f64::INFINITY)]);
        assert!(infinite.starts_with("financing.rates[1].long: "), "{infinite}");
        let day = days(INLINE_RATES_MAX + 1).map(|from| row(&from, 1.0)).collect();
        let long = FinancingTable::new("t", day).unwrap();
        let refused = config(&BacktestRequest { financing: FinancingRequest::Rates(long), ..request() });
        assert!(refused.unwrap_err().message().starts_with("financing.rates: "));
    }

    /// So many days in a row.
    fn days(count: usize) -> impl Iterator<Item = String> {
        (0..count).map(|day| format!("{}-{:02}-{:02}", 2000 + day / 336, day / 28 % 12 + 1, day % 28 + 1))
    }
}
