//! The ledger.
//!
//! | column | holds |
//! | --- | --- |
//! | `sequence`, `time`, `kind`, `order` | number of the row, when and what it books, the order behind it |
//! | `amount`, `balance` | with `amount_currency` and `balance_currency` |
//! | `conversion_from` | the currency that the amount came from; null where it was in the account currency |
//! | `conversion_1_pair`, `_bid_plus_ask`, `_inverse`, `_time` | the first price: twice its mid, whether divided by, when seen |
//! | `conversion_2_…` | the second, for a path through the US dollar |
//! | `rollover_pair`, `_time`, `_days`, `_units`, `_price`, `_inside_bar` | of a financing row; null elsewhere |

use super::{
    MONEY, PRICE, counts, currency, instrument, integers, named, optional, optional_counts, texts, there,
};
use crate::Error;
use crate::table::{Columns, Meaning, Table, Values};
use fx_domain::{Conversion, ConversionStep, LedgerRow, Money, OrderId, Price, Rollover, Units, UnixNanos};

pub(super) fn columns(ledger: &[LedgerRow]) -> Columns {
    let currencies = |value: fn(&LedgerRow) -> Money| {
        Values::Text(ledger.iter().map(|row| value(row).currency().code()).collect())
    };
    let from = ledger.iter().map(|row| row.conversion.map(|conversion| conversion.from.code()));
    let mut columns = vec![
        ("sequence", counts(ledger, |row| row.sequence)),
        ("time", integers(ledger, Meaning::Timestamp, |row| row.time.get())),
        ("kind", texts(ledger, |row| row.kind.as_str())),
        ("order", optional_counts(ledger, |row| row.order.map(|order| order.0))),
        ("amount", integers(ledger, MONEY, |row| row.amount.micros())),
        ("balance", integers(ledger, MONEY, |row| row.balance.micros())),
        ("amount_currency", currencies(|row| row.amount)),
        ("balance_currency", currencies(|row| row.balance)),
        ("conversion_from", Values::OptionalText(from.collect())),
    ];
    columns.extend(step_columns(ledger, FIRST, |row| row.conversion.map(|conversion| conversion.first)));
    columns
        .extend(step_columns(ledger, SECOND, |row| row.conversion.and_then(|conversion| conversion.second)));
    columns.extend(rollover_columns(ledger));
    columns
}

/// The columns of one price of a conversion.
type StepNames = [&'static str; 4];
const FIRST: StepNames =
    ["conversion_1_pair", "conversion_1_bid_plus_ask", "conversion_1_inverse", "conversion_1_time"];
const SECOND: StepNames =
    ["conversion_2_pair", "conversion_2_bid_plus_ask", "conversion_2_inverse", "conversion_2_time"];

fn step_columns(
    ledger: &[LedgerRow],
    [pair, price, inverse, time]: StepNames,
    step: fn(&LedgerRow) -> Option<ConversionStep>,
) -> [(&'static str, Values); 4] {
    let steps = || ledger.iter().map(step);
    [
        (pair, Values::OptionalOwned(steps().map(|step| Some(step?.instrument.to_string())).collect())),
        (price, optional(ledger, PRICE, |row| Some(step(row)?.bid_plus_ask.nanos()))),
        (inverse, Values::OptionalBool(steps().map(|step| Some(step?.inverse)).collect())),
        (time, optional(ledger, Meaning::Timestamp, |row| Some(step(row)?.time.get()))),
    ]
}

fn rollover_columns(ledger: &[LedgerRow]) -> [(&'static str, Values); 6] {
    let rollovers = || ledger.iter().map(|row| row.rollover);
    [
        (
            "rollover_pair",
            Values::OptionalOwned(rollovers().map(|roll| Some(roll?.instrument.to_string())).collect()),
        ),
        ("rollover_time", optional(ledger, Meaning::Timestamp, |row| Some(row.rollover?.time.get()))),
        ("rollover_days", optional_counts(ledger, |row| Some(row.rollover?.days.into()))),
        ("rollover_units", optional(ledger, Meaning::Signed, |row| Some(row.rollover?.units.get()))),
        ("rollover_price", optional(ledger, PRICE, |row| Some(row.rollover?.price.nanos()))),
        (
            "rollover_inside_bar",
            Values::OptionalBool(rollovers().map(|roll| Some(roll?.inside_bar)).collect()),
        ),
    ]
}

pub(super) fn decode(table: &Table) -> Result<Vec<LedgerRow>, Error> {
    let (sequences, times) = (table.unsigned("sequence")?, table.integers("time")?);
    let (kinds, orders) = (table.texts("kind")?, table.optional_unsigned("order")?);
    let (amounts, balances) = (table.integers("amount")?, table.integers("balance")?);
    let (amount_in, balance_in) = (table.texts("amount_currency")?, table.texts("balance_currency")?);
    let from = table.optional_texts("conversion_from")?;
    let (first, second) = (steps(table, FIRST)?, steps(table, SECOND)?);
    let rollovers = rollovers(table)?;
    let entry = |row: usize| -> Result<LedgerRow, Error> {
        let conversion = match &from[row] {
            None => None,
            Some(from) => Some(Conversion {
                from: currency(from)?,
                first: there(first[row], "first price of a conversion")?,
                second: second[row],
            }),
        };
        Ok(LedgerRow {
            sequence: sequences[row],
            time: UnixNanos::new(times[row]),
            kind: named(&kinds[row])?,
            order: orders[row].map(OrderId),
            amount: Money::from_micros(amounts[row], currency(&amount_in[row])?),
            balance: Money::from_micros(balances[row], currency(&balance_in[row])?),
            conversion,
            rollover: rollovers[row],
        })
    };
    (0..table.rows()).map(entry).collect()
}

fn steps(
    table: &Table,
    [pair, price, inverse, time]: StepNames,
) -> Result<Vec<Option<ConversionStep>>, Error> {
    let pairs = table.optional_texts(pair)?;
    let (prices, inverses) = (table.optional_integers(price)?, table.optional_bools(inverse)?);
    let times = table.optional_integers(time)?;
    let step = |row: usize| -> Result<Option<ConversionStep>, Error> {
        let Some(pair) = &pairs[row] else { return Ok(None) };
        Ok(Some(ConversionStep {
            instrument: instrument(pair)?,
            bid_plus_ask: Price::from_nanos(there(prices[row], price)?),
            inverse: there(inverses[row], inverse)?,
            time: UnixNanos::new(there(times[row], time)?),
        }))
    };
    (0..table.rows()).map(step).collect()
}

fn rollovers(table: &Table) -> Result<Vec<Option<Rollover>>, Error> {
    let (pairs, times) = (table.optional_texts("rollover_pair")?, table.optional_integers("rollover_time")?);
    let days = table.optional_unsigned("rollover_days")?;
    let (units, prices) =
        (table.optional_integers("rollover_units")?, table.optional_integers("rollover_price")?);
    let inside = table.optional_bools("rollover_inside_bar")?;
    let rollover = |row: usize| -> Result<Option<Rollover>, Error> {
        let Some(pair) = &pairs[row] else { return Ok(None) };
        let days = u32::try_from(there(days[row], "rollover_days")?);
        Ok(Some(Rollover {
            instrument: instrument(pair)?,
            time: UnixNanos::new(there(times[row], "rollover_time")?),
            days: days.map_err(|_| Error::corrupt("a rollover has too many days"))?,
            units: Units::new(there(units[row], "rollover_units")?),
            price: Price::from_nanos(there(prices[row], "rollover_price")?),
            inside_bar: there(inside[row], "rollover_inside_bar")?,
        }))
    };
    (0..table.rows()).map(rollover).collect()
}
