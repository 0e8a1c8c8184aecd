//! Programs as the grammar has them. Most of their parts are of the kind that their place asks for, some are not.

use fx_strategy::BUILTINS;
use std::slice::Iter;

/// What a part of a program is.
#[derive(Clone, Copy)]
enum Kind {
    Number,
    Condition,
    Decision,
    /// Several values, a text, a group of names: right in few places.
    Other,
}

use Kind::{Condition, Decision, Number, Other};

const NUMBERS: [&str; 14] = [
    "1",
    "2",
    "0",
    "3",
    "14",
    "0.5",
    "1e308",
    "1e-320",
    "10000",
    "10001",
    "9223372036854775807",
    "99999999999999999999",
    "-1",
    "(-9223372036854775807 - 1)",
];
const TEXTS: [&str; 9] = ["a", "", "day", "gtc", "2024-03-08", "4h", "GBP/USD", "london", "classic"];
const SCOPES: [&str; 12] = [
    "data.close",
    "data.high",
    "data.bid.low",
    "data.mid.open",
    "data.volume",
    "data.index",
    "data.time.hour",
    "position.units",
    "position.entry_price",
    "account.equity",
    "data.timeframe(\"4h\").close",
    "data.instrument(\"GBP/USD\").high",
];
/// What a name stands for until it is assigned.
const BEGIN: &str =
    "a = data.close\nb = data.open\nc = 1\np = data.close > data.open\nq = True\nd = None\nt = (a, b)\n";
/// Parts inside each other, at most.
const DEPTH: usize = 4;
/// One part in so many is of another kind than its place asks for.
const MISFIT: usize = 64;

/// The program that `choices` make: each is taken modulo the number of ways to go on, and behind the last one every
/// choice is the shortest.
pub(super) fn program(choices: &[u16]) -> String {
    let mut writer = Writer { choices: choices.iter(), text: String::new() };
    writer.text += "def f(a, b=2):\n    c = a\n    p = q = a > b\n    d = t = None\n";
    writer.block(1, 2);
    let value = writer.expression(Number, 2);
    writer.text += &format!("    return {value}\n");
    writer.text += "class S(Strategy):\n    n = 10\n    on = True\n    s = state(0)\n    u = state(False)\n";
    writer.text += "    def g(self, a):\n        return a > 1 and self.u\n    def analyze(self, data):\n";
    writer.text.extend(BEGIN.lines().map(|line| format!("        {line}\n")));
    writer.block(2, 3);
    writer.statement(2, 0, 6);
    writer.text
}

struct Writer<'c> {
    choices: Iter<'c, u16>,
    text: String,
}

impl Writer<'_> {
    fn pick(&mut self, ways: usize) -> usize {
        self.choices.next().map_or(0, |choice| usize::from(*choice) % ways)
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.pick(of.len())]
    }

    fn block(&mut self, indent: usize, depth: usize) {
        for _ in 0..=self.pick(5) {
            let kind = self.pick(if depth == 0 { 6 } else { 10 });
            self.statement(indent, depth, kind);
        }
    }

    fn statement(&mut self, indent: usize, depth: usize, kind: usize) {
        let margin = "    ".repeat(indent);
        self.text += &margin;
        let line = match kind {
            0 => format!("{} = {}", self.one(&["a", "b", "c"]), self.expression(Number, DEPTH)),
            1 => format!("{} = {}", self.one(&["p", "q"]), self.expression(Condition, DEPTH)),
            2 => format!("d = {}", self.expression(Decision, DEPTH)),
            3 => format!(
                "{} {} {}",
                self.one(&["self.s", "a", "b"]),
                self.one(&["=", "+=", "-=", "*=", "//="]),
                self.expression(Number, DEPTH)
            ),
            4 => match self.pick(4) {
                0 => format!("self.u = {}", self.expression(Condition, DEPTH)),
                1 => format!("t = {}", self.expression(Other, DEPTH)),
                2 => "a, b = t".to_owned(),
                _ => format!("a, b, c = macd({})", self.expression(Number, DEPTH)),
            },
            5 => match self.pick(4) {
                0 => format!("record(\"{}\", {})", self.pick(1_000), self.expression(Number, DEPTH)),
                _ => "pass".to_owned(),
            },
            6 => format!("return {}", self.expression(Decision, DEPTH)),
            7 => {
                let passes = self.one(&["2", "self.n", "0", "1000", "5, 1, -1", "0, 9, 2"]);
                self.text += &format!("for i in range({passes}):\n");
                return self.block(indent + 1, depth - 1);
            }
            _ => {
                let test = self.expression(Condition, DEPTH);
                self.text += &format!("if {test}:\n");
                self.block(indent + 1, depth - 1);
                match self.pick(3) {
                    0 => return,
                    1 => self.text += &format!("{margin}else:\n"),
                    _ => {
                        let test = self.expression(Condition, DEPTH);
                        self.text += &format!("{margin}elif {test}:\n");
                    }
                }
                return self.block(indent + 1, depth - 1);
            }
        };
        self.text += &(line + "\n");
    }

    fn expression(&mut self, kind: Kind, depth: usize) -> String {
        let kind = match self.pick(MISFIT) {
            1 => [Number, Condition, Decision, Other][self.pick(4)],
            _ => kind,
        };
        if depth == 0 {
            return self.atom(kind);
        }
        let inner = depth - 1;
        match self.pick(8) {
            0 => self.atom(kind),
            1 => {
                let (a, test, b) = (
                    self.expression(kind, inner),
                    self.expression(Condition, inner),
                    self.expression(kind, inner),
                );
                format!("({a} if {test} else {b})")
            }
            way => match kind {
                Number => self.number(way, inner),
                Condition => self.condition(way, inner),
                Decision => self.decision(way, inner),
                Other => {
                    let elements: Vec<String> =
                        (0..=self.pick(3)).map(|_| self.expression(Number, inner)).collect();
                    format!("({},)", elements.join(", "))
                }
            },
        }
    }

    fn number(&mut self, way: usize, depth: usize) -> String {
        match way {
            2 | 3 => {
                let (a, b) = (self.expression(Number, depth), self.expression(Number, depth));
                format!("({a} {} {b})", self.one(&["+", "-", "*", "/", "//", "%"]))
            }
            4 => format!("{}{}", self.one(&["-", "+"]), self.expression(Number, depth)),
            5 => format!("({}) ** {}", self.expression(Number, depth), self.one(&NUMBERS)),
            6 => format!(
                "({})[{}]",
                self.expression(Number, depth),
                self.one(&["-1", "-2", "-3", "-self.n", "0"])
            ),
            _ => self.call(depth),
        }
    }

    fn condition(&mut self, way: usize, depth: usize) -> String {
        match way {
            2..=4 => {
                let (a, b) = (self.expression(Number, depth), self.expression(Number, depth));
                format!("({a} {} {b})", self.one(&["<", "<=", ">", ">=", "==", "!="]))
            }
            5 => format!("not {}", self.expression(Condition, depth)),
            6 => {
                let (a, b) = (self.expression(Condition, depth), self.expression(Condition, depth));
                format!("({a} {} {b})", self.one(&["and", "or"]))
            }
            _ => {
                let (a, b) = (self.atom(Number), self.atom(Number));
                match self.pick(4) {
                    0 => format!("crosses_above({a}, {b})"),
                    1 => format!("rising({a}, 3)"),
                    2 => format!("defined({a})"),
                    _ => format!("self.g({a})"),
                }
            }
        }
    }

    fn decision(&mut self, way: usize, depth: usize) -> String {
        let units = self.expression(Number, depth);
        match way {
            2 => format!("[{}, cancel()]", self.expression(Decision, 0)),
            3 => format!("{{\"action\": \"buy\", \"units\": {units}, \"label\": \"{}\"}}", self.one(&TEXTS)),
            4 => format!("target(units={units})"),
            5 => format!(
                "{}({}={units}, {}={}, stop_loss=pips({}))",
                self.one(&["buy", "sell"]),
                self.one(&["units", "lots", "risk_percent", "equity_percent"]),
                self.one(&["limit", "stop", "touch", "take_profit"]),
                self.expression(Number, depth),
                self.expression(Number, 0),
            ),
            6 => format!(
                "order(units={units}, trail=distance({}), expires={})",
                self.atom(Number),
                self.one(&NUMBERS)
            ),
            _ => format!("modify(price={units}, stop_loss=None)"),
        }
    }

    /// A call of a helper, or of a function of the table with an argument for each that its signature names.
    fn call(&mut self, depth: usize) -> String {
        if self.pick(8) == 1 {
            return format!("f({})", self.expression(Number, depth));
        }
        let row = &BUILTINS[self.pick(BUILTINS.len())];
        let inside = row.signature.split(['(', ')']).nth(1).unwrap_or_default();
        let names = inside.split(", ").filter_map(|argument| argument.split('=').next());
        let arguments: Vec<String> = names
            .filter(|name| !name.is_empty())
            .map(|name| match name {
                "condition" => self.expression(Condition, depth),
                "n" | "fast" | "slow" | "signal" | "smooth" | "d" => {
                    self.one(&["2", "3", "14", "self.n", "10000", "0"]).to_owned()
                }
                _ => self.expression(Number, depth),
            })
            .collect();
        format!("{}({})", row.name, arguments.join(", "))
    }

    fn atom(&mut self, kind: Kind) -> String {
        let of: &[&str] = match (kind, self.pick(4)) {
            (Number, 0) => &SCOPES,
            (Number, 1) => &NUMBERS,
            (Number, _) => &["a", "b", "c", "self.n", "self.s"],
            (Condition, _) => &["p", "q", "self.on", "self.u", "True", "data.time.in_session(\"london\")"],
            (Decision, 0) => &["d", "None"],
            (Decision, _) => &["close()", "{}", "cancel()", "buy(units=1)"],
            (Other, 0) => {
                &["t", "position", "data", "self", "data.time", "data.timeframe(\"1d\")", "pips(5)"]
            }
            (Other, _) => return format!("\"{}\"", self.one(&TEXTS)),
        };
        self.one(of).to_owned()
    }
}
