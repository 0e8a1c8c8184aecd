class RegimeFilter(Strategy):
    """Asks first what kind of market it is, then trades the method that fits: trends are followed, ranges are faded.

    The directional index tells a trend from a range, with a gap between the two in which nothing new is begun, so that
    the method does not flip from bar to bar. Ranges that are wide for this market halve the risk: a stop in average
    true ranges is a far one then, and slips more. Both regimes come from prices alone."""

    strength_period: int = param(14, min=2, max=200, description="bars of the directional index")
    trend_min: float = param(25.0, min=5.0, max=100.0, description="directional index from which the market trends")
    range_max: float = param(20.0, min=1.0, max=100.0, description="directional index up to which it ranges")
    band_period: int = param(20, min=5, max=500, description="bars of the bands that a range is faded at")
    atr_period: int = param(14, min=2, max=200, description="bars of the average true range")
    usual_period: int = param(200, min=20, max=2000, description="bars over which the usual range is measured")
    wide: float = param(1.5, min=1.0, max=10.0, description="a range this many times the usual one is wide")
    stop_atr: float = param(2.5, min=0.5, max=20.0, description="stop loss, in average true ranges")
    risk_percent: float = param(0.75, min=0.05, max=5.0, description="percent of equity at risk per trade in calm markets")

    def analyze(self, data):
        plus, minus, strength = dmi(self.strength_period)
        line, direction = supertrend(self.atr_period, self.stop_atr)
        upper, middle, lower = bollinger(data.close, self.band_period)
        reach = natr(self.atr_period)
        trends = strength >= self.trend_min
        ranges = strength <= self.range_max
        record("regime", 1 if trends else (-1 if ranges else 0))
        record("strength", strength)
        is_wide = reach > self.wide * sma(reach, self.usual_period)
        risk = self.risk_percent / 2 if is_wide else self.risk_percent
        stop = distance(self.stop_atr * atr(self.atr_period))

        # A fade has done its work at the middle of the bands; a trend that has become a range has no more to give there.
        if position.units > 0 and ranges and data.close >= middle:
            return close()
        if position.units < 0 and ranges and data.close <= middle:
            return close()
        # A trend against the position ends it, whichever method began it.
        if position.units > 0 and trends and direction < 0:
            return close()
        if position.units < 0 and trends and direction > 0:
            return close()
        if trends and plus > minus and direction > 0:
            return buy(risk_percent=risk, stop_loss=stop)
        if trends and minus > plus and direction < 0:
            return sell(risk_percent=risk, stop_loss=stop)
        if ranges and position.units == 0 and crosses_above(data.close, lower):
            return buy(risk_percent=risk, stop_loss=stop)
        if ranges and position.units == 0 and crosses_below(data.close, upper):
            return sell(risk_percent=risk, stop_loss=stop)
        return {}
