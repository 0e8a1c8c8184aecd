class MacdTrend(Strategy):
    """Trend following: MACD times the entry, a slow average names the side, and the directional index says whether there
    is a trend at all.

    MACD alone crosses its signal in every sideways market. Crosses against the slow average, or without a trend, are
    left out; a cross back ends the trade before the stop does."""

    fast: int = param(12, min=2, max=200, description="bars of MACD's fast average")
    slow: int = param(26, min=3, max=400, description="bars of MACD's slow average")
    signal: int = param(9, min=2, max=100, description="bars of MACD's signal")
    trend_period: int = param(200, min=20, max=2000, description="bars of the average that names the side")
    strength_period: int = param(14, min=2, max=200, description="bars of the directional index and the true range")
    strength_min: float = param(20.0, min=0.0, max=100.0, description="least directional index of an entry")
    stop_atr: float = param(2.5, min=0.5, max=20.0, description="stop loss, in average true ranges")
    target_atr: float = param(5.0, min=0.5, max=50.0, description="take profit, in average true ranges")
    risk_percent: float = param(0.75, min=0.05, max=5.0, description="percent of equity at risk per trade")

    def analyze(self, data):
        line, signal, hist = macd(data.close, self.fast, self.slow, self.signal)
        trend = ema(data.close, self.trend_period)
        strong = adx(self.strength_period) > self.strength_min
        record("line", line)
        record("signal", signal)
        record("trend", trend)
        crossed_up = crosses_above(line, signal)
        crossed_down = crosses_below(line, signal)
        reach = atr(self.strength_period)
        stop = distance(self.stop_atr * reach)
        goal = distance(self.target_atr * reach)
        if crossed_up and strong and data.close > trend:
            return buy(risk_percent=self.risk_percent, stop_loss=stop, take_profit=goal)
        if crossed_down and strong and data.close < trend:
            return sell(risk_percent=self.risk_percent, stop_loss=stop, take_profit=goal)
        # The momentum that was entered on is gone.
        if position.units > 0 and crossed_down:
            return close()
        if position.units < 0 and crossed_up:
            return close()
        return {}
