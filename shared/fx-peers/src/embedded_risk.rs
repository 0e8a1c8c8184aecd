//! Risk limits from the configuration, for deployments without a risk service.

use async_trait::async_trait;
use fx_app::peers::RiskLimits;
use fx_app::ports::{PeerError, RiskAnswer, RiskManagement, RiskRequest};
use fx_domain::{Money, Price, Side, Units, div_half_even};

/// Checks orders against [`RiskLimits`]. Amounts are compared in the account's currency, which must be one of the pair's
/// two: an order that cannot be weighed is refused.
#[derive(Clone, Copy, Debug)]
pub struct EmbeddedRisk {
    limits: RiskLimits,
}

impl EmbeddedRisk {
    /// A check against `limits`.
    #[must_use]
    pub const fn new(limits: RiskLimits) -> Self {
        Self { limits }
    }

    /// What was checked, or why the order is refused.
    fn weigh(&self, request: &RiskRequest) -> Result<String, String> {
        let RiskRequest { units, entry_price, account_balance: equity, .. } = *request;
        let limits = &self.limits;
        if units.get() <= 0 || !entry_price.is_positive() {
            return Err("the size and the entry price must be above zero".to_owned());
        }
        if equity.micros() <= 0 {
            return Err(format!("the account's equity is {equity}"));
        }
        if units.get() > limits.units_max {
            return Err(format!("{units} units are more than the limit of {}", limits.units_max));
        }
        let notional = self.notional(request)?;
        let leverage = notional.to_f64() / equity.to_f64();
        // Multiplied, not divided: a quotient may round down to the limit.
        if notional.micros() as f64 > limits.leverage_max * equity.micros() as f64 {
            let limit = limits.leverage_max;
            return Err(format!(
                "the notional of {notional} is {leverage:.2} × equity, over the limit of {limit} ×"
            ));
        }
        let checked = format!("{units} units, {leverage:.2} × equity");
        match loss_at_stop(request)? {
            None if limits.require_stop_loss => Err("there is no stop loss, and one is required".to_owned()),
            None => Ok(format!("within the limits: {checked}; no stop loss, so the loss is not bounded")),
            Some(loss) => {
                let percent = loss.to_f64() / equity.to_f64() * 100.0;
                if loss.micros() as f64 * 100.0 > limits.loss_percent_max * equity.micros() as f64 {
                    let limit = limits.loss_percent_max;
                    return Err(format!(
                        "{loss} lost at the stop is {percent:.2}% of equity, over the limit of {limit}%"
                    ));
                }
                Ok(format!("within the limits: {checked}, {percent:.2}% of it lost at the stop"))
            }
        }
    }

    /// The order's value in the account's currency.
    fn notional(&self, request: &RiskRequest) -> Result<Money, String> {
        let (pair, account) = (request.instrument, request.account_balance.currency());
        let notional = if account == pair.quote() {
            Money::of_notional(request.units, request.entry_price, account)
        } else if account == pair.base() {
            request.units.get().checked_mul(Money::SCALE).map(|micros| Money::from_micros(micros, account))
        } else {
            return Err(format!(
                "{pair} cannot be weighed: the account's currency {account} is neither of its two"
            ));
        };
        notional.ok_or_else(|| "the notional is too large to be weighed".to_owned())
    }
}

/// The loss if the order leaves at its stop, in the account's currency; none without a stop.
fn loss_at_stop(request: &RiskRequest) -> Result<Option<Money>, String> {
    let RiskRequest { instrument, side, units, entry_price, protect, account_balance, .. } = *request;
    let Some(stop) = protect.stop_loss else { return Ok(None) };
    let distance = match side {
        Side::Long => entry_price.nanos().checked_sub(stop.nanos()),
        Side::Short => stop.nanos().checked_sub(entry_price.nanos()),
    };
    let Some(distance) = distance.filter(|distance| *distance > 0 && stop.is_positive()) else {
        let (side, place) = match side {
            Side::Long => ("long", "below"),
            Side::Short => ("short", "above"),
        };
        return Err(format!("the stop loss {stop} of a {side} is not {place} its entry {entry_price}"));
    };
    let account = account_balance.currency();
    let loss = if account == instrument.quote() {
        Money::of_notional(units, Price::from_nanos(distance), account)
    } else {
        in_base(units, distance, stop).map(|micros| Money::from_micros(micros, account))
    };
    loss.map(Some).ok_or_else(|| "the loss at the stop is too large to be weighed".to_owned())
}

/// A loss in quote currency as millionths of the base, at the stop's price: it is booked when the stop is hit.
fn in_base(units: Units, distance_nanos: i64, stop: Price) -> Option<i64> {
    let quote = i128::from(units.get()) * i128::from(distance_nanos);
    let micros = quote.checked_mul(i128::from(Money::SCALE))?;
    i64::try_from(div_half_even(micros, i128::from(stop.nanos()))).ok()
}

#[async_trait]
impl RiskManagement for EmbeddedRisk {
    async fn check(&self, request: &RiskRequest) -> Result<RiskAnswer, PeerError> {
        Ok(match self.weigh(request) {
            Ok(reason) => RiskAnswer { is_valid: true, reason },
            Err(reason) => RiskAnswer { is_valid: false, reason },
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use fx_domain::{Instrument, ProtectiveLevels, StrategyId};

    /// A long of 10,000 EUR/USD at 1.08 with a stop 50 pips below, on an account of 10,000 USD.
    pub(crate) fn request() -> RiskRequest {
        RiskRequest {
            instrument: Instrument::parse("EUR/USD").unwrap(),
            side: Side::Long,
            units: Units::new(10_000),
            entry_price: Price::parse("1.08").unwrap(),
            protect: ProtectiveLevels {
                stop_loss: Price::parse("1.075"),
                take_profit: None,
                trailing_distance: None,
            },
            account_balance: money(10_000, "USD"),
            strategy_id: StrategyId::parse("ma-cross").unwrap(),
        }
    }

    fn money(whole: i64, currency: &str) -> Money {
        Money::from_micros(whole * Money::SCALE, currency.parse().unwrap())
    }

    fn weigh(change: impl FnOnce(&mut RiskRequest)) -> Result<String, String> {
        let mut request = request();
        change(&mut request);
        EmbeddedRisk::new(RiskLimits::default()).weigh(&request)
    }

    #[test]
    fn an_order_within_the_limits_passes_and_says_what_was_checked() {
        let said = "within the limits: 10000 units, 1.08 × equity, 0.50% of it lost at the stop";
        assert_eq!(weigh(|_| ()), Ok(said.to_owned()));
        let open = weigh(|request| request.protect.stop_loss = None).unwrap();
        assert!(open.ends_with("no stop loss, so the loss is not bounded"), "{open}");
    }

    #[test]
    fn each_limit_refuses_just_above_it_and_not_at_it() {
        let loss = |stop: &str| weigh(|request| request.protect.stop_loss = Price::parse(stop));
        assert!(loss("1.06").is_ok());
        assert_eq!(
            loss("1.05999"),
            Err("200.10 USD lost at the stop is 2.00% of equity, over the limit of 2%".to_owned())
        );
        let leverage = |units: i64| {
            weigh(|request| {
                request.units = Units::new(units);
                request.entry_price = Price::parse("1").unwrap();
                request.protect.stop_loss = None;
            })
        };
        assert!(leverage(300_000).is_ok());
        assert_eq!(
            leverage(300_001),
            Err("the notional of 300001.00 USD is 30.00 × equity, over the limit of 30 ×".to_owned())
        );
        let size = |units: i64| {
            weigh(|request| {
                request.units = Units::new(units);
                request.account_balance = money(1_000_000, "USD");
                request.protect.stop_loss = None;
            })
        };
        assert!(size(1_000_000).is_ok());
        assert_eq!(size(1_000_001), Err("1000001 units are more than the limit of 1000000".to_owned()));
    }

    #[test]
    fn amounts_are_in_the_accounts_currency_or_the_order_is_refused() {
        // 10,000 × 0.005 USD ÷ 1.075 = 46.511628 EUR.
        let mut request = request();
        request.account_balance = money(10_000, "EUR");
        assert_eq!(loss_at_stop(&request).unwrap().unwrap().micros(), 46_511_628);
        assert!(
            weigh(|order| order.account_balance = money(10_000, "EUR")).unwrap().contains("1.00 × equity")
        );
        let foreign = weigh(|order| order.account_balance = money(10_000, "JPY"));
        let said = "EUR/USD cannot be weighed: the account's currency JPY is neither of its two";
        assert_eq!(foreign, Err(said.to_owned()));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let stop = |side, stop: &str| {
            weigh(|order| {
                order.side = side;
                order.protect.stop_loss = Price::parse(stop);
            })
        };
        assert_eq!(
            stop(Side::Long, "1.08"),
            Err("the stop loss 1.08 of a long is not below its entry 1.08".to_owned())
        );
        assert_eq!(
            stop(Side::Short, "1.07"),
            Err("the stop loss 1.07 of a short is not above its entry 1.08".to_owned())
        );
        assert!(stop(Side::Long, "-1").is_err());
        assert!(stop(Side::Short, "1.085").is_ok());
        assert!(weigh(|order| order.account_balance = money(0, "USD")).is_err());
        assert!(weigh(|order| order.units = Units::new(-1)).is_err());
        assert!(weigh(|order| order.entry_price = Price::ZERO).is_err());
        let required = RiskLimits { require_stop_loss: true, units_max: i64::MAX, ..RiskLimits::default() };
        let mut order = self::request();
        order.units = Units::new(i64::MAX);
        assert!(EmbeddedRisk::new(required).weigh(&order).unwrap_err().contains("too large to be weighed"));
        order = self::request();
        order.protect.stop_loss = None;
        let said = "there is no stop loss, and one is required";
        assert_eq!(EmbeddedRisk::new(required).weigh(&order), Err(said.to_owned()));
    }
}
