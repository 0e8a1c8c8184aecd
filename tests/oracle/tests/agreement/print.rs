//! Programs as Python source.

mod decision;
mod expression;

use crate::grammar::{Call, Cond, Helper, Program, Stmt};
use crate::indicators::{Gives, forms};
use std::fmt::Write;

/// What the names in reach are.
#[derive(Clone, Debug, Default)]
struct Scope {
    /// Numbers; whether each is made of market data alone.
    numbers: Vec<(String, bool)>,
    conditions: Vec<(String, bool)>,
    /// Counters of the loops around.
    counters: Vec<String>,
    /// What is assigned under a condition on position or account depends on them.
    is_market: bool,
    /// How many helpers are defined in front.
    helpers: usize,
    in_analyze: bool,
    /// Whether there is a `self`.
    has_self: bool,
    in_loop: bool,
}

pub(crate) struct Printer<'p> {
    program: &'p Program,
    text: String,
    indent: usize,
    series: usize,
    scope: Scope,
}

/// Series that a program records, at most.
const SERIES_MAX: usize = 20;

/// The source of a program.
pub(crate) fn source(program: &Program) -> String {
    let mut printer = Printer { program, text: String::new(), indent: 0, series: 0, scope: Scope::default() };
    printer.program();
    printer.text
}

/// An expression, and whether it is made of market data alone.
type Printed = (String, bool);

impl Printer<'_> {
    fn line(&mut self, text: &str) {
        let _ = writeln!(self.text, "{:indent$}{text}", "", indent = self.indent * 4);
    }

    fn program(&mut self) {
        for (index, helper) in self.program.helpers.iter().enumerate().filter(|(_, helper)| !helper.is_method)
        {
            self.helper(index, helper);
        }
        self.line("class Random(Strategy):");
        self.indent = 1;
        self.parameters();
        for (index, helper) in self.program.helpers.iter().enumerate().filter(|(_, helper)| helper.is_method)
        {
            self.helper(index, helper);
        }
        self.note();
        self.line("def analyze(self, data):");
        self.indent = 2;
        self.scope = self.start(self.program.helpers.len(), true);
        self.line("decision = None");
        for statement in &self.program.body {
            self.statement(statement);
        }
        if !self.program.noted.is_empty() {
            self.line("self.note(data)");
        }
        let last = self.decision_list(&self.program.last);
        self.line(&format!("return {last}"));
        self.indent = 0;
    }

    fn parameters(&mut self) {
        let (whole, numbers, truths) = &self.program.parameters;
        for (index, value) in whole.iter().enumerate() {
            let value = 1 + value % 20;
            match value % 3 {
                0 => self.line(&format!("w{index} = {value}")),
                1 => self.line(&format!("w{index}: int = param({value}, min=1, max=40)")),
                _ => self.line(&format!("w{index}: int = {value}")),
            }
        }
        for (index, value) in numbers.iter().enumerate() {
            match value % 3 {
                0 => self.line(&format!("f{index} = {:?}", f64::from(*value) / 100.0)),
                1 => self
                    .line(&format!("f{index} = param({:?}, description=\"any\")", f64::from(*value) / 100.0)),
                _ => self.line(&format!("f{index}: float = {}", value / 100)),
            }
        }
        for (index, value) in truths.iter().enumerate() {
            self.line(&format!("b{index} = {}", if *value { "True" } else { "False" }));
        }
        self.line("s0 = state(0)");
        self.line("s1: float = state(-1.5)");
        self.line("t0 = state(False)");
    }

    /// The names that a function begins with, each assigned.
    fn start(&mut self, helpers: usize, in_analyze: bool) -> Scope {
        let mut scope =
            Scope { is_market: true, helpers, in_analyze, has_self: in_analyze, ..Scope::default() };
        if in_analyze {
            for (name, value) in [("n0", "data.close"), ("n1", "0.5"), ("n2", "sma(data.close, 3)")] {
                self.line(&format!("{name} = {value}"));
                scope.numbers.push((name.to_owned(), true));
            }
            for (name, value) in [("c0", "data.close > data.open"), ("c1", "False")] {
                self.line(&format!("{name} = {value}"));
                scope.conditions.push((name.to_owned(), true));
            }
        } else {
            scope.numbers.extend(["x", "y"].map(|name| (name.to_owned(), true)));
            self.line("c0 = x > y");
            scope.conditions.push(("c0".to_owned(), true));
        }
        scope
    }

    fn helper(&mut self, index: usize, helper: &Helper) {
        let receiver = if helper.is_method { "self, " } else { "" };
        self.line(&format!("def h{index}({receiver}data, x, y=1.5):"));
        self.indent += 1;
        self.scope = self.start(index, false);
        self.scope.has_self = helper.is_method;
        for statement in &helper.body {
            self.statement(statement);
        }
        for (test, number, condition) in &helper.early {
            let (test, _) = self.condition(test, true);
            let value = if helper.gives_condition {
                self.condition(condition, true)
            } else {
                self.number(number, true)
            };
            self.line(&format!("if {test}:"));
            self.line(&format!("    return {}", value.0));
        }
        let value = if helper.gives_condition {
            self.condition(&helper.condition, true)
        } else {
            self.number(&helper.number, true)
        };
        self.line(&format!("return {}", value.0));
        self.indent -= 1;
    }

    fn note(&mut self) {
        if self.program.noted.is_empty() {
            return;
        }
        self.line("def note(self, data):");
        self.indent += 1;
        self.scope = Scope { is_market: true, in_analyze: true, ..Scope::default() };
        for value in &self.program.noted {
            self.statement(&Stmt::Record(value.clone()));
        }
        self.line("pass");
        self.indent -= 1;
    }

    fn block(&mut self, body: &[Stmt]) {
        self.indent += 1;
        for statement in body {
            self.statement(statement);
        }
        self.line("pass");
        self.indent -= 1;
    }

    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Assign(name, value) => {
                let (value, is_market) = self.number(value, !self.scope.in_analyze);
                if let Some(name) = self.target(*name, is_market) {
                    self.line(&format!("{name} = {value}"));
                }
            }
            Stmt::AssignCondition(name, value) => {
                let (value, is_market) = self.condition(value, !self.scope.in_analyze);
                let names = &mut self.scope.conditions;
                let count = names.len();
                if let Some(slot) = names.get_mut(usize::from(*name) % count.max(1)) {
                    slot.1 = is_market && self.scope.is_market;
                    let name = slot.0.clone();
                    self.line(&format!("{name} = {value}"));
                }
            }
            Stmt::Augment(name, op, value) => {
                let (value, is_market) = self.number(value, !self.scope.in_analyze);
                let count = self.scope.numbers.len();
                let Some((_, before)) = self.scope.numbers.get(usize::from(*name) % count.max(1)) else {
                    return;
                };
                let op = ["+", "-", "*", "/", "//", "%"][usize::from(*op) % 6];
                if let Some(name) = self.target(*name, is_market && *before) {
                    self.line(&format!("{name} {op}= {value}"));
                }
            }
            Stmt::Keep(name, value) if self.scope.has_self => {
                let (value, _) = self.number(value, !self.scope.in_analyze);
                let name = ["s0", "s1"][usize::from(*name) % 2];
                let op = if value.len() % 3 == 0 { "+=" } else { "=" };
                self.line(&format!("self.{name} {op} {value}"));
            }
            Stmt::KeepCondition(value) if self.scope.has_self => {
                let (value, _) = self.condition(value, !self.scope.in_analyze);
                self.line(&format!("self.t0 = {value}"));
            }
            Stmt::Unpack(call, names) => self.unpack(call, *names),
            Stmt::Swap(a, b) => {
                let count = self.scope.numbers.len();
                if count > 1 && a % count as u8 != b % count as u8 {
                    let (a, b) = (usize::from(*a) % count, usize::from(*b) % count);
                    let (first, second) = (self.scope.numbers[a].clone(), self.scope.numbers[b].clone());
                    let under_market = self.scope.is_market;
                    self.scope.numbers[a].1 = second.1 && under_market;
                    self.scope.numbers[b].1 = first.1 && under_market;
                    self.line(&format!("{}, {} = {}, {}", first.0, second.0, second.0, first.0));
                }
            }
            Stmt::If(test, body, elifs, otherwise) => self.branch(test, body, elifs, otherwise.as_deref()),
            Stmt::For(passes, body) => self.repeat(*passes, body),
            Stmt::Record(value) => {
                if self.scope.in_analyze && !self.scope.in_loop && self.series < SERIES_MAX {
                    let (value, _) = self.number(value, false);
                    self.line(&format!("record(\"r{}\", {value})", self.series));
                    self.series += 1;
                }
            }
            Stmt::Decide(decision) if self.scope.in_analyze && self.scope.helpers_known() => {
                let decision = self.decision(decision);
                self.line(&format!("decision = {decision}"));
            }
            Stmt::Return(decisions) if self.scope.in_analyze && self.scope.helpers_known() => {
                let decisions = self.decision_list(decisions);
                self.line(&format!("return {decisions}"));
            }
            Stmt::ReturnDecided if self.scope.in_analyze && self.scope.helpers_known() => {
                self.line("return decision")
            }
            _ => self.line("pass"),
        }
    }

    /// The number that is assigned to, and that from now on depends on what its value depends on.
    fn target(&mut self, choice: u8, is_market: bool) -> Option<String> {
        let under_market = self.scope.is_market;
        let count = self.scope.numbers.len();
        let slot = self.scope.numbers.get_mut(usize::from(choice) % count.max(1))?;
        slot.1 = is_market && under_market;
        Some(slot.0.clone())
    }

    fn branch(
        &mut self,
        test: &Cond,
        body: &[Stmt],
        elifs: &[(Cond, Vec<Stmt>)],
        otherwise: Option<&[Stmt]>,
    ) {
        let (test, is_market) = self.condition(test, !self.scope.in_analyze);
        let before = self.scope.clone();
        self.scope.is_market &= is_market;
        self.line(&format!("if {test}:"));
        self.block(body);
        let mut ends = vec![self.scope.clone()];
        for (test, body) in elifs {
            let under = self.scope.is_market;
            self.scope = before.clone();
            self.scope.is_market = under;
            let (test, is_market) = self.condition(test, !self.scope.in_analyze);
            self.scope.is_market &= is_market;
            self.line(&format!("elif {test}:"));
            self.block(body);
            ends.push(self.scope.clone());
        }
        let under = self.scope.is_market;
        self.scope = before.clone();
        self.scope.is_market = under;
        if let Some(body) = otherwise {
            self.line("else:");
            self.block(body);
        }
        ends.push(self.scope.clone());
        self.scope = before;
        // A name is market data behind the branches where it is at the end of each, and where they do not depend on more.
        for (index, (_, is_market)) in self.scope.numbers.iter_mut().enumerate() {
            *is_market = ends.iter().all(|end| end.numbers[index].1);
        }
        for (index, (_, is_market)) in self.scope.conditions.iter_mut().enumerate() {
            *is_market = ends.iter().all(|end| end.conditions[index].1);
        }
    }

    fn repeat(&mut self, passes: u8, body: &[Stmt]) {
        if self.scope.counters.len() >= 2 {
            return self.line("pass");
        }
        let name = ["i", "j"][self.scope.counters.len()];
        let range = ["range(3)", "range(1, 4)", "range(4, 0, -2)", "range(self.w0 % 4)"];
        let choice = usize::from(passes) % if self.scope.in_analyze { 4 } else { 3 };
        let was_in_loop = std::mem::replace(&mut self.scope.in_loop, true);
        let before = self.scope.clone();
        self.scope.counters.push(name.to_owned());
        // What one pass makes depend on the account, the next one reads: names that are assigned are not market data.
        self.taint(body);
        let tainted = self.scope.clone();
        self.line(&format!("for {name} in {}:", range[choice]));
        self.block(body);
        self.scope = Scope { counters: before.counters, in_loop: was_in_loop, ..tainted };
    }

    /// Lets every name that `body` assigns count as depending on the account.
    fn taint(&mut self, body: &[Stmt]) {
        for statement in body {
            match statement {
                Stmt::Assign(name, _) | Stmt::Augment(name, _, _) => self.taint_number(*name),
                Stmt::AssignCondition(name, _) => {
                    let count = self.scope.conditions.len().max(1);
                    if let Some(slot) = self.scope.conditions.get_mut(usize::from(*name) % count) {
                        slot.1 = false;
                    }
                }
                Stmt::Unpack(_, names) => {
                    (0..3).for_each(|index| self.taint_number(names[0].wrapping_add(index)))
                }
                Stmt::Swap(a, b) => [a, b].into_iter().for_each(|name| self.taint_number(*name)),
                Stmt::If(_, body, elifs, otherwise) => {
                    self.taint(body);
                    elifs.iter().for_each(|(_, body)| self.taint(body));
                    otherwise.iter().for_each(|body| self.taint(body));
                }
                Stmt::For(_, body) => self.taint(body),
                _ => {}
            }
        }
    }

    fn taint_number(&mut self, name: u8) {
        let count = self.scope.numbers.len().max(1);
        if let Some(slot) = self.scope.numbers.get_mut(usize::from(name) % count) {
            slot.1 = false;
        }
    }

    fn unpack(&mut self, call: &Call, names: [u8; 3]) {
        let forms = forms(|gives| matches!(gives, Gives::Numbers(_)));
        let form = forms[usize::from(call.which) % forms.len()];
        let Gives::Numbers(count) = form.gives else { return };
        if self.scope.numbers.len() < 2 {
            return;
        }
        let (text, is_market) = self.call(form, call, !self.scope.in_analyze);
        let targets: Vec<_> = (0..count)
            .map(|index| match index < self.scope.numbers.len() {
                true => self.target(names[0].wrapping_add(index as u8), is_market).unwrap_or_default(),
                false => format!("unused{index}"),
            })
            .collect();
        self.line(&format!("{} = {text}", targets.join(", ")));
    }
}

impl Scope {
    /// A helper returns numbers and conditions, no decisions.
    const fn helpers_known(&self) -> bool {
        self.in_analyze
    }
}
