class AdaptiveMa(Strategy):
    """Trend following on Kaufman's adaptive average: it follows a straight move closely and stands still in noise.

    A trend has turned when the average has left its recent low, or high, by more than its own usual step: Kaufman's
    filter. A moving average alone would turn on every wiggle of a quiet market."""

    period: int = param(10, min=2, max=200, description="bars over which the efficiency of the move is measured")
    filter_period: int = param(20, min=5, max=500, description="bars of the recent low and high, and of the usual step")
    filter_steps: float = param(2.0, min=0.1, max=20.0, description="how far the average must have turned, in usual steps")
    atr_period: int = param(14, min=2, max=200, description="bars of the average true range")
    stop_atr: float = param(3.0, min=0.5, max=20.0, description="stop loss, in average true ranges")
    risk_percent: float = param(0.75, min=0.05, max=5.0, description="percent of equity at risk per trade")

    def analyze(self, data):
        average = kama(data.close, self.period)
        record("kama", average)
        # The usual step is measured on the average itself: where it hardly moves, a small turn is news.
        usual_step = stdev(momentum(average, 1), self.filter_period)
        turned = self.filter_steps * usual_step
        risen = average - lowest(average, self.filter_period)
        fallen = highest(average, self.filter_period) - average
        stop = distance(self.stop_atr * atr(self.atr_period))
        if risen > turned and rising(average):
            return buy(risk_percent=self.risk_percent, stop_loss=stop)
        if fallen > turned and falling(average):
            return sell(risk_percent=self.risk_percent, stop_loss=stop)
        return {}
