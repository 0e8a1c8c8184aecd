class FibonacciRetracement(Strategy):
    """Trend continuation: enters a leg again after it has given back a Fibonacci share of itself.

    A leg runs between the last two confirmed swings, a low and a high with a number of lower highs, or higher lows, on
    each side. They are known only that many bars later, and nothing here uses them earlier. The ratios are a
    convention: what is measured is a pullback of about half that ends before the leg is undone."""

    swing_bars: int = param(5, min=1, max=50, description="bars on each side of a swing")
    leg_atr: float = param(3.0, min=0.5, max=50.0, description="least length of a leg, in average true ranges")
    shallow: float = param(0.5, min=0.1, max=0.9, description="the pullback must have reached this share of the leg")
    deep: float = param(0.786, min=0.2, max=1.0, description="beyond this share the leg counts as undone")
    extension: float = param(1.272, min=1.0, max=3.0, description="take profit, in legs from the leg's start")
    atr_period: int = param(14, min=2, max=200, description="bars of the average true range")
    buffer_atr: float = param(0.5, min=0.0, max=5.0, description="stop loss beyond the leg's start, in average true ranges")
    risk_percent: float = param(0.75, min=0.05, max=5.0, description="percent of equity at risk per trade")

    def analyze(self, data):
        swing_high, swing_low = fractals(self.swing_bars)
        high = valuewhen(defined(swing_high), swing_high)
        low = valuewhen(defined(swing_low), swing_low)
        high_age = barssince(defined(swing_high))
        low_age = barssince(defined(swing_low))
        leg = high - low
        reach = atr(self.atr_period)
        long_enough = leg >= self.leg_atr * reach
        record("high", high)
        record("low", low)
        if position.units != 0:
            return {}

        # The low came first: the leg went up, and the pullback is measured down from the high.
        given_back = (high - data.close) / leg
        deepest = (high - lowest(data.low, self.swing_bars)) / leg
        pulled_back = self.shallow <= deepest and given_back <= self.deep
        if low_age > high_age and long_enough and pulled_back and crosses_above(data.close, data.high[-2]):
            stop = low - self.buffer_atr * reach
            return buy(risk_percent=self.risk_percent, stop_loss=stop, take_profit=low + self.extension * leg)

        # And its mirror image.
        given_back = (data.close - low) / leg
        deepest = (highest(data.high, self.swing_bars) - low) / leg
        pulled_back = self.shallow <= deepest and given_back <= self.deep
        if high_age > low_age and long_enough and pulled_back and crosses_below(data.close, data.low[-2]):
            stop = high + self.buffer_atr * reach
            return sell(risk_percent=self.risk_percent, stop_loss=stop, take_profit=high - self.extension * leg)
        return {}
