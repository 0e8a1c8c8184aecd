class MaCrossover(Strategy):
    """Trend following: enters in the direction in which the fast average crosses the slow one.

    Reverses at the opposite cross; a stop and a target in multiples of the average true range bound each trade."""

    fast_period: int = param(20, min=2, max=500, description="bars of the fast average")
    slow_period: int = param(50, min=3, max=1000, description="bars of the slow average")
    atr_period: int = param(14, min=2, max=200, description="bars of the average true range")
    stop_atr: float = param(2.5, min=0.5, max=20.0, description="stop loss, in average true ranges")
    target_atr: float = param(5.0, min=0.5, max=50.0, description="take profit, in average true ranges")
    risk_percent: float = param(1.0, min=0.05, max=5.0, description="percent of equity at risk per trade")

    def analyze(self, data):
        fast = sma(data.close, self.fast_period)
        slow = sma(data.close, self.slow_period)
        reach = atr(self.atr_period)
        record("fast", fast)
        record("slow", slow)
        stop = distance(self.stop_atr * reach)
        target_level = distance(self.target_atr * reach)
        if crosses_above(fast, slow):
            return buy(risk_percent=self.risk_percent, stop_loss=stop, take_profit=target_level)
        if crosses_below(fast, slow):
            return sell(risk_percent=self.risk_percent, stop_loss=stop, take_profit=target_level)
        return {}
