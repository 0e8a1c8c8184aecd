//! Sources that would cost much: their shape is seen before they are parsed, their work while it is done.

use crate::fuzz::survives;
use crate::{refused, strategy};
use fx_strategy::compile;
use fx_strategy::limits::{INLINE_DEPTH_MAX, NESTING_MAX, UNROLL_MAX};
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

pub(crate) fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, at| {
        writeln!(text, "{}", line(at)).unwrap();
        text
    })
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
    for (calls, expected) in [(2, "steps after unrolling and inlining"), (8, "nested too deeply")] {
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
