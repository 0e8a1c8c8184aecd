"""The server's command line: the quickstart, imports that are refused, settings that stop the start."""

import json
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from processes import base_environment

import sam

SECONDS_MAX = 120

SOUND = """time,open,high,low,close
2024-01-02 00:00,1.10000,1.10100,1.09900,1.10050
2024-01-02 01:00,1.10050,1.10150,1.09950,1.10000
2024-01-02 02:00,1.10000,1.10100,1.09900,1.10050
"""
# The third bar's high lies below its low.
UNSOUND = SOUND.replace("02:00,1.10000,1.10100", "02:00,1.10000,1.08100")


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    data = {"BACKTEST_DATA_DIR": str(tmp_path / "data"), "STRATEGIES_DIR": str(sam.ROOT / "strategies")}
    return base_environment() | data


def run(binary: Path, *arguments: str | Path, env: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    command: Sequence[str | Path] = [binary, *arguments]
    return subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, timeout=SECONDS_MAX)


def test_the_quickstart_ends_with_a_table_a_report_and_two_calls(
    server_binary: Path, settings: dict[str, str], tmp_path: Path
) -> None:
    done = run(server_binary, "quickstart", "--out", tmp_path, env=settings, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = re.findall(r"^  [A-Z][a-z]+(?: [a-z]+)* {2,}\S", done.stdout, re.MULTILINE)
    assert len(rows) >= 15, done.stdout
    (trades,) = re.findall(r"^  Trades +(\d+)$", done.stdout, re.MULTILINE)
    assert int(trades) > 20, "a strategy that hardly trades shows nothing"
    (report,) = re.findall(r"Report: (\S+)", done.stdout)
    html = Path(report).read_text()
    assert html.count("<svg") >= 3, "equity, drawdown, months and trades are drawn"
    assert "synthetic" in html.lower(), "made bars are called so wherever they are shown"
    assert "synthetic" in done.stdout.lower()
    assert done.stdout.count("curl ") == 2


def test_the_quickstart_gives_the_same_result_again(
    server_binary: Path, settings: dict[str, str], tmp_path: Path
) -> None:
    hashes = set()
    for folder in ("first", "second"):
        env = settings | {"BACKTEST_DATA_DIR": str(tmp_path / folder)}
        done = run(server_binary, "quickstart", "--out", tmp_path, env=env, cwd=tmp_path)
        hashes.update(re.findall(r"Result hash +([0-9a-f]{64})", done.stdout))
    assert len(hashes) == 1


def test_an_unsound_file_is_not_stored_unless_asked(
    server_binary: Path, settings: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "bars.csv"
    file.write_text(UNSOUND)
    arguments = ("import", file, "--instrument", "EUR/USD", "--timeframe", "1h", "--side", "bid")
    refused = run(server_binary, *arguments, env=settings, cwd=tmp_path)
    assert refused.returncode != 0
    assert "bars.csv:4" in refused.stdout + refused.stderr, "the bad line is named"
    assert "data version" not in refused.stdout
    stored = run(server_binary, *arguments, "--skip-bad-rows", env=settings, cwd=tmp_path)
    assert stored.returncode == 0, stored.stdout + stored.stderr
    assert "3 read, 2 sound" in stored.stdout
    file.write_text(SOUND)
    sound = run(server_binary, *arguments, env=settings, cwd=tmp_path)
    assert sound.returncode == 0, sound.stdout + sound.stderr


RATES = """instrument,from,long,short,unit
EUR/USD,2024-01-01,-0.7,0.3,points
"""


def test_a_table_of_rates_is_stored_once_and_a_bad_line_is_named(
    server_binary: Path, settings: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "rates.csv"

    def store(text: str, name: str) -> subprocess.CompletedProcess[str]:
        file.write_text(text)
        return run(server_binary, "import", "--financing", file, "--name", name, env=settings, cwd=tmp_path)

    bad = store(RATES + "EUR/USD,2024-02-01,much,0.3,points\n", "broker")
    assert bad.returncode != 0
    assert "rates.csv: line 3: long: " in bad.stderr, bad.stderr
    for _ in range(2):
        stored = store(RATES, "broker")
        assert stored.returncode == 0, stored.stdout + stored.stderr
    changed = store(RATES.replace("0.3", "0.4"), "broker")
    assert changed.returncode != 0
    assert "`broker`" in changed.stderr, "what a name means does not change"
    for name in ("zero", "a/b", ""):
        assert store(RATES, name).returncode != 0, name
    both = ("import", file, "--financing", file, "--name", "broker")
    assert run(server_binary, *both, env=settings, cwd=tmp_path).returncode != 0, "bars or rates"


MOOD = """available_at,value
2024-01-02T10:00:00Z,0.5
"""


def test_what_services_told_is_stored_whole_or_its_bad_lines_are_named(
    server_binary: Path, settings: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "mood.csv"

    def store(text: str, *options: str) -> subprocess.CompletedProcess[str]:
        file.write_text(text)
        return run(server_binary, "import", file, "--instrument", "EUR/USD", *options, env=settings, cwd=tmp_path)

    stored = store(MOOD, "--feature", "mood")
    assert stored.returncode == 0, stored.stdout + stored.stderr
    assert "stored        1 values as default/EUR_USD/feature/mood" in stored.stdout
    assert store(MOOD, "--feature", "mood").stdout == stored.stdout, "the same values are the same version"
    bad = store(MOOD + "2024-01-02,0.5\n2024-01-02T11:00:00Z,much\n", "--feature", "mood")
    assert bad.returncode != 0
    for line in ("mood.csv", "line 3: available_at `2024-01-02` is a date", "line 4: value `much`"):
        assert line in bad.stderr, bad.stderr
    regime = store("available_at,regime\n2024-01-02T10:00:00Z,calm\n", "--regime", "--timeframe", "1h")
    assert "regimes       calm" in regime.stdout, regime.stdout + regime.stderr
    for options in (
        ("--regime",),
        ("--feature", "a/b"),
        ("--feature", "x", "--timeframe", "1h"),
        ("--feature", "x", "--regime"),
    ):
        assert store(MOOD, *options).returncode != 0, options


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "high"),
        ("LOG_LEVEL", "loud"),
        ("STORAGE", "tape"),
        ("HOST", "0.0.0.0"),
        ("STRATEGIES_DIR", "no-such-folder"),
        ("RISK_MANAGEMENT_URL", "not a url"),
    ],
)
def test_a_setting_that_cannot_be_meant_stops_the_start(
    server_binary: Path, settings: dict[str, str], tmp_path: Path, name: str, value: str
) -> None:
    done = run(server_binary, "serve", env=settings | {name: value}, cwd=tmp_path)
    assert done.returncode != 0
    assert name in done.stdout + done.stderr


SOUND_STRATEGY = "class Idle(Strategy):\n    def analyze(self, data):\n        return {}\n"
WRONG_STRATEGY = "class Wrong(Strategy):\n    def analyze(self, data):\n        return buy(units=dat.close)\n"


def test_strategy_files_are_checked_without_any_storage(server_binary: Path, tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"]}
    sound, wrong = tmp_path / "sound.py", tmp_path / "wrong.py"
    sound.write_text(SOUND_STRATEGY)
    wrong.write_text(WRONG_STRATEGY)
    shipped = run(server_binary, "check", sam.ROOT / "strategies", sound, env=env, cwd=tmp_path)
    assert shipped.returncode == 0, shipped.stdout + shipped.stderr
    assert "ma_crossover.py: " in shipped.stdout
    assert ", 0 errors, 0 warnings" in shipped.stdout
    assert "days of prices before them" in shipped.stdout
    assert "reads       timeframes 4h" in shipped.stdout
    longer = run(server_binary, "check", sam.ROOT / "strategies", "--timeframe", "4h", env=env, cwd=tmp_path)
    assert longer.returncode == 1
    assert "reads bars of 4h, which are not longer than its own of 4h" in longer.stdout
    refused = run(server_binary, "check", tmp_path, env=env, cwd=tmp_path)
    assert refused.returncode == 1
    assert f"{wrong}:3:26" in refused.stdout, refused.stdout
    assert "error[unknown-name]: unknown name `dat`" in refused.stdout
    assert "^^^" in refused.stdout
    assert "did you mean `data`?" in refused.stdout
    unread = run(server_binary, "check", wrong, tmp_path / "gone.py", "--format", "json", env=env, cwd=tmp_path)
    assert unread.returncode == 2
    wrong_file, gone = json.loads(unread.stdout)
    assert [wrong_file["valid"], wrong_file["diagnostics"][0]["line"]] == [False, 3]
    assert "gone.py" in gone["error"]
    assert {it.name for it in tmp_path.iterdir()} == {"sound.py", "wrong.py"}, "nothing is stored"


def test_the_document_is_printed_without_any_setting(server_binary: Path, tmp_path: Path) -> None:
    done = run(server_binary, "openapi", env={"PATH": os.environ["PATH"]}, cwd=tmp_path)
    assert done.returncode == 0
    assert '"openapi": "3.1' in done.stdout
