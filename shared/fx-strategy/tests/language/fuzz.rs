//! Whatever is written, there is an answer, and it costs bounded time and memory. What is allocated is counted instead
//! of a clock, so that a busy machine decides nothing. `FUZZ_CASES=100000` looks further.

mod grammar;

use crate::files::strategies;
use crate::hostile::lines;
use crate::{overrides, strategy};
use allocation_counter::{AllocationInfo, measure};
use fx_strategy::limits::{DIAGNOSTICS_MAX, NODES_MAX, STEPS_MAX};
use fx_strategy::{BUILTINS, Checked, ParameterValue, Plan, check, compile};
use proptest::prelude::{ProptestConfig, any, prop, proptest};
use proptest::sample::Index;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;

/// Cases of each property, unless `FUZZ_CASES` says how many.
const CASES: u32 = 300;
/// Bytes that one compilation holds at once, at most.
const BYTES_HELD_MAX: u64 = 64 * 1024 * 1024;
/// Allocations of one compilation, at most: those of a step, times the steps.
const ALLOCATIONS_MAX: u64 = 200 * STEPS_MAX as u64;

fn config() -> ProptestConfig {
    let asked = std::env::var("FUZZ_CASES").ok().and_then(|text| text.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(CASES), failure_persistence: None, ..ProptestConfig::default() }
}

/// Compiles within bounds, and looks at whatever comes out.
pub(crate) fn survives(source: &str) {
    survives_with(source, &overrides([]));
}

fn survives_with(source: &str, given: &BTreeMap<String, ParameterValue>) {
    let mut answer = None;
    let AllocationInfo { count_total, bytes_max, .. } = measure(|| answer = Some(check(source, given)));
    assert!(bytes_max <= BYTES_HELD_MAX, "{bytes_max} bytes at once:\n{source}");
    assert!(count_total <= ALLOCATIONS_MAX, "{count_total} allocations:\n{source}");
    let Checked { compiled, findings } = answer.unwrap();
    assert!(findings.len() <= 2 * DIAGNOSTICS_MAX, "{source}");
    match compiled {
        Some(compiled) => {
            assert!(compiled.plan.nodes.len() <= NODES_MAX);
            let bytes = compiled.plan.to_bytes();
            assert_eq!(Plan::from_bytes(&bytes).as_ref(), Ok(&compiled.plan), "{source}");
            assert_eq!(compile(source, given).unwrap().plan.hash(), compiled.plan.hash());
        }
        None => {
            let found = compile(source, given).unwrap_err();
            assert!(!found.as_slice().is_empty() && found.as_slice().len() <= DIAGNOSTICS_MAX, "{source}");
            let lines = source.split(['\n', '\r']).count();
            for line in found.as_slice().iter().filter_map(fx_strategy::Diagnostic::line) {
                assert!((1..=lines).contains(&(line as usize)), "line {line} of {lines}:\n{source}");
            }
            assert!(!found.to_string().is_empty());
        }
    }
}

/// What is not a name or a number of the language, and how blocks begin and end.
const SIGNS: &[&str] = &[
    "class S(Strategy):",
    "def analyze(self, data):",
    "def f(x, y=1):",
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
    "data",
    "self",
    "position",
    "account",
    "state(",
    "param(",
    ".",
    "close",
    "bid",
    "units",
    "n",
    "timeframe(\"4h\")",
    "instrument(\"GBPUSD\")",
    "in_session(",
    "x",
    "y",
    "f(",
    "=",
    "+=",
    "+",
    "-",
    "**",
    "//",
    "%",
    "/",
    "*",
    "<",
    "==",
    "!=",
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
    "\"action\"",
    "1",
    "0",
    "-1",
    "2.5",
    "1e308",
    "-9223372036854775807",
    "True",
    "None",
    "\"day\"",
    "\"2024-03-08\"",
    "lambda ",
    "import ",
    "f\"{",
    "'''",
    "\"",
    "\\",
    "\t",
    "é",
    "\u{feff}",
    "\u{202e}",
    "@",
    ":=",
    "match ",
    "case ",
    "async ",
    "await ",
    "yield ",
    "with ",
    "try:",
    "del ",
    "global ",
    "\0",
    "#",
    ";",
    "\r",
    "~",
    "|",
    "->",
    "...",
    "0x",
    "1j",
    "b''",
    "!",
    "$",
    "?",
    "int",
    "float",
];

/// A word of the language, or near it: calls and names of arguments come from the table of functions.
fn word(at: u16) -> String {
    let at = usize::from(at);
    let calls = 2 * BUILTINS.len();
    match at % (SIGNS.len() + calls) {
        sign if sign < SIGNS.len() => SIGNS[sign].to_owned(),
        call => {
            let row = &BUILTINS[(call - SIGNS.len()) / 2];
            let argument = row
                .signature
                .split(['(', ',', ' ', '=', ')'])
                .filter(|word| !word.is_empty())
                .nth(1 + at % 5);
            if call % 2 == 0 { format!("{}(", row.name) } else { format!("{}=", argument.unwrap_or("x")) }
        }
    }
}

/// `source` with lines moved, doubled and deleted, and words replaced.
fn mutated(source: &str, changes: &[(u8, Index, Index, u16)]) -> String {
    let mut lines: Vec<String> = source.lines().map(str::to_owned).collect();
    for &(kind, from, to, with) in changes {
        let (from, to) = (from.index(lines.len()), to.index(lines.len()));
        match kind % 5 {
            0 => lines.swap(from, to),
            1 => lines.insert(to, lines[from].clone()),
            2 if lines.len() > 1 => drop(lines.remove(from)),
            3 => lines[from] = format!("{}{}", " ".repeat(usize::from(with % 24)), lines[from].trim_start()),
            _ => {
                let line = &lines[from];
                let mut ends: Vec<usize> =
                    line.char_indices().filter(|(_, c)| !c.is_alphanumeric()).map(|(at, _)| at).collect();
                ends.push(line.len());
                let end = ends[to % ends.len()];
                let start = line[..end]
                    .rfind(|c: char| !c.is_alphanumeric() && c != '_')
                    .map_or(0, |at| at + line[at..].chars().next().map_or(1, char::len_utf8));
                lines[from].replace_range(start..end, &word(with));
            }
        }
    }
    lines.join("\n")
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let source = String::from_utf8_lossy(&bytes);
        survives(&source);
        survives(&strategy(&source));
    }

    #[test]
    fn characters(source in any::<String>()) {
        survives(&source);
        survives(&strategy(&source));
    }

    #[test]
    fn words(words in prop::collection::vec(any::<u16>(), 0..80)) {
        let text: String = words.into_iter().map(word).collect();
        survives(&text);
        survives(&strategy(&text));
        survives(&strategy(&format!("x = {text}")));
    }

    #[test]
    fn programs(choices in prop::collection::vec(any::<u16>(), 0..400), n in any::<i64>(), on in any::<bool>()) {
        let source = grammar::program(&choices);
        survives(&source);
        survives_with(&source, &overrides([("n", ParameterValue::Integer(n)), ("on", ParameterValue::Boolean(on))]));
    }

    #[test]
    fn mutated_strategies(
        file in any::<Index>(),
        changes in prop::collection::vec((any::<u8>(), any::<Index>(), any::<Index>(), any::<u16>()), 1..8),
    ) {
        let files = strategies();
        survives(&mutated(&files[file.index(files.len())].1, &changes));
    }
}

/// A fuzz of programs that are all refused at the door would say nothing about what is behind it.
#[test]
fn some_of_the_programs_are_strategies() {
    let mut runner = TestRunner::deterministic();
    let choices = prop::collection::vec(any::<u16>(), 0..400);
    let compiles = |_: &usize| {
        let choices = choices.new_tree(&mut runner).unwrap().current();
        compile(&grammar::program(&choices), &overrides([]))
            .is_ok_and(|compiled| !compiled.plan.nodes.is_empty())
    };
    let strategies = (0..1_000).filter(compiles).count();
    assert!(strategies >= 20, "{strategies} of 1000");
}

/// A body that doubles, deepens or repeats something until a limit stops it.
#[test]
fn what_grows_is_stopped() {
    let repeated = |first: &str, line: &str| {
        let many = lines(60, |_| format!("    {line}"));
        format!("{first}\nfor i in range(1000):\n{many}")
    };
    for (first, line) in [
        ("t = (data.close, data.open)", "t = (t, t)"),
        ("t = (data.close, data.open)", "t = (t,)"),
        ("t = (close(), buy(units=1))", "t = t if data.close > 1 else (cancel(), sell(units=1))"),
        ("t = close()", "t = t if data.close > 1 else t"),
        ("t = close()", "t = t if data.close > i else t"),
        ("t = [close(), close()]", "t = [t, t]"),
        ("t = pips(1)", "t = t if data.close > 1 else t"),
        ("t = data.close", "t = t * t"),
        ("t = data.close", "t = sma(t, 2)"),
        ("t = data.close", "t = t ** 16"),
        ("t = 1", "t = t * 10"),
        ("t = data.close > 1", "t = not t and t or not t"),
        ("t = data.timeframe(\"4h\").close", "t = t + data.close"),
        ("t = data.close", "t, u = macd(t)[-1], t"),
        ("t = (1, 2)", "t = t[-2]"),
    ] {
        survives(&strategy(&repeated(first, line)));
    }
    let text = format!("t = \"{}\"\n{}", "a".repeat(30_000), lines(250, |at| format!("t{at} = t")));
    survives(&strategy(&repeated(&text, "x = 1 if data.close > 1 else 2")));
    survives(&strategy(&format!(
        "{text}{}",
        lines(40, |at| format!("{}if data.close > {at}:", " ".repeat(at))) + &" ".repeat(40) + "x = 1"
    )));
    let decisions = format!(
        "t = [{}]\n{}{}",
        "close(),".repeat(16),
        lines(8, |at| format!("t = t if data.close > {at} else t")),
        lines(240, |at| format!("t{at} = t"))
    );
    survives(&strategy(&repeated(&decisions, "x = 1 if data.close > 1 else 2")));
    let values = format!("t = ({})\n{}", "1, ".repeat(400), lines(250, |at| format!("t{at} = t")));
    survives(&strategy(&repeated(&values, "t = t if data.close > 1 else t0")));
}

/// Long names are neither compared with each other nor shown at any length.
#[test]
fn long_names_and_lines_cost_little() {
    for name in ["a".repeat(30_000), "é".repeat(14_000), "\u{430}".repeat(14_000)] {
        survives(&format!("def f{name}():\n    return 1\n{}", strategy(&format!("x = g{name}()"))));
        survives(&strategy(&format!("{name}1 = 1\nx = {name}2")));
        survives(&strategy(&format!("x = data.{name}\ny = self.{name}\nreturn {name}")));
        survives(&strategy(&format!("return {{\"action\": \"{name}\"}}")));
        survives(&strategy(&format!("return buy({name}=1)")));
        survives(&format!("class {name}:\n    def {name}(self):\n        pass\n"));
    }
    let digits = "9".repeat(60_000);
    for number in [
        &digits,
        &format!("0.{digits}"),
        &format!("1e{digits}"),
        &format!("0x{digits}"),
        &format!("{digits}j"),
    ] {
        survives(&strategy(&format!("x = {number}")));
    }
    let comment = "#".repeat(40_000);
    survives(&format!(
        "def f(x): y = x + True {comment}\n{}",
        strategy(&format!("for i in range(1000):\n{}", lines(60, |_| "    x = f(1)".to_owned())))
    ));
    survives(&format!(
        "def f(x): return 1; pass {comment}\n{}",
        strategy(&format!("for i in range(1000):\n{}", lines(60, |_| "    x = f(1)".to_owned())))
    ));
}

/// The longest chains that the gate lets through: the parser and whoever drops its tree go as deep as these.
#[test]
fn the_longest_chains_are_parsed_and_dropped() {
    for (chain, tokens) in [
        ("-", 1),
        ("not ", 1),
        ("~", 1),
        ("await ", 1),
        ("yield ", 1),
        ("lambda: ", 2),
        ("lambda x=", 3),
        ("1+", 2),
        ("1**", 2),
        ("1<", 2),
        ("1 and ", 2),
        ("1 or ", 2),
        ("1 if 1 else ", 4),
        ("1 if ", 2),
        ("x=", 2),
        ("x:=", 2),
        ("a.", 2),
        ("a,", 2),
        ("*", 1),
        ("f'{", 2),
        ("f'{x:{", 5),
        ("for x in ", 3),
        ("del ", 1),
        ("return ", 1),
        ("print ", 1),
        ("async ", 1),
        ("match ", 1),
        ("case ", 1),
        ("import ", 1),
        ("@", 1),
        ("else ", 1),
    ] {
        let text = chain.repeat(980 / tokens);
        for source in [format!("x = {text}1"), format!("{text}1"), text.clone(), format!("x = (\n{text}1")] {
            survives(&strategy(&source));
            survives(&source);
        }
    }
    for (open, tokens) in [
        ("if a:", 3),
        ("for x in y:", 5),
        ("class A:", 3),
        ("def f():", 5),
        ("while a:", 3),
        ("try:", 2),
        ("with a:", 3),
        ("match a:\n case b:", 7),
    ] {
        let blocks = lines(900 / (tokens + 2), |at| format!("{}{open}", " ".repeat(at)));
        for source in [format!("x = (\n{blocks}"), format!("x = [\n{blocks}pass"), blocks.clone()] {
            survives(&source);
            survives(&strategy(&source));
        }
    }
}
