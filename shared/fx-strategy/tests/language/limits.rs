//! Every limit of the compiler, exactly at it and just past it: there the error names the limit and the place.

use crate::hostile::lines;
use crate::{compiled, overrides, refused, strategy};
use fx_strategy::limits::{
    ACTIONS_MAX, CELLS_MAX, DEPTH_MAX, DIAGNOSTICS_MAX, EXPONENT_MAX, FEATURE_NAME_MAX, FEATURES_MAX,
    FEEDS_MAX, HISTORY_MAX, INLINE_DEPTH_MAX, LABEL_BYTES_MAX, LABELS_MAX, LOCALS_MAX, LOOK_BACK_MAX,
    NESTING_MAX, NODES_MAX, PARAMETERS_MAX, PLAN_BYTES_MAX, RECORDING_NAME_MAX, RECORDINGS_MAX, RULES_MAX,
    SOURCE_BYTES_MAX, STATEMENT_TOKENS_MAX, STEPS_MAX, SUGGESTED_NAME_BYTES_MAX, UNROLL_MAX,
};
use fx_strategy::{Node, ParameterValue, Plan, compile};
use std::fmt::Display;

/// The line of `analyze`'s name in [`strategy`], behind which its body begins.
const ANALYZE_LINE: u32 = 5;

/// `source` is refused by a limit: the error stands in `line`, has `code` and names `limit`.
fn past(source: &str, line: u32, code: &str, limit: impl Display) {
    let found = refused(source);
    let first = &found.as_slice()[0];
    assert_eq!((first.line(), first.code), (Some(line), code), "{first}");
    assert!(first.message.contains(&limit.to_string()), "{limit}: {first}");
    assert_eq!(found.as_slice().len(), 1, "a limit is told once:\n{found}");
}

/// The same of a body of `analyze`, whose lines are numbered from 1.
fn past_in(body: &str, line: u32, limit: impl Display) {
    past(&strategy(body), ANALYZE_LINE + line, "limit", limit);
}

fn at(body: &str) -> Plan {
    compiled(&strategy(body)).plan
}

#[test]
fn every_limit_is_tested_here() {
    let tests = include_str!("limits.rs");
    let limits = include_str!("../../src/limits.rs");
    let names = limits.lines().filter_map(|line| line.strip_prefix("pub const ")?.split(':').next());
    let missing: Vec<&str> = names.filter(|name| tests.matches(name).count() < 2).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn bytes_of_a_source() {
    let padded = |bytes: usize| {
        let source = strategy("pass") + "#";
        let rest = bytes - source.len();
        source + &"x".repeat(rest)
    };
    compiled(&padded(SOURCE_BYTES_MAX));
    past(&padded(SOURCE_BYTES_MAX + 1), 1, "limit", SOURCE_BYTES_MAX);
}

#[test]
fn brackets_and_blocks_inside_each_other() {
    // The class and its method are two blocks.
    let nested = |brackets: usize| format!("x = {}1{}", "(".repeat(brackets), ")".repeat(brackets));
    at(&nested(NESTING_MAX - 2));
    past_in(&nested(NESTING_MAX - 1), 1, NESTING_MAX);
}

#[test]
fn words_and_signs_of_a_statement() {
    // The end of the line before counts, and three words in front of the chain.
    let chained =
        |comparisons: usize, sign: &str| format!("y = 1\nx = {sign}1{}", " < 1".repeat(comparisons));
    let comparisons = (STATEMENT_TOKENS_MAX - 4) / 2;
    at(&chained(comparisons, ""));
    past_in(&chained(comparisons, "-"), 2, STATEMENT_TOKENS_MAX);
}

#[test]
fn levels_of_the_tree() {
    // Above the signs stand class, method and assignment, below them the attribute and its name.
    let signed = |signs: usize| format!("x = {}data.close", "-".repeat(signs));
    at(&signed(DEPTH_MAX - 5));
    past_in(&signed(DEPTH_MAX - 4), 1, DEPTH_MAX);
    // The same of a helper's body inside its call.
    let helped = |signs: usize| {
        format!(
            "def f(x):\n    return {}x\n{}",
            "-".repeat(signs),
            strategy(&signed(40).replace("data.close", "f(1)"))
        )
    };
    // Assignment, signs, call, return, signs, name.
    compiled(&helped(DEPTH_MAX - 44));
    past(&helped(DEPTH_MAX - 43), 2, "limit", DEPTH_MAX);
}

#[test]
fn helpers_inside_each_other() {
    let chain = |calls: usize| {
        let helpers = lines(calls - 1, |at| format!("def f{}(x):\n    return f{at}(x)", at + 1));
        format!("def f0(x):\n    return x\n{helpers}{}", strategy(&format!("x = f{}(1)", calls - 1)))
    };
    compiled(&chain(INLINE_DEPTH_MAX));
    past(&chain(INLINE_DEPTH_MAX + 1), 4, "limit", INLINE_DEPTH_MAX);
}

#[test]
fn passes_of_all_loops_together() {
    let loops =
        |passes: usize| format!("for i in range(600):\n    pass\nfor i in range({passes}):\n    pass");
    at(&loops(UNROLL_MAX - 600));
    past_in(&loops(UNROLL_MAX - 599), 3, UNROLL_MAX);
}

#[test]
fn steps_after_unrolling() {
    // A loop and its bound are two steps, each `pass` is one.
    let (inside, passes) = (STEPS_MAX / 1_000 - 1, 1_000);
    let steps = |steps: usize| {
        let body = lines(inside, |_| "    pass".to_owned());
        let behind = lines(steps - 2 - inside * passes, |_| "pass".to_owned());
        format!("for i in range({passes}):\n{body}{behind}")
    };
    at(&steps(STEPS_MAX));
    let line = 1 + inside + (STEPS_MAX + 1 - 2 - inside * passes);
    past_in(&steps(STEPS_MAX + 1), u32::try_from(line).unwrap(), STEPS_MAX);
}

#[test]
fn local_names_of_a_function() {
    // `self` and `data` are two of them.
    let names = |count: usize| lines(count, |at| format!("x{at} = {at}"));
    at(&names(LOCALS_MAX - 2));
    past_in(&names(LOCALS_MAX - 1), u32::try_from(LOCALS_MAX).unwrap() - 1, LOCALS_MAX);
}

#[test]
fn nodes_of_a_plan() {
    // The condition under which `analyze` runs is one node, the close another; each sum is one.
    let sums = |count: usize| {
        let (passes, rest) = (count / 20, count % 20);
        let sum = |indent: &str| format!("{indent}t = t + data.close");
        let body = lines(20, |_| sum("    "));
        let behind = lines(rest, |_| sum(""));
        format!("t = data.close\nfor i in range({passes}):\n{body}{behind}record(\"t\", t)")
    };
    assert_eq!(at(&sums(NODES_MAX - 2)).nodes.len(), NODES_MAX - 1, "the condition is gone");
    let line = 2 + 20 + (NODES_MAX - 1) % 20;
    past_in(&sums(NODES_MAX - 1), u32::try_from(line).unwrap(), NODES_MAX);
}

#[test]
fn ways_to_decide() {
    let ways = |count: usize| lines(count, |at| format!("if data.close > {at}:\n    return close()"));
    assert_eq!(at(&ways(RULES_MAX)).rules.len(), RULES_MAX);
    past_in(&ways(RULES_MAX + 1), 2 * u32::try_from(RULES_MAX).unwrap() + 2, RULES_MAX);
    // A decision that is chosen between once more has twice as many ways: eight choices of two.
    let choices = |count: usize| {
        let more = lines(count - 1, |at| format!("d = d if data.close > {at} else d"));
        format!("d = close() if data.open > 1 else cancel()\n{more}return d")
    };
    let most = RULES_MAX.ilog2();
    assert_eq!(at(&choices(most as usize)).rules.len(), RULES_MAX);
    past_in(&choices(most as usize + 1), most + 1, RULES_MAX);
}

#[test]
fn decisions_of_one_return() {
    let list = |count| format!("return [{}]", "close(),".repeat(count));
    at(&list(ACTIONS_MAX));
    past_in(&list(ACTIONS_MAX + 1), 1, ACTIONS_MAX);
    // A name for several of them does not hide how many they are.
    past_in(&format!("d = [{}]\nreturn [d, d]", "close(),".repeat(ACTIONS_MAX)), 2, ACTIONS_MAX);
}

#[test]
fn recorded_series_and_their_names() {
    let record = |count| lines(count, |at| format!("record(\"r{at}\", {at})"));
    assert_eq!(at(&record(RECORDINGS_MAX)).recordings.len(), RECORDINGS_MAX);
    past_in(&record(RECORDINGS_MAX + 1), u32::try_from(RECORDINGS_MAX).unwrap() + 1, RECORDINGS_MAX);
    let named = |bytes| format!("record(\"{}\", 1)", "r".repeat(bytes));
    at(&named(RECORDING_NAME_MAX));
    past(&strategy(&named(RECORDING_NAME_MAX + 1)), ANALYZE_LINE + 1, "argument", RECORDING_NAME_MAX);
}

#[test]
fn labels_and_their_bytes() {
    let labels = |count| {
        let order =
            |at: usize| format!("if data.close > {}:\n    return order(units=1, label=\"l{at}\")", at % 200);
        lines(count, order)
    };
    assert_eq!(at(&labels(LABELS_MAX)).labels.len(), LABELS_MAX);
    past_in(&labels(LABELS_MAX + 1), 2 * u32::try_from(LABELS_MAX).unwrap() + 2, LABELS_MAX);
    let named = |bytes| format!("return order(units=1, label=\"{}\")", "l".repeat(bytes));
    at(&named(LABEL_BYTES_MAX));
    past_in(&named(LABEL_BYTES_MAX + 1), 1, LABEL_BYTES_MAX);
}

#[test]
fn features_and_the_bytes_of_their_names() {
    let features = |count| lines(count, |at: usize| format!("x = feature(\"f{at}\")"));
    at(&features(FEATURES_MAX));
    past_in(&features(FEATURES_MAX + 1), u32::try_from(FEATURES_MAX).unwrap() + 1, FEATURES_MAX);
    let named = |call: &str, bytes| {
        format!("record(\"x\", 1 if {} else 0)", call.replace("NAME", &"x".repeat(bytes)))
    };
    for call in ["feature(\"NAME\") > 0", "pattern(\"NAME\") > 0", "regime() == \"NAME\""] {
        at(&named(call, FEATURE_NAME_MAX));
        past_in(&named(call, FEATURE_NAME_MAX + 1), 1, FEATURE_NAME_MAX);
    }
}

#[test]
fn bars_of_one_window_and_lag() {
    at(&format!("x = sma(data.close, {LOOK_BACK_MAX})\ny = data.close[-{}]", LOOK_BACK_MAX + 1));
    past_in(&format!("x = sma(data.close, {})", LOOK_BACK_MAX + 1), 1, LOOK_BACK_MAX);
    past_in(&format!("x = data.close[-{}]", LOOK_BACK_MAX + 2), 1, LOOK_BACK_MAX);
    past_in("x = data.close[-9223372036854775807 - 1]", 1, LOOK_BACK_MAX);
    for bars in [0, -1, i64::MIN, i64::MAX] {
        past_in(&format!("x = sma(data.close, {})", whole(bars)), 1, LOOK_BACK_MAX);
    }
}

/// `value` as the language writes it: the least whole number is no literal.
fn whole(value: i64) -> String {
    if value == i64::MIN { format!("{} - 1", value + 1) } else { value.to_string() }
}

#[test]
fn bars_of_all_windows_together() {
    let windows = |last: u64| {
        let full = HISTORY_MAX / u64::from(LOOK_BACK_MAX) - 1;
        let most = lines(usize::try_from(full).unwrap(), |at| {
            format!("x{at} = highest(data.close + {at}, {LOOK_BACK_MAX})")
        });
        format!("{most}y = lowest(data.close, {})\nz = lowest(data.close, {last})", LOOK_BACK_MAX - 1)
    };
    at(&windows(1));
    past_in(&windows(2), u32::try_from(HISTORY_MAX / u64::from(LOOK_BACK_MAX)).unwrap() + 1, HISTORY_MAX);
}

#[test]
fn other_timeframes_and_instruments() {
    let bases = ["EUR", "GBP", "AUD", "NZD", "CAD", "CHF", "JPY", "SEK", "NOK"];
    let feeds: Vec<String> = bases
        .iter()
        .flat_map(|base| {
            ["1h", "1d"]
                .map(|length| format!("x = data.instrument(\"{base}USD\").timeframe(\"{length}\").close"))
        })
        .collect();
    at(&feeds[..FEEDS_MAX].join("\n"));
    past_in(&feeds[..=FEEDS_MAX].join("\n"), u32::try_from(FEEDS_MAX).unwrap() + 1, FEEDS_MAX);
}

#[test]
fn parameters_and_states() {
    let class =
        |fields: &str| format!("class S(Strategy):\n{fields}    def analyze(self, data):\n        pass\n");
    let line = |limit: usize| u32::try_from(limit).unwrap() + 2;
    let parameters = |count| class(&lines(count, |at| format!("    p{at} = 1")));
    assert_eq!(compiled(&parameters(PARAMETERS_MAX)).parameters.len(), PARAMETERS_MAX);
    past(&parameters(PARAMETERS_MAX + 1), line(PARAMETERS_MAX), "limit", PARAMETERS_MAX);
    let states = |count| class(&lines(count, |at| format!("    c{at} = state(0)")));
    compiled(&states(CELLS_MAX));
    past(&states(CELLS_MAX + 1), line(CELLS_MAX), "limit", CELLS_MAX);
}

#[test]
fn exponents() {
    let power = |exponent: i64| format!("x = data.close ** ({})", whole(exponent));
    for most in [EXPONENT_MAX, -EXPONENT_MAX] {
        at(&power(most));
        let more = strategy(&power(most + most.signum()));
        past(&more, ANALYZE_LINE + 1, "constant", EXPONENT_MAX);
    }
    for far in [i64::MIN, i64::MAX] {
        past(&strategy(&power(far)), ANALYZE_LINE + 1, "constant", EXPONENT_MAX);
        let given = overrides([("n", ParameterValue::Integer(far))]);
        let found = compile(&strategy("x = data.close ** self.n"), &given).unwrap_err();
        assert_eq!(found.as_slice()[0].code, "constant", "{found}");
    }
}

#[test]
fn errors_of_one_answer() {
    let found = refused(&strategy(&lines(DIAGNOSTICS_MAX, |at| format!("x{at} = unknown{at}"))));
    assert_eq!(found.as_slice().len(), DIAGNOSTICS_MAX);
    for more in ["x = unknown", "import os", "x = $", "\u{200b}"] {
        let found = refused(&strategy(&lines(200, |at| format!("{more}{at}"))));
        assert_eq!(found.as_slice().len(), DIAGNOSTICS_MAX, "{more}");
    }
    let many: std::collections::BTreeMap<_, _> =
        (0..100).map(|at| (format!("p{at}"), ParameterValue::Integer(1))).collect();
    assert_eq!(compile(&strategy("pass"), &many).unwrap_err().as_slice().len(), DIAGNOSTICS_MAX);
}

#[test]
fn names_that_are_compared() {
    let misspelt = |bytes: usize| {
        let name = "f".repeat(bytes - 1);
        let found = refused(&strategy(&format!("{name}y = 1\nx = {name}z")));
        found.as_slice()[0].hint.clone().unwrap()
    };
    assert!(misspelt(SUGGESTED_NAME_BYTES_MAX).starts_with("did you mean"));
    assert!(misspelt(SUGGESTED_NAME_BYTES_MAX + 1).starts_with("assign `"));
}

#[test]
fn the_largest_plan_fits_its_bytes() {
    // As many rules as there may be, each with as many decisions, each of these as long as it gets.
    let order = |at: usize| {
        format!(
            "order(units=x, stop=x, limit=x, stop_loss=x, take_profit=x, trailing=pips(x), expires=\"2024-03-08\", label=\"{}{at:03}\")",
            "l".repeat(LABEL_BYTES_MAX - 3)
        )
    };
    let helpers = "def all(x):\n    return [".to_owned()
        + &(0..ACTIONS_MAX).map(|at| order(at) + ",\n").collect::<String>()
        + "]\n";
    let ways = RULES_MAX;
    let body = lines(ways, |at| format!("if data.close > {at}: return all(data.close + {at})"));
    let plan = compiled(&format!("{helpers}{}", strategy(&body))).plan;
    assert_eq!((plan.rules.len(), plan.rules[0].actions.len()), (ways, ACTIONS_MAX));
    let bytes = plan.to_bytes();
    assert!(bytes.len() < PLAN_BYTES_MAX, "{}", bytes.len());
    assert_eq!(Plan::from_bytes(&bytes).as_ref(), Ok(&plan));
    let longer = vec![0; PLAN_BYTES_MAX + 1];
    let fault = Plan::from_bytes(&longer).unwrap_err().to_string();
    assert!(fault.contains(&PLAN_BYTES_MAX.to_string()), "{fault}");
    assert!(matches!(plan.nodes[0], Node::Price { .. }));
}
