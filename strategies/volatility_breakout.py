class VolatilityBreakout(Strategy):
    """Breakout: waits with a stop order on each side of the close and rides the side that breaks.

    The orders stand a multiple of the average true range away and are renewed at every bar while the account is flat;
    a stop loss bounds the loss, and a trailing exit follows the gain. A bar that breaks both ways reverses. The stop is
    further from the fill than the order from the close: a bar that fills the order seldom reaches the stop too, and the
    fill policy has little to decide."""

    atr_period: int = param(14, min=2, max=200, description="bars of the average true range")
    entry_atr: float = param(1.0, min=0.1, max=10.0, description="how far away an order waits, in average true ranges")
    stop_atr: float = param(3.0, min=0.5, max=20.0, description="stop loss, in average true ranges from the fill")
    trail_atr: float = param(4.0, min=0.5, max=50.0, description="trailing exit, in average true ranges behind the best price")
    risk_percent: float = param(0.5, min=0.05, max=5.0, description="percent of equity at risk per trade")

    def analyze(self, data):
        reach = atr(self.atr_period)
        record("reach", reach)
        if position.units != 0:
            return cancel(label="breakout")
        away = distance(self.entry_atr * reach)
        stop = distance(self.stop_atr * reach)
        trail = distance(self.trail_atr * reach)
        risk = self.risk_percent
        return [
            buy(risk_percent=risk, stop=away, stop_loss=stop, trailing=trail, expires=1, label="breakout"),
            sell(risk_percent=risk, stop=away, stop_loss=stop, trailing=trail, expires=1, label="breakout"),
        ]
