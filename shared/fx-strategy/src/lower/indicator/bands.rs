//! Bands, channels and stop lines.

use super::tuple;
use crate::lower::decision::Given;
use crate::lower::{Frame, Lowered, Lowering};
use crate::plan::{Binary, Node, NodeId, PriceField, Recursion, Scan, Unary, Window};
use crate::value::Value;

/// Standard deviations of `bollinger` where none are given.
const BOLLINGER_DEVIATIONS: f64 = 2.0;
/// Width of `keltner`, in average true ranges, and their bars.
const KELTNER: (f64, u32) = (2.0, 10);
/// Width of `supertrend`, in average true ranges, and their bars.
const SUPERTREND: (f64, u32) = (3.0, 10);
/// By how much `psar`'s factor grows, and up to where.
const PSAR: [f64; 2] = [0.02, 0.2];
/// Bars of `ichimoku`'s three channels and of its shift.
const ICHIMOKU_PERIODS: [u32; 4] = [9, 26, 52, 26];

impl<'a> Lowering<'a, '_> {
    /// Mean of the last `n`, and `k` population standard deviations to both sides (TA-Lib BBANDS with an SMA).
    pub(super) fn bollinger(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<Value> {
        let x = self.market(frame, given, "x")?;
        let bars = self.period(frame, given, "n")?;
        let k = self.number_or(frame, given, "k", BOLLINGER_DEVIATIONS)?;
        let middle = self.window(Window::Sma, x, bars);
        let deviation = self.window(Window::Stdev, x, bars);
        Ok(self.around(middle, k, deviation))
    }

    /// The middle ema(close, n) and k · atr to both sides (Chester Keltner's channel as Linda Raschke has it).
    pub(super) fn keltner(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<Value> {
        let bars = self.period(frame, given, "n")?;
        let k = self.number_or(frame, given, "k", KELTNER.0)?;
        let range_bars = self.period_or(frame, given, "atr_n", KELTNER.1)?;
        let close = self.price(PriceField::Close);
        let middle = self.recursion(Recursion::Ema, close, bars);
        let range = self.average_true_range(range_bars);
        Ok(self.around(middle, k, range))
    }

    /// middle + k · width, middle, middle − k · width.
    fn around(&mut self, middle: NodeId, k: NodeId, width: NodeId) -> Value {
        let width = self.multiply(k, width);
        let (upper, lower) = (self.add(middle, width), self.subtract(middle, width));
        tuple([upper, middle, lower])
    }

    pub(super) fn donchian(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<Value> {
        let bars = self.period(frame, given, "n")?;
        Ok(tuple(self.channel(bars)))
    }

    /// Highest high, their mean, lowest low.
    fn channel(&mut self, bars: u32) -> [NodeId; 3] {
        let (high, low) = (self.price(PriceField::High), self.price(PriceField::Low));
        let upper = self.window(Window::Highest, high, bars);
        let lower = self.window(Window::Lowest, low, bars);
        [upper, self.mean_of(upper, lower), lower]
    }

    /// (a + b) ÷ 2.
    fn mean_of(&mut self, a: NodeId, b: NodeId) -> NodeId {
        let sum = self.add(a, b);
        let two = self.builder.number(2.0);
        self.divide(sum, two)
    }

    /// 100 · atr ÷ close (TA-Lib NATR).
    pub(super) fn natr(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<NodeId> {
        let bars = self.period(frame, given, "n")?;
        let range = self.average_true_range(bars);
        let close = self.price(PriceField::Close);
        let ratio = self.divide(range, close);
        Ok(self.scaled(100.0, ratio))
    }

    /// Bands k · atr around the bar's middle. The upper one only falls until the close before is above it, the lower one
    /// only rises until the close before is below it. The trend turns up where the close is above the upper band, down
    /// where it is below the lower one; the line is the band behind the trend.
    pub(super) fn supertrend(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<Value> {
        let bars = self.period_or(frame, given, "n", SUPERTREND.1)?;
        let width = match given.get("k") {
            Some(_) => {
                let k = self.market(frame, given, "k")?;
                self.of_the_same_bars(given, "k", k)?
            }
            None => self.builder.number(SUPERTREND.0),
        };
        let (high, low) = (self.price(PriceField::High), self.price(PriceField::Low));
        let close = self.price(PriceField::Close);
        let before = self.builder.lag(close, 1);
        let middle = self.mean_of(high, low);
        let range = self.average_true_range(bars);
        let away = self.multiply(width, range);
        let (above, below) = (self.add(middle, away), self.subtract(middle, away));
        let upper = self.ratchet(above, before);
        // The lower band is the upper one of prices turned upside down.
        let [below, before] = [below, before].map(|x| self.builder.unary(Unary::Neg, x));
        let lower = self.ratchet(below, before);
        let lower = self.builder.unary(Unary::Neg, lower);
        let a = self.builder.binary(Binary::Gt, close, upper);
        let b = self.builder.binary(Binary::Lt, close, lower);
        let rises = self.builder.intern(Node::Scan { kind: Scan::Latch, a, b, bars: 1 });
        let line = self.builder.select(rises, lower, upper);
        let (up, down) = (self.builder.number(1.0), self.builder.number(-1.0));
        let direction = self.builder.select(rises, up, down);
        Ok(tuple([line, direction]))
    }

    fn ratchet(&mut self, x: NodeId, release: NodeId) -> NodeId {
        self.builder.intern(Node::Scan { kind: Scan::Ratchet, a: x, b: release, bars: 1 })
    }

    pub(super) fn psar(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<NodeId> {
        let (high, low) = (self.price(PriceField::High), self.price(PriceField::Low));
        let [mut step, mut limit] = PSAR.map(|default| self.builder.number(default));
        if given.get("step").is_some() {
            step = self.market(frame, given, "step")?;
            self.of_the_same_bars(given, "step", step)?;
        }
        if given.get("limit").is_some() {
            limit = self.market(frame, given, "limit")?;
            self.of_the_same_bars(given, "limit", limit)?;
        }
        Ok(self.builder.intern(Node::Psar { high, low, step, limit }))
    }

    /// The spans are those of `shift` bars ago: what a chart draws ahead is not known any earlier here.
    pub(super) fn ichimoku(&mut self, frame: &Frame<'a>, given: &Given<'_, 'a>) -> Lowered<Value> {
        let mut periods = ICHIMOKU_PERIODS;
        for (period, name) in periods.iter_mut().zip(["tenkan", "kijun", "senkou", "shift"]) {
            *period = self.period_or(frame, given, name, *period)?;
        }
        let [tenkan, kijun, senkou, shift] = periods;
        let [conversion, base, wide] = [tenkan, kijun, senkou].map(|bars| self.channel(bars)[1]);
        let middle = self.mean_of(conversion, base);
        let (span_a, span_b) = (self.builder.lag(middle, shift), self.builder.lag(wide, shift));
        Ok(tuple([conversion, base, span_a, span_b]))
    }
}
