class BollingerReversion(Strategy):
    """Mean reversion: enters when the close comes back inside a Bollinger band, leaves at the middle band.

    A stop in multiples of the average true range bounds the loss where the price does not revert."""

    period: int = param(20, min=2, max=500, description="bars of the bands")
    deviations: float = param(2.0, min=0.5, max=5.0, description="width of the bands, in standard deviations")
    atr_period: int = param(14, min=2, max=200, description="bars of the average true range")
    stop_atr: float = param(3.0, min=0.5, max=20.0, description="stop loss, in average true ranges")
    risk_percent: float = param(0.5, min=0.05, max=5.0, description="percent of equity at risk per trade")

    def analyze(self, data):
        upper, middle, lower = bollinger(data.close, self.period, self.deviations)
        record("upper", upper)
        record("middle", middle)
        record("lower", lower)
        stop = distance(self.stop_atr * atr(self.atr_period))
        if position.units > 0 and data.close >= middle:
            return close()
        if position.units < 0 and data.close <= middle:
            return close()
        if position.units != 0:
            return {}
        if crosses_above(data.close, lower):
            return buy(risk_percent=self.risk_percent, stop_loss=stop)
        if crosses_below(data.close, upper):
            return sell(risk_percent=self.risk_percent, stop_loss=stop)
        return {}
