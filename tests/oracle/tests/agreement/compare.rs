//! One run, twice: by the compiler and the engine, and by the oracle.

use crate::markets::{key, told};
use fx_domain::{Bars, LedgerRow, Pips, Trade, UnixNanos};
use fx_engine::{
    Decided, EngineError, FeatureSeries, FeatureTrack, Inputs, MarginPoint, Market, OrderEvent, Recorder,
    RunConfig, SpreadModel, State, advance_over,
};
use fx_strategy::{
    AccountField, Action, Feature, Node, NodeId, ParameterValue, Plan, PositionField, Recording,
};
use oracle::{Account, Close, Decision, Exact, Parameter, Told};
use std::collections::BTreeMap;
use std::fmt::Write;

/// What is run.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) source: String,
    pub(crate) parameters: BTreeMap<String, ParameterValue>,
    pub(crate) config: RunConfig,
    pub(crate) bars: Bars,
}

/// How much a comparison has compared.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Compared {
    pub(crate) bars: usize,
    pub(crate) decisions: usize,
    pub(crate) recorded: usize,
}

/// What the engine shows at each bar's close.
struct Seen {
    accounts: Vec<Account>,
    closes: Vec<Close>,
}

/// What the oracle is told of position and account.
const FIELDS: [Node; 6] = [
    Node::Position(PositionField::Units),
    Node::Position(PositionField::EntryPrice),
    Node::Position(PositionField::Bars),
    Node::Position(PositionField::UnrealizedPips),
    Node::Account(AccountField::Equity),
    Node::Account(AccountField::Balance),
];

impl Case {
    pub(crate) fn new(source: &str, config: RunConfig, bars: Bars) -> Self {
        Self { source: source.to_owned(), parameters: BTreeMap::new(), config, bars }
    }

    /// Runs both and compares every bar.
    ///
    /// # Errors
    /// The first bar at which they differ, with the whole program and the bars to it.
    pub(crate) fn compare(&self) -> Result<Compared, String> {
        let compiled = fx_strategy::compile(&self.source, &self.parameters).map_err(|diagnostics| {
            self.told(self.bars.len(), &format!("it does not compile:\n{diagnostics}"))
        })?;
        let told = told(
            &self.bars,
            self.config.tracks[0].granularity,
            self.first_decision(),
            &compiled.plan.features,
        );
        let seen = self.by_the_engine(&compiled.plan, &told);
        let seen =
            seen.map_err(|error| self.told(self.bars.len(), &format!("the engine refuses it: {error}")))?;
        let closes = self.by_the_oracle(&seen.accounts, told);
        let closes = closes
            .map_err(|error| self.told(self.bars.len(), &format!("the oracle refuses it: {error:#}")))?;
        let mut compared = Compared { bars: closes.len(), ..Compared::default() };
        for (bar, (engine, oracle)) in seen.closes.iter().zip(&closes).enumerate() {
            if engine != oracle {
                let account = seen.accounts[bar];
                let what = format!("bar {bar}, {account:?}\nengine: {engine:#?}\noracle: {oracle:#?}");
                return Err(self.told(bar + 1, &what));
            }
            compared.decisions += oracle.decisions.len();
            compared.recorded += oracle.recordings.iter().filter(|(_, value)| value.is_some()).count();
        }
        Ok(compared)
    }

    fn first_decision(&self) -> usize {
        self.bars.lower_bound(self.config.start)
    }

    fn by_the_engine(&self, plan: &Plan, told: &Told) -> Result<Seen, EngineError> {
        let watched = watching(plan);
        let track = |feature: &Feature| FeatureTrack {
            instrument: self.config.tracks[0].instrument,
            feature: feature.clone(),
        };
        let config = RunConfig {
            features: plan.features.iter().map(track).collect(),
            features_age_hours_max: u32::MAX,
            ..self.config.clone()
        };
        let series: Vec<_> = plan.features.iter().map(|feature| series(feature, told)).collect();
        let state = State::start(&watched, &config)?;
        let inputs = Inputs { features: series.iter().collect(), ..Inputs::of(&self.bars) };
        let market = Market::new(&config, &state, &inputs)?;
        let columns = vec![Vec::new(); watched.recordings.len()];
        let mut watch = Watch { plan: &watched, decided: BTreeMap::new(), columns };
        advance_over(&watched, &config, state, &market, &mut watch)?;
        let Watch { mut decided, columns, .. } = watch;
        let (own, accounts) = columns.split_at(plan.recordings.len());
        let first = self.first_decision();
        let capital = self.config.account.capital.to_f64();
        let mut seen =
            Seen { accounts: vec![Account::flat(capital); first], closes: vec![Close::default(); first] };
        for (row, time) in self.bars.times[first..].iter().enumerate() {
            let at = |field: usize| accounts[field][row];
            seen.accounts.push(Account {
                units: at(0),
                entry_price: Some(at(1)).filter(|price| !price.is_nan()),
                bars: at(2),
                unrealized_pips: at(3),
                equity: at(4),
                balance: at(5),
            });
            let recorded = |column: &Vec<f64>| {
                assert!(!column[row].is_nan() || column[row].to_bits() == UNDEFINED, "one NaN is undefined");
                Some(column[row]).filter(|value| !value.is_nan()).map(Exact)
            };
            let names = plan.recordings.iter().map(|recording| recording.name.clone());
            let recordings = names.zip(own.iter().map(recorded)).collect();
            seen.closes.push(Close { decisions: decided.remove(time).unwrap_or_default(), recordings });
        }
        assert!(decided.is_empty(), "nothing is decided elsewhere");
        Ok(seen)
    }

    fn by_the_oracle(&self, accounts: &[Account], told: Told) -> anyhow::Result<Vec<Close>> {
        let mut strategy = oracle::Strategy::parse(&self.source)?;
        for (name, value) in &self.parameters {
            let value = match *value {
                ParameterValue::Boolean(value) => Parameter::Boolean(value),
                ParameterValue::Integer(value) => Parameter::Whole(value),
                ParameterValue::Number(value) => Parameter::Number(value),
            };
            strategy = strategy.with(name, value)?;
        }
        let spread = match self.config.spread {
            SpreadModel::Pips(pips) => Pips(pips).to_price(&self.config.tracks[0].instrument),
            _ => None,
        };
        let market = oracle::Market::new(&self.bars, spread.map_or(0, fx_domain::Price::nanos))
            .with_told(self.config.tracks[0].granularity, told);
        strategy.run(&market, self.first_decision(), accounts)
    }

    /// The whole case, for whoever looks for the reason.
    fn told(&self, bars: usize, what: &str) -> String {
        let mut text = format!(
            "{}\nparameters {:?}, start {}, spread {:?}\n",
            self.source, self.parameters, self.config.start, self.config.spread
        );
        for row in 0..bars.min(self.bars.len()) {
            let bar = self.bars.get(row);
            let _ = write!(text, "{row} {}", bar.time);
            for side in [Some(bar.bid), bar.ask].into_iter().flatten() {
                let _ = write!(text, "  {} {} {} {}", side.open, side.high, side.low, side.close);
            }
            let _ = writeln!(text, "  {}", bar.volume);
        }
        text + what
    }
}

/// What the engine is told of a feature.
fn series(feature: &Feature, told: &Told) -> FeatureSeries {
    let (available_at, values) = match feature {
        Feature::Regime(wanted) => {
            told.regimes.iter().map(|(at, name)| (*at, f64::from(name == wanted))).unzip()
        }
        named => told.numbers[&key(named)].iter().copied().unzip(),
    };
    FeatureSeries { available_at, values }
}

/// The bits of the undefined number.
const UNDEFINED: u64 = 0x7ff8_0000_0000_0000;

/// The plan with recordings of position and account, which also let every bar be looked at.
fn watching(plan: &Plan) -> Plan {
    let mut watched = plan.clone();
    for field in FIELDS {
        let known = watched.nodes.iter().position(|node| *node == field);
        let place = known.unwrap_or_else(|| {
            watched.nodes.push(field);
            watched.nodes.len() - 1
        });
        let value = NodeId(u32::try_from(place).expect("a plan is small"));
        watched.recordings.push(Recording { name: format!("the oracle reads {field:?}"), value });
    }
    watched
}

/// Writes down decisions and recordings.
struct Watch<'a> {
    plan: &'a Plan,
    decided: BTreeMap<UnixNanos, Vec<Decision>>,
    columns: Vec<Vec<f64>>,
}

impl Recorder for Watch<'_> {
    fn trade(&mut self, _: &Trade) {}

    fn ledger(&mut self, _: &LedgerRow) {}

    fn event(&mut self, _: impl FnOnce() -> OrderEvent) {}

    fn margin(&mut self, _: impl FnOnce() -> MarginPoint) {}

    fn equity(&mut self, _: &[UnixNanos], _: &[i64]) {}

    fn recording(&mut self, index: usize, values: &[f64]) {
        self.columns[index].extend_from_slice(values);
    }

    fn decided(&mut self, decided: &Decided<'_>, value: impl Fn(NodeId) -> f64) {
        let words = Words { plan: self.plan, value };
        let decisions = decided.actions.iter().map(|action| words.decision(action));
        self.decided.entry(decided.time).or_default().extend(decisions);
    }
}

/// Puts the plan's actions into the oracle's words.
struct Words<'a, F> {
    plan: &'a Plan,
    value: F,
}

impl<F: Fn(NodeId) -> f64> Words<'_, F> {
    fn decision(&self, action: &Action) -> Decision {
        use fx_strategy::{Direction, Portion, Size};
        match *action {
            Action::Enter { direction, size, ref ticket } => Decision::Enter {
                side: match direction {
                    Direction::Long => oracle::Side::Long,
                    Direction::Short => oracle::Side::Short,
                },
                size: match size {
                    Size::Units(_) => "units",
                    Size::Lots(_) => "lots",
                    Size::RiskPercent(_) => "risk_percent",
                    Size::EquityPercent(_) => "equity_percent",
                },
                amount: self.exact(size.node()),
                ticket: self.ticket(ticket),
            },
            Action::Order { units, reduce_only, ref ticket } => {
                Decision::Order { units: self.exact(units), reduce_only, ticket: self.ticket(ticket) }
            }
            Action::Target { units } => Decision::Target { units: self.exact(units) },
            Action::Close => Decision::Close,
            Action::ClosePartial(portion) => {
                let (part, node) = match portion {
                    Portion::Units(node) => ("units", node),
                    Portion::Lots(node) => ("lots", node),
                    Portion::Percent(node) => ("percent", node),
                };
                Decision::ClosePartial { part, amount: self.exact(node) }
            }
            Action::Cancel { label } => Decision::Cancel { label: self.label(label) },
            Action::Modify { label, price, exits } => Decision::Modify {
                label: self.label(label),
                price: price.map(|price| self.level(price)),
                exits: self.exits(exits),
            },
        }
    }

    fn exact(&self, node: NodeId) -> Exact {
        Exact((self.value)(node))
    }

    fn ticket(&self, ticket: &fx_strategy::Ticket) -> oracle::Ticket {
        use fx_strategy::{Entry, Expiry};
        oracle::Ticket {
            entry: match ticket.entry {
                Entry::Market => oracle::Entry::Market,
                Entry::Limit(limit) => oracle::Entry::Limit(self.level(limit)),
                Entry::Stop(stop) => oracle::Entry::Stop(self.level(stop)),
                Entry::StopLimit { stop, limit } => {
                    oracle::Entry::StopLimit { stop: self.level(stop), limit: self.level(limit) }
                }
                Entry::Touch(touch) => oracle::Entry::Touch(self.level(touch)),
                Entry::Trail(trail) => oracle::Entry::Trail(self.level(trail)),
            },
            exits: self.exits(ticket.exits),
            expiry: match ticket.expiry {
                Expiry::Never => oracle::Expiry::Never,
                Expiry::Day => oracle::Expiry::Day,
                Expiry::ImmediateOrCancel => oracle::Expiry::ImmediateOrCancel,
                Expiry::FillOrKill => oracle::Expiry::FillOrKill,
                Expiry::Bars(bars) => oracle::Expiry::Bars(self.exact(bars)),
                Expiry::Until(nanos) => oracle::Expiry::Until(nanos),
            },
            label: self.label(ticket.label),
        }
    }

    fn exits(&self, exits: fx_strategy::Exits) -> oracle::Exits {
        let level = |level: Option<fx_strategy::Level>| level.map(|level| self.level(level));
        oracle::Exits {
            stop_loss: level(exits.stop_loss),
            take_profit: level(exits.take_profit),
            trailing: level(exits.trailing),
        }
    }

    fn level(&self, level: fx_strategy::Level) -> oracle::Level {
        use fx_strategy::Level;
        let measure = match level {
            Level::Price(_) => oracle::Measure::Price,
            Level::Pips(_) => oracle::Measure::Pips,
            Level::Distance(_) => oracle::Measure::Distance,
        };
        oracle::Level { measure, at: self.exact(level.node()) }
    }

    fn label(&self, label: Option<fx_strategy::LabelId>) -> Option<String> {
        label.map(|label| self.plan.labels[usize::from(label.0)].clone())
    }
}
