//! Decisions: what `analyze` returns, every argument a number.

use crate::Interpreter;
use crate::statement::Frame;
use crate::value::{Number, Steps, Value};
use anyhow::{Context, Result, bail, ensure};
use fx_domain::UnixNanos;
use ruff_python_ast::{Expr, ExprCall, ExprDict};
use std::collections::BTreeMap;
use std::fmt;

/// A number that is equal to another where every bit is.
#[derive(Clone, Copy)]
pub struct Exact(pub f64);

impl PartialEq for Exact {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl fmt::Debug for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// What is decided. Names are those of the language.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// `buy` and `sell`.
    Enter {
        /// Which of the two.
        side: Side,
        /// The name of the size: `units`, `lots`, `risk_percent` or `equity_percent`.
        size: &'static str,
        /// How much of it.
        amount: Exact,
        /// The rest.
        ticket: Ticket,
    },
    /// `order`.
    Order {
        /// Signed.
        units: Exact,
        /// No more than closes the position.
        reduce_only: bool,
        /// The rest.
        ticket: Ticket,
    },
    /// `target`.
    Target {
        /// Signed.
        units: Exact,
    },
    /// `close`.
    Close,
    /// `close_partial`.
    ClosePartial {
        /// The name of the part: `units`, `lots` or `percent`.
        part: &'static str,
        /// How much of it.
        amount: Exact,
    },
    /// `cancel`.
    Cancel {
        /// Of this label, or all.
        label: Option<String>,
    },
    /// `modify`.
    Modify {
        /// Waiting orders of this label, or all.
        label: Option<String>,
        /// Their price.
        price: Option<Level>,
        /// The position's exits.
        exits: Exits,
    },
}

/// Which way an entry goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `buy`
    Long,
    /// `sell`
    Short,
}

/// What an order says beside side and size.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    /// How it meets the market.
    pub entry: Entry,
    /// What is attached to its fill.
    pub exits: Exits,
    /// How long it waits.
    pub expiry: Expiry,
    /// Its name.
    pub label: Option<String>,
}

/// How an order meets the market.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// With the next bar.
    Market,
    /// `limit=`
    Limit(Level),
    /// `stop=`
    Stop(Level),
    /// `stop=` and `limit=`
    StopLimit {
        /// Brings it to life.
        stop: Level,
        /// The worst price.
        limit: Level,
    },
    /// `touch=`
    Touch(Level),
    /// `trail=`
    Trail(Level),
}

/// Exits attached to a fill, or to the position.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exits {
    /// `stop_loss=`
    pub stop_loss: Option<Level>,
    /// `take_profit=`
    pub take_profit: Option<Level>,
    /// `trailing=`
    pub trailing: Option<Level>,
}

/// How long an order waits.
#[derive(Clone, Debug, PartialEq)]
pub enum Expiry {
    /// Until something happens to it; a market order does not wait.
    Never,
    /// `tif="day"`
    Day,
    /// `tif="ioc"`
    ImmediateOrCancel,
    /// `tif="fok"`
    FillOrKill,
    /// `expires=` a number of bars.
    Bars(Exact),
    /// `expires=` an instant, in nanoseconds since 1970.
    Until(i64),
}

/// Where an order or an exit is.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// What the number is.
    pub measure: Measure,
    /// The number.
    pub at: Exact,
}

/// What the number of a level is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// A price.
    Price,
    /// `pips(n)`
    Pips,
    /// `distance(x)`
    Distance,
}

/// A decision, or nothing where one of its arguments is undefined.
pub(crate) type Action = Option<Decision>;

/// What a return decides: all of it, or nothing where a part is undefined.
pub(crate) fn taken(value: Value) -> Result<Vec<Decision>> {
    match value {
        Value::Nothing => Ok(Vec::new()),
        Value::Decision(actions, _) => Ok(actions.into_iter().collect::<Option<_>>().unwrap_or_default()),
        other => bail!("`analyze` returns a decision, not {other:?}"),
    }
}

/// A decision being written: its arguments are read one by one.
struct Writing<'e> {
    name: String,
    given: BTreeMap<String, &'e Expr>,
    /// Every number read so far has a value.
    defined: bool,
    /// How what was read so far was made.
    steps: Vec<Steps>,
}

const SIZES: [&str; 4] = ["units", "lots", "risk_percent", "equity_percent"];
const PARTS: [&str; 3] = ["units", "lots", "percent"];

/// Whether a function gives a decision.
pub(crate) fn decides(name: &str) -> bool {
    ["buy", "sell", "order", "target", "close", "close_partial", "cancel", "modify"].contains(&name)
}

impl Interpreter<'_> {
    /// `buy(units=1000)` and its like.
    pub(crate) fn decision_call(&mut self, frame: &Frame, name: &str, call: &ExprCall) -> Result<Value> {
        let mut given = BTreeMap::new();
        for keyword in &call.arguments.keywords {
            let name = keyword.arg.as_ref().context("arguments are named")?;
            given.insert(name.to_string(), &keyword.value);
        }
        self.decision(frame, name, given)
    }

    /// `{"action": "buy", "units": 1000}` is `buy(units=1000)`; `{}` is nothing.
    pub(crate) fn decision_dict(&mut self, frame: &Frame, dict: &ExprDict) -> Result<Value> {
        let mut given = BTreeMap::new();
        for item in &dict.items {
            let key = item.key.as_ref().context("`**` is not in the language")?;
            let Value::Text(key) = self.expression(frame, key)? else { bail!("keys are texts") };
            given.insert(key, &item.value);
        }
        let Some(action) = given.remove("action") else {
            ensure!(given.is_empty(), "a decision has an action");
            return Ok(Value::Nothing);
        };
        let Value::Text(name) = self.expression(frame, action)? else { bail!("an action is a text") };
        self.decision(frame, &name, given)
    }

    /// Several decisions are one: taken together and in order, or not at all.
    pub(crate) fn decision_list(&mut self, frame: &Frame, elements: &[Expr]) -> Result<Value> {
        let (mut actions, mut steps) = (Vec::new(), Vec::new());
        for element in elements {
            match self.expression(frame, element)? {
                Value::Nothing => {}
                Value::Decision(more, how) => {
                    actions.extend(more);
                    steps.push(how);
                }
                other => bail!("a list holds decisions, not {other:?}"),
            }
        }
        let is_empty = actions.is_empty();
        Ok(if is_empty { Value::Nothing } else { Value::Decision(actions, Steps::of("list", &steps)) })
    }

    fn decision(&mut self, frame: &Frame, name: &str, given: BTreeMap<String, &Expr>) -> Result<Value> {
        let mut writing = Writing { name: name.to_owned(), given, defined: true, steps: Vec::new() };
        let decision = self.written(frame, &mut writing)?;
        let steps = Steps::of(&format!("{name} {decision:?}"), &writing.steps);
        Ok(Value::Decision(vec![writing.defined.then_some(decision)], steps))
    }

    fn written(&mut self, frame: &Frame, writing: &mut Writing<'_>) -> Result<Decision> {
        Ok(match writing.name.as_str() {
            "buy" => self.entry(frame, writing, Side::Long)?,
            "sell" => self.entry(frame, writing, Side::Short)?,
            "order" => Decision::Order {
                units: self.amount(frame, writing, "units")?.context("`order` has units")?,
                reduce_only: self.reduce_only(frame, writing)?,
                ticket: self.ticket(frame, writing)?,
            },
            "target" => Decision::Target {
                units: self.amount(frame, writing, "units")?.context("`target` has units")?,
            },
            "close" => Decision::Close,
            "close_partial" => {
                let (part, amount) = self.one_of(frame, writing, &PARTS)?;
                Decision::ClosePartial { part, amount }
            }
            "cancel" => Decision::Cancel { label: self.text(frame, writing, "label")? },
            "modify" => Decision::Modify {
                label: self.text(frame, writing, "label")?,
                price: self.level(frame, writing, "price")?,
                exits: self.exits(frame, writing)?,
            },
            other => bail!("there is no action `{other}`"),
        })
    }

    fn entry(&mut self, frame: &Frame, writing: &mut Writing<'_>, side: Side) -> Result<Decision> {
        let (size, amount) = self.one_of(frame, writing, &SIZES)?;
        Ok(Decision::Enter { side, size, amount, ticket: self.ticket(frame, writing)? })
    }

    fn ticket(&mut self, frame: &Frame, writing: &mut Writing<'_>) -> Result<Ticket> {
        let mut level = |name| self.level(frame, writing, name);
        let entry = match (level("limit")?, level("stop")?, level("touch")?, level("trail")?) {
            (None, None, None, None) => Entry::Market,
            (Some(limit), None, None, None) => Entry::Limit(limit),
            (None, Some(stop), None, None) => Entry::Stop(stop),
            (Some(limit), Some(stop), None, None) => Entry::StopLimit { stop, limit },
            (None, None, Some(touch), None) => Entry::Touch(touch),
            (None, None, None, Some(trail)) => Entry::Trail(trail),
            _ => bail!("two kinds of order"),
        };
        let exits = self.exits(frame, writing)?;
        let expiry = self.expiry(frame, writing, entry == Entry::Market)?;
        let label = self.text(frame, writing, "label")?;
        Ok(Ticket { entry, exits, expiry, label })
    }

    fn exits(&mut self, frame: &Frame, writing: &mut Writing<'_>) -> Result<Exits> {
        Ok(Exits {
            stop_loss: self.level(frame, writing, "stop_loss")?,
            take_profit: self.level(frame, writing, "take_profit")?,
            trailing: self.level(frame, writing, "trailing")?,
        })
    }

    /// A market order does not wait: how long it would is not even looked at.
    fn expiry(&mut self, frame: &Frame, writing: &mut Writing<'_>, is_market: bool) -> Result<Expiry> {
        let expiry = match self.text(frame, writing, "tif")?.as_deref() {
            Some("day") => Expiry::Day,
            Some("ioc") => return Ok(Expiry::ImmediateOrCancel),
            Some("fok") => return Ok(Expiry::FillOrKill),
            Some("gtc") | None => match writing.given.get("expires") {
                Some(_) if is_market => Expiry::Never,
                Some(at) => self.expires(frame, writing, at)?,
                None => Expiry::Never,
            },
            Some(other) => bail!("there is no time in force `{other}`"),
        };
        Ok(if is_market { Expiry::Never } else { expiry })
    }

    fn expires(&mut self, frame: &Frame, writing: &mut Writing<'_>, at: &Expr) -> Result<Expiry> {
        Ok(match self.expression(frame, at)? {
            Value::Nothing => Expiry::Never,
            Value::Text(instant) => Expiry::Until(UnixNanos::parse(&instant)?.get()),
            Value::Number(bars) => Expiry::Bars(writing.read(bars)),
            other => bail!("an order does not expire at {other:?}"),
        })
    }

    fn reduce_only(&mut self, frame: &Frame, writing: &Writing<'_>) -> Result<bool> {
        let Some(at) = writing.given.get("reduce_only") else { return Ok(false) };
        self.condition(frame, at)?.known().context("`reduce_only` is known before the run")
    }

    /// The one of `names` that is given.
    fn one_of(
        &mut self,
        frame: &Frame,
        writing: &mut Writing<'_>,
        names: &[&'static str],
    ) -> Result<(&'static str, Exact)> {
        let name = names.iter().find(|name| writing.given.contains_key(**name)).context("no size")?;
        Ok((name, self.amount(frame, writing, name)?.context("no size")?))
    }

    fn amount(&mut self, frame: &Frame, writing: &mut Writing<'_>, name: &str) -> Result<Option<Exact>> {
        let Some(at) = writing.given.get(name).copied() else { return Ok(None) };
        let number = self.number(frame, at)?;
        Ok(Some(writing.read(number)))
    }

    /// A number is a price, `pips(n)` and `distance(x)` are measured, `None` is none.
    fn level(&mut self, frame: &Frame, writing: &mut Writing<'_>, name: &str) -> Result<Option<Level>> {
        let Some(at) = writing.given.get(name).copied() else { return Ok(None) };
        let (measure, number) = match self.expression(frame, at)? {
            Value::Nothing => return Ok(None),
            Value::Away(measure, number) => (measure, number),
            Value::Number(number) => (Measure::Price, number),
            other => bail!("a level is not {other:?}"),
        };
        Ok(Some(Level { measure, at: writing.read(number) }))
    }

    fn text(&mut self, frame: &Frame, writing: &Writing<'_>, name: &str) -> Result<Option<String>> {
        let Some(at) = writing.given.get(name) else { return Ok(None) };
        match self.expression(frame, at)? {
            Value::Nothing => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            other => bail!("`{name}` is not {other:?}"),
        }
    }
}

impl Writing<'_> {
    /// Takes a number in; an undefined one undoes the decision.
    fn read(&mut self, number: Number) -> Exact {
        self.defined &= number.now.is_some();
        self.steps.push(number.steps);
        Exact(number.now.unwrap_or_default())
    }
}
