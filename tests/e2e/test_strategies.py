"""The life of a strategy over HTTP: it is looked at, registered, changed by two at once, deleted, reloaded from its
file, and run with a memory of its own, on other timeframes and beside other instruments."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import targets
from bars import Bar, Store, flat
from processes import wait_until
from targets import Target
from test_scenario import SMALLEST, all_pages, get, refusal, register
from test_simulation import backtest, money

RELOAD_SECONDS = 30
WRITERS = 8
UNITS = 1_000
START = datetime(2024, 1, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


def validate(target: Target, code: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    answer = target.http.post("/api/v1/strategies/validate", json={"code": code} | more)
    assert answer.status_code == 200, answer.text
    return answer.json()


class TestLinter:
    def test_every_mistake_is_shown_where_it_is_and_nothing_is_stored(self, target: Target) -> None:
        before = all_pages(target, "/api/v1/strategies", "strategies")
        code = (
            "class S(Strategy):\n"
            "    def analyze(self, data):\n"
            "        fast = sma(data.close, 0)\n"
            "        if data.close[0] > 1:\n"
            "            return buy(units=smaa(data.close, 5))\n"
        )
        answer = validate(target, code)
        assert answer["valid"] is False
        found = answer["diagnostics"]
        places = [(it["line"], it["column"], it["end_column"], it["code"], it["severity"]) for it in found]
        assert places == [
            (3, 9, 13, "unused", "warning"),
            (3, 32, 33, "limit", "error"),
            (4, 23, 24, "look-ahead", "error"),
            (5, 30, 34, "unknown-name", "error"),
        ]
        assert found[-1]["hint"] == "did you mean `sma`?"
        assert "plan" not in answer
        assert all_pages(target, "/api/v1/strategies", "strategies") == before

    def test_a_sound_source_says_what_it_would_run_as(self, target: Target) -> None:
        code = (
            "class S(Strategy):\n"
            '    """Says what it is."""\n'
            '    n: int = param(20, min=2, max=50, description="bars")\n'
            "    def analyze(self, data):\n"
            "        if data.close > sma(data.close, self.n):\n"
            "            return buy(units=1000)\n"
            "        return {}\n"
        )
        answer = validate(target, code, parameters={"n": 30})
        assert (answer["valid"], answer["diagnostics"], answer["name"]) == (True, [], "S")
        assert answer["description"] == "Says what it is."
        (parameter,) = answer["parameters"]
        assert parameter == {"name": "n", "kind": "int", "default": 20, "min": 2, "max": 50, "description": "bars"}
        assert answer["effective_parameters"] == {"n": 30}
        kinds = ["timeframes", "instruments", "features", "patterns", "regimes"]
        assert answer["reads"] == {kind: [] for kind in kinds}
        # The bar of the decision is the thirtieth.
        assert answer["warm_up_bars"] == 29
        assert answer["plan"]["rules"] == 1
        assert answer["estimated_bars_per_second"] > 0
        assert answer["causality"]
        out_of_range = validate(target, code, parameters={"n": 51})
        assert out_of_range["valid"] is False
        assert out_of_range["diagnostics"][0]["field"] == "parameters.n"

    def test_what_a_source_reads_beside_its_own_bars_is_listed(self, target: Target) -> None:
        code = (
            "class S(Strategy):\n"
            "    def analyze(self, data):\n"
            '        slow = data.timeframe("4h").close > data.instrument("GBP/USD").close\n'
            '        if slow and feature("mood") > 0 and pattern("double_top") < 0.5 and regime() == "calm":\n'
            "            return buy(units=1000)\n"
            "        return {}\n"
        )
        assert validate(target, code)["reads"] == {
            "timeframes": ["4h"],
            "instruments": ["GBP/USD"],
            "features": ["mood"],
            "patterns": ["double_top"],
            "regimes": ["calm"],
        }


class TestVersions:
    def test_writers_at_once_lose_no_version(self, target: Target) -> None:
        sources = [f"{SMALLEST}# {number}\n" for number in range(WRITERS)]
        with ThreadPoolExecutor(WRITERS) as pool:
            made = list(pool.map(lambda code: register(target, "Contended", code).json(), sources))
        (strategy_id,) = {it["id"] for it in made}
        path = f"/api/v1/strategies/{strategy_id}"
        versions = {it["version"] for it in all_pages(target, f"{path}/versions", "versions", page_size=3)}
        assert versions == {it["version"] for it in made}
        assert len(versions) == WRITERS
        for it, code in zip(made, sources, strict=True):
            assert get(target, path, params={"version": it["version"]})["code"] == code
        assert get(target, path)["version"] in versions

    def test_a_deletion_keeps_what_results_refer_to(self, target: Target, store: Store) -> None:
        store("deletion", [flat(1.1000)] * 4)
        made = register(target, "Deleted after its run", SMALLEST).json()
        path = f"/api/v1/strategies/{made['id']}"
        result = backtest(target, made["id"], "deletion")
        assert result["strategy_version"] == made["version"]
        assert target.http.delete(path).status_code == 204
        refusal(target.http.get(path), 404, "StrategyLoadError")
        refusal(target.http.get(f"{path}/versions"), 404, "StrategyLoadError")
        run = {"strategy_id": made["id"], "dataset": "deletion", "start_date": "2024-01-02", "end_date": "2024-01-03"}
        refusal(target.http.post("/api/v1/backtest", json=run), 404, "StrategyLoadError")
        assert get(target, f"/api/v1/backtests/{result['backtest_id']}")["result"] == result
        assert get(target, path, params={"version": made["version"]})["code"] == SMALLEST
        # To register it again undoes the deletion, and the version is the one that it was.
        assert register(target, "Deleted after its run", SMALLEST).json()["version"] == made["version"]
        assert get(target, path)["version"] == made["version"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("strategies")
    (folder / "first.py").write_text(SMALLEST)
    (folder / "second.py").write_text(SMALLEST)
    return folder


@pytest.fixture(scope="module")
def followed(server_binary: Path, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server of its own, on a folder of strategies that changes."""
    data = tmp_path_factory.mktemp("followed")
    storage = {"STORAGE": "embedded", "BACKTEST_DATA_DIR": str(data / "data")}
    with targets.server("followed", server_binary, storage, data, folder) as target:
        yield target


class TestFolder:
    @staticmethod
    def loader(target: Target) -> dict[str, Any]:
        return get(target, "/health/detailed")["services"]["strategy_loader"]

    def test_files_are_followed_without_a_restart(self, followed: Target, folder: Path) -> None:
        first = get(followed, "/api/v1/strategies/first")
        assert first["code"] == SMALLEST
        changed = SMALLEST + "# changed\n"
        (folder / "first.py").write_text(changed)
        (folder / "third.py").write_text(SMALLEST)

        def is_reloaded() -> bool:
            return self.loader(followed)["strategies_loaded"] == 3

        wait_until(is_reloaded, "the new file is served", RELOAD_SECONDS)
        assert get(followed, "/api/v1/strategies/first")["code"] == changed
        # Results may refer to the version that was served before.
        before = get(followed, "/api/v1/strategies/first", params={"version": first["version"]})
        assert before["code"] == SMALLEST

    def test_a_broken_file_is_named_and_the_sound_ones_are_served(self, followed: Target, folder: Path) -> None:
        served = get(followed, "/api/v1/strategies/second")
        (folder / "second.py").write_text(
            "class Broken(Strategy):\n    def analyze(self, data):\n        return oops\n"
        )
        (folder / "fourth.py").write_text("class Never(Strategy:\n")
        (folder / "fifth.py").write_text(SMALLEST)

        def both_are_named() -> bool:
            return {it["strategy"] for it in self.loader(followed)["failures"]} == {"second", "fourth"}

        wait_until(both_are_named, "the broken files are named", RELOAD_SECONDS)
        reasons = {it["strategy"]: it for it in self.loader(followed)["failures"]}
        assert "3:16" in reasons["second"]["reason"]
        assert (reasons["second"]["served"], reasons["fourth"]["served"]) == (True, False)
        assert get(followed, "/api/v1/strategies/second") == served
        refusal(followed.http.get("/api/v1/strategies/fourth"), 404, "StrategyLoadError")
        assert get(followed, "/api/v1/strategies/fifth")["code"] == SMALLEST
        (folder / "second.py").write_text(SMALLEST)
        (folder / "fourth.py").unlink()
        wait_until(lambda: not self.loader(followed)["failures"], "they are mended", RELOAD_SECONDS)


def walk(seed: int, count: int, price: float) -> list[Bar]:
    """Bars of whole points that are the same on every machine."""
    steps = random.Random(seed)
    points, bars = round(price * 100_000), []
    for _ in range(count):
        open_, points = points, points + steps.randint(-40, 40)
        high, low = max(open_, points) + steps.randint(0, 15), min(open_, points) - steps.randint(0, 15)
        bars.append(tuple(it / 100_000 for it in (open_, high, low, points)))
    return bars


def traded(bars: list[Bar], wished: list[int | None]) -> list[tuple[Any, ...]]:
    """The trades of a net position that each close wishes and the next open fills."""
    trades, units, entry = [], 0, 0
    for row in range(1, len(bars)):
        wish = wished[row - 1]
        if wish is None or wish == units:
            continue
        if units:
            gain = units * (bars[row][0] - bars[entry][0])
            trades.append((START + entry * HOUR, START + row * HOUR, units, bars[entry][0], bars[row][0], gain))
        units, entry = wish, row
    return trades


def assert_traded(result: dict[str, Any], expected: list[tuple[Any, ...]]) -> None:
    """The closed trades are these; the position of the last bar may still be open."""
    assert len(expected) > 10
    shown = result["trades"][: len(expected)]
    assert len(result["trades"]) - len(expected) in (0, 1)
    for trade, (entered, left, units, entry, exit_, gain) in zip(shown, expected, strict=True):
        assert datetime.fromisoformat(trade["entry_time"]) == entered
        assert datetime.fromisoformat(trade["exit_time"]) == left
        assert trade["size"] * (1 if trade["type"] == "long" else -1) == units
        assert (trade["entry_price"], trade["exit_price"]) == (entry, exit_)
        assert trade["profit_loss"] == money(gain)


class TestRuns:
    def test_a_state_counts_from_bar_to_bar(self, target: Target, store: Store) -> None:
        bars = walk(1, 240, 1.1)
        store("states", bars)
        code = (
            "class Patient(Strategy):\n"
            "    pause = 5\n"
            "    waited = state(5)\n"
            "    rises: bool = state(False)\n"
            "    def analyze(self, data):\n"
            "        self.waited += 1\n"
            "        before = self.rises\n"
            "        self.rises = data.close > data.open\n"
            "        if self.waited == 3:\n"
            "            return target(units=0)\n"
            "        if before and self.rises and self.waited > self.pause:\n"
            "            self.waited = 0\n"
            "            return target(units=1000)\n"
            "        return {}\n"
        )
        wished, waited, rises = [], 5, False
        for open_, _, _, close in bars:
            waited += 1
            before, rises = rises, close > open_
            if waited == 3:
                wished.append(0)
            elif before and rises and waited > 5:
                wished.append(UNITS)
                waited = 0
            else:
                wished.append(None)
        result = backtest(target, register(target, "Patient", code).json()["id"], "states")
        assert_traded(result, traded(bars, wished))

    def test_bars_of_four_hours_are_seen_once_they_are_complete(self, target: Target, store: Store) -> None:
        bars = walk(2, 400, 1.1)
        store("longer", bars)
        code = (
            "class Slow(Strategy):\n"
            "    def analyze(self, data):\n"
            '        slow = data.timeframe("4h")\n'
            "        return target(units=1000 if slow.close > slow.open else -1000)\n"
        )
        # They end at 22:00, 02:00, 06:00 … UTC: four hours from 17:00 New York, in winter.
        wished, group, seen = [], [], None
        for row, bar in enumerate(bars):
            group.append(bar)
            if (row + 1) % 4 == 2:
                seen = UNITS if group[-1][3] > group[0][0] else -UNITS
                group = []
            wished.append(seen)
        result = backtest(target, register(target, "Slow", code).json()["id"], "longer")
        assert_traded(result, traded(bars, wished))

    def test_another_instrument_is_seen_as_of_each_close(self, target: Target, store: Store) -> None:
        bars, others = walk(3, 240, 1.1), walk(4, 240, 1.25)
        missing = {20, 21, 22, 100}
        store("beside", bars)
        store("beside", others, pair="GBP/USD", left_out=missing)
        code = (
            "class Beside(Strategy):\n"
            "    def analyze(self, data):\n"
            '        pound = data.instrument("GBP/USD")\n'
            "        return target(units=1000 if pound.close > pound.open else -1000)\n"
        )
        wished, seen = [], None
        for row, (open_, _, _, close) in enumerate(others):
            if row not in missing:
                seen = UNITS if close > open_ else -UNITS
            wished.append(seen)
        result = backtest(target, register(target, "Beside", code).json()["id"], "beside")
        assert_traded(result, traded(bars, wished))
