//! What happened to orders.
//!
//! | column | holds |
//! | --- | --- |
//! | `time`, `order`, `instrument` | when, to which order, of which pair |
//! | `event` | `submitted`, `triggered`, `filled`, `exited`, `protected`, `moved`, `cancelled`, `expired`, `lapsed`, `rejected` |
//! | `reason` | of `exited`, `cancelled` and `rejected` |
//! | `side`, `units` | of `submitted` and `filled`; `units` also of `exited`; 0 while only the fill will tell |
//! | `kind` | of `submitted` and `moved`: `market`, `limit`, `stop`, `stop_limit`, `market_if_touched`, `trailing_stop` |
//! | `limit_price`, `stop_price`, `touch_price`, `trail_distance` | prices of the kind; a trailing stop's level is its `stop_price` |
//! | `time_in_force`, `in_force_bars`, `in_force_until` | of `submitted` |
//! | `price` | the fill's, or what triggered |
//! | `raw_price`, `price_source` | of a fill, before modelled spread and slippage; `measured` or `modelled` |
//! | `stop_loss`, `take_profit`, `trailing_distance` | exits attached |

use super::{
    PRICE, counts, instrument, integers, named, optional, optional_counts, optional_texts, texts, there,
};
use crate::Error;
use crate::table::{Columns, Meaning, Table, Values};
use fx_app::records::{CancelReason, OrderEvent, OrderEventKind as Kind, RejectReason};
use fx_domain::{
    Fill, OrderId, OrderKind, Price, PriceSource, ProtectiveLevels, Side, TimeInForce, Units, UnixNanos,
};

pub(super) fn columns(events: &[OrderEvent]) -> Columns {
    let mut columns = vec![
        ("time", integers(events, Meaning::Timestamp, |event| event.time.get())),
        ("order", counts(events, |event| event.order.0)),
        ("instrument", Values::Owned(events.iter().map(|event| event.instrument.to_string()).collect())),
        ("event", texts(events, |event| event_name(&event.kind))),
        ("reason", optional_texts(events, |event| reason(&event.kind))),
        ("side", optional_texts(events, |event| side(&event.kind).map(Side::as_str))),
        ("units", optional(events, Meaning::Signed, |event| units(&event.kind).map(Units::get))),
    ];
    columns.extend(kind_columns(events));
    columns.extend(force_columns(events));
    columns.extend(price_columns(events));
    columns.extend(protect_columns(events));
    columns
}

fn kind_columns(events: &[OrderEvent]) -> [(&'static str, Values); 5] {
    let prices = |price: fn(OrderKind) -> Option<Price>| {
        optional(events, PRICE, move |event| Some(price(order_kind(&event.kind)?)?.nanos()))
    };
    [
        ("kind", optional_texts(events, |event| order_kind(&event.kind).map(OrderKind::as_str))),
        (
            "limit_price",
            prices(|kind| match kind {
                OrderKind::Limit(limit) | OrderKind::StopLimit { limit, .. } => Some(limit),
                _ => None,
            }),
        ),
        (
            "stop_price",
            prices(|kind| match kind {
                OrderKind::Stop(stop)
                | OrderKind::StopLimit { stop, .. }
                | OrderKind::TrailingStop { level: stop, .. } => Some(stop),
                _ => None,
            }),
        ),
        (
            "touch_price",
            prices(|kind| match kind {
                OrderKind::MarketIfTouched(touch) => Some(touch),
                _ => None,
            }),
        ),
        (
            "trail_distance",
            prices(|kind| match kind {
                OrderKind::TrailingStop { distance, .. } => Some(distance),
                _ => None,
            }),
        ),
    ]
}

fn force_columns(events: &[OrderEvent]) -> [(&'static str, Values); 3] {
    let force = |event: &OrderEvent| match event.kind {
        Kind::Submitted { time_in_force, .. } => Some(time_in_force),
        _ => None,
    };
    [
        ("time_in_force", optional_texts(events, |event| force(event).map(force_name))),
        (
            "in_force_bars",
            optional_counts(events, |event| match force(event)? {
                TimeInForce::Bars(bars) => Some(bars),
                _ => None,
            }),
        ),
        (
            "in_force_until",
            optional(events, Meaning::Timestamp, |event| match force(event)? {
                TimeInForce::GoodTilDate(until) => Some(until.get()),
                _ => None,
            }),
        ),
    ]
}

fn price_columns(events: &[OrderEvent]) -> [(&'static str, Values); 3] {
    let price = |event: &OrderEvent| match event.kind {
        Kind::Triggered { price } => Some(price.nanos()),
        kind => Some(fill(&kind)?.price.nanos()),
    };
    [
        ("price", optional(events, PRICE, price)),
        ("raw_price", optional(events, PRICE, |event| Some(fill(&event.kind)?.raw_price.nanos()))),
        ("price_source", optional_texts(events, |event| Some(source_name(fill(&event.kind)?.source)))),
    ]
}

fn protect_columns(events: &[OrderEvent]) -> [(&'static str, Values); 3] {
    let levels = |level: fn(ProtectiveLevels) -> Option<Price>| {
        optional(events, PRICE, move |event| Some(level(protect(&event.kind)?)?.nanos()))
    };
    [
        ("stop_loss", levels(|protect| protect.stop_loss)),
        ("take_profit", levels(|protect| protect.take_profit)),
        ("trailing_distance", levels(|protect| protect.trailing_distance)),
    ]
}

const fn event_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Submitted { .. } => "submitted",
        Kind::Triggered { .. } => "triggered",
        Kind::Filled { .. } => "filled",
        Kind::Exited { .. } => "exited",
        Kind::Protected { .. } => "protected",
        Kind::Moved { .. } => "moved",
        Kind::Cancelled { .. } => "cancelled",
        Kind::Expired => "expired",
        Kind::Lapsed => "lapsed",
        Kind::Rejected { .. } => "rejected",
    }
}

const fn reason(kind: &Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Exited { reason, .. } => reason.as_str(),
        Kind::Cancelled { reason } => match reason {
            CancelReason::Strategy => "strategy",
            CancelReason::Replaced => "replaced",
            CancelReason::StopOut => "stop_out",
        },
        Kind::Rejected { reason } => match reason {
            RejectReason::BelowMinimumSize => "below_minimum_size",
            RejectReason::InsufficientMargin => "insufficient_margin",
            RejectReason::StopOnWrongSide => "stop_on_wrong_side",
            RejectReason::PriceNotPositive => "price_not_positive",
            RejectReason::TooManyOrders => "too_many_orders",
        },
        _ => return None,
    })
}

const fn side(kind: &Kind) -> Option<Side> {
    match kind {
        Kind::Submitted { side, .. } | Kind::Filled { side, .. } => Some(*side),
        _ => None,
    }
}

const fn units(kind: &Kind) -> Option<Units> {
    match kind {
        Kind::Submitted { units, .. } | Kind::Filled { units, .. } | Kind::Exited { units, .. } => {
            Some(*units)
        }
        _ => None,
    }
}

const fn order_kind(kind: &Kind) -> Option<OrderKind> {
    match kind {
        Kind::Submitted { kind, .. } | Kind::Moved { kind } => Some(*kind),
        _ => None,
    }
}

const fn fill(kind: &Kind) -> Option<Fill> {
    match kind {
        Kind::Filled { fill, .. } | Kind::Exited { fill, .. } => Some(*fill),
        _ => None,
    }
}

const fn protect(kind: &Kind) -> Option<ProtectiveLevels> {
    match kind {
        Kind::Submitted { protect, .. } | Kind::Filled { protect, .. } | Kind::Protected { protect } => {
            Some(*protect)
        }
        _ => None,
    }
}

const fn source_name(source: PriceSource) -> &'static str {
    match source {
        PriceSource::Measured => "measured",
        PriceSource::Modelled => "modelled",
    }
}

const fn force_name(force: TimeInForce) -> &'static str {
    match force {
        TimeInForce::GoodTilCancelled => "good_til_cancelled",
        TimeInForce::Bars(_) => "bars",
        TimeInForce::GoodTilDate(_) => "good_til_date",
        TimeInForce::Day => "day",
        TimeInForce::ImmediateOrCancel => "immediate_or_cancel",
        TimeInForce::FillOrKill => "fill_or_kill",
    }
}

pub(super) fn decode(table: &Table) -> Result<Vec<OrderEvent>, Error> {
    let columns = Details::read(table)?;
    let (times, orders) = (table.integers("time")?, table.unsigned("order")?);
    let (instruments, events) = (table.texts("instrument")?, table.texts("event")?);
    let event = |row: usize| -> Result<OrderEvent, Error> {
        Ok(OrderEvent {
            time: UnixNanos::new(times[row]),
            order: OrderId(orders[row]),
            instrument: instrument(&instruments[row])?,
            kind: columns.event(row, &events[row])?,
        })
    };
    (0..table.rows()).map(event).collect()
}

/// What only some events have.
struct Details {
    reason: Vec<Option<String>>,
    side: Vec<Option<String>>,
    units: Vec<Option<i64>>,
    kind: Vec<Option<String>>,
    limit_price: Vec<Option<i64>>,
    stop_price: Vec<Option<i64>>,
    touch_price: Vec<Option<i64>>,
    trail_distance: Vec<Option<i64>>,
    time_in_force: Vec<Option<String>>,
    in_force_bars: Vec<Option<u64>>,
    in_force_until: Vec<Option<i64>>,
    price: Vec<Option<i64>>,
    raw_price: Vec<Option<i64>>,
    price_source: Vec<Option<String>>,
    stop_loss: Vec<Option<i64>>,
    take_profit: Vec<Option<i64>>,
    trailing_distance: Vec<Option<i64>>,
}

impl Details {
    fn read(table: &Table) -> Result<Self, Error> {
        Ok(Self {
            reason: table.optional_texts("reason")?,
            side: table.optional_texts("side")?,
            units: table.optional_integers("units")?,
            kind: table.optional_texts("kind")?,
            limit_price: table.optional_integers("limit_price")?,
            stop_price: table.optional_integers("stop_price")?,
            touch_price: table.optional_integers("touch_price")?,
            trail_distance: table.optional_integers("trail_distance")?,
            time_in_force: table.optional_texts("time_in_force")?,
            in_force_bars: table.optional_unsigned("in_force_bars")?,
            in_force_until: table.optional_integers("in_force_until")?,
            price: table.optional_integers("price")?,
            raw_price: table.optional_integers("raw_price")?,
            price_source: table.optional_texts("price_source")?,
            stop_loss: table.optional_integers("stop_loss")?,
            take_profit: table.optional_integers("take_profit")?,
            trailing_distance: table.optional_integers("trailing_distance")?,
        })
    }

    fn event(&self, row: usize, event: &str) -> Result<Kind, Error> {
        let reason = || there(self.reason[row].as_deref(), "reason");
        let side = || named(there(self.side[row].as_deref(), "side")?);
        let units = || Ok::<_, Error>(Units::new(there(self.units[row], "units")?));
        Ok(match event {
            "submitted" => Kind::Submitted {
                kind: self.kind(row)?,
                side: side()?,
                units: units()?,
                protect: self.protect(row),
                time_in_force: self.force(row)?,
            },
            "triggered" => Kind::Triggered { price: price(self.price[row], "price")? },
            "filled" => Kind::Filled {
                side: side()?,
                units: units()?,
                fill: self.fill(row)?,
                protect: self.protect(row),
            },
            "exited" => Kind::Exited { reason: named(reason()?)?, units: units()?, fill: self.fill(row)? },
            "protected" => Kind::Protected { protect: self.protect(row) },
            "moved" => Kind::Moved { kind: self.kind(row)? },
            "cancelled" => Kind::Cancelled { reason: named(reason()?)? },
            "expired" => Kind::Expired,
            "lapsed" => Kind::Lapsed,
            "rejected" => Kind::Rejected { reason: named(reason()?)? },
            other => return Err(Error::corrupt(format!("`{other}` is not an order event"))),
        })
    }

    fn kind(&self, row: usize) -> Result<OrderKind, Error> {
        let limit = || price(self.limit_price[row], "limit_price");
        let stop = || price(self.stop_price[row], "stop_price");
        Ok(match there(self.kind[row].as_deref(), "kind")? {
            "market" => OrderKind::Market,
            "limit" => OrderKind::Limit(limit()?),
            "stop" => OrderKind::Stop(stop()?),
            "stop_limit" => OrderKind::StopLimit { stop: stop()?, limit: limit()? },
            "market_if_touched" => OrderKind::MarketIfTouched(price(self.touch_price[row], "touch_price")?),
            "trailing_stop" => OrderKind::TrailingStop {
                distance: price(self.trail_distance[row], "trail_distance")?,
                level: stop()?,
            },
            other => return Err(Error::corrupt(format!("`{other}` is not a kind of order"))),
        })
    }

    fn force(&self, row: usize) -> Result<TimeInForce, Error> {
        Ok(match there(self.time_in_force[row].as_deref(), "time_in_force")? {
            "good_til_cancelled" => TimeInForce::GoodTilCancelled,
            "bars" => TimeInForce::Bars(there(self.in_force_bars[row], "in_force_bars")?),
            "good_til_date" => {
                TimeInForce::GoodTilDate(UnixNanos::new(there(self.in_force_until[row], "in_force_until")?))
            }
            "day" => TimeInForce::Day,
            "immediate_or_cancel" => TimeInForce::ImmediateOrCancel,
            "fill_or_kill" => TimeInForce::FillOrKill,
            other => return Err(Error::corrupt(format!("`{other}` is not a time in force"))),
        })
    }

    fn fill(&self, row: usize) -> Result<Fill, Error> {
        Ok(Fill {
            raw_price: price(self.raw_price[row], "raw_price")?,
            price: price(self.price[row], "price")?,
            source: named(there(self.price_source[row].as_deref(), "price_source")?)?,
        })
    }

    fn protect(&self, row: usize) -> ProtectiveLevels {
        ProtectiveLevels {
            stop_loss: self.stop_loss[row].map(Price::from_nanos),
            take_profit: self.take_profit[row].map(Price::from_nanos),
            trailing_distance: self.trailing_distance[row].map(Price::from_nanos),
        }
    }
}

fn price(nanos: Option<i64>, column: &str) -> Result<Price, Error> {
    there(nanos, column).map(Price::from_nanos)
}
