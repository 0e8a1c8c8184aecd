class ElliottWave(Strategy):
    """Trades the fifth wave of Elliott's impulse, by his three rules and nothing else.

    Waves are legs between confirmed swings that alternate. Five swings make the waves 1 to 4, and the rules are: wave 2
    does not undo wave 1, wave 3 is longer than wave 1 and passes its end, wave 4 does not come back into wave 1. When
    the swing that ends wave 4 is confirmed, the fifth is entered, to become as long as the first. Counting waves is
    ambiguous; these rules are one count, the simplest that a machine can check, and they say when it is wrong."""

    swing_bars: int = param(2, min=1, max=50, description="bars on each side of a swing")
    atr_period: int = param(14, min=2, max=200, description="bars of the average true range")
    wave_atr: float = param(1.0, min=0.1, max=50.0, description="least length of wave 1, in average true ranges")
    buffer_atr: float = param(0.5, min=0.0, max=5.0, description="stop loss beyond the end of wave 4, in average true ranges")
    target_waves: float = param(1.0, min=0.25, max=3.0, description="take profit, in lengths of wave 1 from the end of wave 4")
    risk_percent: float = param(0.5, min=0.05, max=5.0, description="percent of equity at risk per trade")

    def analyze(self, data):
        swing_high, swing_low = fractals(self.swing_bars)
        is_high, is_low = defined(swing_high), defined(swing_low)
        h0, h1, h2 = valuewhen(is_high, swing_high), valuewhen(is_high, swing_high, 1), valuewhen(is_high, swing_high, 2)
        l0, l1, l2 = valuewhen(is_low, swing_low), valuewhen(is_low, swing_low, 1), valuewhen(is_low, swing_low, 2)
        # When each was confirmed, to see that highs and lows take turns.
        h0_at, h1_at, h2_at = valuewhen(is_high, data.index), valuewhen(is_high, data.index, 1), valuewhen(is_high, data.index, 2)
        l0_at, l1_at, l2_at = valuewhen(is_low, data.index), valuewhen(is_low, data.index, 1), valuewhen(is_low, data.index, 2)
        reach = atr(self.atr_period)
        buffer = self.buffer_atr * reach
        least = self.wave_atr * reach

        # From the start: low l2, high h1, low l1, high h0, low l0.
        in_turn = l2_at < h1_at and h1_at < l1_at and l1_at < h0_at and h0_at < l0_at
        wave_1 = h1 - l2
        rules = l1 > l2 and h0 > h1 and h0 - l1 > wave_1 and l0 > h1
        if is_low and in_turn and rules and wave_1 >= least and data.close > l0:
            goal = l0 + self.target_waves * wave_1
            if goal > data.close:
                return buy(risk_percent=self.risk_percent, stop_loss=l0 - buffer, take_profit=goal)

        # And its mirror image: high h2, low l1, high h1, low l0, high h0.
        in_turn = h2_at < l1_at and l1_at < h1_at and h1_at < l0_at and l0_at < h0_at
        wave_1 = h2 - l1
        rules = h1 < h2 and l0 < l1 and h1 - l0 > wave_1 and h0 < l1
        if is_high and in_turn and rules and wave_1 >= least and data.close < h0:
            goal = h0 - self.target_waves * wave_1
            if goal < data.close:
                return sell(risk_percent=self.risk_percent, stop_loss=h0 + buffer, take_profit=goal)
        return {}
