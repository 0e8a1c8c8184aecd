class RsiReversion(Strategy):
    """Mean reversion: buys when the relative strength index is oversold, sells when it is overbought.

    One position at a time; it ends at its stop or its target."""

    period: int = param(14, min=2, max=200, description="bars of the relative strength index")
    oversold: float = param(30.0, min=1.0, max=50.0, description="buys below this value")
    overbought: float = param(70.0, min=50.0, max=99.0, description="sells above this value")
    stop_pips: float = param(30.0, min=1.0, max=1000.0, description="stop loss, in pips from the fill")
    target_pips: float = param(45.0, min=1.0, max=1000.0, description="take profit, in pips from the fill")
    units: int = param(10000, min=1, max=10000000, description="units of the base currency per trade")

    def analyze(self, data):
        strength = rsi(data.close, self.period)
        record("rsi", strength)
        if position.units != 0:
            return {}
        if strength < self.oversold:
            return buy(units=self.units, stop_loss=pips(self.stop_pips), take_profit=pips(self.target_pips))
        if strength > self.overbought:
            return sell(units=self.units, stop_loss=pips(self.stop_pips), take_profit=pips(self.target_pips))
        return {}
