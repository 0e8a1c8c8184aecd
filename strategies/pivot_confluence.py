def near(level, price, tolerance):
    return 1 if abs(level - price) <= tolerance else 0


class PivotConfluence(Strategy):
    """Mean reversion at levels: enters where several independent levels stand close together and the bar turns at them.

    Levels of the trading day before come from three formulas (classic, Fibonacci, Camarilla), one more from the last
    confirmed swing. Each that stands within a share of the true range of the bar's extreme counts one. A level is only
    a place: the bar must also close back on the right side, and the index must not be stretched the other way."""

    tolerance_atr: float = param(0.5, min=0.05, max=3.0, description="how close a level must be, in average true ranges")
    levels_min: int = param(2, min=1, max=6, description="levels that must stand together")
    swing_bars: int = param(3, min=1, max=20, description="bars on each side of a swing")
    rsi_period: int = param(14, min=2, max=200, description="bars of the relative strength index")
    rsi_buy_max: float = param(45.0, min=1.0, max=99.0, description="buys at or below this value; sells mirrored at 50")
    atr_period: int = param(14, min=2, max=200, description="bars of the average true range")
    stop_atr: float = param(1.5, min=0.25, max=20.0, description="stop loss beyond the bar's extreme, in average true ranges")
    risk_percent: float = param(0.5, min=0.05, max=5.0, description="percent of equity at risk per trade")

    def analyze(self, data):
        pivot, r1, r2, r3, s1, s2, s3 = pivots("classic")
        same, f1, f2, f3, g1, g2, g3 = pivots("fibonacci")
        mid, c1, c2, c3, c4, d1, d2, d3, d4 = pivots("camarilla")
        swing_high, swing_low = fractals(self.swing_bars)
        last_high = valuewhen(defined(swing_high), swing_high)
        last_low = valuewhen(defined(swing_low), swing_low)
        reach = atr(self.atr_period)
        band = self.tolerance_atr * reach
        strength = rsi(data.close, self.rsi_period)

        # Each family counts its nearest level once at most: three supports of one formula are one opinion.
        low, high = data.low, data.high
        classic_below = max(near(s1, low, band), near(s2, low, band), near(s3, low, band))
        fibonacci_below = max(near(g1, low, band), near(g2, low, band), near(g3, low, band))
        camarilla_below = max(near(d3, low, band), near(d4, low, band))
        support = classic_below + fibonacci_below + camarilla_below + near(last_low, low, band)
        classic_above = max(near(r1, high, band), near(r2, high, band), near(r3, high, band))
        fibonacci_above = max(near(f1, high, band), near(f2, high, band), near(f3, high, band))
        camarilla_above = max(near(c3, high, band), near(c4, high, band))
        resistance = classic_above + fibonacci_above + camarilla_above + near(last_high, high, band)
        record("pivot", pivot)
        record("support", support)
        record("resistance", resistance)

        turned_up = data.close > data.open and strength <= self.rsi_buy_max
        turned_down = data.close < data.open and strength >= 100 - self.rsi_buy_max
        if position.units != 0:
            return {}
        # The pivot is where the day before was fair: the target, as long as it is worth the risk.
        stop_below = low - self.stop_atr * reach
        stop_above = high + self.stop_atr * reach
        if support >= self.levels_min and turned_up and pivot - data.close > reach:
            return buy(risk_percent=self.risk_percent, stop_loss=stop_below, take_profit=pivot)
        if resistance >= self.levels_min and turned_down and data.close - pivot > reach:
            return sell(risk_percent=self.risk_percent, stop_loss=stop_above, take_profit=pivot)
        return {}
