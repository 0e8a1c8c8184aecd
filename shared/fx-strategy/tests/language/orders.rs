//! Orders: every spelling and what it lowers to.

use crate::{compiled, plan_of, refused, strategy, words};
use fx_strategy::limits::{LABEL_BYTES_MAX, LABELS_MAX};
use fx_strategy::{Diagnostic, Plan, compile};
use proptest::prelude::{ProptestConfig, any, prop, proptest};
use proptest::sample::Index;
use std::collections::BTreeMap;

/// What `return DECISION` decides, in words.
fn decided(decision: &str) -> String {
    let words = words(&plan_of(&format!("return {decision}")));
    words.strip_prefix("true => ").expect(decision).to_owned()
}

fn check<const N: usize>(spellings: [(&str, &str); N]) {
    for (decision, expected) in spellings {
        assert_eq!(decided(decision), expected, "{decision}");
    }
}

fn warnings(body: &str) -> Vec<(Option<u32>, String)> {
    let found = compiled(&strategy(body)).warnings;
    found.into_iter().map(|found| (found.line(), found.message)).collect()
}

#[test]
fn every_entry_has_its_argument() {
    check([
        ("buy(units=1)", "Long Units 1 sl none tp none"),
        ("buy(units=1, limit=data.low)", "Long Units 1 limit low sl none tp none"),
        ("sell(lots=2, stop=pips(10))", "Short Lots 2 stop pips 10 sl none tp none"),
        (
            "buy(units=1, stop=data.high, limit=data.high + 0.001)",
            "Long Units 1 stop high limit Add(high, 0.001) sl none tp none",
        ),
        (
            "sell(units=1, limit=pips(7), stop=pips(5))",
            "Short Units 1 stop pips 5 limit pips 7 sl none tp none",
        ),
        (
            "buy(equity_percent=50, touch=distance(0.002))",
            "Long EquityPercent 50 touch distance 0.002 sl none tp none",
        ),
        ("sell(units=1, trail=pips(15))", "Short Units 1 trail pips 15 sl none tp none"),
        ("buy(units=1, limit=None, stop=None, touch=None, trail=None)", "Long Units 1 sl none tp none"),
    ]);
}

#[test]
fn exits_are_prices_or_distances_and_a_trailing_one_is_a_distance() {
    check([
        (
            "buy(risk_percent=1, stop_loss=data.low, take_profit=pips(40), trailing=distance(0.003))",
            "Long RiskPercent 1 sl low tp pips 40 trailing distance 0.003",
        ),
        (
            "sell(units=1, trailing=pips(12), stop_loss=None)",
            "Short Units 1 sl none tp none trailing pips 12",
        ),
    ]);
}

#[test]
fn an_order_waits_until_its_time_is_up() {
    let at_limit = |rest: &str| decided(&format!("buy(units=1, limit=data.low, {rest})"));
    let until = |text: &str| format!("Long Units 1 limit low sl none tp none{text}");
    for (rest, expected) in [
        ("", ""),
        ("tif=None, expires=None", ""),
        ("tif=\"gtc\"", ""),
        ("tif=\"day\"", " day"),
        ("tif=\"ioc\"", " ioc"),
        ("tif=\"fok\"", " fok"),
        ("expires=5", " for 5 bars"),
        ("expires=2 * self.n", " for 20 bars"),
        ("tif=\"gtc\", expires=position.bars + 1", " for Add(position.bars, 1) bars"),
        ("expires=\"1970-01-02\"", " until 86400000000000"),
        ("expires=\"1970-01-01T01:00:00+01:00\"", " until 0"),
        ("expires=\"2024-03-08T21:00:00Z\"", " until 1709931600000000000"),
    ] {
        assert_eq!(at_limit(rest), until(expected), "{rest}");
    }
}

#[test]
fn the_time_of_a_market_order_is_immediate_or_has_no_effect() {
    let plain = plan_of("return buy(units=1)");
    for (argument, column) in [
        ("tif=\"gtc\"", "tif"),
        ("tif=\"day\"", "tif"),
        ("expires=3", "expires"),
        ("expires=\"2024-03-08\"", "expires"),
    ] {
        let body = format!("return buy(units=1, {argument})");
        let message = format!("a market order does not wait: `{column}` has no effect");
        assert_eq!(warnings(&body), [(Some(6), message)]);
        assert_eq!(plan_of(&body), plain, "{argument}");
    }
    for (tif, expected) in [("ioc", " ioc"), ("fok", " fok")] {
        let body = format!("return order(units=1, tif=\"{tif}\")");
        assert_eq!(warnings(&body), []);
        assert_eq!(words(&plan_of(&body)), format!("true => order 1 sl none tp none{expected}"));
    }
}

#[test]
fn signed_units_are_traded_as_they_are() {
    check([
        ("order(units=-5)", "order -5 sl none tp none"),
        (
            "order(units=5 - position.units, trail=distance(0.001), trailing=pips(3), reduce_only=True, label=\"x\")",
            "order Sub(5, position.units) trail distance 0.001 sl none tp none trailing pips 3 as x reduce only",
        ),
        ("order(units=self.n, reduce_only=self.on)", "order 10 sl none tp none reduce only"),
        ("order(units=1, reduce_only=False)", "order 1 sl none tp none"),
    ]);
}

#[test]
fn a_part_of_a_position_is_closed_by_units_lots_or_percent() {
    check([
        ("close_partial(units=1000)", "close Units 1000"),
        ("close_partial(lots=0.5)", "close Lots 0.5"),
        ("close_partial(percent=100)", "close Percent 100"),
        ("close_partial(percent=50 if data.close > 1 else 25)", "close Percent Select(Gt(close, 1), 50, 25)"),
    ]);
}

#[test]
fn waiting_orders_are_taken_back_or_changed_by_label_or_all() {
    let waiting = "if data.close > 1:\n    return buy(units=1, limit=data.low, label=\"dip\")\nreturn ";
    for (decision, expected) in [
        ("cancel()", "cancel all"),
        ("cancel(label=None)", "cancel all"),
        ("cancel(label=\"dip\")", "cancel dip"),
        ("modify(price=data.low)", "modify all price low sl none tp none"),
        ("modify(label=\"dip\", price=pips(3))", "modify dip price pips 3 sl none tp none"),
        (
            "modify(stop_loss=data.low, take_profit=pips(9), trailing=distance(0.01))",
            "modify all price none sl low tp pips 9 trailing distance 0.01",
        ),
        ("[cancel(label=\"dip\"), close()]", "cancel dip; close"),
    ] {
        let body = format!("{waiting}{decision}");
        let words = words(&plan_of(&body));
        assert_eq!(words.lines().nth(1), Some(&*format!("Not(Gt(close, 1)) => {expected}")), "{decision}");
        assert_eq!(warnings(&body), [], "{decision}");
    }
}

#[test]
fn labels_are_numbered_as_the_rules_reach_them_and_unused_ones_are_gone() {
    let plan = plan_of(
        "unused = buy(units=1, label=\"unused\")\nlast = sell(units=1, stop=data.low, label=\"low\")\n\
         if data.close > 1:\n    return [buy(units=1, stop=data.high, label=\"high\"), last]\nreturn cancel(label=\"low\")",
    );
    assert_eq!(plan.labels, ["high", "low"]);
    let same = plan_of(
        "if data.close > 1:\n    return [buy(units=1, stop=data.high, label=\"high\"), \
         sell(units=1, stop=data.low, label=\"low\")]\nreturn cancel(label=\"low\")",
    );
    assert_eq!(plan.hash(), same.hash());
    let other = plan_of(
        "if data.close > 1:\n    return [buy(units=1, stop=data.high, label=\"up\"), \
         sell(units=1, stop=data.low, label=\"low\")]\nreturn cancel(label=\"low\")",
    );
    assert_ne!(plan.hash(), other.hash());
    assert_eq!(Plan::from_bytes(&plan.to_bytes()), Ok(plan));
}

#[test]
fn a_label_that_no_order_has_is_warned_about() {
    let body = "if data.close > 1:\n    return buy(units=1, stop=data.high, label=\"break\")\nreturn [cancel(label=\"braek\"), \
                modify(label=\"other\", price=pips(1))]";
    let found = compiled(&strategy(body)).warnings;
    let text: Vec<(&str, &str)> =
        found.iter().map(|found| (found.message.as_str(), found.hint.as_deref().unwrap())).collect();
    assert_eq!(
        text,
        [
            ("no order has the label `braek`", "did you mean `break`?"),
            ("no order has the label `other`", "give it to one: `buy(…, label=\"other\")`"),
        ]
    );
}

#[test]
fn a_label_without_a_price_changes_no_waiting_order() {
    let body = "if data.close > 1:\n    return buy(units=1, stop=data.high, label=\"b\")\nreturn modify(label=\"b\", stop_loss=pips(5))";
    let message = "a label names waiting orders, and only `price` changes these";
    assert_eq!(warnings(body), [(Some(8), message.to_owned())]);
}

#[test]
fn a_constant_price_of_an_order_is_warned_about() {
    for argument in ["limit=25", "stop=25", "touch=25", "take_profit=25"] {
        let found = warnings(&format!("return order(units=1, {argument})"));
        let message = "a number here is a price, and this one never changes";
        assert_eq!(found, [(Some(6), message.to_owned())], "{argument}");
    }
    assert_eq!(warnings("return order(units=1, limit=data.low, stop_loss=pips(25))"), []);
}

#[test]
fn labels_have_limits() {
    let long = "x".repeat(LABEL_BYTES_MAX);
    assert_eq!(plan_of(&format!("return buy(units=1, label=\"{long}\")")).labels, [long.as_str()]);
    let found = refused(&strategy(&format!("return buy(units=1, label=\"{long}x\")")));
    assert_eq!(found.as_slice()[0].code, "limit");
    let many = |count: usize| {
        let orders: Vec<String> =
            (0..count).map(|at| format!("buy(units=1, limit=data.low, label=\"{at}\")")).collect();
        let rules = orders.chunks(8).enumerate();
        let lines =
            rules.map(|(at, orders)| format!("if data.close > {at}:\n    return [{}]\n", orders.join(", ")));
        strategy(&lines.collect::<String>())
    };
    assert_eq!(compiled(&many(LABELS_MAX)).plan.labels.len(), LABELS_MAX);
    assert_eq!(refused(&many(LABELS_MAX + 1)).as_slice()[0].code, "limit");
}

#[test]
fn levels_and_orders_are_chosen_by_branches() {
    let body = "away = pips(5)\nif data.close > 1:\n    away = pips(9)\n\
                return buy(units=1, stop=away, label=\"a\") if data.open > 1 else sell(units=1, limit=away, label=\"b\")";
    let away = "pips Select(Gt(close, 1), 9, 5)";
    assert_eq!(
        words(&plan_of(body)),
        format!(
            "Gt(open, 1) => Long Units 1 stop {away} sl none tp none as a\n\
             Not(Gt(open, 1)) => Short Units 1 limit {away} sl none tp none as b"
        )
    );
}

/// Functions that decide, with what they take and, last, one argument that they do not take.
const DECISIONS: [(&str, &str); 8] = [
    ("buy", "units limit stop touch trail stop_loss take_profit trailing tif expires label reduce_only"),
    ("sell", "lots risk_percent stop_loss limit stop trailing take_profit tif expires label percent"),
    ("order", "units limit stop touch trail stop_loss trailing tif expires label reduce_only lots"),
    ("target", "units lots"),
    ("close", "units"),
    ("close_partial", "units lots percent label"),
    ("cancel", "label units"),
    ("modify", "label price stop_loss take_profit trailing limit"),
];

/// Values of an argument: mostly right ones.
fn choices(argument: &str) -> &'static [&'static str] {
    match argument {
        "units" => &["1000", "data.volume", "self.n * 100", "-3", "0"],
        "lots" | "risk_percent" | "percent" => &["0.5", "data.close", "50", "100.5"],
        "trail" | "trailing" => &["pips(3)", "distance(atr(5))", "None", "3"],
        "tif" => &["\"gtc\"", "\"day\"", "\"ioc\"", "None", "\"GTC\""],
        "expires" => &["5", "data.index", "\"2024-03-08\"", "None", "\"soon\"", "0"],
        "label" => &["\"a\"", "\"b\"", "None", "\"\"", "5"],
        "reduce_only" => &["True", "False", "self.on", "data.close > 1"],
        _ => &["data.low", "pips(20)", "distance(atr(5))", "None", "data.close > 1"],
    }
}

/// Code, message and hint.
type Finding = (&'static str, String, Option<String>);

/// A plan, or what is wrong without the place.
fn answer(body: &str) -> Result<Plan, Vec<Finding>> {
    let parts = |found: Diagnostic| (found.code, found.message, found.hint);
    match compile(&strategy(body), &BTreeMap::new()) {
        Ok(compiled) => Ok(compiled.plan),
        Err(found) => Err(found.into_iter().map(parts).collect()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_dict_means_what_its_call_means(
        (decision, takes) in prop::sample::select(&DECISIONS[..]),
        drawn in prop::collection::vec((any::<Index>(), any::<Index>()), 0..5),
    ) {
        let takes: Vec<&str> = takes.split(' ').collect();
        // The first argument is there more often than not: few decisions go without.
        let arguments = drawn.iter().enumerate().map(|(at, (argument, value))| {
            let name = if at == 0 { takes[0] } else { takes[argument.index(takes.len())] };
            (name, choices(name)[value.index(choices(name).len())])
        });
        let given: BTreeMap<&str, &str> = arguments.collect();
        let named: Vec<String> = given.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let keyed: String = given.iter().map(|(name, value)| format!(", \"{name}\": {value}")).collect();
        let call = answer(&format!("return {decision}({})", named.join(", ")));
        let dict = answer(&format!("return {{\"action\": \"{decision}\"{keyed}}}"));
        assert_eq!(call, dict);
        if let Ok(plan) = call {
            assert_eq!(Plan::from_bytes(&plan.to_bytes()), Ok(plan));
        }
    }
}
