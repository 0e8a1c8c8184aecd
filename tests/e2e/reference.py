"""Real bars, and what a well-known engine made of them."""

import csv
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import sam

SHARED = sam.ROOT.parent / "shared"
CASE = "w1_sma10_30_eurusd_h1.nocost"

# The reference's rules: one bar after the first full window, and in the market ever after.
SMA_CROSS = """
class Cross(Strategy):
    fast = 10
    slow = 30

    def analyze(self, data):
        quick = sma(data.close, self.fast)
        calm = sma(data.close, self.slow)
        if data.index >= self.slow and quick > calm:
            return buy(units=10000)
        if data.index >= self.slow and quick < calm:
            return sell(units=10000)
        return {}
"""


@dataclass(frozen=True)
class Reference:
    """A case of the reference engine."""

    bars: Path
    case: dict[str, Any]
    trades: list[dict[str, str]]


def load() -> Reference:
    """The case, from the folder beside the workspace. Where CI is set it must be there."""
    bars = SHARED / "data/backtestingpy/EURUSD_H1_2017-2018.csv"
    golden = SHARED / "golden"
    if not bars.is_file() and "CI" not in os.environ:
        pytest.skip(f"left out: there is no {bars.name} beside the workspace")
    with (golden / f"{CASE}.trades.csv").open(newline="") as file:
        trades = list(csv.DictReader(file))
    return Reference(bars, json.loads((golden / f"{CASE}.json").read_text()), trades)
