class RsiReversion(Strategy):
    """Mean reversion: buys when the relative strength index is oversold, sells when it is overbought.

    One position at a time; it ends at its stop or its target."""

    period: int = param(14, min=2, max=200, description="bars of the relative strength index")
    oversold: float = param(30.0, min=1.0, max=50.0, description="buys below this value")
    overbought: float = param(70.0, min=50.0, max=99.0, description="sells above this value")
    stop_pips: float = param(30.0, min=1.0, max=1000.0, description="stop loss, in pips from the fill")
    target_pips: float = param(45.0, min=1.0, max=1000.0, description="take profit, in pips from the fill")
    risk_percent: float = param(0.5, min=0.05, max=5.0, description="percent of equity at risk per trade")

    def analyze(self, data):
        strength = rsi(data.close, self.period)
        record("rsi", strength)
        stop, target = pips(self.stop_pips), pips(self.target_pips)
        if position.units != 0:
            return {}
        if strength < self.oversold:
            return buy(risk_percent=self.risk_percent, stop_loss=stop, take_profit=target)
        if strength > self.overbought:
            return sell(risk_percent=self.risk_percent, stop_loss=stop, take_profit=target)
        return {}
