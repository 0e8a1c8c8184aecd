//! Orders: how an entry meets the market, how long it waits, what is attached to its fill.

use crate::diagnostic::nearest;
use crate::limits::{LABEL_BYTES_MAX, LABELS_MAX};
use crate::lower::decision::Given;
use crate::lower::{Frame, Lowered, Lowering};
use crate::plan::{Action, Direction, Entry, Exits, Expiry, LabelId, Level, Rule, Size, Ticket};
use crate::value::{Constant, Value};
use fx_domain::UnixNanos;
use ruff_text_size::{Ranged, TextRange};
use std::collections::BTreeSet;

const SIZES: [&str; 4] = ["units", "lots", "risk_percent", "equity_percent"];
/// The texts of `tif=`.
const TIMES: [(&str, Expiry); 4] = [
    ("gtc", Expiry::Never),
    ("day", Expiry::Day),
    ("ioc", Expiry::ImmediateOrCancel),
    ("fok", Expiry::FillOrKill),
];

impl<'a> Lowering<'a, '_> {
    /// `buy` and `sell`.
    pub(crate) fn entry(
        &mut self,
        frame: &Frame<'a>,
        direction: Direction,
        given: &Given<'_, 'a>,
    ) -> Lowered<Value> {
        let (kind, amount) = self.amount(frame, given, &SIZES, "the entry")?;
        let size = match kind {
            "units" => Size::Units(amount),
            "lots" => Size::Lots(amount),
            "risk_percent" => Size::RiskPercent(amount),
            _ => Size::EquityPercent(amount),
        };
        let ticket = self.ticket(frame, given)?;
        if matches!(size, Size::RiskPercent(_)) && ticket.exits.stop_loss.is_none() {
            return Err(self.report.error_with_hint(
                given.range,
                "decision",
                "`risk_percent` needs a stop loss: the size follows from the distance to it",
                "add `stop_loss=pips(25)`, a price, or `distance(x)`",
            ));
        }
        Ok(self.always(Action::Enter { direction, size, ticket }))
    }

    /// `order(units=±n)`.
    pub(crate) fn order(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<Value> {
        let Some(at) = given.get("units") else { return Ok(Value::Nothing) };
        let value = self.expression(frame, at)?;
        let units = self.number(&value, at.range())?;
        if let Value::Constant(constant) = &value
            && constant.number() == Some(0.0)
        {
            return Err(self.report.error_with_hint(
                at.range(),
                "decision",
                "an order of no units trades nothing",
                "`units` above zero buys, below zero sells",
            ));
        }
        let ticket = self.ticket(frame, given)?;
        let reduce_only = self.reduce_only(frame, given)?;
        Ok(self.always(Action::Order { units, reduce_only, ticket }))
    }

    fn reduce_only(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<bool> {
        let Some(at) = given.get("reduce_only") else { return Ok(false) };
        match self.expression(frame, at)? {
            Value::Constant(Constant::Boolean(value)) => Ok(value),
            other => {
                let message = match other {
                    Value::Condition(_) => {
                        "`reduce_only` must be known before the run, not change from bar to bar".to_owned()
                    }
                    other => format!("`reduce_only` is True or False, this is {}", other.kind()),
                };
                let hint = "write `reduce_only=True`, under an `if` where it depends on something";
                Err(self.report.error_with_hint(at.range(), "constant", message, hint))
            }
        }
    }

    fn ticket(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<Ticket> {
        let entry = self.entry_kind(frame, given)?;
        let exits = self.exits(frame, given)?;
        let expiry = self.expiry(frame, given, entry)?;
        let label = self.label(frame, given)?;
        Ok(Ticket { entry, exits, expiry, label })
    }

    fn entry_kind(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<Entry> {
        let limit = self.level(frame, given, "limit")?;
        let stop = self.level(frame, given, "stop")?;
        let touch = self.level(frame, given, "touch")?;
        let trail = self.trail(frame, given, "trail")?;
        Ok(match (limit, stop, touch, trail) {
            (None, None, None, None) => Entry::Market,
            (Some(limit), None, None, None) => Entry::Limit(limit),
            (None, Some(stop), None, None) => Entry::Stop(stop),
            (Some(limit), Some(stop), None, None) => Entry::StopLimit { stop, limit },
            (None, None, Some(touch), None) => Entry::Touch(touch),
            (None, None, None, Some(trail)) => Entry::Trail(trail),
            _ => {
                let alone = if trail.is_some() { "trail" } else { "touch" };
                let other = match (limit, stop) {
                    (Some(_), _) => "limit",
                    (None, Some(_)) => "stop",
                    (None, None) => "touch",
                };
                let range = given.get(alone).map_or(given.range, Ranged::range);
                let message = format!("`{alone}` and `{other}` are two different orders");
                let hint = "give one of limit, stop, touch, trail; only limit and stop go together, as a stop-limit order";
                return Err(self.report.error_with_hint(range, "decision", message, hint));
            }
        })
    }

    /// `stop_loss=`, `take_profit=` and `trailing=`.
    pub(crate) fn exits(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<Exits> {
        Ok(Exits {
            stop_loss: self.level(frame, given, "stop_loss")?,
            take_profit: self.level(frame, given, "take_profit")?,
            trailing: self.trail(frame, given, "trailing")?,
        })
    }

    /// A number is a price, `pips(n)` and `distance(x)` are measured, `None` is none.
    pub(crate) fn level(
        &mut self,
        frame: &Frame<'a>,
        given: &Given<'_, 'a>,
        name: &str,
    ) -> Lowered<Option<Level>> {
        let Some(at) = given.get(name) else { return Ok(None) };
        match self.expression(frame, at)? {
            Value::Nothing => Ok(None),
            Value::Level(level) => Ok(Some(level)),
            value => {
                self.positive(&value, at.range(), name)?;
                let price = self.number(&value, at.range())?;
                if let Value::Constant(_) = value {
                    self.report.warning(
                        at.range(),
                        "decision",
                        "a number here is a price, and this one never changes",
                        "a distance is `pips(n)` or `distance(x)`",
                    );
                }
                Ok(Some(Level::Price(price)))
            }
        }
    }

    /// What follows the price keeps a distance; a price would stand still.
    fn trail(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>, name: &str) -> Lowered<Option<Level>> {
        let Some(at) = given.get(name) else { return Ok(None) };
        match self.expression(frame, at)? {
            Value::Nothing => Ok(None),
            Value::Level(level) => Ok(Some(level)),
            other => {
                let message = match other.kind() {
                    "a number" => {
                        format!(
                            "`{name}` follows the best price at a distance, and a number would be a price"
                        )
                    }
                    kind => format!("`{name}` follows the best price at a distance, this is {kind}"),
                };
                let hint = format!("write `{name}=pips(20)` or `{name}=distance(x)`");
                Err(self.report.error_with_hint(at.range(), "decision", message, hint))
            }
        }
    }

    fn expiry(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>, entry: Entry) -> Lowered<Expiry> {
        let tif = self.tif(frame, given)?;
        let expires = self.expires(frame, given)?;
        let ((name, range), expiry) = match (tif, expires) {
            (None, None) => return Ok(Expiry::Never),
            (Some((expiry, range)), None) => (("tif", range), expiry),
            (None | Some((Expiry::Never, _)), Some((expiry, range))) => (("expires", range), expiry),
            (Some((_, range)), Some(_)) => {
                return Err(self.report.error_with_hint(
                    range,
                    "decision",
                    "`tif` and `expires` are two ends of one order",
                    "give one of them; only `tif=\"gtc\"` goes with `expires`",
                ));
            }
        };
        let waits = !matches!(expiry, Expiry::ImmediateOrCancel | Expiry::FillOrKill);
        if entry == Entry::Market && waits {
            let message = format!("a market order does not wait: `{name}` has no effect");
            let hint = "give the order a price with limit, stop, touch or trail";
            self.report.warning(range, "decision", &message, hint);
            return Ok(Expiry::Never);
        }
        Ok(expiry)
    }

    fn tif(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<Option<(Expiry, TextRange)>> {
        let hint = format!("the choices are {}", TIMES.map(|(name, _)| format!("\"{name}\"")).join(", "));
        let Some((text, range)) = self.text(frame, given, "tif", &hint)? else { return Ok(None) };
        match TIMES.iter().find(|(name, _)| *name == text) {
            Some((_, expiry)) => Ok(Some((*expiry, range))),
            None => {
                let message = format!("there is no time in force `{text}`");
                Err(self.report.error_with_hint(range, "argument", message, hint))
            }
        }
    }

    /// A number of bars, or a text that is an instant.
    fn expires(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<Option<(Expiry, TextRange)>> {
        let Some(at) = given.get("expires") else { return Ok(None) };
        let range = at.range();
        let value = self.expression(frame, at)?;
        let expiry = match &value {
            Value::Nothing => return Ok(None),
            Value::Constant(Constant::Text(text)) => match UnixNanos::parse(text) {
                Ok(instant) => Expiry::Until(instant.get()),
                Err(error) => {
                    let hint = "a number of bars is a number: `expires=10`";
                    return Err(self.report.error_with_hint(range, "argument", error.to_string(), hint));
                }
            },
            Value::Constant(Constant::Number(bars)) if bars.fract() != 0.0 => {
                let message = format!("{bars:?} is not a whole number of bars");
                let hint = "`//` divides without a fraction";
                return Err(self.report.error_with_hint(range, "constant", message, hint));
            }
            Value::Level(_) => {
                let hint = "write `expires=10`, or an instant such as \"2024-03-08T21:00:00Z\"";
                let message = "an order expires after a number of bars or at an instant, not at a distance";
                return Err(self.report.error_with_hint(range, "type", message, hint));
            }
            value => {
                self.positive(value, range, "expires")?;
                Expiry::Bars(self.number(value, range)?)
            }
        };
        Ok(Some((expiry, range)))
    }

    /// The label that `cancel` and `modify` name.
    pub(crate) fn named_label(
        &mut self,
        frame: &Frame<'a>,
        given: &Given<'_, 'a>,
    ) -> Lowered<Option<LabelId>> {
        let label = self.label(frame, given)?;
        if let (Some(label), Some(at)) = (label, given.get("label")) {
            self.named_labels.push((label, at.range()));
        }
        Ok(label)
    }

    /// Warns about labels that are named and that no order of `rules` has.
    pub(crate) fn check_labels(&mut self, rules: &[Rule]) {
        let ordered: BTreeSet<LabelId> = rules
            .iter()
            .flat_map(|rule| &rule.actions)
            .filter(|action| matches!(action, Action::Enter { .. } | Action::Order { .. }))
            .filter_map(Action::label)
            .collect();
        for (label, range) in std::mem::take(&mut self.named_labels) {
            if ordered.contains(&label) {
                continue;
            }
            let text =
                |label: LabelId| self.called.labels.get(usize::from(label.0)).map_or("", String::as_str);
            let hint = nearest(text(label), ordered.iter().map(|&label| text(label)))
                .unwrap_or_else(|| format!("give it to one: `buy(…, label=\"{}\")`", text(label)));
            let message = format!("no order has the label `{}`", text(label));
            self.report.warning(range, "decision", &message, &hint);
        }
    }

    fn label(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<Option<LabelId>> {
        let hint = "write `label=\"breakout\"`, or leave it out";
        let Some((text, range)) = self.text(frame, given, "label", hint)? else { return Ok(None) };
        if text.is_empty() || text.len() > LABEL_BYTES_MAX {
            let message = format!("a label has 1 to {LABEL_BYTES_MAX} bytes, this one has {}", text.len());
            let code = if text.is_empty() { "argument" } else { "limit" };
            return Err(self.report.error_with_hint(range, code, message, hint));
        }
        let place =
            self.called.labels.iter().position(|label| *label == text).unwrap_or(self.called.labels.len());
        if place >= LABELS_MAX {
            let message = format!("a strategy has at most {LABELS_MAX} labels");
            let hint = "orders that replace each other share one";
            return Err(self.report.error_with_hint(range, "limit", message, hint));
        }
        if place == self.called.labels.len() {
            self.called.labels.push(text);
        }
        Ok(u16::try_from(place).ok().map(LabelId))
    }

    /// A text that is known when the strategy is compiled; `None` is none.
    pub(crate) fn text(
        &mut self,
        frame: &Frame<'a>,
        given: &Given<'_, 'a>,
        name: &str,
        hint: &str,
    ) -> Lowered<Option<(String, TextRange)>> {
        let Some(at) = given.get(name) else { return Ok(None) };
        match self.expression(frame, at)? {
            Value::Nothing => Ok(None),
            Value::Constant(Constant::Text(text)) => Ok(Some((text.to_string(), at.range()))),
            other => {
                let message = format!("`{name}` is a constant text, this is {}", other.kind());
                Err(self.report.error_with_hint(at.range(), "argument", message, hint))
            }
        }
    }
}
