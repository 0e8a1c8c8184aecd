//! The field's own words: prices, units, money, instruments, bars, orders, trades, calendars, errors.
//!
//! Invariants:
//! - Money and prices are integers. Every conversion rounds once, half to even, and says where.
//! - Nothing here reads a clock, a file, the environment or the network.
//! - Newtypes are dumb: checks sit at the boundary that builds them.
//!
//! What this crate must not know: IO, async, wire formats. The `serde` derives on value types exist for the
//! byte form of an engine state; bodies of requests and answers have types of their own at the edge.

mod bar;
pub mod calendar;
mod centre;
mod currency;
mod error;
pub mod financing;
mod granularity;
mod hash;
mod ids;
mod instrument;
mod money;
mod order;
mod price;
mod round;
mod time;
mod trade;
mod units;

pub use bar::{Bar, BarFault, Bars, Ohlc, OhlcColumns, QuoteColumns, QuoteSide, TimeOrder};
pub use calendar::{
    calendar_digest, calendar_years, has_calendar, is_business_day, next_roll_after, next_roll_at_or_after,
    roll_days, value_date,
};
pub use centre::{TradingCentre, UnknownCentre};
pub use currency::{Currency, UnknownCurrency};
pub use error::{ErrorClass, ErrorKind, Issue, Location, PlatformError, PlatformResult};
pub use financing::{DayCount, DayWeights, FinancingError, FinancingRow, FinancingTable, SwapRate};
pub use granularity::{Granularity, UnknownGranularity};
pub use hash::{Digest, DigestBuilder, InvalidDigest};
pub use ids::{BacktestId, DatasetName, ExecutionId, InvalidId, Principal, StrategyId};
pub use instrument::{Instrument, InstrumentClass, SettlementLag, UnknownInstrument};
pub use money::Money;
pub use order::{ExitReason, OrderId, OrderKind, ProtectiveLevels, Side, TimeInForce};
pub use price::Price;
pub use round::{div_half_even, f64_to_i64_half_even};
pub use time::{InvalidTime, NANOS_PER_DAY, NANOS_PER_HOUR, NANOS_PER_MINUTE, NANOS_PER_SECOND, UnixNanos};
pub use trade::{
    Conversion, ConversionStep, Costs, EquityCurve, Fill, LedgerKind, LedgerRow, PriceSource, Rollover, Trade,
};
pub use units::{Lots, Pips, Units};
