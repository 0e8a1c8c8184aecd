//! Names, and what stands behind their dots.

use crate::Interpreter;
use crate::market::Quote;
use crate::statement::Frame;
use crate::value::{Group, Number, Steps, Value};
use anyhow::{Context, Result, bail};
use fx_domain::{NANOS_PER_DAY, NANOS_PER_HOUR, NANOS_PER_MINUTE};
use ruff_python_ast::ExprAttribute;

/// What `data.index` is before the start date.
const WARM_UP_INDEX: f64 = -1.0;
/// 1970-01-01 was a Thursday, Monday is 0.
const WEEKDAY_OF_1970: i64 = 3;

impl Interpreter<'_> {
    pub(crate) fn name(&self, frame: &Frame, name: &str) -> Result<Value> {
        if let Some(value) = frame.names.get(name) {
            return Ok(value.clone());
        }
        Ok(Value::Group(match name {
            "position" => Group::Position,
            "account" => Group::Account,
            _ => bail!("`{name}` is not assigned"),
        }))
    }

    pub(crate) fn attribute(&mut self, frame: &Frame, attribute: &ExprAttribute) -> Result<Value> {
        let name = attribute.attr.as_str();
        let Value::Group(group) = self.expression(frame, &attribute.value)? else {
            bail!("`.{name}` of what is no group of values")
        };
        if group == Group::Strategy {
            let state = self.states.get(name).cloned();
            return state
                .or_else(|| self.strategy.parameter(name))
                .with_context(|| format!("no field `{name}`"));
        }
        let found = match (group, name) {
            (Group::Data, "bid") => Some(Value::Group(Group::Bid)),
            (Group::Data, "ask") => Some(Value::Group(Group::Ask)),
            (Group::Data, "mid") => Some(Value::Group(Group::Mid)),
            (Group::Data, "time") => Some(Value::Group(Group::Time)),
            _ => self.number_of(group, name).map(Value::Number),
        };
        found.with_context(|| format!("`{group:?}` has no `{name}`"))
    }

    fn number_of(&self, group: Group, name: &str) -> Option<Number> {
        let (market, bar) = (self.now.market, self.now.bar);
        match group {
            Group::Data if name == "volume" => Some(seen(group, name, market.volume(bar))),
            Group::Data if name == "index" => Some(seen(group, name, self.index())),
            Group::Data => market.price(Quote::Signal, name, bar),
            Group::Bid => market.price(Quote::Bid, name, bar),
            Group::Ask => market.price(Quote::Ask, name, bar),
            Group::Mid => market.price(Quote::Mid, name, bar),
            Group::Time => self.time(name).map(|value| seen(group, name, value)),
            Group::Position | Group::Account => self
                .account(name)
                .map(|now| Number::computed(now, Steps::of(&format!("{group:?} {name}"), &[]))),
            Group::Strategy => None,
        }
    }

    /// 0 at the first bar that is decided on.
    #[expect(clippy::cast_precision_loss, reason = "a count becomes the nearest number")]
    fn index(&self) -> f64 {
        match self.now.bar.checked_sub(self.now.first_decision) {
            Some(index) => index as f64,
            None => WARM_UP_INDEX,
        }
    }

    /// The bar's open in UTC.
    #[expect(clippy::cast_precision_loss, reason = "these are small")]
    fn time(&self, name: &str) -> Option<f64> {
        let nanos = self.now.market.time(self.now.bar).get();
        let (day, of_day) = (nanos.div_euclid(NANOS_PER_DAY), nanos.rem_euclid(NANOS_PER_DAY));
        let field = match name {
            "hour" => of_day / NANOS_PER_HOUR,
            "minute" => of_day % NANOS_PER_HOUR / NANOS_PER_MINUTE,
            "weekday" => weekday_of(day),
            "day" => date_of(day)[2],
            "month" => date_of(day)[1],
            "year" => date_of(day)[0],
            _ => return None,
        };
        Some(field as f64)
    }

    fn account(&self, name: &str) -> Option<Option<f64>> {
        let account = self.now.account;
        Some(match name {
            "units" => Some(account.units),
            "entry_price" => account.entry_price,
            "bars" => Some(account.bars),
            "unrealized_pips" => Some(account.unrealized_pips),
            "equity" => Some(account.equity),
            "balance" => Some(account.balance),
            _ => return None,
        })
    }
}

fn seen(group: Group, name: &str, now: f64) -> Number {
    Number::computed(Some(now), Steps::of(&format!("{group:?} {name}"), &[]))
}

/// Monday is 0.
pub(crate) const fn weekday_of(day: i64) -> i64 {
    (day + WEEKDAY_OF_1970).rem_euclid(7)
}

/// Year, month and day of a day that is counted from 1970-01-01: years and months are walked one by one.
pub(crate) fn date_of(day: i64) -> [i64; 3] {
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let (mut year, mut left) = (1970, day);
    while left < 0 {
        year -= 1;
        left += if leap(year) { 366 } else { 365 };
    }
    while left >= if leap(year) { 366 } else { 365 } {
        left -= if leap(year) { 366 } else { 365 };
        year += 1;
    }
    let mut month = 1;
    for days in [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if left < days {
            break;
        }
        left -= days;
        month += 1;
    }
    [year, month, left + 1]
}
