//! Equity, used margin, margin call and stop-out.
//!
//! Equity is the balance and what closing everything would gain, at the side that would close it. Used margin is
//! `units · mid · conversion ÷ leverage` for the larger side of each track. The level is their quotient in percent.

use crate::book::{BarQuotes, Book, Dealing, Lot, Posting};
use crate::terms::NANOS_PER_MICRO;
use crate::{CancelReason, EngineError, MarginCause, MarginPoint, Recorder, RunConfig, StopOutPolicy};
use fx_domain::{LedgerKind, Side, Units, UnixNanos, f64_to_i64_half_even};

impl<R: Recorder> Dealing<'_, R> {
    /// Balance and open gain in millionths, each track's gain rounded once, half to even.
    pub(crate) fn equity(&self) -> Result<i64, EngineError> {
        let mut equity = i128::from(self.book.balance.micros());
        for track in 0..self.setup.terms.len() as u16 {
            equity += i128::from(self.gain(track)?);
        }
        i64::try_from(equity).map_err(|_| self.overflow("equity"))
    }

    /// Open gain of one track in millionths of account currency.
    fn gain(&self, track: u16) -> Result<i64, EngineError> {
        let exposure = self.book.exposure(track);
        if exposure.long == 0 && exposure.short == 0 {
            return Ok(0);
        }
        let Some(seen) = self.seen[usize::from(track)] else { return Ok(0) };
        let exact = exposure.gain(seen.bid, seen.ask);
        self.rate_of(track)?.micros(exact).ok_or_else(|| self.overflow("equity"))
    }

    /// Used margin in millionths.
    pub(crate) fn used_margin(&self) -> Result<f64, EngineError> {
        self.used_margin_where(|track| {
            let exposure = self.book.exposure(track);
            exposure.long.max(exposure.short)
        })
    }

    /// Used margin in millionths if the larger side of a track had so many units.
    pub(crate) fn used_margin_with(&self, changed: u16, units: i64) -> Result<f64, EngineError> {
        self.used_margin_where(|track| {
            if track == changed {
                return units;
            }
            let exposure = self.book.exposure(track);
            exposure.long.max(exposure.short)
        })
    }

    fn used_margin_where(&self, units: impl Fn(u16) -> i64) -> Result<f64, EngineError> {
        let mut used = 0.0;
        for track in 0..self.setup.terms.len() as u16 {
            let units = units(track);
            let Some(seen) = self.seen[usize::from(track)].filter(|_| units != 0) else { continue };
            let bid_plus_ask = i128::from(seen.bid.nanos()) + i128::from(seen.ask.nanos());
            let notional = (i128::from(units) * bid_plus_ask) as f64 / (2 * NANOS_PER_MICRO) as f64;
            used += notional * self.rate_of(track)?.factor() / self.config().account.leverage;
        }
        Ok(used)
    }

    /// Writes down where the margin stands.
    pub(crate) fn trace_margin(&mut self, cause: MarginCause) -> Result<(), EngineError> {
        let (equity_micros, used) = (self.equity()?, self.used_margin()?);
        let used_micros = f64_to_i64_half_even(used).ok_or_else(|| self.overflow("margin"))?;
        let time = self.at.time;
        self.recorder.margin(|| MarginPoint { time, cause, equity_micros, used_micros });
        Ok(())
    }

    /// Whether the level is above `percent` without doubt, were the larger side of the track so many units: a look by
    /// floats, which decides all but the close cases. Where it does not, [`Dealing::equity`] and
    /// [`Dealing::used_margin`] do.
    pub(crate) fn is_clearly_above(&self, percent: f64, units: i64) -> bool {
        const SLACK: f64 = 1e-9;
        let (true, Some(seen)) = (self.setup.terms.len() == 1 && self.setup.paths[0].is_none(), self.seen[0])
        else {
            return false;
        };
        let exposure = self.book.exposure(0);
        let (bid, ask) = (seen.bid.nanos() as f64, seen.ask.nanos() as f64);
        let balance = self.book.balance.micros() as f64 * NANOS_PER_MICRO as f64;
        let worth = exposure.long as f64 * bid - exposure.short as f64 * ask;
        let equity = balance + worth - exposure.cost_float();
        let slack = (balance.abs() + (exposure.long + exposure.short) as f64 * ask) * SLACK + 1e6;
        let used = units as f64 * (bid + ask) / 2.0 / self.setup.config.account.leverage;
        (equity - slack) * 100.0 > percent * used
    }

    /// Looks at the margin level here: calls once it is low, and closes what the stop-out policy names once it is too low.
    pub(crate) fn check_margin(&mut self) -> Result<(), EngineError> {
        if self.book.lots.is_empty() {
            self.book.called = false;
            return self.forgive();
        }
        let account = &self.setup.config.account;
        if !self.book.called {
            let exposure = self.book.exposure(self.track);
            if self.is_clearly_above(account.margin_call_percent, exposure.long.max(exposure.short)) {
                return Ok(());
            }
        }
        if !self.level_is_down_to(account.margin_call_percent)? {
            self.book.called = false;
            return Ok(());
        }
        if !self.book.called {
            self.book.called = true;
            self.trace_margin(MarginCause::MarginCall)?;
        }
        if !self.level_is_down_to(account.stop_out_percent)? {
            return Ok(());
        }
        self.trace_margin(MarginCause::StopOut)?;
        self.cancel_all(CancelReason::StopOut);
        match account.stop_out {
            StopOutPolicy::All => {
                while let Some(lot) = self.book.lots.first() {
                    let units = lot.units;
                    self.stop_out(0, units)?;
                }
            }
            StopOutPolicy::LargestLoss => {
                while let Some(index) = self.largest_loss()? {
                    let units = self.book.lots[index].units;
                    self.stop_out(index, units)?;
                    if self.book.lots.is_empty() || !self.level_is_down_to(account.stop_out_percent)? {
                        break;
                    }
                }
            }
            StopOutPolicy::ReduceToCover => {
                while let Some(index) = self.largest_loss()? {
                    let units = self.covering(index)?;
                    self.stop_out(index, units)?;
                    if self.book.lots.is_empty() || !self.level_is_down_to(account.stop_out_percent)? {
                        break;
                    }
                }
            }
        }
        if self.book.lots.is_empty() {
            self.book.called = false;
        }
        self.forgive()
    }

    /// The adverse extremes of a bar, for the policies without a path.
    pub(crate) fn check_margin_at_extremes(&mut self, bar: BarQuotes) -> Result<(), EngineError> {
        let exposure = self.book.exposure(self.track);
        let quote = self.at;
        if exposure.long > exposure.short {
            self.meet(bar.bid.low, bar.ask.low);
            self.check_margin()?;
        } else if exposure.short > exposure.long {
            self.meet(bar.bid.high, bar.ask.high);
            self.check_margin()?;
        }
        self.at = quote;
        self.see();
        Ok(())
    }

    fn level_is_down_to(&self, percent: f64) -> Result<bool, EngineError> {
        Ok(self.equity()? as f64 * 100.0 <= percent * self.used_margin()?)
    }

    /// The lot with the largest loss; of equal ones the older, by time and then by number.
    fn largest_loss(&self) -> Result<Option<usize>, EngineError> {
        let mut largest: Option<((i64, UnixNanos, u64), usize)> = None;
        for (index, lot) in self.book.lots.iter().enumerate() {
            let Some(seen) = self.seen[usize::from(lot.track)] else { continue };
            let mark = if lot.side == Side::Long { seen.bid } else { seen.ask };
            let difference = i128::from(lot.side.sign() * (mark.nanos() - lot.price.nanos()));
            let exact = i128::from(lot.units.get()) * difference;
            let gain = self.rate_of(lot.track)?.micros(exact).ok_or_else(|| self.overflow("equity"))?;
            let rank = (gain, lot.time, lot.position_id);
            if largest.is_none_or(|(least, _)| rank < least) {
                largest = Some((rank, index));
            }
        }
        Ok(largest.map(|(_, index)| index))
    }

    /// Units of the lot whose closing lifts the level above the stop-out; all of them where no part of it does.
    fn covering(&self, index: usize) -> Result<Units, EngineError> {
        let lot = &self.book.lots[index];
        let (equity, used) = (self.equity()? as f64, self.used_margin()?);
        let allowed = equity * 100.0 / self.config().account.stop_out_percent.max(f64::MIN_POSITIVE);
        let exposure = self.book.exposure(lot.track);
        // Of hedged legs only what the larger side has more is charged for.
        let relieved = lot.side.sign() * exposure.net();
        if relieved <= 0 {
            return Ok(lot.units);
        }
        let charged = exposure.long.max(exposure.short);
        let less_one = self.used_margin_with(lot.track, charged - 1)?;
        let per_unit = used - less_one;
        let excess = (used - allowed) / per_unit;
        let step = self.setup.terms[usize::from(lot.track)].instrument.unit_step().get();
        let units = f64_to_i64_half_even(excess.floor()).unwrap_or(i64::MAX).saturating_add(1);
        let whole_steps = units.saturating_add(step - 1) / step * step;
        if whole_steps > relieved {
            return Ok(lot.units);
        }
        Ok(Units::new(whole_steps.clamp(1, lot.units.get())))
    }

    /// Sets a negative balance to zero where the account is protected and nothing is open.
    fn forgive(&mut self) -> Result<(), EngineError> {
        let balance = self.book.balance.micros();
        let protected = self.config().account.negative_balance_protection;
        if balance >= 0 || !protected || !self.book.lots.is_empty() {
            return Ok(());
        }
        let forgiven = balance.checked_neg().ok_or_else(|| self.overflow("balance"))?;
        self.post(Posting::of(LedgerKind::NegativeBalance, None, forgiven))
    }
}

/// Prices of the closing side, in nanos, at or beyond which the margin level may fall to where something happens: at or
/// below the first, at or above the second. They err on the safe side; the exact look is [`Dealing::check_margin`].
pub(crate) fn danger(book: &Book, config: &RunConfig, widest_nanos: i64) -> [i64; 2] {
    const ALWAYS: [i64; 2] = [i64::MAX, i64::MIN];
    let exposure = book.exposure(0);
    let account = &config.account;
    if book.called || (exposure.long > 0 && exposure.short > 0) {
        return ALWAYS;
    }
    let side = if exposure.long > 0 { Side::Long } else { Side::Short };
    let percent = account.margin_call_percent.max(account.stop_out_percent);
    let share = percent / 100.0 / account.leverage;
    let (units, cost) = (exposure.net().unsigned_abs() as f64, exposure.cost_float());
    match danger_of(book.balance.micros(), (side, units, cost), share, widest_nanos) {
        _ if units == 0.0 => [i64::MIN, i64::MAX],
        price if side == Side::Long => [price, i64::MAX],
        price => [i64::MIN, price],
    }
}

/// The price, in nanos, at or beyond which a position may have less equity than `share` of its notional: a long one at or
/// below it, a short one at or above it. Erring on the safe side; the position's signed cost is in nanos · units.
#[inline(always)]
fn danger_of(
    balance_micros: i64,
    (side, units, cost): (Side, f64, f64),
    share: f64,
    widest_nanos: i64,
) -> i64 {
    const SAFETY: f64 = 1e-9;
    const ROUNDING_NANOS: i64 = 3;
    // Equity is (a ± units · price), used margin units · (price + spread ÷ 2) ÷ leverage, in nanos · units.
    let balance = balance_micros as f64 * NANOS_PER_MICRO as f64;
    let a = balance - cost;
    let slack = (balance / units).abs();
    // Casts saturate, which is the safe side of everything that is not finite.
    match side {
        Side::Long if share >= 1.0 => i64::MAX,
        Side::Long => {
            let price = (share * widest_nanos as f64 / 2.0 - a / units) / (1.0 - share);
            ((price + (price.abs() + slack) * SAFETY) as i64).saturating_add(ROUNDING_NANOS)
        }
        Side::Short => {
            let price = a / units / (1.0 + share);
            ((price - (price.abs() + slack) * SAFETY) as i64).saturating_sub(ROUNDING_NANOS)
        }
    }
}

/// What [`danger_of`] says of a lot that is all that is open.
#[inline(always)]
pub(crate) fn danger_of_lot(balance_micros: i64, lot: &Lot, share: f64, widest_nanos: i64) -> i64 {
    let units = lot.units.get() as f64;
    let cost = lot.side.sign() as f64 * units * lot.price.nanos() as f64;
    danger_of(balance_micros, (lot.side, units, cost), share, widest_nanos)
}

/// Whether a price of the closing side is not beyond the danger of a position on `side`.
#[inline(always)]
pub(crate) const fn is_safe(side: Side, price_nanos: i64, danger_nanos: i64) -> bool {
    match side {
        Side::Long => price_nanos > danger_nanos,
        Side::Short => price_nanos < danger_nanos,
    }
}
