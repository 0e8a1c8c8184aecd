use crate::{compiled, overrides, plan_of, refused, strategy, words};
use fx_strategy::{ParameterValue, compile};

fn words_of(body: &str) -> String {
    words(&plan_of(body))
}

#[test]
fn the_smallest_strategy_has_no_rules() {
    let source = "class NewStrategy(Strategy):\n    def analyze(self, data):\n        return {}\n";
    let compiled = compiled(source);
    assert_eq!(compiled.name, "NewStrategy");
    assert!(compiled.plan.rules.is_empty() && compiled.plan.nodes.is_empty() && compiled.warnings.is_empty());
    assert_eq!(compiled.plan.warm_up_bars(), 0);
}

#[test]
fn every_way_to_decide_nothing_is_the_same_plan() {
    let nothing = plan_of("return {}").hash();
    for body in [
        "return None",
        "return",
        "pass",
        "return []",
        "x = data.close + 1",
        "if data.close > 1:\n    return {}",
    ] {
        assert_eq!(plan_of(body).hash(), nothing, "{body}");
    }
}

#[test]
fn an_average_cross_with_a_tie_tolerance() {
    let body = "d = sma(data.close, 10) - sma(data.close, 30)\nif data.index < 30:\n    return {}\n\
                if d > 1e-11:\n    return buy(units=10000)\nif d < -1e-11:\n    return sell(units=10000)\nreturn {}";
    let d = "Sub(Sma(close, 10), Sma(close, 30))";
    let late = "Not(Lt(index, 30))";
    let up = format!("Gt({d}, 0.00000000001)");
    assert_eq!(
        words_of(body),
        format!(
            "And({late}, {up}) => Long Units 10000 sl none tp none\n\
             And(And({late}, Not({up})), Lt({d}, -0.00000000001)) => Short Units 10000 sl none tp none"
        )
    );
}

#[test]
fn an_rsi_entry_with_price_levels() {
    let body = "r = rsi(data.close, 14)\nif position.units == 0 and data.index >= 15:\n    if r < 30:\n        \
                return buy(units=10000, stop_loss=data.close - 0.0030, take_profit=data.close + 0.0045)";
    assert_eq!(
        words_of(body),
        "And(And(Eq(position.units, 0), Ge(index, 15)), Lt(Rsi(close, 14), 30)) => \
         Long Units 10000 sl Sub(close, 0.003) tp Add(close, 0.0045)"
    );
    let plan = plan_of(body);
    assert_eq!(plan.warm_up_bars(), 14);
    assert!(plan.reactive()[plan.rules[0].guard.index()]);
}

#[test]
fn a_local_of_two_branches_becomes_a_choice() {
    let body = "if data.close > 1:\n    x = 1\nelif data.close > 2:\n    x = 2\nelse:\n    x = data.open\nrecord(\"x\", x)";
    assert_eq!(words_of(body), "x = Select(Gt(close, 1), 1, Select(Gt(close, 2), 2, open))");
}

#[test]
fn a_local_of_one_branch_keeps_its_earlier_value() {
    let body = "x = data.open\nif data.close > 1:\n    x += 1\nrecord(\"x\", x)";
    assert_eq!(words_of(body), "x = Select(Gt(close, 1), Add(open, 1), open)");
}

#[test]
fn a_branch_that_returns_leaves_the_other_branch_s_values() {
    let body = "if data.close > 1:\n    return close()\nelse:\n    x = data.open\nreturn target(units=x)";
    assert_eq!(words_of(body), "Gt(close, 1) => close\nNot(Gt(close, 1)) => target open");
}

#[test]
fn a_partial_return_guards_what_follows() {
    let body = "if data.close > 1:\n    if data.open > 2:\n        return close()\nreturn target(units=5)";
    assert_eq!(
        words_of(body),
        "And(Gt(close, 1), Gt(open, 2)) => close\n\
         Or(And(Gt(close, 1), Not(Gt(open, 2))), Not(Gt(close, 1))) => target 5"
    );
}

#[test]
fn a_branch_on_an_unrelated_condition_does_not_guard_what_follows() {
    let body = "x = 1\nif data.close > 1:\n    x = 2\nreturn close()";
    assert_eq!(words_of(body), "true => close");
}

#[test]
fn parameters_are_constants_and_choose_branches() {
    let source = strategy("if self.on:\n    return target(units=self.n)\nreturn close()");
    assert_eq!(words(&compiled(&source).plan), "true => target 10");
    let off = compile(&source, &overrides([("on", ParameterValue::Boolean(false))])).unwrap();
    assert_eq!(words(&off.plan), "true => close");
    assert_eq!(off.effective["on"], ParameterValue::Boolean(false));
}

#[test]
fn history_counts_back_from_now() {
    let body = "c = data.close\nrecord(\"a\", c[-1])\nrecord(\"b\", c[-3])\nrecord(\"d\", sma(c, 2)[-2])\n\
                if (c > 1)[-2]:\n    return close()";
    assert_eq!(words_of(body), "Gt(close, 1)[-2] => close\na = close\nb = close[-3]\nd = Sma(close, 2)[-2]");
}

#[test]
fn constants_fold_as_in_python() {
    for (expression, value) in [
        ("-7 // 2", "-4"),
        ("7 // -2", "-4"),
        ("-7 % 3", "2"),
        ("7 % -3", "-2"),
        ("7.5 // 2", "3"),
        ("-7.5 // 2", "-4"),
        ("1.0 // 0.1", "9"),
        ("-7.5 % 2", "0.5"),
        ("68 % 1.5", "0.5"),
        ("1 if defined(68 % 1.5) else 0", "1"),
        ("7 / 2", "3.5"),
        ("2 ** 10", "1024"),
        ("2 ** -2", "0.25"),
        ("min(3, 1, 2)", "1"),
        ("max(3, 1.5)", "3"),
        ("abs(-3)", "3"),
        ("sqrt(2.25)", "1.5"),
        ("1 if 1 < 2 < 3 else 0", "1"),
        ("1 if 1 < 2 > 3 else 0", "0"),
        ("-0.0", "0"),
    ] {
        assert_eq!(words_of(&format!("record(\"x\", {expression})")), format!("x = {value}"), "{expression}");
    }
}

#[test]
fn an_undefined_constant_stays_an_operation() {
    assert_eq!(words_of("record(\"x\", 1 / 0)"), "x = Div(1, 0)");
    assert_eq!(words_of("record(\"x\", 1.5 // 0)"), "x = FloorDiv(1.5, 0)");
    assert_eq!(words_of("record(\"x\", 1.5 % 0)"), "x = Mod(1.5, 0)");
    assert_eq!(words_of("record(\"x\", 1e308 * 10)"), format!("x = Mul(1{}, 10)", "0".repeat(308)));
    assert_eq!(words_of("record(\"x\", sqrt(-1))"), "x = Sqrt(-1)");
}

#[test]
fn logic_folds_only_where_an_undefined_operand_cannot_show() {
    let words = |test: &str| words_of(&format!("c = data.close > 1\nif {test}:\n    return close()"));
    assert_eq!(words("c and True"), "Gt(close, 1) => close");
    assert_eq!(words("True and c"), "Gt(close, 1) => close");
    assert_eq!(words("not not c"), "Gt(close, 1) => close");
    assert_eq!(words("False and c"), "");
    assert_eq!(words("c or True"), "Or(Gt(close, 1), true) => close");
}

#[test]
fn loops_unroll_and_helpers_inline() {
    let source = "def mean(a, b=2):\n    return (a + b) / 2\n\n\
                  class S(Strategy):\n    n = 3\n    def twice(self, x):\n        if x > 1:\n            return x\n        return 2 * x\n\n\
                  \x20   def analyze(self, data):\n        total = 0\n        for i in range(1, self.n + 1):\n            \
                  total = total + data.close[-i]\n        record(\"t\", total)\n        record(\"m\", mean(data.open))\n        \
                  record(\"w\", self.twice(data.low))\n";
    assert_eq!(
        words(&compiled(source).plan),
        "t = Add(Add(Add(0, close), close[-2]), close[-3])\nm = Div(Add(open, 2), 2)\n\
         w = Select(Gt(low, 1), low, Mul(2, low))"
    );
}

#[test]
fn indicators_lower_to_their_definitions() {
    let body = "u, m, l = bollinger(data.close, 20)\nrecord(\"u\", u)\nhigh, mid, low = donchian(5)\nrecord(\"mid\", mid)\n\
                record(\"atr\", atr(14))\nif crosses_above(data.close, 1.1) and rising(data.close, 3):\n    return close()";
    assert_eq!(
        words_of(body),
        "And(And(Gt(close, 1.1), Le(close[-2], 1.1)), Gt(close, Highest(close[-2], 3))) => close\n\
         u = Add(Sma(close, 20), Mul(2, Stdev(close, 20)))\n\
         mid = Div(Add(Highest(high, 5), Lowest(low, 5)), 2)\n\
         atr = Rma(Max(Max(Sub(high, low), Abs(Sub(high, close[-2]))), Abs(Sub(low, close[-2]))), 14)"
    );
}

#[test]
fn the_fast_average_of_macd_begins_with_the_slow_one() {
    let body =
        "line, signal, hist = macd(data.close, 3, 5, 2)\nrecord(\"line\", line)\nrecord(\"signal\", signal)";
    let line = "Sub(Ema(Add(close, Mul(0, close[-3])), 3), Ema(close, 5))";
    assert_eq!(words_of(body), format!("line = {line}\nsignal = Ema({line}, 2)"));
    // TA-Lib's look-back: slow − 1 + signal − 1.
    assert_eq!(plan_of(body).warm_up_bars(), 5);
}

#[test]
fn a_dict_is_the_call_it_names() {
    let call = plan_of("return buy(units=1000, stop_loss=pips(20), take_profit=data.close + 0.01)");
    let dict = plan_of(
        "return {\"action\": \"buy\", \"units\": 1000, \"take_profit\": data.close + 0.01, \"stop_loss\": pips(20)}",
    );
    assert_eq!(call, dict);
    assert_eq!(plan_of("return {\"action\": \"close\"}"), plan_of("return close()"));
}

#[test]
fn decisions_pass_through_names_choices_and_helpers() {
    let returned = "if data.close > 1:\n    return buy(lots=1)\nreturn sell(lots=2)";
    let named = "signal = sell(lots=2)\nif data.close > 1:\n    signal = buy(lots=1)\nreturn signal";
    let chosen = "return buy(lots=1) if data.close > 1 else sell(lots=2)";
    let expected =
        "Gt(close, 1) => Long Lots 1 sl none tp none\nNot(Gt(close, 1)) => Short Lots 2 sl none tp none";
    for body in [returned, named, chosen] {
        assert_eq!(words_of(body), expected, "{body}");
    }
    let maybe = "signal = None\nif data.close > 1:\n    signal = close()\nreturn signal";
    assert_eq!(words_of(maybe), "Gt(close, 1) => close");
}

#[test]
fn a_list_is_one_rule() {
    assert_eq!(
        words_of("return [close(), buy(equity_percent=50)]"),
        "true => close; Long EquityPercent 50 sl none tp none"
    );
}

#[test]
fn the_order_of_assignments_does_not_show_in_the_hash() {
    let a = plan_of(
        "a = sma(data.close, 5)\nb = ema(data.close, 7)\nunused = rsi(data.open, 3)\nif a > b:\n    return close()",
    );
    let b = plan_of(
        "slow = ema(data.close, 7)\nquick = sma(data.close, 5)\nif quick > slow:\n    return close()\nreturn {}",
    );
    assert_eq!(a.hash(), b.hash());
    assert_ne!(a.hash(), plan_of("if sma(data.close, 5) > ema(data.close, 8):\n    return close()").hash());
}

#[test]
fn common_parts_are_one_node() {
    let plan = plan_of(
        "if crosses_above(sma(data.close, 5), sma(data.close, 9)):\n    return close()\nif sma(data.close, 5) > 2:\n    return target(units=0)",
    );
    let windows = plan.nodes.iter().filter(|node| matches!(node, fx_strategy::Node::Window { .. })).count();
    assert_eq!(windows, 2);
}

#[test]
fn an_indicator_in_a_branch_is_a_node_without_a_guard() {
    let body = "if data.close > 1:\n    x = ema(data.close, 5)\nelse:\n    x = 0\nrecord(\"x\", x)";
    assert_eq!(words_of(body), "x = Select(Gt(close, 1), Ema(close, 5), 0)");
}

#[test]
fn a_series_recorded_under_a_condition_has_gaps() {
    let body = "if data.close > 1:\n    record(\"x\", data.open)";
    assert_eq!(words_of(body), "x = Select(Gt(close, 1), open, Div(0, 0))");
}

#[test]
fn parameters_have_kinds_ranges_and_texts() {
    let source = "class S(Strategy):\n    \"\"\"What it does.\"\"\"\n    a: int = param(10, min=2, max=500, description=\"bars\")\n    \
                  b: float = 2\n    c = -1.5\n    d = True\n    def analyze(self, data):\n        return {}\n";
    let compiled = compiled(source);
    assert_eq!(compiled.description.as_deref(), Some("What it does."));
    let a = &compiled.parameters[0];
    assert_eq!((a.name.as_str(), &a.default), ("a", &ParameterValue::Integer(10)));
    assert_eq!(
        (a.min.clone(), a.max.clone()),
        (Some(ParameterValue::Integer(2)), Some(ParameterValue::Integer(500)))
    );
    assert_eq!(a.description.as_deref(), Some("bars"));
    assert_eq!(compiled.effective["b"], ParameterValue::Number(2.0));
    assert_eq!(compiled.effective["c"], ParameterValue::Number(-1.5));
    assert_eq!(compiled.effective["d"], ParameterValue::Boolean(true));
    let given = overrides([("b", ParameterValue::Integer(3))]);
    assert_eq!(compile(source, &given).unwrap().effective["b"], ParameterValue::Number(3.0));
}

#[test]
fn each_fault_of_the_overrides_names_its_field() {
    let source = "class S(Strategy):\n    fast: int = param(10, min=2, max=500)\n    slow: float = 2.5\n    on = True\n    \
                  def analyze(self, data):\n        return {}\n";
    let given = overrides([
        ("fast", ParameterValue::Integer(1)),
        ("fsat", ParameterValue::Integer(5)),
        ("slow", ParameterValue::Boolean(true)),
        ("on", ParameterValue::Integer(1)),
    ]);
    let faults = compile(source, &given).unwrap_err().into_issues();
    let text: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        text,
        [
            "parameters.fast: `fast` is 1, it must be from 2 to 500",
            "parameters.fsat: the strategy has no parameter `fsat`",
            "parameters.on: `on` is 1, it must be true or false",
            "parameters.slow: `slow` is True, it must be a finite number",
        ]
    );
    assert_eq!(faults[1].hint.as_deref(), Some("did you mean `fast`?"));
    for (name, value) in [("fast", ParameterValue::Number(10.5)), ("slow", ParameterValue::Number(f64::NAN))]
    {
        assert!(compile(source, &overrides([(name, value)])).is_err());
    }
}

#[test]
fn a_line_behind_a_return_is_warned_about() {
    let compiled = compiled(&strategy("return {}\nrecord(\"x\", 1)"));
    assert_eq!(compiled.warnings.len(), 1);
    assert_eq!(compiled.warnings[0].line(), Some(7));
    let constant = crate::compiled(&strategy("return buy(units=1, stop_loss=25)"));
    assert_eq!(constant.warnings[0].code, "decision");
}

#[test]
fn several_errors_come_in_one_answer_in_order() {
    let found =
        refused(&strategy("a = undefined_one\nb = a + 1\nc = sma(data.close, 0)\nreturn byu(units=1)"));
    let codes: Vec<&str> = found.as_slice().iter().map(|found| found.code).collect();
    assert_eq!(codes, ["unknown-name", "limit", "unknown-name"]);
}
