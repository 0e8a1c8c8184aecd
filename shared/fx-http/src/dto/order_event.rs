//! What happened to orders, on the wire.

use fx_app::records::{CancelReason, OrderEvent, OrderEventKind, RejectReason};
use fx_domain::{Fill, OrderKind, Price, PriceSource, ProtectiveLevels, Side, TimeInForce, Units};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// One event in the life of an order. What an event does not say is absent.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct OrderEventDto {
    /// Number of the order in order of submission, from 0. Exits attached to a fill are told of the order that was filled.
    order_id: u64,
    /// Open time of the bar at which it happened; of a decision, of the deciding bar.
    #[schema(format = DateTime)]
    time: String,
    /// The pair.
    instrument: String,
    /// `submitted`, `triggered`, `filled`, `exited`, `protected`, `moved`, `cancelled`, `expired`, `lapsed`, `rejected`.
    event: &'static str,
    /// `market`, `limit`, `stop`, `stop_limit`, `market_if_touched`, `trailing_stop`.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    /// `buy` or `sell`.
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<&'static str>,
    /// Units of the base currency; absent where they are known at the fill only.
    #[serde(skip_serializing_if = "Option::is_none")]
    units: Option<i64>,
    /// Submitted or moved: what it waits for, of a stop-limit order its limit. Triggered: what it saw. Filled or exited:
    /// what was paid or got, after spread and slippage.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<f64>,
    /// What brings a stop-limit order to life.
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_price: Option<f64>,
    /// How far a trailing stop stays behind the best price.
    #[serde(skip_serializing_if = "Option::is_none")]
    distance: Option<f64>,
    /// The market's price before relative spread and slippage.
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_price: Option<f64>,
    /// Whether that side of the market was `measured` or `modelled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    price_source: Option<&'static str>,
    /// Exit at a loss.
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_loss: Option<f64>,
    /// Exit at a gain.
    #[serde(skip_serializing_if = "Option::is_none")]
    take_profit: Option<f64>,
    /// How far a trailing exit stays behind the best price.
    #[serde(skip_serializing_if = "Option::is_none")]
    trailing_distance: Option<f64>,
    /// `gtc`, `gtd`, `bars`, `day`, `ioc`, `fok`.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_in_force: Option<&'static str>,
    /// A bar that opens then or later does not see it.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    /// Bars after the deciding one through which it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_after_bars: Option<u64>,
    /// Exited: `stop_loss`, `take_profit`, `trailing_stop`, `stop_out`. Cancelled: `strategy`, `replaced`, `stop_out`.
    /// Rejected: `below_minimum_size`, `insufficient_margin`, `stop_on_wrong_side`, `price_not_positive`,
    /// `too_many_orders`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

impl OrderEventDto {
    pub(crate) fn of(event: &OrderEvent) -> Self {
        let told = Self {
            order_id: event.order.0,
            time: event.time.to_string(),
            instrument: event.instrument.to_string(),
            ..Self::default()
        };
        match event.kind {
            OrderEventKind::Submitted { kind, side, units, protect, time_in_force } => told
                .called("submitted")
                .meeting(kind)
                .sized(side, units)
                .protected(protect)
                .waiting(time_in_force),
            OrderEventKind::Triggered { price } => {
                Self { price: Some(price.to_f64()), ..told.called("triggered") }
            }
            OrderEventKind::Filled { side, units, fill, protect } => {
                told.called("filled").sized(side, units).filled(fill).protected(protect)
            }
            OrderEventKind::Exited { reason, units, fill } => {
                let told = told.called("exited").filled(fill);
                Self { units: Some(units.get()), reason: Some(reason.as_str()), ..told }
            }
            OrderEventKind::Protected { protect } => told.called("protected").protected(protect),
            OrderEventKind::Moved { kind } => told.called("moved").meeting(kind),
            OrderEventKind::Cancelled { reason } => {
                Self { reason: Some(cancel_reason(reason)), ..told.called("cancelled") }
            }
            OrderEventKind::Expired => told.called("expired"),
            OrderEventKind::Lapsed => told.called("lapsed"),
            OrderEventKind::Rejected { reason } => {
                Self { reason: Some(reject_reason(reason)), ..told.called("rejected") }
            }
        }
    }

    fn called(self, event: &'static str) -> Self {
        Self { event, ..self }
    }

    fn meeting(self, kind: OrderKind) -> Self {
        let told = Self { kind: Some(kind.as_str()), ..self };
        match kind {
            OrderKind::Market => told,
            OrderKind::Limit(price) | OrderKind::Stop(price) | OrderKind::MarketIfTouched(price) => {
                Self { price: Some(price.to_f64()), ..told }
            }
            OrderKind::StopLimit { stop, limit } => {
                Self { price: Some(limit.to_f64()), stop_price: Some(stop.to_f64()), ..told }
            }
            OrderKind::TrailingStop { distance, level } => {
                Self { price: Some(level.to_f64()), distance: Some(distance.to_f64()), ..told }
            }
        }
    }

    fn sized(self, side: Side, units: Units) -> Self {
        let side = match side {
            Side::Long => "buy",
            Side::Short => "sell",
        };
        Self { side: Some(side), units: (!units.is_zero()).then_some(units.get()), ..self }
    }

    fn filled(self, fill: Fill) -> Self {
        let source = match fill.source {
            PriceSource::Measured => "measured",
            PriceSource::Modelled => "modelled",
        };
        let (price, raw_price) = (Some(fill.price.to_f64()), Some(fill.raw_price.to_f64()));
        Self { price, raw_price, price_source: Some(source), ..self }
    }

    fn protected(self, protect: ProtectiveLevels) -> Self {
        Self {
            stop_loss: protect.stop_loss.map(Price::to_f64),
            take_profit: protect.take_profit.map(Price::to_f64),
            trailing_distance: protect.trailing_distance.map(Price::to_f64),
            ..self
        }
    }

    fn waiting(self, time_in_force: TimeInForce) -> Self {
        let (word, expires, expires_after_bars) = match time_in_force {
            TimeInForce::GoodTilCancelled => ("gtc", None, None),
            TimeInForce::Bars(bars) => ("bars", None, Some(bars)),
            TimeInForce::GoodTilDate(until) => ("gtd", Some(until.to_string()), None),
            TimeInForce::Day => ("day", None, None),
            TimeInForce::ImmediateOrCancel => ("ioc", None, None),
            TimeInForce::FillOrKill => ("fok", None, None),
        };
        Self { time_in_force: Some(word), expires, expires_after_bars, ..self }
    }
}

const fn cancel_reason(reason: CancelReason) -> &'static str {
    match reason {
        CancelReason::Strategy => "strategy",
        CancelReason::Replaced => "replaced",
        CancelReason::StopOut => "stop_out",
    }
}

const fn reject_reason(reason: RejectReason) -> &'static str {
    match reason {
        RejectReason::BelowMinimumSize => "below_minimum_size",
        RejectReason::InsufficientMargin => "insufficient_margin",
        RejectReason::StopOnWrongSide => "stop_on_wrong_side",
        RejectReason::PriceNotPositive => "price_not_positive",
        RejectReason::TooManyOrders => "too_many_orders",
    }
}

/// An order that still waits at the end of the run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PendingOrderDto {
    /// Number of the order in order of submission, from 0.
    order_id: u64,
    /// Open time of the deciding bar.
    #[schema(format = DateTime)]
    submitted: String,
    /// The pair.
    instrument: String,
    /// `market` (for a bar that is not there), `limit`, `stop`, `stop_limit`, `market_if_touched`, `trailing_stop`.
    kind: &'static str,
    /// `buy` or `sell`.
    #[schema(pattern = "^(buy|sell)$")]
    side: &'static str,
    /// Units of the base currency; null where they are known at the fill only.
    units: Option<i64>,
    /// What it waits for, of a stop-limit order its limit; null of market orders and of what trails.
    price: Option<f64>,
    /// What brings a stop-limit order to life.
    stop_price: Option<f64>,
    /// How far a trailing stop stays behind the best price.
    distance: Option<f64>,
    /// Exit at a loss, where it is a price already.
    stop_loss: Option<f64>,
    /// Exit at a gain, where it is a price already.
    take_profit: Option<f64>,
    /// How far a trailing exit will stay behind the best price.
    trailing_distance: Option<f64>,
    /// `gtc`, `gtd`, `bars`, `day`, `ioc`, `fok`.
    time_in_force: &'static str,
    /// A bar that opens then or later does not see it.
    #[schema(format = DateTime)]
    expires: Option<String>,
    /// Bars after the deciding one through which it waits.
    expires_after_bars: Option<u64>,
}

impl PendingOrderDto {
    /// What was submitted and has not come to an end, in order of submission.
    pub(crate) fn all(events: &[OrderEvent]) -> Vec<Self> {
        let mut waiting: BTreeMap<u64, OrderEventDto> = BTreeMap::new();
        for event in events {
            let id = event.order.0;
            match event.kind {
                OrderEventKind::Submitted { .. } => {
                    waiting.insert(id, OrderEventDto::of(event));
                }
                OrderEventKind::Moved { kind } => {
                    waiting.entry(id).and_modify(|order| *order = order.clone().meeting(kind));
                }
                // The limit of a stop-limit order stands already.
                OrderEventKind::Triggered { .. } => {
                    waiting.entry(id).and_modify(|order| {
                        (order.kind, order.stop_price) = (Some("limit"), None);
                    });
                }
                kind if kind.ends_waiting() => {
                    waiting.remove(&id);
                }
                _ => {}
            }
        }
        waiting.into_values().map(Self::of).collect()
    }

    fn of(submitted: OrderEventDto) -> Self {
        let trails = submitted.distance.is_some();
        Self {
            order_id: submitted.order_id,
            submitted: submitted.time,
            instrument: submitted.instrument,
            kind: submitted.kind.unwrap_or_default(),
            side: submitted.side.unwrap_or_default(),
            units: submitted.units,
            // Where it stands has moved since without an event.
            price: submitted.price.filter(|_| !trails),
            stop_price: submitted.stop_price,
            distance: submitted.distance,
            stop_loss: submitted.stop_loss,
            take_profit: submitted.take_profit,
            trailing_distance: submitted.trailing_distance,
            time_in_force: submitted.time_in_force.unwrap_or_default(),
            expires: submitted.expires,
            expires_after_bars: submitted.expires_after_bars,
        }
    }
}

/// A page of order events, in the order in which they happened.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderPage {
    /// The backtest.
    pub(crate) backtest_id: String,
    /// The events.
    pub(crate) orders: Vec<OrderEventDto>,
    /// Where to go on; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_page_token: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use fx_domain::{ExitReason, Instrument, OrderId, UnixNanos};
    use serde_json::{Value, json};

    fn event(order: u64, kind: OrderEventKind) -> OrderEvent {
        OrderEvent {
            time: UnixNanos::parse("2024-01-02T03:00:00Z").unwrap(),
            order: OrderId(order),
            instrument: Instrument::parse("EUR/USD").unwrap(),
            kind,
        }
    }

    fn price(value: f64) -> Price {
        Price::from_f64(value).unwrap()
    }

    fn submitted(order: u64, kind: OrderKind) -> OrderEvent {
        let protect = ProtectiveLevels { stop_loss: Some(price(1.09)), ..ProtectiveLevels::default() };
        let (side, units) = (Side::Short, Units::new(1000));
        let time_in_force = TimeInForce::Bars(3);
        event(order, OrderEventKind::Submitted { kind, side, units, protect, time_in_force })
    }

    fn told(event: &OrderEvent) -> Value {
        serde_json::to_value(OrderEventDto::of(event)).unwrap()
    }

    #[test]
    fn an_event_says_what_it_knows_and_nothing_else() {
        let head = |event: &str, details: Value| {
            let mut head = json!({"order_id": 7, "time": "2024-01-02T03:00:00Z", "instrument": "EUR/USD", "event": event});
            head.as_object_mut().unwrap().extend(details.as_object().unwrap().clone());
            head
        };
        let stop_limit = OrderKind::StopLimit { stop: price(1.1), limit: price(1.2) };
        assert_eq!(
            told(&submitted(7, stop_limit)),
            head(
                "submitted",
                json!({"kind": "stop_limit", "side": "sell", "units": 1000, "price": 1.2,
                "stop_price": 1.1, "stop_loss": 1.09, "time_in_force": "bars", "expires_after_bars": 3})
            )
        );
        let trailing = OrderKind::TrailingStop { distance: price(0.01), level: price(1.3) };
        assert_eq!(
            told(&event(7, OrderEventKind::Moved { kind: trailing })),
            head("moved", json!({"kind": "trailing_stop", "price": 1.3, "distance": 0.01}))
        );
        let fill = Fill { raw_price: price(1.1), price: price(1.1001), source: PriceSource::Modelled };
        let exited = OrderEventKind::Exited { reason: ExitReason::StopOut, units: Units::new(5), fill };
        assert_eq!(
            told(&event(7, exited)),
            head(
                "exited",
                json!({"units": 5, "price": 1.1001, "raw_price": 1.1, "price_source": "modelled",
                "reason": "stop_out"})
            )
        );
        let reason = RejectReason::InsufficientMargin;
        assert_eq!(
            told(&event(7, OrderEventKind::Rejected { reason })),
            head("rejected", json!({"reason": "insufficient_margin"}))
        );
        assert_eq!(told(&event(7, OrderEventKind::Expired)), head("expired", json!({})));
    }

    #[test]
    fn reasons_are_called_as_they_are_stored() {
        for reason in [CancelReason::Strategy, CancelReason::Replaced, CancelReason::StopOut] {
            assert_eq!(serde_json::to_value(reason).unwrap(), json!(cancel_reason(reason)));
        }
        for reason in [
            RejectReason::BelowMinimumSize,
            RejectReason::InsufficientMargin,
            RejectReason::StopOnWrongSide,
            RejectReason::PriceNotPositive,
            RejectReason::TooManyOrders,
        ] {
            assert_eq!(serde_json::to_value(reason).unwrap(), json!(reject_reason(reason)));
        }
    }

    #[test]
    fn what_has_not_ended_is_pending_as_it_was_last_moved() {
        let limit = |value| OrderKind::Limit(price(value));
        let stop_limit = OrderKind::StopLimit { stop: price(1.1), limit: price(1.2) };
        let events = [
            submitted(0, limit(1.0)),
            submitted(1, limit(1.5)),
            event(0, OrderEventKind::Moved { kind: limit(1.01) }),
            event(1, OrderEventKind::Cancelled { reason: CancelReason::Strategy }),
            submitted(2, stop_limit),
            event(2, OrderEventKind::Triggered { price: price(1.1) }),
            submitted(3, OrderKind::Market),
            event(3, OrderEventKind::Lapsed),
        ];
        let pending: Vec<_> = PendingOrderDto::all(&events)
            .iter()
            .map(|order| (order.order_id, order.kind, order.price, order.stop_price, order.side))
            .collect();
        assert_eq!(pending, [(0, "limit", Some(1.01), None, "sell"), (2, "limit", Some(1.2), None, "sell")]);
    }
}
