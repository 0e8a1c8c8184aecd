//! The machine's clock.

use fx_app::ports::Clock;
use fx_domain::UnixNanos;
use jiff::Timestamp;

/// The machine's clock, UTC.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    /// Now; a clock set outside the years 1678 to 2262 stands at the nearer end of them.
    fn now(&self) -> UnixNanos {
        let nanos = Timestamp::now().as_nanosecond().clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        UnixNanos::new(i64::try_from(nanos).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_past_the_year_in_which_it_was_written() {
        assert!(SystemClock.now() > UnixNanos::parse("2025-01-01").unwrap());
    }
}
