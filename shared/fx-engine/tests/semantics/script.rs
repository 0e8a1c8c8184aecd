//! A strategy that does the given things at the given bars, the bars that it meets, and what came of it as text.
//!
//! Every script is also run cut at each bar, with every bar stepped, and on the clock of several series: all of them
//! must agree.

use fx_domain::{
    Bar, Bars, Currency, Granularity, Instrument, Money, Ohlc, OrderKind, Price, QuoteSide, Side, Trade,
    UnixNanos,
};
use fx_engine::{
    EngineError, Inputs, OrderEvent, OrderEventKind, RunConfig, Slice, State, Track, TrackBars, advance,
};
use fx_strategy::{Node, NodeId, Plan, PositionField, Recording};
use std::collections::BTreeMap;

/// A point is a tick of EUR/USD: a tenth of a pip.
const POINT_NANOS: i64 = 10_000;

/// Open, high, low, close in points.
pub(crate) type Points = [i64; 4];

/// The source of a strategy whose `analyze` is `body`.
pub(crate) fn compiled(body: &str) -> Plan {
    let body = body.replace('\n', "\n        ");
    let source = format!("class Script(Strategy):\n    def analyze(self, data):\n        {body}\n");
    fx_strategy::compile(&source, &BTreeMap::new()).unwrap_or_else(|found| panic!("{found:?}\n{source}")).plan
}

/// Returns each decision at the bar of its number, and nothing at the others.
pub(crate) fn plan(decisions: &[(u64, &str)]) -> Plan {
    let lines = decisions.iter().map(|(bar, what)| format!("if data.index == {bar}:\n    return {what}\n"));
    compiled(&format!("{}return {{}}", lines.collect::<String>()))
}

/// Free, at leverage 30, one hour a bar.
pub(crate) fn free() -> RunConfig {
    config("EUR/USD", 10_000, Currency::USD)
}

pub(crate) fn config(pair: &str, capital: i64, currency: Currency) -> RunConfig {
    let capital = Money::from_micros(capital * Money::SCALE, currency);
    RunConfig::new(Instrument::parse(pair).unwrap(), Granularity::H1, capital)
}

/// 3 January 2024, a Wednesday, 00:00 UTC: far from any rollover.
pub(crate) fn start() -> UnixNanos {
    at("2024-01-03T00:00:00Z")
}

pub(crate) fn at(text: &str) -> UnixNanos {
    UnixNanos::parse(text).unwrap()
}

pub(crate) fn price(points: i64) -> Price {
    Price::from_nanos(points * POINT_NANOS)
}

pub(crate) fn ohlc([open, high, low, close]: Points) -> Ohlc {
    Ohlc { open: price(open), high: price(high), low: price(low), close: price(close) }
}

/// Bars of both sides, the ask so many points above the bid, one after the other.
pub(crate) fn both(spread: i64, rows: &[Points]) -> Bars {
    both_from(start(), Granularity::H1, spread, rows)
}

pub(crate) fn both_from(from: UnixNanos, granularity: Granularity, spread: i64, rows: &[Points]) -> Bars {
    let mut bars = Bars::empty(None);
    for (row, number) in rows.iter().zip(0..) {
        let time = from.plus_nanos(number * granularity.nominal_nanos());
        let ask = Some(ohlc(row.map(|points| points + spread)));
        bars.push(Bar { time, bid: ohlc(*row), ask, volume: 1 });
    }
    bars
}

/// Bars of one side.
pub(crate) fn one(side: QuoteSide, from: UnixNanos, granularity: Granularity, rows: &[Points]) -> Bars {
    let mut bars = Bars::empty(Some(side));
    for (row, number) in rows.iter().zip(0..) {
        let time = from.plus_nanos(number * granularity.nominal_nanos());
        bars.push(Bar { time, bid: ohlc(*row), ask: None, volume: 1 });
    }
    bars
}

/// One flat bar for each time and price.
pub(crate) fn flat_at(spread: i64, rows: &[(&str, i64)]) -> Bars {
    let mut bars = Bars::empty(None);
    for (time, points) in rows {
        let side = |points| Ohlc::flat(price(points));
        bars.push(Bar { time: at(time), bid: side(*points), ask: Some(side(points + spread)), volume: 1 });
    }
    bars
}

pub(crate) fn advance_all(
    plan: &Plan,
    config: &RunConfig,
    inputs: &Inputs<'_>,
) -> Result<Slice, EngineError> {
    advance(plan, config, State::start(plan, config)?, inputs)
}

/// Runs, and shows that no other way of running gives anything else.
pub(crate) fn run(plan: &Plan, config: &RunConfig, bars: &Bars) -> Slice {
    run_with(plan, config, TrackBars { bars, finer: None })
}

pub(crate) fn run_with(plan: &Plan, config: &RunConfig, track: TrackBars<'_>) -> Slice {
    let whole = advance_all(plan, config, &of(track.bars, track)).unwrap();
    for cut in 0..=track.bars.len() {
        let (first, second) = (track.bars.slice(0..cut), track.bars.slice(cut..track.bars.len()));
        let mut joined = advance_all(plan, config, &of(&first, track)).unwrap();
        let state = State::from_bytes(plan, config, &joined.state.to_bytes()).unwrap();
        join(&mut joined, advance(plan, config, state, &of(&second, track)).unwrap());
        assert_same(&joined, &whole, &format!("cut at {cut}"));
        assert_eq!(joined.state, whole.state, "cut at {cut}");
    }
    let stepped = advance_all(&watching(plan), config, &of(track.bars, track)).unwrap();
    assert_same(&stepped, &whole, "every bar stepped");
    assert_same(&beside_another_series(plan, config, &of(track.bars, track)), &whole, "several series");
    assert_books(&whole);
    whole
}

fn of<'a>(bars: &'a Bars, track: TrackBars<'a>) -> Inputs<'a> {
    Inputs { tracks: vec![TrackBars { bars, ..track }], rates: Vec::new(), ..Inputs::default() }
}

/// The plan with a recording that makes every bar be looked at.
pub(crate) fn watching(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    let watched = Node::Position(PositionField::Bars);
    let index = plan.nodes.iter().position(|node| *node == watched).unwrap_or_else(|| {
        plan.nodes.push(watched);
        plan.nodes.len() - 1
    });
    plan.recordings.push(Recording { name: "watched".into(), value: NodeId(index as u32) });
    plan
}

/// The same run with a series of prices that nothing is converted by.
fn beside_another_series(plan: &Plan, config: &RunConfig, inputs: &Inputs<'_>) -> Slice {
    let other = Track { instrument: Instrument::parse("AUD/NZD").unwrap(), granularity: Granularity::M15 };
    let config = RunConfig { rates: config.rates.iter().copied().chain([other]).collect(), ..config.clone() };
    let idle = Bars::empty(Some(QuoteSide::Bid));
    let mut inputs = inputs.clone();
    inputs.rates.push(&idle);
    advance_all(plan, &config, &inputs).unwrap()
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

pub(crate) fn assert_same(one: &Slice, other: &Slice, how: &str) {
    assert_eq!(one.events, other.events, "{how}");
    assert_eq!(one.trades, other.trades, "{how}");
    assert_eq!(one.ledger, other.ledger, "{how}");
    assert_eq!((&one.equity_times, &one.equity), (&other.equity_times, &other.equity), "{how}");
}

/// Rows sum to the balance; every order that was submitted ends once, or waits.
pub(crate) fn assert_books(slice: &Slice) {
    let sum: i64 = slice.ledger.iter().map(|row| row.amount.micros()).sum();
    assert_eq!(sum, slice.state.balance().micros());
    let submitted: Vec<_> = slice
        .events
        .iter()
        .filter(|event| matches!(event.kind, OrderEventKind::Submitted { .. }))
        .map(|event| event.order)
        .collect();
    for order in &submitted {
        let ends = slice.events.iter().filter(|event| event.order == *order && ends(event));
        // A reversal is filled twice: what it closes, what it opens.
        let mut ends: Vec<_> = ends.map(|event| (event.time, std::mem::discriminant(&event.kind))).collect();
        ends.dedup();
        let waits = slice.state.pending_orders().iter().any(|pending| pending.id == *order);
        assert_eq!(ends.len() + usize::from(waits), 1, "order {order:?}: {:#?}", slice.events);
    }
    let known = |event: &OrderEvent| submitted.contains(&event.order);
    assert!(slice.events.iter().all(known), "an event of an order that was not submitted");
}

const fn ends(event: &OrderEvent) -> bool {
    matches!(
        event.kind,
        OrderEventKind::Filled { .. }
            | OrderEventKind::Cancelled { .. }
            | OrderEventKind::Expired
            | OrderEventKind::Lapsed
            | OrderEventKind::Rejected { .. }
    )
}

/// The events, one a line: the hour since the start, the order, what happened.
pub(crate) fn lives(slice: &Slice) -> Vec<String> {
    slice.events.iter().map(|event| life(event, slice.equity_times[0])).collect()
}

fn life(event: &OrderEvent, from: UnixNanos) -> String {
    let hour = (event.time.get() - from.get()) / Granularity::H1.nominal_nanos();
    let way = |side: Side| if side == Side::Long { "buys" } else { "sells" };
    let what = match event.kind {
        OrderEventKind::Submitted { kind, side, units, .. } => {
            format!("{} {} {}", way(side), units.get(), kind_text(kind))
        }
        OrderEventKind::Triggered { price } => format!("triggered at {}", points(price)),
        OrderEventKind::Filled { side, units, fill, .. } => {
            format!("filled: {} {} at {}", way(side), units.get(), points(fill.price))
        }
        OrderEventKind::Exited { reason, units, fill } => {
            format!("exits {} by {} at {}", units.get(), reason.as_str(), points(fill.price))
        }
        OrderEventKind::Protected { .. } => "protected".to_owned(),
        OrderEventKind::Moved { kind } => format!("moved to {}", kind_text(kind)),
        OrderEventKind::Cancelled { reason } => format!("cancelled: {reason:?}"),
        OrderEventKind::Expired => "expired".to_owned(),
        OrderEventKind::Lapsed => "lapsed".to_owned(),
        OrderEventKind::Rejected { reason } => format!("rejected: {reason:?}"),
    };
    format!("{hour} #{} {what}", event.order.0)
}

fn kind_text(kind: OrderKind) -> String {
    match kind {
        OrderKind::Market => "at the market".to_owned(),
        OrderKind::Limit(level) | OrderKind::Stop(level) | OrderKind::MarketIfTouched(level) => {
            format!("{} {}", kind.as_str(), points(level))
        }
        OrderKind::StopLimit { stop, limit } => format!("stop_limit {} {}", points(stop), points(limit)),
        OrderKind::TrailingStop { level, .. } => format!("trailing_stop {}", points(level)),
    }
}

/// A price in points; with its nanos where it is between two.
pub(crate) fn points(price: Price) -> String {
    let (whole, rest) = (price.nanos().div_euclid(POINT_NANOS), price.nanos().rem_euclid(POINT_NANOS));
    if rest == 0 { whole.to_string() } else { format!("{whole}+{rest}") }
}

/// The trades, one a line.
pub(crate) fn trades(slice: &Slice) -> Vec<String> {
    let line = |trade: &Trade| {
        format!(
            "{} {} {}@{} to {}@{} {}{}",
            trade.side.as_str(),
            trade.units.get(),
            points(trade.entry_price),
            trade.entry_bar,
            points(trade.exit_price),
            trade.exit_bar,
            trade.exit_reason.as_str(),
            if trade.ambiguous { ", ambiguous" } else { "" }
        )
    };
    slice.trades.iter().map(line).collect()
}

/// Amounts of the ledger after the deposit, in millionths, with what they are.
pub(crate) fn rows(slice: &Slice) -> Vec<(&'static str, i64)> {
    slice.ledger[1..].iter().map(|row| (row.kind.as_str(), row.amount.micros())).collect()
}

/// Runs over several series of one hour a bar, and shows that cutting at any hour changes nothing.
pub(crate) fn run_series(plan: &Plan, config: &RunConfig, tracks: &[&Bars], rates: &[&Bars]) -> Slice {
    let part = |from: UnixNanos, to: UnixNanos| {
        let cut = |bars: &&Bars| bars.slice(bars.lower_bound(from)..bars.lower_bound(to));
        (tracks.iter().map(cut).collect::<Vec<_>>(), rates.iter().map(cut).collect::<Vec<_>>())
    };
    let go = |state: State, (tracks, rates): &(Vec<Bars>, Vec<Bars>)| {
        let tracks = tracks.iter().map(|bars| TrackBars { bars, finer: None }).collect();
        advance(plan, config, state, &Inputs { tracks, rates: rates.iter().collect(), ..Inputs::default() })
            .unwrap()
    };
    let (first, last) = (UnixNanos::new(i64::MIN), UnixNanos::new(i64::MAX));
    let whole = go(State::start(plan, config).unwrap(), &part(first, last));
    let mut times: Vec<_> = tracks.iter().chain(rates).flat_map(|bars| bars.times.iter().copied()).collect();
    times.sort_unstable();
    times.dedup();
    for time in times {
        let mut joined = go(State::start(plan, config).unwrap(), &part(first, time));
        let state = State::from_bytes(plan, config, &joined.state.to_bytes()).unwrap();
        let rest = part(time, last);
        let inputs = rest.0.iter().map(|bars| TrackBars { bars, finer: None }).collect();
        match advance(
            plan,
            config,
            state,
            &Inputs { tracks: inputs, rates: rest.1.iter().collect(), ..Inputs::default() },
        ) {
            Ok(second) => join(&mut joined, second),
            Err(EngineError::CutThroughBar { .. }) => continue,
            Err(other) => panic!("cut at {time}: {other}"),
        }
        assert_same(&joined, &whole, &format!("cut at {time}"));
        assert_eq!(joined.state, whole.state, "cut at {time}");
    }
    assert_books(&whole);
    whole
}

pub(crate) fn track(pair: &str, granularity: Granularity) -> Track {
    Track { instrument: Instrument::parse(pair).unwrap(), granularity }
}
