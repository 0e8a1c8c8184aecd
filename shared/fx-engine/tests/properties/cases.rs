//! Random runs: prices of every kind, on any account, with any cost.

use crate::plans::plans;
use fx_domain::{
    Bar, Bars, Currency, Digest, FinancingTable, Granularity, Instrument, Money, NANOS_PER_MINUTE, Ohlc,
    Price, QuoteSide, UnixNanos,
};
use fx_engine::{
    AccountKind, Commission, EngineError, FeatureSeries, FeatureTrack, FillTime, Inputs, IntrabarPolicy,
    ResultHasher, RunConfig, Slice, Slippage, SpreadModel, State, StopOutPolicy, Track, TrackBars, advance,
};
use fx_strategy::Plan;
use proptest::collection::vec;
use proptest::prelude::*;

pub(crate) const POLICIES: [IntrabarPolicy; 5] = [
    IntrabarPolicy::Pessimistic,
    IntrabarPolicy::Optimistic,
    IntrabarPolicy::Ohlc,
    IntrabarPolicy::Olhc,
    IntrabarPolicy::NearestExtremeFirst,
];

/// What moves from bar to bar.
pub(crate) type Step = (i8, u8, u8, u8);

#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub plan: Plan,
    pub config: RunConfig,
    /// One for each track.
    pub bars: Vec<Bars>,
    /// Of the first track.
    pub finer: Option<Bars>,
    pub rates: Vec<Bars>,
    /// One for each of [`RunConfig::references`].
    pub references: Vec<Bars>,
    /// One for each of [`RunConfig::features`].
    pub features: Vec<FeatureSeries>,
}

impl Case {
    pub(crate) fn inputs(&self) -> Inputs<'_> {
        let track = |(index, bars)| TrackBars { bars, finer: self.finer.as_ref().filter(|_| index == 0) };
        Inputs {
            tracks: self.bars.iter().enumerate().map(track).collect(),
            rates: self.rates.iter().collect(),
            references: self.references.iter().collect(),
            features: self.features.iter().collect(),
        }
    }

    pub(crate) fn run(&self) -> Result<Slice, EngineError> {
        self.run_from(State::start(&self.plan, &self.config)?)
    }

    pub(crate) fn run_from(&self, state: State) -> Result<Slice, EngineError> {
        advance(&self.plan, &self.config, state, &self.inputs())
    }

    /// The bars that open from one instant up to another; references and features as they are, each call takes what it sees.
    pub(crate) fn between(&self, from: UnixNanos, to: UnixNanos) -> Self {
        let cut = |bars: &Bars| bars.slice(bars.lower_bound(from)..bars.lower_bound(to));
        Self {
            bars: self.bars.iter().map(cut).collect(),
            rates: self.rates.iter().map(cut).collect(),
            ..self.clone()
        }
    }
}

/// A pair that strategies read and nothing trades.
pub(crate) const REFERENCE: &str = "NZD/USD";

/// Bars with gaps in time and price; `sides` 0 to 3 is bid, ask, mid or both.
pub(crate) fn bars(sides: u8, granularity: Granularity, steps: &[Step]) -> Bars {
    let side = side_of(sides);
    let mut bars = Bars::empty(side);
    let length = granularity.nominal_nanos();
    let (mut time, mut last) = (0, 110_000_i64);
    for (step, up, down, gap) in steps {
        time += if gap % 16 == 0 { 3_000 * NANOS_PER_MINUTE } else { length };
        if granularity == Granularity::Tick && gap % 3 > 0 {
            time += NANOS_PER_MINUTE;
        }
        let open = last + if gap % 8 == 0 { i64::from(*step) } else { 0 };
        last = (open + i64::from(*step)).clamp(90_000, 130_000);
        let (mut high, mut low) =
            (open.max(last) + i64::from(up % 40), open.min(last) - i64::from(down % 40));
        let mut first = open;
        if granularity == Granularity::Tick {
            (first, high, low) = (last, last, last);
        }
        let at = |points: i64| Price::from_nanos(points * 10_000);
        let ohlc = |add: i64| Ohlc {
            open: at(first + add),
            high: at(high + add),
            low: at(low + add),
            close: at(last + add),
        };
        let ask = side.is_none().then(|| ohlc(i64::from(gap % 5)));
        bars.push(Bar { time: UnixNanos::new(time), bid: ohlc(0), ask, volume: i64::from(*gap) });
    }
    bars
}

fn side_of(sides: u8) -> Option<QuoteSide> {
    [Some(QuoteSide::Bid), Some(QuoteSide::Ask), Some(QuoteSide::Mid), None][usize::from(sides % 4)]
}

/// Bars of five minutes, put together.
fn fives(finer: &Bars) -> Bars {
    let mut rows: Vec<Bar> = Vec::new();
    let length = Granularity::M5.nominal_nanos();
    let side = match &finer.quotes {
        fx_domain::QuoteColumns::One { side, .. } => Some(*side),
        fx_domain::QuoteColumns::Both { .. } => None,
    };
    for row in 0..finer.len() {
        let bar = finer.get(row);
        let time = UnixNanos::new(bar.time.get() / length * length);
        let join = |known: Ohlc, more: Ohlc| Ohlc {
            open: known.open,
            high: known.high.max(more.high),
            low: known.low.min(more.low),
            close: more.close,
        };
        match rows.last_mut().filter(|known| known.time == time) {
            Some(known) => {
                known.bid = join(known.bid, bar.bid);
                known.ask = known.ask.zip(bar.ask).map(|(known, more)| join(known, more));
            }
            None => rows.push(Bar { time, ..bar }),
        }
    }
    let mut bars = Bars::empty(side);
    rows.into_iter().for_each(|bar| bars.push(bar));
    bars
}

/// Prices to convert by, every quarter of an hour as long as `bars` go.
fn rates(sides: u8, bars: &Bars, steps: &[Step]) -> Bars {
    let mut found = Bars::empty(side_of(sides));
    let end = bars.times.last().map_or(0, |time| time.get());
    for (number, step) in (0..).zip(steps.iter().cycle()) {
        let time = number * Granularity::M15.nominal_nanos();
        if time > end || number > 40_000 {
            break;
        }
        let bid = Ohlc::flat(Price::from_nanos((125_000 + i64::from(step.0)) * 10_000));
        let ask = side_of(sides).is_none().then_some(bid);
        found.push(Bar { time: UnixNanos::new(time), bid, ask, volume: 1 });
    }
    found
}

/// Values that become available at odd instants, in no step with the bars: often several between two closes, often none.
fn told(number: usize, steps: &[Step]) -> FeatureSeries {
    let mut series = FeatureSeries::default();
    let mut time = i64::MIN / 4;
    for (step, up, down, gap) in steps.iter().cycle().skip(number).take(2 * steps.len()) {
        series.available_at.push(UnixNanos::new(time));
        series.values.push(f64::from(*step) / 16.0);
        let minutes = i64::from(up % 4) * if gap % 16 == 0 { 900 } else { 1 };
        time = time.max(0) + minutes * NANOS_PER_MINUTE + i64::from(down % 3) * NANOS_PER_MINUTE / 3 + 1;
    }
    series
}

const TABLE: &str = "instrument,from,long,short,unit\nEUR/USD,1960-01-01,-6.3,2.1,points\nGBP/USD,1960-01-01,-7,1,points\n\
    EUR/GBP,1960-01-01,-3.3,-1.7,points";

fn track(pair: &str, granularity: Granularity) -> Track {
    Track { instrument: Instrument::parse(pair).unwrap(), granularity }
}

/// The first six choose costs and policies, the others the account.
pub(crate) type Options = ((u8, u8, u8, u8, u8, u8), (u8, u8, u8, u8));

pub(crate) fn config(
    ((fill, policy, spread, commission, pyramiding, start), (kind, slippage, account, rolls)): Options,
    sides: u8,
) -> RunConfig {
    let fixed = |model| if sides % 4 == 3 { SpreadModel::Measured } else { model };
    let by_hour = SpreadModel::ByHour(std::array::from_fn(|hour| (hour % 7) as f64 / 10.0));
    let spreads = [
        SpreadModel::Measured,
        fixed(SpreadModel::Pips(0.70001)),
        SpreadModel::RelativeOnEntry(1e-4),
        SpreadModel::Relative(1e-4),
        fixed(by_hour),
    ];
    let commissions = [
        Commission::None,
        Commission::PerLot(3.5),
        Commission::PerUnit(1e-5),
        Commission::PerNotional { rate: 2e-5, minimum: 0.1 },
    ];
    let slippages = [Slippage::None, Slippage::Pips(0.1), Slippage::SpreadShare(0.3), Slippage::Random(0.4)];
    // Every third account is near its end.
    let (capital, leverage) = match account % 6 {
        0 => (250, 100.0),
        3 => (10, 10_000.0),
        _ => (10_000, 20.0),
    };
    let capital = Money::from_micros(capital * Money::SCALE, Currency::USD);
    let mut config = RunConfig::new(Instrument::parse("EUR/USD").unwrap(), Granularity::M1, capital);
    config.account.leverage = leverage;
    config.account.kind = if kind % 3 == 0 { AccountKind::Hedging } else { AccountKind::Netting };
    config.account.stop_out = [StopOutPolicy::LargestLoss, StopOutPolicy::All, StopOutPolicy::ReduceToCover]
        [usize::from(account / 3) % 3];
    config.account.negative_balance_protection = account > 127;
    if account % 5 == 0 {
        config.account.margin_call_percent = 130.0;
        config.account.stop_out_percent = 120.0;
    }
    config.financing = (rolls % 2 == 0).then(|| FinancingTable::parse_csv("broker", TABLE).unwrap());
    RunConfig {
        start: UnixNanos::new(i64::from(start % 60) * NANOS_PER_MINUTE),
        fill: if fill % 2 == 0 { FillTime::Open } else { FillTime::Close },
        fill_policy: POLICIES[usize::from(policy) % 5],
        spread: spreads[usize::from(spread) % 5],
        commission: commissions[usize::from(commission) % 4],
        slippage: slippages[usize::from(slippage) % 4],
        pyramiding: u32::from(pyramiding % 3),
        seed: u64::from(slippage),
        ..config
    }
}

/// Runs of one track that nothing is converted for.
pub(crate) fn single(bars_max: usize) -> impl Strategy<Value = Case> {
    cases_of(bars_max, 3)
}

/// Any run.
pub(crate) fn cases(bars_max: usize) -> impl Strategy<Value = Case> {
    cases_of(bars_max, 6)
}

fn cases_of(bars_max: usize, shapes: u8) -> impl Strategy<Value = Case> {
    let steps = vec(any::<Step>(), 1..bars_max);
    (plans(), any::<Options>(), any::<u8>(), steps, 0..shapes).prop_map(
        |(plan, options, sides, steps, shape)| {
            let mut case = Case {
                plan,
                config: config(options, sides),
                bars: vec![bars(sides, Granularity::M1, &steps)],
                finer: None,
                rates: Vec::new(),
                references: Vec::new(),
                features: Vec::new(),
            };
            match shape {
                1 => {
                    case.config.tracks[0].granularity = Granularity::Tick;
                    case.bars = vec![bars(sides, Granularity::Tick, &steps)];
                }
                2 => {
                    case.config.tracks[0].granularity = Granularity::M5;
                    case.config.intrabar = Some(Granularity::M1);
                    case.finer = Some(case.bars.remove(0));
                    case.bars = case.finer.iter().map(fives).collect();
                }
                3 => {
                    case.config.tracks.push(track("GBP/USD", Granularity::M5));
                    let half: Vec<_> = steps.iter().rev().step_by(2).copied().collect();
                    case.bars.push(bars(sides, Granularity::M5, &half));
                }
                4 => {
                    case.config.tracks[0] = track("EUR/GBP", Granularity::M1);
                    case.config.rates = vec![track("GBP/USD", Granularity::M15)];
                    case.rates = vec![rates(sides, &case.bars[0], &steps)];
                }
                5 => {
                    case.config.account.capital =
                        Money::from_micros(case.config.account.capital.micros(), Currency::EUR);
                    case.config.account.currency = Currency::EUR;
                }
                _ => {}
            }
            let lengths: std::collections::BTreeSet<_> =
                case.config.tracks.iter().map(|track| track.granularity).collect();
            for length in lengths {
                case.config.references.push(track(REFERENCE, length));
                let others: Vec<_> = steps.iter().rev().copied().collect();
                case.references.push(bars(sides.wrapping_add(u8::from(sides % 4 == 3)), length, &others));
            }
            // Values may be old, and there are some from the first bar on.
            case.config.features_age_hours_max = u32::MAX;
            for track in case.config.tracks.clone() {
                for feature in case.plan.features.clone() {
                    case.features.push(told(case.features.len(), &steps));
                    case.config.features.push(FeatureTrack { instrument: track.instrument, feature });
                }
            }
            case
        },
    )
}

pub(crate) fn digest(slice: &Slice) -> Digest {
    digest_of(&[slice])
}

/// The hash of a run that came in these slices.
pub(crate) fn digest_of(slices: &[&Slice]) -> Digest {
    let mut hasher = ResultHasher::new(slices[0].state.balance().currency());
    for slice in slices {
        hasher.trades(&slice.trades);
        hasher.ledger(&slice.ledger);
        hasher.equity(&slice.equity_times, &slice.equity);
    }
    hasher.finish()
}

/// Appends what a call yields to what the calls before it did.
pub(crate) fn join(joined: &mut Slice, rest: Slice) {
    joined.trades.extend(rest.trades);
    joined.ledger.extend(rest.ledger);
    joined.events.extend(rest.events);
    joined.margin.extend(rest.margin);
    joined.equity.extend(rest.equity);
    joined.equity_times.extend(rest.equity_times);
    for (column, more) in joined.recordings.iter_mut().zip(rest.recordings) {
        column.extend(more);
    }
    joined.state = rest.state;
}
