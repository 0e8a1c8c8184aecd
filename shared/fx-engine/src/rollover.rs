//! Financing: what positions pay and receive for being held over 17:00 New York.
//!
//! The rollover comes from the calendar, not from prices: it runs before every fill stamped at it or later, at the last
//! price seen before it. A close-fill of the bar that ends at it precedes it. A bar that reaches over it is rolled after
//! its open and before its exits, and the row says so.

use crate::book::{Dealing, Posting};
use crate::terms::NANOS_PER_MICRO;
use crate::{EngineError, FillTime, MarginCause, PendingOrder, Recorder};
use fx_domain::{
    Currency, LedgerKind, Price, Rollover, SwapRate, Units, UnixNanos, f64_to_i64_half_even, next_roll_after,
};

/// Millionths in one of money, as a float.
const MICROS: f64 = fx_domain::Money::SCALE as f64;

impl<R: Recorder> Dealing<'_, R> {
    /// The newest lot begins to be rolled over. A close-fill may be booked after rollovers that it was open for, when
    /// other tracks have moved the clock on: they are caught up with next.
    pub(crate) fn start_rolling(&mut self) {
        if self.config().financing.is_none() {
            return;
        }
        let first = next_roll_after(self.at.settled);
        if let Some(newest) = self.book.lots.last_mut() {
            newest.next_roll = Some(first);
        }
        self.book.next_roll = Some(self.book.next_roll.map_or(first, |next| next.min(first)));
    }

    /// Runs the rollovers up to and including `until`: of every track, or, where a bar reaches over them, of its own track.
    pub(crate) fn roll_through(&mut self, until: UnixNanos, inside_bar: bool) -> Result<(), EngineError> {
        if self.book.next_roll.is_none_or(|next| next > until && !self.book.lots.is_empty()) {
            return Ok(());
        }
        while let Some(time) = self.next_due(inside_bar).filter(|next| *next <= until) {
            for index in 0..self.book.lots.len() {
                let lot = &self.book.lots[index];
                if lot.next_roll == Some(time) && self.is_settled(lot.track, inside_bar) {
                    self.roll(index, time, inside_bar)?;
                    self.book.lots[index].next_roll = Some(next_roll_after(time));
                }
            }
            self.trace_margin(MarginCause::Rollover)?;
            self.check_margin()?;
        }
        self.book.next_roll = self.book.lots.iter().filter_map(|lot| lot.next_roll).min();
        Ok(())
    }

    fn next_due(&self, inside_bar: bool) -> Option<UnixNanos> {
        let lots = self.book.lots.iter().filter(|lot| self.is_settled(lot.track, inside_bar));
        lots.filter_map(|lot| lot.next_roll).min()
    }

    /// Whether the rollover of a track's lots can be told already. A bar that reaches over it says nothing of other tracks,
    /// and an order that waits to be filled at an earlier close comes first.
    fn is_settled(&self, track: u16, inside_bar: bool) -> bool {
        let waits = |order: &PendingOrder| order.track == track && !order.is_resting();
        let closes = self.config().fill == FillTime::Close;
        track == self.track || !(inside_bar || closes && self.book.orders.iter().any(waits))
    }

    fn roll(&mut self, index: usize, time: UnixNanos, inside_bar: bool) -> Result<(), EngineError> {
        let lot = self.book.lots[index];
        let instrument = self.setup.terms[usize::from(lot.track)].instrument;
        let (Some(table), Some(seen)) = (&self.setup.config.financing, self.seen[usize::from(lot.track)])
        else {
            return Ok(());
        };
        let days = table.days(&instrument, time);
        if days == 0 {
            return Ok(());
        }
        let Some(swap) = table.swap(&instrument, lot.side, time) else {
            return Err(EngineError::NoSwap { instrument, side: lot.side, time });
        };
        let bid_plus_ask = seen.bid.nanos() + seen.ask.nanos();
        let (units, count) = (lot.units.get() as f64, f64::from(days));
        let now = std::mem::replace(&mut self.at.now, time);
        let rate = self.rate_of(lot.track)?;
        let (amount, rate) = match swap {
            SwapRate::Points(points) => {
                let point = instrument.tick().nanos() as f64;
                (units * points * point / Price::SCALE as f64 * count, rate)
            }
            SwapRate::AnnualPercent { percent, days_in_year } => {
                let notional = units * bid_plus_ask as f64 / (2 * Price::SCALE) as f64;
                (notional * percent / 100.0 / f64::from(days_in_year.days()) * count, rate)
            }
            SwapRate::PerLot { amount, currency } => {
                let lots = units / self.setup.config.lot_units(usize::from(lot.track));
                (lots * amount * count, self.rate_from(currency)?)
            }
        };
        self.at.now = now;
        let micros = f64_to_i64_half_even(amount * MICROS * rate.factor());
        let micros = micros.ok_or_else(|| self.overflow("financing"))?;
        let paid = self.book.lots[index].costs.financing_micros.checked_sub(micros);
        self.book.lots[index].costs.financing_micros = paid.ok_or_else(|| self.overflow("financing"))?;
        let rollover = Rollover {
            instrument,
            time,
            days,
            units: Units::new(lot.side.sign() * lot.units.get()),
            price: Price::from_nanos(bid_plus_ask / 2),
            inside_bar,
        };
        let posting = Posting::of(LedgerKind::Financing, Some(lot.order), micros);
        self.post_at(Posting { conversion: rate.conversion(), rollover: Some(rollover), ..posting }, time)
    }

    /// The rate from the currency of an amount per lot; none given means account currency.
    fn rate_from(&self, currency: Option<Currency>) -> Result<crate::rates::Rate, EngineError> {
        let Some(currency) = currency else { return Ok(crate::rates::Rate::Same) };
        match crate::rates::Path::find(self.config(), currency)? {
            None => Ok(crate::rates::Rate::Same),
            Some(path) => {
                let age = self.config().rate_age_hours_max;
                path.rate(self.seen, self.at.now, age).map(crate::rates::Rate::By)
            }
        }
    }
}

/// Keeps the constant that relates both scales in view of whoever changes one.
const _: () = assert!(NANOS_PER_MICRO * fx_domain::Money::SCALE == Price::SCALE);
