//! Closed trades, one row each: the names are those of the API.

use super::{MONEY, PRICE, counts, currency, instrument, integers, named, texts};
use crate::Error;
use crate::table::{Columns, Meaning, Table, Values};
use fx_domain::{Costs, Money, Price, Trade, Units, UnixNanos};

pub(super) fn columns(trades: &[Trade]) -> Columns {
    vec![
        ("id", counts(trades, |trade| trade.id)),
        ("position_id", counts(trades, |trade| trade.position_id)),
        ("instrument", Values::Owned(trades.iter().map(|trade| trade.instrument.to_string()).collect())),
        ("side", texts(trades, |trade| trade.side.as_str())),
        ("units", integers(trades, Meaning::Signed, |trade| trade.units.get())),
        ("entry_bar", counts(trades, |trade| trade.entry_bar)),
        ("exit_bar", counts(trades, |trade| trade.exit_bar)),
        ("entry_time", integers(trades, Meaning::Timestamp, |trade| trade.entry_time.get())),
        ("exit_time", integers(trades, Meaning::Timestamp, |trade| trade.exit_time.get())),
        ("entry_price", integers(trades, PRICE, |trade| trade.entry_price.nanos())),
        ("exit_price", integers(trades, PRICE, |trade| trade.exit_price.nanos())),
        ("profit_loss", integers(trades, MONEY, |trade| trade.profit_loss.micros())),
        (
            "currency",
            Values::Owned(trades.iter().map(|trade| trade.profit_loss.currency().to_string()).collect()),
        ),
        ("spread", integers(trades, MONEY, |trade| trade.costs.spread_micros)),
        ("commission", integers(trades, MONEY, |trade| trade.costs.commission_micros)),
        ("slippage", integers(trades, MONEY, |trade| trade.costs.slippage_micros)),
        ("financing", integers(trades, MONEY, |trade| trade.costs.financing_micros)),
        ("exit_reason", texts(trades, |trade| trade.exit_reason.as_str())),
        ("ambiguous", Values::Bool(trades.iter().map(|trade| trade.ambiguous).collect())),
        ("mae", integers(trades, PRICE, |trade| trade.mae.nanos())),
        ("mfe", integers(trades, PRICE, |trade| trade.mfe.nanos())),
    ]
}

pub(super) fn decode(table: &Table) -> Result<Vec<Trade>, Error> {
    let (ids, positions) = (table.unsigned("id")?, table.unsigned("position_id")?);
    let (instruments, sides) = (table.texts("instrument")?, table.texts("side")?);
    let (units, currencies) = (table.integers("units")?, table.texts("currency")?);
    let (entry_bars, exit_bars) = (table.unsigned("entry_bar")?, table.unsigned("exit_bar")?);
    let (entry_times, exit_times) = (table.integers("entry_time")?, table.integers("exit_time")?);
    let (entry_prices, exit_prices) = (table.integers("entry_price")?, table.integers("exit_price")?);
    let (profits, spreads) = (table.integers("profit_loss")?, table.integers("spread")?);
    let (commissions, slippages) = (table.integers("commission")?, table.integers("slippage")?);
    let (financings, reasons) = (table.integers("financing")?, table.texts("exit_reason")?);
    let ambiguous = table.bools("ambiguous")?;
    let (worst, best) = (table.integers("mae")?, table.integers("mfe")?);
    let trade = |row: usize| -> Result<Trade, Error> {
        Ok(Trade {
            id: ids[row],
            position_id: positions[row],
            instrument: instrument(&instruments[row])?,
            side: named(&sides[row])?,
            units: Units::new(units[row]),
            entry_bar: entry_bars[row],
            exit_bar: exit_bars[row],
            entry_time: UnixNanos::new(entry_times[row]),
            exit_time: UnixNanos::new(exit_times[row]),
            entry_price: Price::from_nanos(entry_prices[row]),
            exit_price: Price::from_nanos(exit_prices[row]),
            profit_loss: Money::from_micros(profits[row], currency(&currencies[row])?),
            costs: Costs {
                spread_micros: spreads[row],
                commission_micros: commissions[row],
                slippage_micros: slippages[row],
                financing_micros: financings[row],
            },
            exit_reason: named(&reasons[row])?,
            ambiguous: ambiguous[row],
            mae: Price::from_nanos(worst[row]),
            mfe: Price::from_nanos(best[row]),
        })
    };
    (0..table.rows()).map(trade).collect()
}
