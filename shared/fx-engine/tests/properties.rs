//! What holds of every run: any plan, any bars, any options.

#![allow(clippy::unwrap_used)]

use fx_domain::{
    Bar, Bars, Currency, EquityCurve, Instrument, LedgerKind, Money, NANOS_PER_MINUTE, Ohlc, Price,
    PriceSource, QuoteColumns, QuoteSide, Side, UnixNanos,
};
use fx_engine::{
    Commission, EngineError, FillTime, IntrabarPolicy, OrderEventKind, RunConfig, Slice, SpreadModel, State,
    advance, result_hash,
};
use fx_strategy::{
    AccountField, Action, Binary, ClockField, Direction, Level, Node, NodeId, Plan, PositionField,
    PriceField, Recording, Recursion, Rule, SeriesSide, Size, Type, Unary, Window,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Grows a plan from random numbers: every operand is an earlier node of the right type.
#[derive(Default)]
struct Grower {
    plan: Plan,
}

impl Grower {
    fn add(&mut self, node: Node) -> NodeId {
        // A plan holds no node twice; constants differ from each other by construction.
        let twin = self.plan.nodes.iter().position(|known| *known == node);
        let index = twin.unwrap_or_else(|| {
            self.plan.nodes.push(node);
            self.plan.nodes.len() - 1
        });
        NodeId(index as u32)
    }

    fn pick(&self, choice: u16, wanted: Type, market: bool) -> NodeId {
        let (types, reactive) = (self.plan.types(), self.plan.reactive());
        let fit: Vec<_> = (0..types.len())
            .filter(|index| types[*index] == wanted && !(market && reactive[*index]))
            .collect();
        NodeId(fit[usize::from(choice) % fit.len()] as u32)
    }

    fn roots(&mut self) {
        for field in [PriceField::Open, PriceField::High, PriceField::Low, PriceField::Close] {
            self.add(Node::Price { side: SeriesSide::Signal, field });
        }
        for side in [SeriesSide::Bid, SeriesSide::Ask, SeriesSide::Mid] {
            self.add(Node::Price { side, field: PriceField::Close });
        }
        for node in [
            Node::Volume,
            Node::Clock(ClockField::Index),
            Node::Clock(ClockField::Minute),
            Node::Position(PositionField::Units),
            Node::Position(PositionField::EntryPrice),
            Node::Position(PositionField::Bars),
            Node::Position(PositionField::UnrealizedPips),
            Node::Account(AccountField::Equity),
            Node::Account(AccountField::Balance),
            Node::Number(3.0),
            Node::Number(1.1),
            Node::Condition(true),
        ] {
            self.add(node);
        }
    }

    fn grow(&mut self, (kind, a, b, bars): (u8, u16, u16, u8)) {
        let bars = 1 + u32::from(bars % 40);
        let number = |grower: &Self, choice| grower.pick(choice, Type::Number, false);
        let condition = |grower: &Self, choice| grower.pick(choice, Type::Condition, false);
        let market = |grower: &Self, choice| grower.pick(choice, Type::Number, true);
        let arithmetic = [
            Binary::Add,
            Binary::Sub,
            Binary::Mul,
            Binary::Div,
            Binary::FloorDiv,
            Binary::Mod,
            Binary::Min,
            Binary::Max,
        ];
        let comparisons = [Binary::Lt, Binary::Le, Binary::Gt, Binary::Ge, Binary::Eq, Binary::Ne];
        let windows = [Window::Sma, Window::Wma, Window::Stdev, Window::Highest, Window::Lowest];
        let recursions = [Recursion::Ema, Recursion::Rma, Recursion::Rsi];
        let at = usize::from(b);
        let node = match kind % 10 {
            0 => Node::Binary { op: arithmetic[at % 8], a: number(self, a), b: number(self, b) },
            1 | 2 => Node::Binary { op: comparisons[at % 6], a: number(self, a), b: number(self, b) },
            3 => Node::Binary { op: Binary::And, a: condition(self, a), b: condition(self, b) },
            4 => Node::Unary { op: [Unary::Neg, Unary::Abs, Unary::Sqrt][at % 3], x: number(self, a) },
            5 => Node::Unary { op: Unary::Not, x: condition(self, a) },
            6 => Node::Select {
                condition: condition(self, a),
                then: number(self, b),
                otherwise: number(self, a),
            },
            7 => Node::Lag { x: if b % 2 == 0 { number(self, a) } else { condition(self, a) }, bars },
            8 => Node::Window { kind: windows[at % 5], x: market(self, a), bars },
            _ => Node::Recursion { kind: recursions[at % 3], x: market(self, a), bars },
        };
        self.add(node);
    }

    fn rule(&mut self, (kind, a, b, size): (u8, u16, u16, u8)) {
        let guard = self.pick(a, Type::Condition, false);
        let near = self.add(Node::Number(0.5 + f64::from(size % 7)));
        let close = NodeId(3);
        let amount = self.add(Node::Number(f64::from(size) * 77.0));
        let percent = self.add(Node::Number(0.25 + f64::from(size % 5)));
        let direction = if b % 2 == 0 { Direction::Long } else { Direction::Short };
        let away = |op, grower: &mut Self| {
            let distance = grower.add(Node::Number(0.0004));
            Level::Price(grower.add(Node::Binary { op, a: close, b: distance }))
        };
        let (down, up) = (away(Binary::Sub, self), away(Binary::Add, self));
        let (stop, target) = if direction == Direction::Long { (down, up) } else { (up, down) };
        let enter = |size, stop_loss, take_profit| Action::Enter { direction, size, stop_loss, take_profit };
        let action = match kind % 6 {
            0 => enter(Size::Units(amount), Some(stop), Some(target)),
            1 => enter(Size::RiskPercent(percent), Some(Level::Pips(near)), Some(target)),
            2 => enter(Size::EquityPercent(percent), None, Some(Level::Pips(near))),
            3 => Action::Target { units: self.add(Node::Number(f64::from(size) * 31.0 - 3_000.0)) },
            4 => enter(Size::Units(amount), None, None),
            _ => Action::Close,
        };
        self.plan.rules.push(Rule { guard, actions: vec![action] });
    }
}

fn plans() -> impl Strategy<Value = Plan> {
    let seeds = || (any::<u8>(), any::<u16>(), any::<u16>(), any::<u8>());
    (vec(seeds(), 4..24), vec(seeds(), 1..5), any::<u16>()).prop_map(|(nodes, rules, recorded)| {
        let mut grower = Grower::default();
        grower.roots();
        nodes.into_iter().for_each(|seed| grower.grow(seed));
        rules.into_iter().for_each(|seed| grower.rule(seed));
        if recorded % 3 > 0 {
            let value = grower.pick(recorded, Type::Number, recorded % 3 == 1);
            grower.plan.recordings.push(Recording { name: "seen".into(), value });
        }
        grower.plan
    })
}

/// Bars with gaps in time and price; `sides` 0 to 3 is bid, ask, mid or both.
fn bars(sides: u8, steps: &[(i8, u8, u8, u8)]) -> Bars {
    let side =
        [Some(QuoteSide::Bid), Some(QuoteSide::Ask), Some(QuoteSide::Mid), None][usize::from(sides % 4)];
    let mut bars = Bars::empty(side);
    let (mut time, mut last) = (0, 110_000_i64);
    for (step, up, down, gap) in steps {
        time += NANOS_PER_MINUTE * if gap % 16 == 0 { 3_000 } else { 1 };
        let open = last + if gap % 8 == 0 { i64::from(*step) } else { 0 };
        last = (open + i64::from(*step)).clamp(90_000, 130_000);
        let (high, low) = (open.max(last) + i64::from(up % 40), open.min(last) - i64::from(down % 40));
        let at = |points: i64| Price::from_nanos(points * 10_000);
        let ohlc = |add: i64| Ohlc {
            open: at(open + add),
            high: at(high + add),
            low: at(low + add),
            close: at(last + add),
        };
        let ask = side.is_none().then(|| ohlc(i64::from(gap % 5)));
        bars.push(Bar { time: UnixNanos::new(time), bid: ohlc(0), ask, volume: i64::from(*gap) });
    }
    bars
}

#[derive(Clone, Debug)]
struct Case {
    plan: Plan,
    config: RunConfig,
    bars: Bars,
}

fn config(
    (fill, policy, spread, commission, pyramiding, start): (u8, u8, u8, u8, u8, u8),
    sides: u8,
) -> RunConfig {
    let policies = [
        IntrabarPolicy::Pessimistic,
        IntrabarPolicy::Optimistic,
        IntrabarPolicy::Ohlc,
        IntrabarPolicy::Olhc,
        IntrabarPolicy::NearestExtremeFirst,
    ];
    let fixed =
        if sides % 4 == 3 { SpreadModel::Measured } else { SpreadModel::Fixed(Price::from_nanos(70_001)) };
    let spreads =
        [SpreadModel::Measured, fixed, SpreadModel::RelativeOnEntry(1e-4), SpreadModel::Relative(1e-4)];
    let commissions = [
        Commission::None,
        Commission::PerLot(3.5),
        Commission::PerUnit(1e-5),
        Commission::PerNotional { rate: 2e-5, minimum: 0.1 },
    ];
    RunConfig {
        instrument: Instrument::parse("EUR/USD").unwrap(),
        account_currency: Currency::USD,
        initial_capital: Money::from_micros(10_000 * Money::SCALE, Currency::USD),
        start: UnixNanos::new(i64::from(start % 60) * NANOS_PER_MINUTE),
        fill: if fill % 2 == 0 { FillTime::Open } else { FillTime::Close },
        fill_policy: policies[usize::from(policy) % 5],
        spread: spreads[usize::from(spread) % 4],
        commission: commissions[usize::from(commission) % 4],
        slippage: Price::from_nanos(i64::from(fill / 2 % 2) * 10_000),
        pyramiding: u32::from(pyramiding % 3),
        leverage: 20.0,
    }
}

fn cases(bars_max: usize) -> impl Strategy<Value = Case> {
    let options = any::<(u8, u8, u8, u8, u8, u8)>();
    let steps = vec(any::<(i8, u8, u8, u8)>(), 1..bars_max);
    (plans(), options, any::<u8>(), steps).prop_map(|(plan, options, sides, steps)| Case {
        plan,
        config: config(options, sides),
        bars: bars(sides, &steps),
    })
}

fn run(case: &Case) -> Result<Slice, EngineError> {
    advance(&case.plan, &case.config, State::start(&case.plan, &case.config)?, &case.bars)
}

fn digest(slice: &Slice) -> fx_domain::Digest {
    let (times, micros) = (slice.equity_times.clone(), slice.equity.clone());
    result_hash(&slice.trades, &slice.ledger, &EquityCurve { times, micros, currency: Currency::USD })
}

fn bits(columns: &[Vec<f64>]) -> Vec<Vec<u64>> {
    columns.iter().map(|column| column.iter().map(|value| value.to_bits()).collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_ledger_is_the_balance_and_the_balance_is_equity_when_flat(case in cases(160)) {
        let slice = run(&case).unwrap();
        let mut sum = 0;
        for (number, row) in slice.ledger.iter().enumerate() {
            sum += row.amount.micros();
            prop_assert_eq!(row.sequence, number as u64);
            prop_assert_eq!(row.balance.micros(), sum);
            prop_assert_eq!(row.kind == LedgerKind::Deposit, number == 0);
        }
        let balance = slice.state.balance().micros();
        prop_assert!(slice.ledger.is_empty() || balance == sum);
        prop_assert_eq!(slice.equity.len(), slice.equity_times.len());
        if let (Some(last), true) = (slice.equity.last(), slice.state.open_positions().is_empty()) {
            prop_assert_eq!(*last, balance);
            let profit: i64 = slice.trades.iter().map(|trade| trade.profit_loss.micros()).sum();
            prop_assert_eq!(balance - case.config.initial_capital.micros(), profit);
        }
    }

    #[test]
    fn units_in_are_units_out_and_units_open(case in cases(160)) {
        let slice = run(&case).unwrap();
        let filled: i64 = slice.events.iter().map(|event| match event.kind {
            OrderEventKind::Filled(_) => event.order.side.sign() * event.order.units.get(),
            _ => 0,
        }).sum();
        let protective = slice.trades.iter().filter(|trade| {
            matches!(trade.exit_reason, fx_domain::ExitReason::StopLoss | fx_domain::ExitReason::TakeProfit)
        });
        let protective: i64 = protective.map(|trade| -trade.side.sign() * trade.units.get()).sum();
        prop_assert_eq!(filled + protective, slice.state.net_units().get());
    }

    #[test]
    fn trades_lie_inside_their_bars_and_excursions_hold_the_exit(case in cases(160)) {
        let plain = RunConfig { spread: SpreadModel::Measured, slippage: Price::ZERO, ..case.config.clone() };
        let case = Case { config: plain, ..case };
        let slice = run(&case).unwrap();
        let first = case.bars.lower_bound(case.config.start);
        for trade in &slice.trades {
            for (bar, price) in [(trade.entry_bar, trade.entry_price), (trade.exit_bar, trade.exit_price)] {
                let bar = case.bars.get(first + bar as usize);
                let high = bar.ask.map_or(bar.bid.high, |ask| ask.high);
                prop_assert!(price >= bar.bid.low && price <= high, "{:?} outside {:?}", trade, bar);
            }
            let gain = Price::from_nanos(trade.side.sign() * (trade.exit_price - trade.entry_price).nanos());
            prop_assert!(trade.mae <= Price::ZERO && trade.mfe >= Price::ZERO);
            prop_assert!(trade.mae <= gain && gain <= trade.mfe);
            prop_assert!((trade.entry_bar, trade.entry_time) <= (trade.exit_bar, trade.exit_time));
        }
    }

    #[test]
    fn a_fill_that_claims_to_be_measured_shows_a_price_of_its_bar(case in cases(160)) {
        let slice = run(&case).unwrap();
        let both = matches!(case.bars.quotes, QuoteColumns::Both { .. });
        for event in &slice.events {
            let OrderEventKind::Filled(fill) = event.kind else { continue };
            let modelled = matches!(case.config.spread, SpreadModel::RelativeOnEntry(_) | SpreadModel::Relative(_));
            if fill.source == PriceSource::Measured {
                let bar = case.bars.get(case.bars.lower_bound(event.time));
                let side = if event.order.side == Side::Long { bar.ask.unwrap_or(bar.bid) } else { bar.bid };
                prop_assert!(side.low <= fill.raw_price && fill.raw_price <= side.high, "{:?} outside {:?}", event, bar);
                prop_assert!((fill.price - fill.raw_price).abs() <= case.config.slippage);
            }
            prop_assert!(!both || modelled || fill.source == PriceSource::Measured);
        }
    }

    #[test]
    fn bytes_that_no_run_wrote_are_refused(case in cases(160), at in any::<prop::sample::Index>(), flip in 1_u8..) {
        let mut bytes = run(&case).unwrap().state.to_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(State::from_bytes(&case.plan, &case.config, &bytes).is_err());
        prop_assert!(State::from_bytes(&case.plan, &case.config, &bytes[..at]).is_err());
        let other = RunConfig { pyramiding: 9, ..case.config.clone() };
        prop_assert!(State::from_bytes(&case.plan, &other, &run(&case).unwrap().state.to_bytes()).is_err());
    }
}

proptest! {
    // Every cut of every case is a run of its own.
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_run_cut_anywhere_is_the_same_run(case in cases(64)) {
        let whole = run(&case).unwrap();
        for cut in 0..=case.bars.len() {
            let state = State::start(&case.plan, &case.config).unwrap();
            let mut joined = advance(&case.plan, &case.config, state, &case.bars.slice(0..cut)).unwrap();
            let stored = joined.state.to_bytes();
            let state = State::from_bytes(&case.plan, &case.config, &stored).unwrap();
            prop_assert_eq!(&state.to_bytes(), &stored);
            let rest = advance(&case.plan, &case.config, state, &case.bars.slice(cut..case.bars.len())).unwrap();
            joined.trades.extend(rest.trades);
            joined.ledger.extend(rest.ledger);
            joined.events.extend(rest.events);
            joined.equity.extend(rest.equity);
            joined.equity_times.extend(rest.equity_times);
            for (column, more) in joined.recordings.iter_mut().zip(rest.recordings) {
                column.extend(more);
            }
            prop_assert_eq!(digest(&joined), digest(&whole), "cut at {}", cut);
            prop_assert_eq!(&joined.events, &whole.events);
            prop_assert_eq!(bits(&joined.recordings), bits(&whole.recordings));
            prop_assert_eq!(rest.state.to_bytes(), whole.state.to_bytes());
        }
    }
}

#[test]
fn the_random_plans_trade() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let trading = (0..64).filter(|_| {
        let case = cases(160).new_tree(&mut runner).unwrap().current();
        !run(&case).unwrap().trades.is_empty()
    });
    assert!(trading.count() > 12);
}

/// Commission changes no fill of a strategy that does not look at the account, and takes what it says.
#[test]
fn commission_never_helps() {
    let steps: Vec<_> = (0..600_u32)
        .map(|n| ((n * 37 % 91) as i8 - 45, (n % 31) as u8, (n % 29) as u8, (n % 251) as u8))
        .collect();
    let source = "class Swing(Strategy):\n    def analyze(self, data):\n        if data.close > sma(data.close, 5):\n            \
        return buy(units=1000)\n        if data.close < sma(data.close, 5):\n            return sell(units=1000)\n        return {}\n";
    let plan = fx_strategy::compile(source, &std::collections::BTreeMap::new()).unwrap().plan;
    let free = Case { plan, config: config((0, 0, 0, 0, 0, 0), 3), bars: bars(3, &steps) };
    let free_slice = run(&free).unwrap();
    assert!(free_slice.trades.len() > 20);
    for commission in [1, 2, 3] {
        let paid = run(&Case { config: config((0, 0, 0, commission, 0, 0), 3), ..free.clone() }).unwrap();
        assert_eq!(paid.trades.len(), free_slice.trades.len());
        for (paid, free) in paid.trades.iter().zip(&free_slice.trades) {
            assert_eq!((paid.entry_price, paid.exit_price), (free.entry_price, free.exit_price));
            assert!(paid.profit_loss.micros() < free.profit_loss.micros());
        }
        assert!(paid.equity.iter().zip(&free_slice.equity).all(|(paid, free)| paid <= free));
    }
}

#[test]
fn block_sizes_do_not_show() {
    let steps: Vec<_> = (0..2_600_u32)
        .map(|n| ((n * 37 % 91) as i8 - 45, (n % 31) as u8, (n % 29) as u8, (n % 251) as u8))
        .collect();
    let source = "class Swing(Strategy):\n    def analyze(self, data):\n        top = highest(data.high, 40)[-2]\n        \
        if data.close > top:\n            return buy(units=1000, stop_loss=pips(3), take_profit=pips(9))\n        \
        if rsi(data.close, 7) > 60 and stdev(data.close, 20) > 0:\n            return sell(units=1500, stop_loss=pips(4))\n        return {}\n";
    let plan = fx_strategy::compile(source, &std::collections::BTreeMap::new()).unwrap().plan;
    let case = Case { plan, config: config((0, 0, 0, 3, 0, 0), 3), bars: bars(3, &steps) };
    let whole = run(&case).unwrap();
    assert!(whole.trades.len() > 10);
    for cut in [1, 1_023, 1_024, 1_025, 2_047, 2_048, 2_049] {
        let state = State::start(&case.plan, &case.config).unwrap();
        let first = advance(&case.plan, &case.config, state, &case.bars.slice(0..cut)).unwrap();
        let rest = advance(&case.plan, &case.config, first.state, &case.bars.slice(cut..2_600)).unwrap();
        assert_eq!(rest.state.hash(), whole.state.hash(), "cut at {cut}");
    }
}

#[test]
fn a_bad_bar_is_named() {
    let mut bars = bars(0, &[(1, 1, 1, 1); 5]);
    bars.times[3] = bars.times[2];
    let case = Case { plan: Plan::default(), config: config((0, 0, 0, 0, 0, 0), 0), bars };
    let error = run(&case).unwrap_err();
    assert!(matches!(error, EngineError::Bar { index: 3, .. }), "{error}");
    let euro = RunConfig { account_currency: Currency::EUR, ..case.config.clone() };
    let error = State::start(&case.plan, &euro).unwrap_err();
    assert!(matches!(error, EngineError::Config { field: "account_currency", .. }), "{error}");
}

/// Two bars warm up, the third decides, the fourth would fill: bars are counted from the first of the run.
#[test]
fn an_overflow_names_its_bar_with_the_warm_up_counted() {
    let found = |action: &str, fill: u8| {
        let source =
            format!("class Huge(Strategy):\n    def analyze(self, data):\n        return buy({action})\n");
        let plan = fx_strategy::compile(&source, &std::collections::BTreeMap::new()).unwrap().plan;
        let bars = bars(0, &[(1, 1, 1, 1); 6]);
        let config = RunConfig { start: bars.times[2], ..config((fill, 0, 0, 0, 0, 0), 0) };
        let state = State::start(&plan, &config).unwrap();
        let whole = advance(&plan, &config, state.clone(), &bars).unwrap_err();
        let first = advance(&plan, &config, state, &bars.slice(0..1)).unwrap();
        let resumed = advance(&plan, &config, first.state, &bars.slice(1..6)).unwrap_err();
        assert_eq!(resumed, whole);
        match whole {
            EngineError::Overflow { index, time, .. } => {
                assert_eq!(time, bars.times[index as usize]);
                index
            }
            other => panic!("{other}"),
        }
    };
    assert_eq!(found("units=data.close * 1e15", 0), 2);
    assert_eq!(found("equity_percent=1e18", 0), 3);
    assert_eq!(found("equity_percent=1e18", 1), 2);
}
