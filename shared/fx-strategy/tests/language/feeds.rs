//! Other timeframes and instruments.

use crate::{plan_of, refused, strategy, words};
use fx_domain::Granularity;
use fx_strategy::limits::FEEDS_MAX;
use fx_strategy::{Feed, Node, NodeId, Plan, PlanError, PriceField, SeriesSide};

fn recorded(x: &str) -> String {
    words(&plan_of(&format!("slow = data.timeframe(\"4h\")\nrecord(\"x\", {x})")))
}

#[test]
fn indicators_run_on_their_own_clock_and_are_brought_over_once() {
    assert_eq!(recorded("slow.close"), "x = AsOf(4h.close)");
    assert_eq!(recorded("sma(slow.close, 20)[-3]"), "x = AsOf(Sma(4h.close, 20)[-3])");
    assert_eq!(recorded("slow.ask.high - slow.volume * 2"), "x = AsOf(Sub(4h.ask.high, Mul(4h.volume, 2)))");
    assert_eq!(recorded("data.timeframe(\"H4\").close"), recorded("slow.close"));
}

#[test]
fn what_mixes_bars_is_of_the_strategy_s_own() {
    assert_eq!(recorded("slow.close - data.close"), "x = Sub(AsOf(4h.close), close)");
    let pound = "data.instrument(\"gbp_usd\")";
    assert_eq!(
        recorded(&format!("slow.close / {pound}.close")),
        "x = Div(AsOf(4h.close), AsOf(GBP/USD.close))"
    );
    assert_eq!(recorded(&format!("{pound}.timeframe(\"1d\").open")), "x = AsOf(GBP/USD 1d.open)");
    assert_eq!(recorded("data.timeframe(\"1d\").instrument(\"GBP/USD\").open"), "x = AsOf(GBP/USD 1d.open)");
    let crossed = "1 if crosses_above(data.close, slow.close) else 0";
    assert_eq!(
        recorded(crossed),
        "x = Select(And(Gt(close, AsOf(4h.close)), Le(close[-2], AsOf(4h.close)[-2])), 1, 0)"
    );
    let crossed = "1 if crosses_above(slow.close, slow.open) else 0";
    assert_eq!(
        recorded(crossed),
        "x = AsOf(Select(And(Gt(4h.close, 4h.open), Le(4h.close[-2], 4h.open[-2])), 1, 0))"
    );
    assert_eq!(recorded("1 if defined(slow.close) else 0"), "x = Select(Defined(AsOf(4h.close)), 1, 0)");
}

#[test]
fn indicators_that_read_prices_take_other_bars_in_front() {
    let range = |bars: &str| {
        let [high, low] = ["high", "low"].map(|field| format!("{bars}{field}"));
        let before = format!("{bars}close[-2]");
        format!("Max(Max(Sub({high}, {low}), Abs(Sub({high}, {before}))), Abs(Sub({low}, {before})))")
    };
    assert_eq!(recorded("atr(slow, 14)"), format!("x = AsOf(Rma({}, 14))", range("4h.")));
    assert_eq!(recorded("atr(slow, n=14)"), recorded("atr(data.timeframe(\"4h\"), 14)"));
    assert_eq!(recorded("atr(data, 14)"), recorded("atr(14)"));
    assert_eq!(recorded("atr(data.ask, 14)"), format!("x = Rma({}, 14)", range("ask.")));
    let upper = |call: &str| {
        words(&plan_of(&format!("slow = data.timeframe(\"4h\")\nu, m, l = {call}\nrecord(\"x\", u)")))
    };
    assert_eq!(upper("donchian(slow.mid, 5)"), "x = AsOf(Highest(4h.mid.high, 5))");
    // A helper is given bars like any other value, and what stands inside of another call reads its own.
    let helper = "def wide(bars):\n    return keltner(bars, 5, k=2 * atr(bars, 3) / atr(bars, 9))\n\n";
    let source = format!("{helper}{}", strategy("u, m, l = wide(data.timeframe(\"4h\"))\nrecord(\"x\", u)"));
    let found = words(&crate::compiled(&source).plan);
    assert!(found.starts_with("x = AsOf(Add(Ema(4h.close, 5)") && !found.contains(" high"), "{found}");
}

#[test]
fn decisions_and_cells_are_of_the_strategy_s_own_bars() {
    let body = "slow = data.timeframe(\"4h\")\nif slow.close > slow.open:\n    return buy(units=slow.volume, stop_loss=slow.low)";
    assert_eq!(
        words(&plan_of(body)),
        "AsOf(Gt(4h.close, 4h.open)) => Long Units AsOf(4h.volume) sl AsOf(4h.low) tp none"
    );
}

#[test]
fn the_history_that_they_need_is_counted_apart() {
    let plan = plan_of("record(\"x\", sma(sma(data.timeframe(\"4h\").close, 20) - data.close, 5))");
    assert_eq!(plan.warm_up_bars(), 4);
    let lead = plan.feed_lead_nanos(Granularity::M1);
    // 21 bars of four hours, by seven days for five, and four days.
    assert_eq!(lead, Granularity::H4.nominal_nanos() * 21 * 7 / 5 + Granularity::D1.nominal_nanos() * 4);
    assert_eq!(plan_of("record(\"x\", data.close)").feed_lead_nanos(Granularity::M1), 0);
    let feed = Feed { instrument: None, granularity: Some(Granularity::H4) };
    assert_eq!(plan.feeds(), [feed]);
    assert!(feed.fits(Granularity::H1) && !feed.fits(Granularity::H4) && !feed.fits(Granularity::D1));
}

#[test]
fn mistakes_are_named() {
    for (body, wanted) in [
        ("x = data.timeframe(\"2h\").close", "unknown timeframe `2h`"),
        ("x = data.timeframe(\"tick\").close", "single quotes are no bars that are complete"),
        ("x = data.timeframe().close", "`timeframe` takes one argument"),
        ("x = data.timeframe(4).close", "`timeframe` takes a constant text"),
        ("x = data.instrument(\"EUR\").close", "unknown instrument `EUR`"),
        ("x = data.timeframe.close", "call it: `data.timeframe(\"4h\").close`"),
        ("x = data.timeframe(\"4h\").time", "`data.timeframe(…)` has no `time`"),
        ("x = data.timeframe(\"4h\").timeframe(\"1d\")", "has no method `timeframe`"),
        ("x = sma(data.timeframe(\"4h\").close * position.units, 2)", "`sma` works on market data"),
        ("x = data.timeframe(\"4h\") + 1", "a number is needed here"),
        ("x = data.timeframe(\"4h\").atr(14)", "it is asked of other bars `atr(data.timeframe(\"4h\"), 14)`"),
        (
            "x = atr(data.close, 14)",
            "it reads whole bars: `atr(n)`, and of other bars `atr(data.timeframe(\"4h\"), 14)`",
        ),
        ("x = atr(data.time, 14)", "`atr` takes 1 arguments"),
        ("x = sma(data.timeframe(\"4h\"), 14)", "name one of its values: open, high"),
        (
            "a, b = supertrend(data.timeframe(\"4h\"), 10, k=data.close)",
            "`k` is not of the bars that `supertrend` reads here",
        ),
        ("x = psar(data.timeframe(\"4h\"), step=data.timeframe(\"1d\").close)", "`step` is not of the bars"),
        ("a, b, c = keltner(data.timeframe(\"4h\"), 10, k=data.close)", "`k` is not of the bars"),
    ] {
        let answer = refused(&strategy(body)).to_string();
        assert!(answer.contains(wanted), "{body}: {answer}");
    }
    let quotes = ["EUR", "GBP", "AUD", "NZD", "CAD", "CHF", "JPY", "SEK", "NOK"];
    let lines = quotes.iter().flat_map(|base| {
        ["1h", "1d"].map(|length| format!("x = data.instrument(\"{base}USD\").timeframe(\"{length}\").low\n"))
    });
    let answer = refused(&strategy(&lines.collect::<String>())).to_string();
    assert!(answer.contains(&format!("more than {FEEDS_MAX} other timeframes and instruments")), "{answer}");
}

#[test]
fn a_plan_that_mixes_clocks_is_refused() {
    let feed = Feed { instrument: None, granularity: Some(Granularity::H4) };
    let slow = Node::FeedPrice { feed, side: SeriesSide::Signal, field: PriceField::Close };
    let own = Node::Price { side: SeriesSide::Signal, field: PriceField::Close };
    let check = |plan: Plan| Plan::from_bytes(&plan.to_bytes()).map(drop);
    let of = |nodes: Vec<Node>| check(Plan { nodes, ..Plan::default() });
    let (a, b) = (NodeId(0), NodeId(1));
    let mixed = Node::Binary { op: fx_strategy::Binary::Add, a, b };
    assert_eq!(of(vec![slow, Node::AsOf { x: a }]), Ok(()));
    let unsound = [vec![slow, own, mixed], vec![own, Node::AsOf { x: a }]];
    for nodes in unsound {
        assert!(matches!(of(nodes), Err(PlanError::Node { fault: "mixes the bars of two series", .. })));
    }
    let nothing = Feed { instrument: None, granularity: None };
    assert!(matches!(of(vec![Node::FeedVolume { feed: nothing }]), Err(PlanError::Node { .. })));
    let recording = fx_strategy::Recording { name: "x".into(), value: a };
    let away = Plan { nodes: vec![slow], recordings: vec![recording], ..Plan::default() };
    assert!(matches!(check(away), Err(PlanError::Recording { .. })));
}
