//! Expressions.

use super::{Printed, Printer};
use crate::grammar::{Call, Cond, Num};
use crate::indicators::{Argument, Form, Gives, forms};
use std::fmt::Write;

/// Expressions. `market` asks for one that is made of market data alone.
impl Printer<'_> {
    pub(super) fn number(&self, number: &Num, market: bool) -> Printed {
        let fallback = || {
            let text =
                if self.scope.in_analyze || self.scope.numbers.is_empty() { "data.close" } else { "x" };
            (text.to_owned(), true)
        };
        match number {
            Num::Whole(value) => (format!("{value}"), true),
            Num::Fraction(value) => (format!("{:?}", f64::from(*value) / 1000.0), true),
            Num::Market(choice) => {
                let fields = [
                    "open",
                    "high",
                    "low",
                    "close",
                    "close",
                    "close",
                    "volume",
                    "index",
                    "time.hour",
                    "time.minute",
                    "time.weekday",
                    "time.day",
                    "time.month",
                    "time.year",
                    "bid.close",
                    "ask.close",
                    "mid.close",
                    "mid.open",
                    "bid.low",
                    "ask.high",
                ];
                let told = ["feature(\"mood\")", "pattern(name=\"double_top\")"];
                let choice = usize::from(*choice) % (fields.len() + told.len());
                let field = fields.get(choice).map(|field| format!("data.{field}"));
                (field.unwrap_or_else(|| told[choice % told.len()].to_owned()), true)
            }
            Num::Account(_) if market => fallback(),
            Num::Account(choice) => {
                let fields = [
                    "position.units",
                    "position.entry_price",
                    "position.bars",
                    "position.unrealized_pips",
                    "account.equity",
                    "account.balance",
                    "self.s0",
                    "self.s0",
                    "self.s1",
                ];
                (fields[usize::from(*choice) % fields.len()].to_owned(), false)
            }
            Num::Parameter(choice) => self.parameter(*choice),
            Num::Local(choice) => {
                let fit: Vec<_> =
                    self.scope.numbers.iter().filter(|(_, is_market)| *is_market || !market).collect();
                match fit.len() {
                    0 => fallback(),
                    count => fit[usize::from(*choice) % count].clone(),
                }
            }
            Num::Counter(choice) => match self.scope.counters.len() {
                0 => fallback(),
                count => (self.scope.counters[usize::from(*choice) % count].clone(), true),
            },
            Num::Binary(op, a, b) => {
                let op = ["+", "-", "*", "/", "//", "%", "+", "-", "*", "/"][usize::from(*op) % 10];
                let (a, b) = (self.number(a, market), self.number(b, market));
                (format!("({} {op} {})", a.0, b.0), a.1 && b.1)
            }
            Num::Unary(op, x) => {
                let (x, is_market) = self.number(x, market);
                (["(-X)", "(+X)", "abs(X)", "sqrt(X)"][usize::from(*op) % 4].replace('X', &x), is_market)
            }
            Num::Extreme(min, all) => {
                let all: Vec<_> = all.iter().map(|x| self.number(x, market)).collect();
                let texts: Vec<_> = all.iter().map(|(text, _)| text.as_str()).collect();
                let name = if *min { "min" } else { "max" };
                (format!("{name}({})", texts.join(", ")), all.iter().all(|(_, is_market)| *is_market))
            }
            Num::Power(x, exponent) => {
                let (x, is_market) = self.number(x, market);
                (format!("({x}) ** {exponent}"), is_market)
            }
            Num::Choice(test, a, b) => {
                let (test, a, b) =
                    (self.condition(test, market), self.number(a, market), self.number(b, market));
                (format!("({} if {} else {})", a.0, test.0, b.0), test.1 && a.1 && b.1)
            }
            Num::Past(x, bars) => {
                let (x, is_market) = self.number(x, market);
                (format!("({x})[{}]", self.lag(*bars)), is_market)
            }
            Num::Call(call) => {
                let forms = forms(|gives| matches!(gives, Gives::Number));
                self.call(forms[usize::from(call.which) % forms.len()], call, market)
            }
            Num::Helper(which, given) => self.helper_call(*which, given, false).unwrap_or_else(fallback),
        }
    }

    fn lag(&self, bars: u8) -> String {
        match self.scope.counters.first() {
            Some(counter) if bars.is_multiple_of(5) => format!("-2 - {counter}"),
            _ => format!("-{}", 1 + bars % 24),
        }
    }

    fn parameter(&self, choice: u8) -> Printed {
        let (whole, numbers, _) = &self.program.parameters;
        let names = (0..whole.len()).map(|index| format!("self.w{index}"));
        let names: Vec<_> = names.chain((0..numbers.len()).map(|index| format!("self.f{index}"))).collect();
        match self.scope.in_analyze {
            true => (names[usize::from(choice) % names.len()].clone(), true),
            false => ("1.25".to_owned(), true),
        }
    }

    pub(super) fn condition(&self, condition: &Cond, market: bool) -> Printed {
        let fallback = || self.number(&Num::Local(0), market);
        let compared = |(text, is_market): Printed| (format!("({text} > 1)"), is_market);
        match condition {
            Cond::Constant(value) => ((if *value { "True" } else { "False" }).to_owned(), true),
            Cond::Parameter(choice) => match self.program.parameters.2.len() {
                count if count > 0 && self.scope.in_analyze => {
                    (format!("self.b{}", usize::from(*choice) % count), true)
                }
                _ => compared(fallback()),
            },
            Cond::Local(choice) => {
                let names = &self.scope.conditions;
                let fit: Vec<_> = names.iter().filter(|(_, is_market)| *is_market || !market).collect();
                match fit.len() {
                    0 => compared(fallback()),
                    count => fit[usize::from(*choice) % count].clone(),
                }
            }
            Cond::Compare(first, rest) => {
                let (mut text, mut is_market) = self.number(first, market);
                for (op, next) in rest {
                    let op = ["<", "<=", ">", ">=", "==", "!="][usize::from(*op) % 6];
                    let next = self.number(next, market);
                    let _ = write!(text, " {op} {}", next.0);
                    is_market &= next.1;
                }
                (format!("({text})"), is_market)
            }
            Cond::Not(inner) => {
                let (text, is_market) = self.condition(inner, market);
                (format!("(not {text})"), is_market)
            }
            Cond::Logic(and, operands) => {
                let operands: Vec<_> =
                    operands.iter().map(|operand| self.condition(operand, market)).collect();
                let texts: Vec<_> = operands.iter().map(|(text, _)| text.as_str()).collect();
                let joined = texts.join(if *and { " and " } else { " or " });
                (format!("({joined})"), operands.iter().all(|(_, is_market)| *is_market))
            }
            Cond::Choice(test, a, b) => {
                let [test, a, b] = [test, a, b].map(|condition| self.condition(condition, market));
                (format!("({} if {} else {})", a.0, test.0, b.0), test.1 && a.1 && b.1)
            }
            Cond::Past(inner, bars) => {
                let (text, is_market) = self.condition(inner, market);
                (format!("({text})[{}]", self.lag(*bars)), is_market)
            }
            Cond::Session(choice) => {
                let centre = ["sydney", "tokyo", "london", "new_york"][usize::from(*choice) % 4];
                (format!("data.time.in_session(\"{centre}\")"), true)
            }
            Cond::Regime(choice) => {
                let tests = [
                    "(regime() == \"calm\")",
                    "(regime() != \"calm\")",
                    "(\"wild\" == regime())",
                    "(\"größer\" != regime())",
                ];
                (tests[usize::from(*choice) % tests.len()].to_owned(), true)
            }
            Cond::State if market => compared(fallback()),
            Cond::State => ("self.t0".to_owned(), false),
            Cond::Defined(x) => {
                let (text, is_market) = self.number(x, market);
                (format!("defined({text})"), is_market)
            }
            Cond::DefinedCondition(x) => {
                let (text, is_market) = self.condition(x, market);
                (format!("defined({text})"), is_market)
            }
            Cond::Call(call) => {
                let forms = forms(|gives| matches!(gives, Gives::Condition));
                self.call(forms[usize::from(call.which) % forms.len()], call, market)
            }
            Cond::Helper(which, given) => {
                self.helper_call(*which, given, true).unwrap_or_else(|| compared(fallback()))
            }
        }
    }

    /// A helper that is defined in front and gives a condition or a number, as wanted.
    fn helper_call(&self, which: u8, given: &[Num], condition: bool) -> Option<Printed> {
        let helpers = self.program.helpers.iter().enumerate().take(self.scope.helpers);
        // A function in front of the class reaches no method.
        let fit: Vec<_> = helpers
            .filter(|(_, helper)| {
                helper.gives_condition == condition && (self.scope.in_analyze || !helper.is_method)
            })
            .collect();
        let (index, helper) = fit.get(usize::from(which) % fit.len().max(1))?;
        let owner = if helper.is_method { "self." } else { "" };
        let given: Vec<_> = given.iter().map(|x| self.number(x, true).0).collect();
        let arguments = match which % 3 {
            0 => given[0].clone(),
            1 => format!("{}, {}", given[0], given[1]),
            _ => format!("y={}, x={}", given[1], given[0]),
        };
        let data = if which % 3 == 2 { "data=data" } else { "data" };
        Some((format!("{owner}h{index}({data}, {arguments})"), true))
    }

    pub(super) fn call(&self, form: &Form, call: &Call, market: bool) -> Printed {
        let (mut texts, mut is_market) = (Vec::new(), true);
        let (mut operands, mut lengths) = (call.operands.iter(), call.bars.iter());
        let mut length = 0;
        let mut is_named = false;
        for (place, argument) in form.arguments.iter().enumerate() {
            if argument.is_optional() && call.shape >> place & 1 == 1 {
                is_named = true;
                continue;
            }
            let (name, value) = match argument {
                Argument::Market(name) | Argument::OptionalMarket(name) => {
                    (name, self.number(operands.next().unwrap_or(&Num::Local(0)), true).0)
                }
                Argument::Number(name) | Argument::OptionalNumber(name) => {
                    let x = operands.next().unwrap_or(&Num::Local(0));
                    let (text, of_market) = self.number(x, market);
                    is_market &= of_market;
                    (name, text)
                }
                Argument::Condition(name) => {
                    let x = operands.next().unwrap_or(&Num::Local(0));
                    (name, format!("({} > {})", self.number(x, true).0, self.number(&Num::Market(3), true).0))
                }
                Argument::Bars(name) | Argument::OptionalBars(name) => {
                    length = u32::from(lengths.next().unwrap_or(&3) % 12) + 1;
                    let is_literal =
                        form.arguments.iter().any(|argument| matches!(argument, Argument::Longer(_)));
                    (name, if is_literal { length.to_string() } else { self.bars(length) })
                }
                Argument::Longer(name) => {
                    length += u32::from(lengths.next().unwrap_or(&3) % 9) + 1;
                    (name, length.to_string())
                }
                Argument::Several(name) => {
                    length = u32::from(lengths.next().unwrap_or(&3) % 12) + 2;
                    (name, length.to_string())
                }
                Argument::Text(name, choices) => {
                    is_named = true;
                    let choice = lengths.next().unwrap_or(&3);
                    (name, format!("\"{}\"", choices[usize::from(*choice) % choices.len()]))
                }
            };
            is_named |= call.shape >> 4 & 3 == 3 && place > 0;
            texts.push(if is_named { format!("{name}={value}") } else { value });
        }
        (format!("{}({})", form.name, texts.join(", ")), is_market)
    }

    /// A number of bars: a literal, a parameter, a counter, or arithmetic on them.
    fn bars(&self, length: u32) -> String {
        match (length % 6, self.scope.counters.first()) {
            (0, _) if self.scope.in_analyze => "self.w0".to_owned(),
            (1, Some(counter)) => format!("{counter} + 2"),
            (2, _) => format!("{} // 2", length * 2),
            _ => length.to_string(),
        }
    }
}
