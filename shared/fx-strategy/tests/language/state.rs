//! Cells: what a strategy keeps from bar to bar.

use crate::{compiled, refused, words};
use fx_strategy::limits::CELLS_MAX;
use fx_strategy::{Plan, Type};

/// A strategy with these fields whose `analyze` has these lines, and helpers behind it.
fn source(fields: &str, body: &str, helpers: &str) -> String {
    let indented =
        |text: &str, by: &str| text.lines().map(|line| format!("{by}{line}\n")).collect::<String>();
    format!(
        "class S(Strategy):\n{}\n    def analyze(self, data):\n{}\n{}",
        indented(fields, "    "),
        indented(body, "        "),
        indented(helpers, "    ")
    )
}

fn plan(fields: &str, body: &str) -> Plan {
    compiled(&source(fields, body, "")).plan
}

#[test]
fn a_read_before_the_assignment_is_the_last_bar_s_value_and_one_after_it_the_new_one() {
    let found =
        plan("n = state(0)", "before = self.n\nself.n += 1\nrecord(\"b\", before)\nrecord(\"a\", self.n)");
    assert_eq!(words(&found), "cell0 := Add(cell0, 1)\nb = cell0\na = Add(cell0, 1)");
    assert!(found.reactive().iter().zip(found.types()).all(|(_, kind)| kind == Type::Number));
}

#[test]
fn an_assignment_under_a_condition_keeps_the_value_where_it_does_not_hold() {
    let found = plan("n = state(2.5)", "if data.close > 1:\n    self.n = 7\nreturn target(units=self.n)");
    let chosen = "Select(Gt(close, 1), 7, cell0)";
    assert_eq!(words(&found), format!("true => target {chosen}\ncell0 := {chosen}"));
}

#[test]
fn what_both_branches_leave_alike_does_not_depend_on_the_condition() {
    let found = plan(
        "n = state(0)",
        "if data.close > 1:\n    self.n = 7\nelse:\n    self.n = 7\nrecord(\"n\", self.n[-2])",
    );
    assert_eq!(words(&found), "n = 7");
    let found = plan("n = state(0)", "record(\"n\", self.n[-2])\nif data.close > 1:\n    x = 1\nself.n = 7");
    assert_eq!(words(&found), "cell0 := 7\nn = cell0[-2]");
}

#[test]
fn assignments_in_front_of_a_return_count_and_those_behind_it_do_not() {
    let body = "if data.close > 1:\n    self.n = 0\n    return buy(units=1)\nself.n += 1\nif self.n > 5:\n    return close()\nself.n *= 2";
    let found = plan("n = state(0)", body);
    let more = "Add(cell0, 1)";
    assert_eq!(
        words(&found),
        format!(
            "Gt(close, 1) => Long Units 1 sl none tp none\nAnd(Not(Gt(close, 1)), Gt({more}, 5)) => close\n\
             cell0 := Select(Gt(close, 1), 0, Select(And(Not(Gt(close, 1)), Gt({more}, 5)), {more}, Mul({more}, 2)))"
        )
    );
}

#[test]
fn a_helper_assigns_where_it_is_called() {
    let helper = "def count(self, up):\n    if not up:\n        return 0\n    self.n += 1\n    return self.n";
    let called = |body: &str| words(&compiled(&source("n = state(0)", body, helper)).plan);
    let up = "Gt(close, 1)";
    let counted = format!("Select(Not({up}), cell0, Add(cell0, 1))");
    assert_eq!(
        called("record(\"n\", self.count(data.close > 1))"),
        format!("cell0 := {counted}\nn = Select(Not({up}), 0, Add(cell0, 1))")
    );
    let plain = "def count(self):\n    self.n += 1";
    let called = |body: &str| words(&compiled(&source("n = state(0)", body, plain)).plan);
    assert_eq!(
        called("self.count()\nself.count()\nrecord(\"n\", self.n)"),
        "cell0 := Add(Add(cell0, 1), 1)\nn = Add(Add(cell0, 1), 1)"
    );
}

#[test]
fn what_is_not_reached_assigns_nothing() {
    let helper = "def tick(self):\n    self.n += 1\n    return self.n > 3";
    let cell = |condition: &str| {
        let body = format!("x = {condition}\nrecord(\"n\", self.n)");
        let found = words(&compiled(&source("n = state(0)", &body, helper)).plan);
        found.lines().next().unwrap().to_owned()
    };
    let select = |condition: &str| format!("cell0 := Select({condition}, Add(cell0, 1), cell0)");
    assert_eq!(cell("data.close > 1 and self.tick()"), select("Gt(close, 1)"));
    assert_eq!(cell("data.close > 1 or self.tick()"), select("Not(Gt(close, 1))"));
    assert_eq!(cell("self.tick() if data.close > 1 else data.open > 1"), select("Gt(close, 1)"));
    assert_eq!(cell("data.open > 1 if data.close > 1 else self.tick()"), select("Not(Gt(close, 1))"));
    assert_eq!(cell("self.tick() and data.close > 1"), "cell0 := Add(cell0, 1)");
}

#[test]
fn cells_that_nothing_depends_on_are_gone_and_names_do_not_show() {
    let one = plan("a = state(1)\nb = state(2)", "self.a += 1\nself.b += self.a\nrecord(\"b\", self.b)");
    let other = plan(
        "x = state(2)\nunused = state(True)\ny = state(1)",
        "self.y += 1\nself.x += self.y\nself.unused = False\nrecord(\"b\", self.x)",
    );
    assert_eq!(
        words(&one),
        "cell0 := Add(cell0, Add(cell1, 1))\ncell1 := Add(cell1, 1)\nb = Add(cell0, Add(cell1, 1))"
    );
    assert_eq!(one.hash(), other.hash());
}

#[test]
fn conditions_are_kept_too() {
    let found = plan(
        "on: bool = state(False)",
        "if data.close > 1:\n    self.on = not self.on\nif self.on:\n    return close()",
    );
    let next = "Select(Gt(close, 1), Not(cell0), cell0)";
    assert_eq!(words(&found), format!("{next} => close\ncell0 := {next}"));
}

#[test]
fn mistakes_are_named() {
    for (fields, body, wanted) in [
        ("n = state(0)", "self.n = data.close > 1", "`n` holds a number, this is a condition"),
        ("n = state(True)", "self.n = 1", "`n` holds a condition, this is a number"),
        ("n = state(0)", "self.m = 1", "`m` is no state of the strategy"),
        ("n = 5", "self.n = 1", "a parameter does not change"),
        ("n = state(0)", "data.close = 1", "`close` is no state of the strategy"),
        ("n = state(0)", "return target(units=n)", "a field of the class is read as `self.n`"),
        ("n = state(0)", "return target(units=sma(self.n, 3))", "`sma` works on market data"),
        ("n = state()", "pass", "`state` takes one argument"),
        ("n = state(1, 2)", "pass", "`state` takes one argument"),
        ("n = state(\"x\")", "pass", "a state is a number, or True or False"),
        ("n: int = state(True)", "pass", "another type than declared"),
        ("n = state(0)\nn = state(1)", "pass", "`n` is declared twice"),
        ("n = 0\nn = state(1)", "pass", "`n` is declared twice"),
        ("analyze = state(0)", "pass", "`analyze` is a field and a method"),
        ("n = state(0)", "m = state(1)", "`state` declares a field of the class"),
    ] {
        let answer = refused(&source(fields, body, "")).to_string();
        assert!(answer.contains(wanted), "{answer}");
    }
    let many: String = (0..=CELLS_MAX).map(|place| format!("c{place} = state(0)\n")).collect();
    let answer = refused(&source(&many, "pass", "")).to_string();
    assert!(answer.contains("too many values are kept between bars"), "{answer}");
}

#[test]
fn a_state_that_is_never_assigned_is_warned_about() {
    let found = compiled(&source("n = state(0)", "return target(units=self.n)", "")).warnings;
    assert_eq!(found.len(), 1);
    assert!(found[0].to_string().contains("this state is never assigned"), "{}", found[0]);
}
