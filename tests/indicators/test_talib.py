"""Indicators against TA-Lib on real bars. docs/LANGUAGE.md states where the two differ."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import talib
from recording import recorded, rows_of

# Of an indicator's scale, which is its largest value.
TOLERANCE = 1e-9

Columns = dict[str, np.ndarray]
Outputs = tuple[np.ndarray, ...]

# The call in the language, the names of what it gives, and TA-Lib's function of the same bars and n.
CASES: list[tuple[str, str, Callable[[Columns, int], np.ndarray | Outputs]]] = [
    ("sma(data.close, {n})", "sma", lambda b, n: talib.SMA(b["close"], n)),
    ("sma(data.high - data.low, {n})", "sma_of_number", lambda b, n: talib.SMA(b["high"] - b["low"], n)),
    ("ema(data.close, {n})", "ema", lambda b, n: talib.EMA(b["close"], n)),
    ("wma(data.close, {n})", "wma", lambda b, n: talib.WMA(b["close"], n)),
    ("dema(data.close, {n})", "dema", lambda b, n: talib.DEMA(b["close"], n)),
    ("tema(data.close, {n})", "tema", lambda b, n: talib.TEMA(b["close"], n)),
    ("kama(data.close, {n})", "kama", lambda b, n: talib.KAMA(b["close"], n)),
    ("linreg(data.close, {n})", "linreg", lambda b, n: talib.LINEARREG(b["close"], n)),
    ("linreg_slope(data.close, {n})", "linreg_slope", lambda b, n: talib.LINEARREG_SLOPE(b["close"], n)),
    ("rsi(data.close, {n})", "rsi", lambda b, n: talib.RSI(b["close"], n)),
    ("stochastic({n})", "k, d", lambda b, n: talib.STOCH(b["high"], b["low"], b["close"], n, 3, 0, 3, 0)),
    ("cci({n})", "cci", lambda b, n: talib.CCI(b["high"], b["low"], b["close"], n)),
    ("roc(data.close, {n})", "roc", lambda b, n: talib.ROC(b["close"], n)),
    ("momentum(data.close, {n})", "momentum", lambda b, n: talib.MOM(b["close"], n)),
    ("macd(data.close, {n}, 2 * {n}, 9)", "line, signal, hist", lambda b, n: talib.MACD(b["close"], n, 2 * n, 9)),
    ("plus_di({n})", "plus", lambda b, n: talib.PLUS_DI(b["high"], b["low"], b["close"], n)),
    ("minus_di({n})", "minus", lambda b, n: talib.MINUS_DI(b["high"], b["low"], b["close"], n)),
    ("adx({n})", "adx", lambda b, n: talib.ADX(b["high"], b["low"], b["close"], n)),
    ("stdev(data.close, {n})", "stdev", lambda b, n: talib.STDDEV(b["close"], n)),
    ("highest(data.high, {n})", "highest", lambda b, n: talib.MAX(b["high"], n)),
    ("lowest(data.low, {n})", "lowest", lambda b, n: talib.MIN(b["low"], n)),
    ("bollinger(data.close, {n}, 2.0)", "upper, middle, lower", lambda b, n: talib.BBANDS(b["close"], n, 2.0, 2.0)),
    ("atr({n})", "atr", lambda b, n: talib.ATR(b["high"], b["low"], b["close"], n)),
    ("natr({n})", "natr", lambda b, n: talib.NATR(b["high"], b["low"], b["close"], n)),
    ("psar()", "psar", lambda b, n: talib.SAR(b["high"], b["low"], 0.02, 0.2)),
]

# TA-Lib shows k from the first d on, and MACD's line from the first signal on.
LATER_THERE = {"k", "line"}


def columns_of(bars: Path) -> Columns:
    rows = rows_of(bars)
    names = ("open", "high", "low", "close")
    return {name: np.array([float(row[place]) for row in rows]) for place, name in enumerate(names, start=1)}


@pytest.mark.parametrize("n", [5, 14, 50])
@pytest.mark.parametrize("bars", ["eurusd_h1", "gbpusd_m1"])
def test_indicators_agree_with_talib(
    record: Path, bars: str, n: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    file: Path = request.getfixturevalue(bars)
    prices = columns_of(file)
    ours = recorded(record, file, [(call.format(n=n), names) for call, names, _ in CASES], tmp_path)
    for _, names, function in CASES:
        outputs = function(prices, n)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        for name, theirs in zip(names.split(", "), outputs, strict=True):
            mine = np.array(ours[name], dtype=float)
            first_mine, first_theirs = (int(np.argmax(~np.isnan(values))) for values in (mine, theirs))
            assert not np.isnan(mine[first_mine:]).any(), name
            assert first_mine <= first_theirs, name
            assert first_mine == first_theirs or name in LATER_THERE, name
            both = slice(first_theirs, None)
            scale = np.abs(theirs[both]).max()
            worst = np.abs(mine[both] - theirs[both]).max() / scale
            assert worst < TOLERANCE, f"{name} of {n}: {worst:.2e} of {scale}"
