class MultiTimeframeConfluence(Strategy):
    """Trend following on two timeframes: bars of four hours name the side, the strategy's own bars time the entry.

    The slow trend is where two averages of four-hour closes and the last of these closes stand in order. Against it
    nothing is done; along it a pullback of the fast index that has ended is entered. Four-hour bars count once they are
    complete, so the trend is known up to four hours late: it is asked for a side, and that is seldom news. Made for bars
    of one hour; shorter ones do too."""

    trend_fast: int = param(20, min=2, max=200, description="four-hour bars of the trend's fast average")
    trend_slow: int = param(50, min=3, max=500, description="four-hour bars of the trend's slow average")
    rsi_period: int = param(14, min=2, max=200, description="bars of the relative strength index")
    pullback: float = param(40.0, min=5.0, max=50.0, description="an index below this is a pullback in a rise; mirrored at 50")
    atr_period: int = param(14, min=2, max=200, description="bars of the average true range")
    stop_atr: float = param(2.5, min=0.5, max=20.0, description="stop loss, in average true ranges")
    target_atr: float = param(5.0, min=0.5, max=50.0, description="take profit, in average true ranges")
    risk_percent: float = param(0.75, min=0.05, max=5.0, description="percent of equity at risk per trade")

    def analyze(self, data):
        slow = data.timeframe("4h")
        fast_trend = ema(slow.close, self.trend_fast)
        slow_trend = ema(slow.close, self.trend_slow)
        # All three in order: averages that have crossed, with the price beyond both, agree about the side.
        rises = slow.close > fast_trend and fast_trend > slow_trend
        falls = slow.close < fast_trend and fast_trend < slow_trend
        strength = rsi(data.close, self.rsi_period)
        record("fast_trend", fast_trend)
        record("slow_trend", slow_trend)
        record("strength", strength)

        # The averages have changed places: the reason for the trade is gone. A pullback of the last close alone is none,
        # since that is what was entered on.
        if position.units > 0 and fast_trend < slow_trend:
            return close()
        if position.units < 0 and fast_trend > slow_trend:
            return close()

        # The cross back says that the pullback has ended; the index below its level says only that there is one. The stop
        # is measured on the bars that are traded: it has to survive their noise, not the trend's.
        reach = atr(self.atr_period)
        stop = distance(self.stop_atr * reach)
        goal = distance(self.target_atr * reach)
        if rises and crosses_above(strength, self.pullback):
            return buy(risk_percent=self.risk_percent, stop_loss=stop, take_profit=goal)
        if falls and crosses_below(strength, 100 - self.pullback):
            return sell(risk_percent=self.risk_percent, stop_loss=stop, take_profit=goal)
        return {}
