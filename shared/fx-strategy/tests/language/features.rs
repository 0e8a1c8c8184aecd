//! What other services tell.

use crate::{plan_of, words};
use fx_strategy::limits::FEATURE_NAME_MAX;
use fx_strategy::{Feature, FeatureId, Node, Plan, PlanError};

fn recorded(x: &str) -> String {
    words(&plan_of(&format!("record(\"x\", {x})")))
}

#[test]
fn they_are_numbers_and_regimes_are_compared_with_texts() {
    assert_eq!(recorded("feature(\"sentiment\")"), "x = feature(sentiment)");
    assert_eq!(recorded("sma(pattern(name=\"double_top\"), 3)[-2]"), "x = Sma(pattern(double_top), 3)[-2]");
    let chosen = |condition: &str| recorded(&format!("1 if {condition} else 0"));
    assert_eq!(chosen("regime() == \"strong trend\""), "x = Select(Eq(regime strong trend, 1), 1, 0)");
    assert_eq!(chosen("\"calm\" != regime()"), "x = Select(Not(Eq(regime calm, 1)), 1, 0)");
    assert_eq!(chosen("(regime() == \"calm\")[-2]"), "x = Select(Eq(regime calm, 1)[-2], 1, 0)");
    let named = "r = regime()\nrecord(\"x\", 1 if r == \"a\" or r == \"b\" else 0)";
    assert_eq!(words(&plan_of(named)), "x = Select(Or(Eq(regime a, 1), Eq(regime b, 1)), 1, 0)");
    let same = "r = regime() if data.close > 1 else regime()\nrecord(\"x\", 1 if r == \"a\" else 0)";
    assert_eq!(words(&plan_of(same)), "x = Select(Eq(regime a, 1), 1, 0)");
}

#[test]
fn they_are_of_the_strategy_s_own_bars() {
    assert_eq!(
        recorded("data.timeframe(\"4h\").close * feature(\"x\")"),
        "x = Mul(AsOf(4h.close), feature(x))"
    );
    assert_eq!(plan_of("record(\"x\", sma(feature(\"x\"), 20))").warm_up_bars(), 19);
}

#[test]
fn a_plan_lists_those_that_it_reads_in_the_order_in_which_it_reaches_them() {
    let one = "a = feature(\"unread\")\nb = feature(\"b\")\nc = pattern(\"b\")\nrecord(\"x\", c - b)";
    let other = "record(\"x\", pattern(\"b\") - feature(\"b\"))";
    let plan = plan_of(one);
    assert_eq!(plan.features, [Feature::Pattern("b".into()), Feature::Named("b".into())]);
    assert_eq!(plan.to_bytes(), plan_of(other).to_bytes());
    assert_ne!(plan.hash(), plan_of("record(\"x\", pattern(\"b\") - feature(\"c\"))").hash());
    assert_eq!(Plan::from_bytes(&plan.to_bytes()).unwrap(), plan);
}

#[test]
fn an_unsound_feature_is_refused() {
    let node = |feature| Node::Feature { feature: FeatureId(feature) };
    let check = |nodes: Vec<Node>, features: &[Feature]| {
        let plan = Plan { nodes, features: features.to_vec(), ..Plan::default() };
        match Plan::from_bytes(&plan.to_bytes()) {
            Ok(_) => "sound",
            Err(PlanError::Feature { fault, .. } | PlanError::Node { fault, .. }) => fault,
            Err(other) => panic!("{other}"),
        }
    };
    let named = |name: &str| Feature::Named(name.to_owned());
    assert_eq!(check(vec![node(0)], &[named("x")]), "sound");
    assert_eq!(check(vec![node(0), node(1)], &[named("x"), Feature::Regime("x".into())]), "sound");
    assert_eq!(check(vec![node(1)], &[named("x")]), "is not there");
    assert_eq!(check(vec![node(0)], &[named("x"), named("y")]), "is not read");
    assert_eq!(check(vec![node(0), node(1)], &[named("x"), named("x")]), "is there twice");
    assert_eq!(check(vec![node(0), node(0)], &[named("x")]), "is a node twice");
    for name in ["", "a/b", "..", "é", &"x".repeat(FEATURE_NAME_MAX + 1)] {
        assert_eq!(check(vec![node(0)], &[named(name)]), "has a name that no feature has", "{name}");
    }
}
