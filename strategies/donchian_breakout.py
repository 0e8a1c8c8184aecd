class DonchianBreakout(Strategy):
    """Breakout: enters when the close leaves the channel of the bars before it, leaves through a shorter channel.

    The channels end one bar ago, since a close never exceeds a channel that holds its own bar."""

    entry_period: int = param(55, min=5, max=1000, description="bars of the channel that is entered on")
    exit_period: int = param(20, min=2, max=500, description="bars of the channel that is left on")
    atr_period: int = param(20, min=2, max=200, description="bars of the average true range")
    stop_atr: float = param(2.0, min=0.5, max=20.0, description="stop loss, in average true ranges")
    risk_percent: float = param(1.0, min=0.05, max=5.0, description="percent of equity at risk per trade")

    def analyze(self, data):
        upper, middle, lower = donchian(self.entry_period)
        exit_upper, exit_middle, exit_lower = donchian(self.exit_period)
        record("upper", upper[-2])
        record("lower", lower[-2])
        stop = distance(self.stop_atr * atr(self.atr_period))
        if data.close > upper[-2]:
            return buy(risk_percent=self.risk_percent, stop_loss=stop)
        if data.close < lower[-2]:
            return sell(risk_percent=self.risk_percent, stop_loss=stop)
        if position.units > 0 and data.close < exit_lower[-2]:
            return close()
        if position.units < 0 and data.close > exit_upper[-2]:
            return close()
        return {}
