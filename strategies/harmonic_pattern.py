def between(x, least, most, tolerance):
    return least - tolerance <= x and x <= most + tolerance


def completion(x, a, b, c, tolerance):
    """How far D lies from A towards X: 0.786 completes a Gartley, 0.886 a Bat, 0 nothing.

    Ratios of legs have no side: the same holds of a pattern turned upside down."""
    retraced = (b - a) / (x - a)
    answered = (c - b) / (a - b)
    if not between(answered, 0.382, 0.886, tolerance):
        return 0.0
    if between(retraced, 0.618, 0.618, tolerance):
        return 0.786
    if between(retraced, 0.382, 0.5, tolerance):
        return 0.886
    return 0.0


class HarmonicPattern(Strategy):
    """Reversal at the end of a harmonic pattern (Gartley 1935, Bat: Carney 2001): a limit order waits at its last point.

    The points X, A, B and C are the last four confirmed swings, in turns low and high. Whether they form a pattern is a
    matter of two ratios and a tolerance, written out above; it says nothing of why prices should turn there. The order
    is renewed while the four points stand, and gone with them."""

    swing_bars: int = param(3, min=1, max=50, description="bars on each side of a swing")
    tolerance: float = param(0.08, min=0.01, max=0.3, description="by how much a ratio may be off")
    atr_period: int = param(14, min=2, max=200, description="bars of the average true range")
    leg_atr: float = param(2.0, min=0.25, max=50.0, description="least length of the first leg, in average true ranges")
    buffer_atr: float = param(0.5, min=0.0, max=5.0, description="stop loss beyond X, in average true ranges")
    target: float = param(0.618, min=0.1, max=2.0, description="take profit, as a share of the way from D back to A")
    risk_percent: float = param(0.5, min=0.05, max=5.0, description="percent of equity at risk per trade")

    def analyze(self, data):
        swing_high, swing_low = fractals(self.swing_bars)
        is_high, is_low = defined(swing_high), defined(swing_low)
        high, high_before = valuewhen(is_high, swing_high), valuewhen(is_high, swing_high, 1)
        low, low_before = valuewhen(is_low, swing_low), valuewhen(is_low, swing_low, 1)
        # When each was confirmed: the four must alternate, and a fractal may follow one of its own kind.
        high_at, high_before_at = valuewhen(is_high, data.index), valuewhen(is_high, data.index, 1)
        low_at, low_before_at = valuewhen(is_low, data.index), valuewhen(is_low, data.index, 1)
        reach = atr(self.atr_period)
        buffer = self.buffer_atr * reach
        least = self.leg_atr * reach
        if position.units != 0:
            return cancel(label="harmonic")

        # X low, A high, B low, C high: D is a low to buy.
        rises = low_before_at < high_before_at and high_before_at < low_at and low_at < high_at
        depth = completion(low_before, high_before, low, high, self.tolerance)
        d = high_before - depth * (high_before - low_before)
        if rises and depth > 0 and high_before - low_before >= least and low_before < d and d < min(data.close, low):
            stop = low_before - buffer
            goal = d + self.target * (high_before - d)
            return buy(risk_percent=self.risk_percent, limit=d, stop_loss=stop, take_profit=goal, expires=1, label="harmonic")

        # X high, A low, B high, C low: D is a high to sell.
        falls = high_before_at < low_before_at and low_before_at < high_at and high_at < low_at
        depth = completion(high_before, low_before, high, low, self.tolerance)
        d = low_before + depth * (high_before - low_before)
        if falls and depth > 0 and high_before - low_before >= least and high_before > d and d > max(data.close, high):
            stop = high_before + buffer
            goal = d - self.target * (d - low_before)
            return sell(risk_percent=self.risk_percent, limit=d, stop_loss=stop, take_profit=goal, expires=1, label="harmonic")
        return {}
