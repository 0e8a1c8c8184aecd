class AdvancedBreakout(Strategy):
    """Breakout from a squeeze: waits until the market has gone quiet, then enters with the close that leaves its channel.

    Quiet is measured by two bands: standard deviations inside true ranges (Bollinger within Keltner) mean closes that
    cluster more than the bars' own ranges suggest. Half is taken off at a gain of one stop distance and the rest is
    protected at the entry, then follows the supertrend line: most breakouts fail early, a few run far."""

    channel_period: int = param(20, min=5, max=500, description="bars of the channel and of both bands")
    band_deviations: float = param(2.0, min=0.5, max=5.0, description="Bollinger's width, in standard deviations")
    band_atr: float = param(1.5, min=0.5, max=5.0, description="Keltner's width, in average true ranges")
    memory: int = param(10, min=1, max=200, description="bars for which a squeeze is remembered")
    atr_period: int = param(14, min=2, max=200, description="bars of the average true range")
    stop_atr: float = param(2.0, min=0.5, max=20.0, description="stop loss, in average true ranges")
    trail_atr: float = param(3.0, min=0.5, max=20.0, description="supertrend's width, in average true ranges")
    risk_percent: float = param(0.75, min=0.05, max=5.0, description="percent of equity at risk per trade")

    def analyze(self, data):
        upper, middle, lower = donchian(self.channel_period)
        band_high, band_mid, band_low = bollinger(data.close, self.channel_period, self.band_deviations)
        range_high, range_mid, range_low = keltner(self.channel_period, self.band_atr, self.channel_period)
        line, direction = supertrend(self.atr_period, self.trail_atr)
        reach = atr(self.atr_period)
        record("upper", upper[-2])
        record("lower", lower[-2])
        squeezed = band_high - band_low < range_high - range_low
        released = barssince(squeezed) <= self.memory
        stop = distance(self.stop_atr * reach)

        # A close beyond the channel of the bars before it: one that holds its own bar is never exceeded.
        if position.units == 0 and released and data.close > upper[-2]:
            return buy(risk_percent=self.risk_percent, stop_loss=stop)
        if position.units == 0 and released and data.close < lower[-2]:
            return sell(risk_percent=self.risk_percent, stop_loss=stop)

        # One stop distance in front: half is banked, and the rest can no longer lose.
        gain = data.close - position.entry_price if position.units > 0 else position.entry_price - data.close
        first_goal = self.stop_atr * reach
        if position.units != 0 and gain >= first_goal and not (gain >= first_goal)[-2]:
            return [close_partial(percent=50), modify(stop_loss=position.entry_price)]

        # The line is a stop that never moves back; it counts once it has passed the entry.
        if position.units > 0 and direction > 0 and line > position.entry_price:
            return modify(stop_loss=line)
        if position.units < 0 and direction < 0 and line < position.entry_price:
            return modify(stop_loss=line)
        return {}
