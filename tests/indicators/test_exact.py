"""Indicators against their definitions in exact arithmetic, on real bars: what rounding makes of them."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import exact
import pytest
from exact import Series, lag, of, window
from recording import recorded, rows_of

TOLERANCE = Decimal("1e-12")

# Quotients of two small differences, a hundredth of a percent of the prices: rounding the price or its mean once is
# more than 1e-12 of them where few bars are looked at.
TOLERANCES = {"cci": Decimal("3e-12"), "zscore": Decimal("3e-12")}

ROWS_MAX = 3_000

Bars = dict[str, Series]


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
]

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
            assert len(both) > len(theirs) // 2, name
            largest = max(abs(b) for _, b in both)
            scaled = name in RELATIVE_TO_THE_LARGEST
            worst = max(abs(a - b) / (largest if scaled else abs(b) or largest) for a, b in both)
            assert worst < TOLERANCES.get(name, TOLERANCE), f"{name} of {n}: {worst:.2e}"
