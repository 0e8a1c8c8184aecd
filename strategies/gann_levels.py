class GannLevels(Strategy):
    """Trend following along Gann's 1×1 line, entered at the half of the range.

    Gann drew lines at fixed prices per unit of time. A currency has no natural scale for that, so here one unit of price
    is a share of the average true range at the swing from which the line starts: the line is a trend of that pace and
    nothing more mystical. The second idea is his division of a range into eighths, of which the half counts most. The
    trade: the close is on the right side of the line from the last confirmed swing, and crosses the range's half."""

    swing_bars: int = param(5, min=1, max=50, description="bars on each side of a swing")
    pace: float = param(0.1, min=0.01, max=2.0, description="rise of the 1×1 line per bar, in average true ranges")
    range_period: int = param(100, min=10, max=2000, description="bars of the range that is divided")
    target_eighths: int = param(7, min=5, max=8, description="take profit, in eighths of the range from its far end")
    atr_period: int = param(14, min=2, max=200, description="bars of the average true range")
    stop_atr: float = param(2.0, min=0.25, max=20.0, description="stop loss, in average true ranges")
    risk_percent: float = param(0.5, min=0.05, max=5.0, description="percent of equity at risk per trade")

    def analyze(self, data):
        swing_high, swing_low = fractals(self.swing_bars)
        reach = atr(self.atr_period)
        # A swing is confirmed some bars late: the line has run for those bars already when it is first known.
        low_age = barssince(defined(swing_low)) + self.swing_bars
        high_age = barssince(defined(swing_high)) + self.swing_bars
        low_line = valuewhen(defined(swing_low), swing_low) + low_age * self.pace * valuewhen(defined(swing_low), reach)
        high_line = valuewhen(defined(swing_high), swing_high) - high_age * self.pace * valuewhen(defined(swing_high), reach)
        top = highest(data.high, self.range_period)
        bottom = lowest(data.low, self.range_period)
        eighth = (top - bottom) / 8
        half = bottom + 4 * eighth
        record("low_line", low_line)
        record("high_line", high_line)
        record("half", half)

        stop = distance(self.stop_atr * reach)
        if crosses_above(data.close, half) and data.close > low_line and data.close > high_line:
            goal = bottom + self.target_eighths * eighth
            return buy(risk_percent=self.risk_percent, stop_loss=stop, take_profit=goal)
        if crosses_below(data.close, half) and data.close < low_line and data.close < high_line:
            goal = top - self.target_eighths * eighth
            return sell(risk_percent=self.risk_percent, stop_loss=stop, take_profit=goal)
        # The pace is lost: the market has fallen behind the line that was followed.
        if position.units > 0 and data.close < low_line and data.close < half:
            return close()
        if position.units < 0 and data.close > high_line and data.close > half:
            return close()
        return {}
