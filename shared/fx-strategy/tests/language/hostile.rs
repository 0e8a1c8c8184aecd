use crate::{overrides, refused, strategy};
use fx_strategy::limits::{
    ACTIONS_MAX, DIAGNOSTICS_MAX, EXPONENT_MAX, INLINE_DEPTH_MAX, LOCALS_MAX, LOOK_BACK_MAX, NESTING_MAX,
    PARAMETERS_MAX, RECORDINGS_MAX, RULES_MAX, SOURCE_BYTES_MAX, UNROLL_MAX,
};
use fx_strategy::{Plan, compile};
use proptest::prelude::{ProptestConfig, any, prop, proptest};
use std::collections::BTreeMap;
use std::fmt::Write;

fn limited(source: &str) {
    let found = refused(source);
    assert!(found.as_slice().iter().any(|found| found.code == "limit"), "{found}");
}

fn allowed(body: &str) {
    if let Err(found) = compile(&strategy(body), &BTreeMap::new()) {
        panic!("{found}");
    }
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, at| {
        writeln!(text, "{}", line(at)).unwrap();
        text
    })
}

#[test]
fn a_source_that_is_too_long_is_refused() {
    limited(&"#".repeat(SOURCE_BYTES_MAX + 1));
    allowed(&format!("pass\n#{}", "x".repeat(SOURCE_BYTES_MAX - 200)));
}

#[test]
fn deep_nesting_is_refused_before_it_is_parsed() {
    allowed(&format!("x = {}1{}", "(".repeat(NESTING_MAX - 2), ")".repeat(NESTING_MAX - 2)));
    for open in ["(", "[", "{1:", "-(", "f(", "not (", "a[", "lambda: (", "f\"{("] {
        limited(&strategy(&format!("x = {}", open.repeat(5_000))));
    }
    for chain in ["-", "not ", "1+", "1 if 1 else ", "lambda: ", "a.", "1**", "1<", "x=", "~", "await "] {
        let found = refused(&strategy(&format!("x = {}1", chain.repeat(9_000))));
        assert!(found.as_slice().iter().any(|found| found.code == "limit"), "{chain}");
        // Under the limit on tokens: the gate and the walk have limits of their own.
        survives(&strategy(&format!("x = {}1", chain.repeat(300))));
    }
    limited(&strategy(&format!("x = a{}", ".b".repeat(9_000))));
    limited(&strategy(&format!("x = a{}", "()".repeat(9_000))));
    let blocks: String = lines(100, |at| format!("{}if data.close > {at}:", " ".repeat(at)));
    limited(&strategy(&format!("{blocks}{}pass", " ".repeat(100))));
    let elifs = lines(300, |at| format!("elif data.close > {at}:\n    pass"));
    limited(&strategy(&format!("if data.close > 1:\n    pass\n{elifs}")));
}

#[test]
fn the_place_of_an_overload_is_its_own_line() {
    let found = refused(&strategy(&format!("\"\"\"a\nb\nc\"\"\"\ny = 1\nx = {}", "(".repeat(500))));
    assert_eq!(found.as_slice()[0].line(), Some(10));
}

#[test]
fn work_after_unrolling_and_inlining_is_bounded() {
    allowed(&format!("t = 0\nfor i in range({UNROLL_MAX}):\n    t = t + 1"));
    limited(&strategy(&format!("for i in range({}):\n    pass", UNROLL_MAX + 1)));
    limited(&strategy("for i in range(1000000000000):\n    for j in range(1000000000000):\n        x = 1"));
    for (calls, expected) in [(2, "after unrolling and inlining"), (8, "nested too deeply")] {
        let helpers = lines(INLINE_DEPTH_MAX - 1, |at| {
            format!("def f{}(x):\n    return {}", at + 1, vec![format!("f{at}(x)"); calls].join(" + "))
        });
        let body = strategy(&format!("x = f{}(data.close)", INLINE_DEPTH_MAX - 1));
        let found = refused(&format!("def f0(x):\n    return x + 1\n{helpers}\n{body}"));
        assert!(found.as_slice()[0].message.contains(expected), "{found}");
    }
    let chain = lines(INLINE_DEPTH_MAX + 2, |at| format!("def f{}(x):\n    return f{at}(x)", at + 1));
    limited(&format!("{chain}\n{}", strategy(&format!("x = f{}(1)", INLINE_DEPTH_MAX + 2))));
}

#[test]
fn every_other_limit_refuses_one_more() {
    allowed(&format!("x = sma(data.close, {LOOK_BACK_MAX})\ny = data.close[-{}]", LOOK_BACK_MAX + 1));
    limited(&strategy(&format!("x = sma(data.close, {})", LOOK_BACK_MAX + 1)));
    limited(&strategy(&format!("x = data.close[-{}]", LOOK_BACK_MAX + 2)));
    limited(&strategy(&lines(110, |at| format!("x{at} = sma(data.close, {})", LOOK_BACK_MAX as usize - at))));
    limited(&strategy(&lines(LOCALS_MAX + 1, |at| format!("x{at} = {at}"))));
    let record = |count| lines(count, |at| format!("record(\"r{at}\", {at})"));
    allowed(&record(RECORDINGS_MAX));
    assert!(compile(&strategy(&record(RECORDINGS_MAX + 1)), &BTreeMap::new()).is_err());
    let decide = |count| lines(count, |at| format!("if data.close > {at}:\n    return close()"));
    allowed(&decide(RULES_MAX));
    limited(&strategy(&decide(RULES_MAX + 1)));
    allowed(&format!("return [{}]", "close(),".repeat(ACTIONS_MAX)));
    limited(&strategy(&format!("return [{}]", "close(),".repeat(ACTIONS_MAX + 1))));
    allowed(&format!("x = data.close ** {EXPONENT_MAX}"));
    assert!(
        compile(&strategy(&format!("x = data.close ** {}", EXPONENT_MAX + 1)), &BTreeMap::new()).is_err()
    );
    let fields = |count: usize| {
        format!(
            "class S(Strategy):\n{}    def analyze(self, data):\n        pass\n",
            lines(count, |at| format!("    p{at} = 1"))
        )
    };
    assert!(compile(&fields(PARAMETERS_MAX), &BTreeMap::new()).is_ok());
    limited(&fields(PARAMETERS_MAX + 1));
}

#[test]
fn nodes_are_bounded() {
    let body = lines(30, |_| {
        "for i in range(30):\n    t = (t * t + i) * (t + data.close) * (t - i) * (t + 2 * i) * (t + 3) * (t + 4)".to_owned()
    });
    limited(&strategy(&format!("t = data.open\n{body}\nrecord(\"t\", t)").replace("range(30)", "range(33)")));
}

#[test]
fn the_answer_has_a_bounded_number_of_errors() {
    let found = refused(&strategy(&lines(200, |at| format!("x{at} = unknown{at}"))));
    assert_eq!(found.as_slice().len(), DIAGNOSTICS_MAX);
    let found = refused(&strategy(&lines(200, |_| "import os".to_owned())));
    assert_eq!(found.as_slice().len(), DIAGNOSTICS_MAX);
    let many: BTreeMap<_, _> =
        (0..100).map(|at| (format!("p{at}"), fx_strategy::ParameterValue::Integer(1))).collect();
    assert_eq!(compile(&strategy("pass"), &many).unwrap_err().as_slice().len(), DIAGNOSTICS_MAX);
}

/// Pieces of the language and of what is near it, to be strung together.
const PIECES: &[&str] = &[
    "class S(Strategy):",
    "def analyze(self, data):",
    "return ",
    "if ",
    "else:",
    "elif ",
    "for i in range(3):",
    "while ",
    "\n",
    "\n    ",
    "\n        ",
    "\n            ",
    "data.close",
    "data.bid.high",
    "self.n",
    "position.units",
    "x",
    "y",
    "=",
    "+",
    "-",
    "**",
    "//",
    "%",
    "<",
    "==",
    "and ",
    "or ",
    "not ",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "\"a\"",
    "1",
    "0",
    "-1",
    "2.5",
    "1e308",
    "True",
    "None",
    "sma(",
    "rsi(",
    "bollinger(",
    "buy(",
    "order(",
    "close_partial(",
    "cancel(",
    "modify(",
    "units=",
    "percent=",
    "limit=",
    "stop=",
    "touch=",
    "trail=",
    "stop_loss=",
    "trailing=",
    "price=",
    "tif=",
    "\"day\"",
    "expires=",
    "\"2024-03-08\"",
    "label=",
    "reduce_only=",
    "pips(",
    "lambda ",
    "import ",
    "f\"{",
    "'''",
    "\\",
    "\t",
    "é",
    "\u{feff}",
    "@",
    "*",
    ":=",
    "match ",
    "async ",
    "\0",
    "#",
    ";",
];

/// Compiles, and looks at whatever comes out.
fn survives(source: &str) {
    match compile(source, &overrides([])) {
        Ok(compiled) => {
            let bytes = compiled.plan.to_bytes();
            assert_eq!(Plan::from_bytes(&bytes).as_ref(), Ok(&compiled.plan), "{source}");
            assert_eq!(compile(source, &overrides([])).unwrap().plan.hash(), compiled.plan.hash());
        }
        Err(found) => {
            assert!(!found.as_slice().is_empty() && found.as_slice().len() <= DIAGNOSTICS_MAX);
            assert!(!found.to_string().is_empty());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_text_never_panics(source in any::<String>()) {
        survives(&source);
        survives(&strategy(&source));
    }

    #[test]
    fn random_pieces_never_panic(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60)) {
        let text = pieces.concat();
        survives(&text);
        survives(&strategy(&text));
        survives(&strategy(&format!("x = {text}")));
    }

    #[test]
    fn mutated_strategies_never_panic(
        file in any::<prop::sample::Index>(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), prop::sample::select(PIECES)), 1..6),
    ) {
        let files = crate::files::strategies();
        let mut source = files[file.index(files.len())].1.clone();
        for (from, to, piece) in cuts {
            let places: Vec<usize> = source.char_indices().map(|(at, _)| at).chain([source.len()]).collect();
            let (a, b) = (places[from.index(places.len())], places[to.index(places.len())]);
            let (a, b) = (a.min(b), a.max(b).min(a.min(b) + 40));
            let b = (b..=source.len()).find(|at| source.is_char_boundary(*at)).unwrap_or(source.len());
            source.replace_range(a..b, piece);
        }
        survives(&source);
    }
}
