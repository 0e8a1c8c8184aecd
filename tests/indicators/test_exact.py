"""Indicators against their definitions in exact arithmetic, on real bars: what rounding makes of them."""

from collections.abc import Callable, Hashable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import exact
import pytest
from exact import Series, lag, of, window
from recording import recorded, rows_of

TOLERANCE = Decimal("1e-12")

# Quotients of two small differences, a hundredth of a percent of the prices: rounding the price or its mean once is
# more than 1e-12 of them where few bars are looked at.
TOLERANCES = {"cci": Decimal("3e-12"), "zscore": Decimal("3e-12")}

ROWS_MAX = 3_000

# Columns of numbers, and of the session of each bar.
Bars = dict[str, Any]


def hlc(bars: Bars) -> tuple[Series, Series, Series]:
    return bars["high"], bars["low"], bars["close"]


def typical(bars: Bars) -> Series:
    return of(lambda h, l, c: (h + l + c) / 3, *hlc(bars))  # noqa: E741


def channel(bars: Bars, n: int) -> Series:
    return of(lambda a, b: (a + b) / 2, window(bars["high"], n, max), window(bars["low"], n, min))


def raw_stochastic(bars: Bars, n: int) -> Series:
    highest, lowest = window(bars["high"], n, max), window(bars["low"], n, min)
    return of(lambda c, h, l: 100 * (c - l) / (h - l) if h > l else Decimal(0), bars["close"], highest, lowest)  # noqa: E741


def cci(bars: Bars, n: int) -> Series:
    x = typical(bars)
    scale = Decimal(0.015)
    middle, deviation = exact.sma(x, n), exact.mean_deviation(x, n)
    return of(lambda x, m, d: (x - m) / (scale * d) if d > 0 else Decimal(0), x, middle, deviation)


def vwap(bars: Bars, n: int) -> Series:
    weighted = of(lambda p, v: p * v, typical(bars), bars["volume"])
    return of(exact.ratio, window(weighted, n, sum), window(bars["volume"], n, sum))


def zscore(x: Series, n: int) -> Series:
    return of(lambda x, m, d: exact.ratio(x - m, d), x, exact.sma(x, n), exact.stdev(x, n))


def supertrend(bars: Bars, n: int) -> tuple[Series, ...]:
    return exact.supertrend(*hlc(bars), n, Decimal(3))


def added(bars: Bars) -> Series:
    return of(lambda h, l: h + l, bars["high"], bars["low"])  # noqa: E741


def width(bars: Bars) -> Series:
    return of(lambda h, l: h - l, bars["high"], bars["low"])  # noqa: E741


def keltner(bars: Bars, n: int) -> tuple[Series, ...]:
    middle, reach = exact.ema(bars["close"], n), exact.atr(*hlc(bars), 10)
    k = Decimal(1.5)
    return of(lambda m, r: m + k * r, middle, reach), middle, of(lambda m, r: m - k * r, middle, reach)


def bollinger(bars: Bars, n: int) -> tuple[Series, ...]:
    middle, deviation = exact.sma(bars["decimal"], n), exact.stdev(bars["decimal"], n)
    k = Decimal(2.5)
    return of(lambda m, d: m + k * d, middle, deviation), middle, of(lambda m, d: m - k * d, middle, deviation)


def donchian(bars: Bars, n: int) -> tuple[Series, ...]:
    return window(bars["high"], n, max), channel(bars, n), window(bars["low"], n, min)


def fractals(bars: Bars, n: int) -> tuple[Series, ...]:
    return exact.swings(bars["high"], n, Decimal.__gt__), exact.swings(bars["low"], n, Decimal.__lt__)


def session(bars: Bars, sessions: Sequence[Hashable]) -> tuple[Series, ...]:
    """High, low, close, pivot and range of the last completed session."""
    high = exact.last_session(bars["high"], sessions, max)
    low = exact.last_session(bars["low"], sessions, min)
    close = exact.last_session(bars["close"], sessions, lambda last: last[-1])
    pivot = of(lambda h, l, c: (h + l + c) / 3, high, low, close)  # noqa: E741
    return high, low, close, pivot, of(lambda h, l: h - l, high, low)  # noqa: E741


def ladder(middle: Series, extent: Series, steps: Sequence[Decimal]) -> tuple[Series, ...]:
    up = tuple(of(lambda m, r, s=step: m + s * r, middle, extent) for step in steps)
    return up + tuple(of(lambda m, r, s=step: m - s * r, middle, extent) for step in steps)


def classic(bars: Bars, sessions: Sequence[Hashable]) -> tuple[Series, ...]:
    high, low, _, pivot, extent = session(bars, sessions)
    return (
        pivot,
        of(lambda p, l: 2 * p - l, pivot, low),  # noqa: E741
        of(lambda p, r: p + r, pivot, extent),
        of(lambda h, p, l: h + 2 * (p - l), high, pivot, low),  # noqa: E741
        of(lambda p, h: 2 * p - h, pivot, high),
        of(lambda p, r: p - r, pivot, extent),
        of(lambda l, h, p: l - 2 * (h - p), low, high, pivot),  # noqa: E741
    )


def fibonacci(bars: Bars, sessions: Sequence[Hashable]) -> tuple[Series, ...]:
    _, _, _, pivot, extent = session(bars, sessions)
    return pivot, *ladder(pivot, extent, [Decimal(0.382), Decimal(0.618), Decimal(1)])


def camarilla(bars: Bars, sessions: Sequence[Hashable]) -> tuple[Series, ...]:
    _, _, close, pivot, extent = session(bars, sessions)
    return pivot, *ladder(close, extent, [Decimal(1.1) / divisor for divisor in (12, 6, 4, 2)])


def vwap_of_session(bars: Bars) -> Series:
    weighted = of(lambda p, v: p * v, typical(bars), bars["volume"])
    return of(exact.ratio, *(exact.since_session(x, bars["day"]) for x in (weighted, bars["volume"])))


# The call, what it gives, and its definition.
CASES: list[tuple[str, str, Callable[[Bars, int], Series | tuple[Series, ...]]]] = [
    ("sma(data.close, {n})", "sma", lambda b, n: exact.sma(b["close"], n)),
    ("sma(data.high + data.low, {n})", "sma_of_number", lambda b, n: exact.sma(added(b), n)),
    ("ema(data.close, {n})", "ema", lambda b, n: exact.ema(b["close"], n)),
    ("rma(data.close, {n})", "rma", lambda b, n: exact.rma(b["close"], n)),
    ("wma(data.close, {n})", "wma", lambda b, n: exact.wma(b["close"], n)),
    ("dema(data.close, {n})", "dema", lambda b, n: exact.dema(b["close"], n)),
    ("tema(data.close, {n})", "tema", lambda b, n: exact.tema(b["close"], n)),
    ("kama(data.close, {n})", "kama", lambda b, n: exact.kama(b["close"], n)),
    ("linreg(data.close, {n})", "linreg", lambda b, n: exact.linreg(b["close"], n)),
    ("linreg_slope(data.close, {n})", "slope", lambda b, n: exact.slope(b["close"], n)),
    ("vwap({n})", "vwap", vwap),
    ("rsi(data.close, {n})", "rsi", lambda b, n: exact.rsi(b["close"], n)),
    ("stochastic({n})", "k, d", lambda b, n: stochastic(b, n)),
    ("cci({n})", "cci", cci),
    ("roc(data.close, {n})", "roc", lambda b, n: of(lambda a, c: 100 * (a - c) / c, b["close"], lag(b["close"], n))),
    ("momentum(data.close, {n})", "momentum", lambda b, n: of(lambda a, c: a - c, b["close"], lag(b["close"], n))),
    ("macd(data.close, {n}, 2 * {n}, 9)", "line, signal, hist", lambda b, n: macd(b["close"], n, 2 * n, 9)),
    ("dmi({n})", "plus, minus, adx", lambda b, n: exact.directional(*hlc(b), n)),
    ("stdev(data.high - data.low, {n})", "stdev", lambda b, n: exact.stdev(width(b), n)),
    ("stdev(data.close, {n})", "stdev_of_price", lambda b, n: exact.stdev(b["decimal"], n)),
    ("zscore(ema(data.close, 3), {n})", "zscore", lambda b, n: zscore(exact.ema(b["close"], 3), n)),
    ("atr({n})", "atr", lambda b, n: exact.atr(*hlc(b), n)),
    ("natr({n})", "natr", lambda b, n: of(lambda r, c: 100 * r / c, exact.atr(*hlc(b), n), b["close"])),
    ("supertrend({n}, 3.0)", "stop, direction", supertrend),
    ("ichimoku()", "conversion, base, span_a, span_b", lambda b, _: ichimoku(b)),
    ("keltner({n}, k=1.5)", "keltner_high, keltner_mid, keltner_low", keltner),
    ("bollinger(data.close, {n}, 2.5)", "bollinger_high, bollinger_mid, bollinger_low", bollinger),
    ("donchian({n})", "donchian_high, donchian_mid, donchian_low", donchian),
    ("highest(data.close, {n})", "highest", lambda b, n: window(b["close"], n, max)),
    ("lowest(data.close, {n})", "lowest", lambda b, n: window(b["close"], n, min)),
    ("psar()", "psar", lambda b, _: exact.psar(b["high"], b["low"], Decimal(0.02), Decimal(0.2))),
    ("fractals({n} // 7 + 1)", "swing_high, swing_low", lambda b, n: fractals(b, n // 7 + 1)),
    ("vwap()", "vwap_of_session", lambda b, _: vwap_of_session(b)),
    ("pivots()", "p, r1, r2, r3, s1, s2, s3", lambda b, _: classic(b, b["day"])),
    ('pivots("classic", "week")', "wp, wr1, wr2, wr3, ws1, ws2, ws3", lambda b, _: classic(b, b["week"])),
    ('pivots("fibonacci")', "fp, fr1, fr2, fr3, fs1, fs2, fs3", lambda b, _: fibonacci(b, b["day"])),
    (
        'pivots("camarilla", "week")',
        "cp, cr1, cr2, cr3, cr4, cs1, cs2, cs3, cs4",
        lambda b, _: camarilla(b, b["week"]),
    ),
]

# Values that these have at few bars: where they confirm a swing.
SELDOM = {"swing_high", "swing_low"}

# Of these a value is to have twelve digits of the largest one: they cross zero, or subtract what nearly cancels. Of
# all others each value is to have twelve digits of its own.
RELATIVE_TO_THE_LARGEST = {
    "slope", "k", "d", "cci", "roc", "momentum", "line", "signal", "hist", "plus", "minus", "adx", "zscore",
}  # fmt: skip


def stochastic(bars: Bars, n: int) -> tuple[Series, Series]:
    k = exact.sma(raw_stochastic(bars, n), 3)
    return k, exact.sma(k, 3)


def macd(x: Series, fast: int, slow: int, signal: int) -> tuple[Series, Series, Series]:
    held: Series = [None] * (slow - fast) + x[slow - fast :]
    line = of(lambda a, b: a - b, exact.ema(held, fast), exact.ema(x, slow))
    average = exact.ema(line, signal)
    return line, average, of(lambda a, b: a - b, line, average)


def ichimoku(bars: Bars) -> tuple[Series, ...]:
    conversion, base, wide = (channel(bars, n) for n in (9, 26, 52))
    return conversion, base, lag(of(lambda a, b: (a + b) / 2, conversion, base), 26), lag(wide, 26)


def bars_of(file: Path) -> Bars:
    """Prices as the engine has them: the nearest float of the decimal one."""
    rows = rows_of(file)[:ROWS_MAX]
    bars: Bars = {
        name: [Decimal(float(row[place])) for row in rows]
        for place, name in enumerate(("high", "low", "close"), start=2)
    }
    bars["volume"] = [Decimal(row[5]) for row in rows]
    bars["decimal"] = [Decimal(row[4]) for row in rows]
    opens = [exact.moment(row[0]) for row in rows]
    bars["day"] = [exact.trading_day(opened) for opened in opens]
    bars["week"] = [exact.trading_week(opened) for opened in opens]
    return bars


@pytest.mark.parametrize("n", [7, 14, 50])
def test_indicators_agree_with_exact_arithmetic(record: Path, eurusd_h1: Path, n: int, tmp_path: Path) -> None:
    bars = bars_of(eurusd_h1)
    ours = recorded(record, eurusd_h1, [(call.format(n=n), names) for call, names, _ in CASES], tmp_path)
    for _, names, function in CASES:
        outputs = function(bars, n)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        for name, theirs in zip(names.split(", "), outputs, strict=True):
            mine = ours[name][: len(theirs)]
            undefined = [bar for bar, pair in enumerate(zip(mine, theirs, strict=True)) if pair.count(None) == 1]
            assert not undefined, f"{name} of {n} at {undefined[:3]}"
            both = [(Decimal(a), b) for a, b in zip(mine, theirs, strict=True) if a is not None and b is not None]
            assert len(both) > (30 if name in SELDOM else len(theirs) // 2), name
            largest = max(abs(b) for _, b in both)
            scaled = name in RELATIVE_TO_THE_LARGEST
            worst = max(abs(a - b) / (largest if scaled else abs(b) or largest) for a, b in both)
            assert worst < TOLERANCES.get(name, TOLERANCE), f"{name} of {n}: {worst:.2e}"
