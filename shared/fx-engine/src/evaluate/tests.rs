//! Columns against the definitions of the nodes, taken bar by bar.

mod definitions;
mod together;

use super::*;
use crate::program::union::Union;
use crate::{RunConfig, SpreadModel, State};
use definitions::{number_window, price_window, psar, recursion, scan, session};
use fx_domain::{
    Bar, Bars, Currency, Granularity, Instrument, Money, NANOS_PER_MINUTE, Ohlc, Price, QuoteSide,
    TradingCentre, UnixNanos,
};
use fx_strategy::{
    Action, Direction, Period, PriceField, Recording, Recursion, Rule, SeriesSide, Session, Size, Ticket,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// A plan of market nodes that random numbers choose.
fn grown(seeds: &[(u8, u16, u16, u8)]) -> Plan {
    let mut plan = Plan::default();
    let add = |plan: &mut Plan, node: Node| {
        if !plan.nodes.contains(&node) {
            plan.nodes.push(node);
        }
    };
    for side in [SeriesSide::Signal, SeriesSide::Ask, SeriesSide::Mid] {
        for field in [PriceField::High, PriceField::Close] {
            add(&mut plan, Node::Price { side, field });
        }
    }
    for (x, bars) in [(1, 3), (1, 6), (1, 31), (5, 5), (3, 1)] {
        add(&mut plan, Node::Window { kind: Window::Sma, x: NodeId(x), bars });
    }
    for field in [ClockField::Index, ClockField::Hour, ClockField::Minute, ClockField::Weekday] {
        add(&mut plan, Node::Clock(field));
    }
    for node in
        [Node::Volume, Node::Number(0.0), Node::Number(-7.5), Node::Number(40.0), Node::Condition(true)]
    {
        add(&mut plan, node);
    }
    for field in [ClockField::Day, ClockField::Month, ClockField::Year] {
        add(&mut plan, Node::Clock(field));
    }
    for centre in TradingCentre::ALL {
        add(&mut plan, Node::InSession { centre });
    }
    for (kind, a, b, bars) in seeds {
        let types = plan.types();
        let pick = |choice: u16, wanted: Type| {
            let fit: Vec<_> = (0..types.len()).filter(|index| types[*index] == wanted).collect();
            NodeId(fit[usize::from(choice) % fit.len()] as u32)
        };
        let (at, bars) = (usize::from(*b), 1 + u32::from(bars % 40));
        let [x, y] = [*a, *b].map(|choice| pick(choice, Type::Number));
        let [p, q] = [*a, *b].map(|choice| pick(choice, Type::Condition));
        let arithmetic = [Binary::Add, Binary::Sub, Binary::Mul, Binary::Div, Binary::FloorDiv, Binary::Mod];
        let comparisons = [Binary::Lt, Binary::Le, Binary::Gt, Binary::Ge, Binary::Eq, Binary::Ne];
        let kinds = Window::ALL;
        let scans = [Scan::Adaptive, Scan::Ratchet, Scan::Latch, Scan::BarsSince, Scan::ValueWhen];
        let sessions = [Session::Highest, Session::Lowest, Session::Last, Session::Sum];
        let recursions = [Recursion::Ema, Recursion::Rma, Recursion::Rsi];
        add(
            &mut plan,
            match kind % 20 {
                0 => Node::Binary { op: arithmetic[at % 6], a: x, b: y },
                1 => Node::Binary { op: [Binary::Min, Binary::Max][at % 2], a: x, b: y },
                2 | 3 => Node::Binary { op: comparisons[at % 6], a: x, b: y },
                // Means of prices, the index and constants, compared with one another.
                4..=6 => {
                    let ends = [6, 7, 8, 9, 10, 11, 17, 18];
                    let [a, b] = [*a, *b / 8].map(|choice| NodeId(ends[usize::from(choice) % 8]));
                    Node::Binary { op: comparisons[at % 6], a, b }
                }
                7 => Node::Binary { op: [Binary::And, Binary::Or][at % 2], a: p, b: q },
                8 => Node::Unary { op: [Unary::Neg, Unary::Abs, Unary::Sqrt][at % 3], x },
                9 => Node::Unary { op: Unary::Not, x: p },
                10 => Node::Unary { op: Unary::Defined, x: if at % 2 == 0 { x } else { p } },
                11 => Node::Select { condition: p, then: y, otherwise: x },
                12 => {
                    Node::Select { condition: p, then: q, otherwise: pick(u16::from(*kind), Type::Condition) }
                }
                13 => Node::Lag { x: if at % 2 == 0 { x } else { p }, bars },
                14 | 15 => Node::Window { kind: kinds[at % 7], x, bars },
                16 => Node::Psar { high: x, low: y, step: NodeId(4), limit: NodeId(2) },
                17 => Node::Session {
                    kind: sessions[at % 4],
                    x,
                    period: if bars % 2 == 0 { Period::Day } else { Period::Week },
                },
                18 => match scans[at % 5] {
                    kind @ (Scan::Adaptive | Scan::Ratchet) => Node::Scan { kind, a: x, b: y, bars: 1 },
                    Scan::Latch => Node::Scan { kind: Scan::Latch, a: p, b: q, bars: 1 },
                    Scan::BarsSince => Node::Scan { kind: Scan::BarsSince, a: p, b: p, bars: 1 },
                    Scan::ValueWhen => Node::Scan { kind: Scan::ValueWhen, a: p, b: y, bars },
                },
                _ => Node::Recursion { kind: recursions[at % 3], x, bars },
            },
        );
    }
    let (types, units) = (plan.types(), NodeId(17));
    for (index, kind) in types.iter().enumerate().rev() {
        let (id, rules) = (NodeId(index as u32), plan.rules.len());
        if *kind == Type::Condition && rules < 5 {
            let direction = if rules % 2 == 0 { Direction::Long } else { Direction::Short };
            let enter = Action::Enter { direction, size: Size::Units(units), ticket: Ticket::default() };
            let action = if rules == 4 { Action::Close } else { enter };
            plan.rules.push(Rule { guard: id, actions: vec![action] });
        } else if *kind == Type::Number && index % 3 == 0 && plan.recordings.len() < 12 {
            plan.recordings.push(Recording { name: format!("n{index}"), value: id });
        }
    }
    plan
}

/// Bars around `level` billionths, of both sides or one.
fn bars(level: i64, both: bool, steps: &[(i8, u8)]) -> Bars {
    let mut bars = Bars::empty(if both { None } else { Some(QuoteSide::Bid) });
    let (mut time, mut close, step_nanos) = (1_700_000_000_000_000_000, level, level / 100_000);
    for (step, gap) in steps {
        time += NANOS_PER_MINUTE * if gap % 32 == 0 { 700 } else { 1 };
        close = (close + i64::from(*step / 16) * step_nanos).clamp(level / 2, level);
        let flat = |add: i64| {
            let price = |nanos| Price::from_nanos(nanos);
            let (high, low) = (close + add + i64::from(gap % 4) * step_nanos, close + add - 1);
            Ohlc { open: price(low), high: price(high), low: price(low), close: price(close + add) }
        };
        let ask = both.then(|| flat(i64::from(gap % 3)));
        bars.push(Bar { time: UnixNanos::new(time), bid: flat(0), ask, volume: i64::from(*gap) });
    }
    bars
}

pub(super) fn config() -> RunConfig {
    let capital = Money::from_micros(Money::SCALE, Currency::USD);
    RunConfig::new(Instrument::parse("EUR/USD").unwrap(), Granularity::M1, capital)
}

/// The bits of a node's values at all bars.
type Values = Vec<u64>;

fn wide(values: impl IntoIterator<Item = f64>) -> Values {
    values.into_iter().map(f64::to_bits).collect()
}

fn narrow(values: impl IntoIterator<Item = Tri>) -> Values {
    values.into_iter().map(u64::from).collect()
}

fn nanos(quotes: &Quotes<'_>, side: SeriesSide, field: PriceField, bars: usize) -> (Vec<i64>, i64) {
    let (series, mut values) = (quotes.series(side, field), Vec::new());
    series.extend(0..bars, &mut values);
    (values, series.scale())
}

/// Every node at every bar, by its definition.
fn by_definition(plan: &Plan, quotes: &Quotes<'_>, clock: Clock) -> Vec<Values> {
    let bars = quotes.bars.times.len();
    let mut all: Vec<Values> = Vec::new();
    for (node, kind) in plan.nodes.iter().zip(plan.types()) {
        let number = |id: NodeId, bar: usize| f64::from_bits(all[id.index()][bar]);
        let condition = |id: NodeId, bar: usize| all[id.index()][bar] as Tri;
        let numbers = |of: &dyn Fn(usize) -> f64| wide((0..bars).map(of));
        let conditions = |of: &dyn Fn(usize) -> Tri| narrow((0..bars).map(of));
        let values = match *node {
            Node::Number(value) => numbers(&|_| value),
            Node::Condition(value) => conditions(&|_| Tri::from(value)),
            Node::Price { side, field } => {
                let (nanos, scale) = nanos(quotes, side, field, bars);
                numbers(&|bar| nanos[bar] as f64 / scale as f64)
            }
            Node::Volume => numbers(&|bar| quotes.bars.volume[bar] as f64),
            Node::Clock(field) => {
                numbers(&|bar| clock_value(field, quotes.bars.times[bar], clock.index(bar)))
            }
            Node::InSession { centre } => {
                conditions(&|bar| Tri::from(centre.is_open(quotes.bars.times[bar])))
            }
            Node::Unary { op: Unary::Not, x } => conditions(&|bar| not(condition(x, bar))),
            Node::Unary { op: Unary::Defined, x } if plan.types()[x.index()] == Type::Number => {
                conditions(&|bar| Tri::from(!number(x, bar).is_nan()))
            }
            Node::Unary { op: Unary::Defined, x } => {
                conditions(&|bar| Tri::from(condition(x, bar) != UNKNOWN))
            }
            Node::Unary { op, x } => numbers(&|bar| unary(op, number(x, bar))),
            Node::Binary { op, a, b } if is_connective(op) => {
                conditions(&|bar| connect(op, condition(a, bar), condition(b, bar)))
            }
            Node::Binary { op, a, b } if is_comparison(op) => {
                conditions(&|bar| compare(op, number(a, bar), number(b, bar)))
            }
            Node::Binary { op, a, b } => numbers(&|bar| arithmetic(op, number(a, bar), number(b, bar))),
            Node::Select { condition: c, then, otherwise } if kind == Type::Number => numbers(&|bar| {
                select(condition(c, bar), number(then, bar), number(otherwise, bar), UNDEFINED)
            }),
            Node::Select { condition: c, then, otherwise } => conditions(&|bar| {
                select(condition(c, bar), condition(then, bar), condition(otherwise, bar), UNKNOWN)
            }),
            Node::Lag { x, bars: back } => {
                let missing = if kind == Type::Number { UNDEFINED.to_bits() } else { u64::from(UNKNOWN) };
                let before = |bar: usize| bar.checked_sub(back as usize).map(|bar| all[x.index()][bar]);
                (0..bars).map(|bar| before(bar).unwrap_or(missing)).collect()
            }
            Node::Window { kind, x, bars: length } => match (kind, &plan.nodes[x.index()]) {
                (Window::Sma | Window::Stdev, Node::Price { side, field }) => {
                    let prices = nanos(quotes, *side, *field, bars);
                    wide(price_window(kind, length as usize, &prices.0, prices.1))
                }
                _ => wide(number_window(
                    kind,
                    length as usize,
                    &(0..bars).map(|bar| number(x, bar)).collect::<Vec<_>>(),
                )),
            },
            Node::Recursion { kind, x, bars: length } => {
                wide(recursion(kind, f64::from(length), (0..bars).map(|bar| number(x, bar))))
            }
            Node::Scan { kind, a, b, bars: occasion } => {
                scan(kind, &all[a.index()], &all[b.index()], occasion)
            }
            Node::Psar { high, low, step, limit } => {
                let bars = (0..bars).map(|bar| [high, low, step, limit].map(|operand| number(operand, bar)));
                wide(psar(&bars.collect::<Vec<_>>()))
            }
            Node::Session { kind, x, period } => {
                let values: Vec<_> = (0..bars).map(|bar| number(x, bar)).collect();
                wide(session(kind, period, &quotes.bars.times, &values))
            }
            Node::Position(_)
            | Node::Account(_)
            | Node::Cell { .. }
            | Node::AsOf { .. }
            | Node::Feature { .. }
            | Node::FeedPrice { .. }
            | Node::FeedVolume { .. } => unreachable!("market nodes only"),
        };
        all.push(values);
    }
    all
}

/// The processor's levels, the plainest first.
fn levels() -> Vec<Level> {
    #[cfg(target_arch = "x86_64")]
    let between = Level::new().as_avx2().map(Level::Avx2);
    #[cfg(not(target_arch = "x86_64"))]
    let between = None;
    [Some(Level::baseline()), between, Some(Level::new())].into_iter().flatten().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn columns_are_what_the_definitions_say_in_blocks_of_any_size_on_every_processor(
        seeds in vec(any::<(u8, u16, u16, u8)>(), 0..24),
        steps in vec(any::<(i8, u8)>(), 1..1_300),
        market in 0..6_usize,
        warm_up in 0..90_usize,
    ) {
        let plan = grown(&seeds);
        let spread = if market < 2 { SpreadModel::Pips(0.70001) } else { SpreadModel::Measured };
        let level = [1_100_000_000, 4_000_000_000_000, 1_100_000_000, 150_000_000_000, 99_000_000_000_000, 9_999_999][market];
        let bars = bars(level, market % 2 == 0 && market > 1, &steps);
        let quotes = Quotes::new(&bars, spread, &Instrument::parse("EUR/USD").unwrap()).unwrap();
        let program = Program::new(&plan).unwrap();
        let clock = Clock { first_decision: warm_up, first_index: if warm_up > 0 { 0 } else { 38 }, granularity: Granularity::M1 };
        let expected = by_definition(&plan, &quotes, clock);
        let mut stored = Vec::new();
        for (level, size) in levels().into_iter().flat_map(|level| [1, 7, 64, BLOCK].map(|size| (level, size))) {
            let mut state = State::new(&program, &config());
            let mut block = Block::new(&program);
            block.level = level;
            for from in (0..bars.len()).step_by(size) {
                let rows = from..bars.len().min(from + size);
                block.evaluate(&program, &mut state.tracks[0].memories, &quotes, rows.clone(), clock);
                for (id, column) in block.columns.iter().enumerate() {
                    let found = match column {
                        Column::None => continue,
                        Column::Number(column) => wide(column[..rows.len()].iter().copied()),
                        Column::Condition(column) => narrow(column[..rows.len()].iter().copied()),
                    };
                    prop_assert_eq!(&found[..], &expected[id][rows.clone()], "{:?} {:?} {:?}", plan.nodes[id], level, rows);
                }
                let acts = |rule: &Rule, row: usize, full: Option<Side>| {
                    let idle = match rule.actions[0] {
                        Action::Enter { direction: Direction::Long, .. } => full == Some(Side::Long),
                        Action::Enter { .. } => full == Some(Side::Short),
                        _ => false,
                    };
                    !idle && expected[rule.guard.index()][row] == u64::from(TRUE)
                };
                for full in [None, Some(Side::Long), Some(Side::Short)] {
                    let at = |row: &usize| plan.rules.iter().any(|rule| acts(rule, *row, full));
                    let next = rows.clone().find(at).map(|row| row - rows.start);
                    prop_assert_eq!(block.next_wake(0..rows.len(), full), next);
                }
            }
            stored.push(state.to_bytes());
        }
        stored.dedup();
        prop_assert_eq!(stored.len(), 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plans_evaluated_as_one_are_each_as_evaluated_alone(
        seeds in vec(vec(any::<(u8, u16, u16, u8)>(), 0..16), 1..5),
        steps in vec(any::<(i8, u8)>(), 1..300),
    ) {
        let bars = bars(1_100_000_000, true, &steps);
        let quotes = Quotes::new(&bars, SpreadModel::Measured, &Instrument::parse("EUR/USD").unwrap()).unwrap();
        let plans: Vec<_> = seeds.iter().map(|seeds| grown(seeds)).collect();
        let programs: Vec<_> = plans.iter().map(|plan| Program::new(plan).unwrap()).collect();
        let union = Union::of(&programs);
        let merged = union.program();
        prop_assert!(merged.plan.nodes.len() <= plans.iter().map(|plan| plan.nodes.len()).sum());
        let clock = Clock { first_decision: 0, first_index: 30, granularity: Granularity::M1 };
        let memories = |program: &Program<'_>| -> Vec<_> {
            program.plan.nodes.iter().map(|node| Memory::of(program, node)).collect()
        };
        let mut alone: Vec<_> = programs.iter().map(|program| (Block::new(program), memories(program))).collect();
        let (mut block, mut shared) = (Block::new(&merged), memories(&merged));
        for from in (0..bars.len()).step_by(64) {
            let rows = from..bars.len().min(from + 64);
            block.begin(&merged, &quotes, rows.clone(), clock);
            for ((member, program), (own, memories)) in union.members.iter().zip(&programs).zip(&mut alone) {
                block.evaluate_member((&merged, member), &mut shared, &quotes, rows.clone(), clock);
                own.evaluate(program, memories, &quotes, rows.clone(), clock);
                for (column, place) in own.columns.iter().zip(&member.places) {
                    match (column, &block.columns[place.index()]) {
                        (Column::Number(own), Column::Number(shared)) => {
                            let [own, shared] = [own, shared].map(|column| wide(column[..rows.len()].iter().copied()));
                            prop_assert_eq!(own, shared);
                        }
                        (Column::Condition(own), Column::Condition(shared)) => {
                            prop_assert_eq!(&own[..rows.len()], &shared[..rows.len()]);
                        }
                        (own, _) => prop_assert!(matches!(own, Column::None)),
                    }
                }
                for full in [None, Some(Side::Long), Some(Side::Short)] {
                    prop_assert_eq!(block.next_wake(0..rows.len(), full), own.next_wake(0..rows.len(), full));
                }
            }
        }
    }
}
