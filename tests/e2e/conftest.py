"""One scenario, four forms of the platform: each is started once and all tests run against it."""

import subprocess
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest
import reference
import targets
from bars import Bar, Store, write_hours
from processes import base_environment
from reference import Reference
from targets import Target

import sam

IMPORT_SECONDS = 60

FORMS = ("embedded", "server-on-aws", "cargo-lambda-watch", "deployed")


def pytest_configure() -> None:
    """A wrong import order would start nothing and fail in every test: say it once."""
    assert sam.TEMPLATE.is_file(), f"{sam.TEMPLATE} is not there"


@pytest.fixture(scope="session", params=FORMS)
def target(
    request: pytest.FixtureRequest, server_binary: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    """A running platform with the bars of the reference as data set `default`."""
    folder = tmp_path_factory.mktemp(request.param)
    started = {
        "embedded": lambda: targets.embedded(server_binary, folder),
        "server-on-aws": lambda: targets.server_on_aws(server_binary, folder),
        "cargo-lambda-watch": lambda: targets.lambda_watch(folder),
        "deployed": lambda: targets.deployed(folder),
    }[request.param]
    with started() as target:
        for what, seconds in target.measured.items():
            print(f"\n{target.name}: {what} {seconds:.2f} s", end="")
        yield target


@pytest.fixture(scope="session")
def golden() -> Reference:
    return reference.load()


@pytest.fixture(scope="session")
def imported(target: Target, golden: Reference, server_binary: Path) -> str:
    """What `server import` printed about the bars of the reference."""
    command = [
        server_binary,
        "import",
        golden.bars,
        "--instrument",
        "EUR/USD",
        "--timeframe",
        "1h",
        "--side",
        "bid",
    ]
    environment = base_environment() | target.storage
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=IMPORT_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def server(target: Target, server_binary: Path) -> Callable[..., str]:
    """Runs a command of the server beside the target: its output, on success."""

    def run(*arguments: str | Path) -> str:
        command = [server_binary, *arguments]
        environment = base_environment() | target.storage
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=IMPORT_SECONDS)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def store(server: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Stores hourly bid bars of one pair as a data set."""

    def write(
        dataset: str,
        bars: list[Bar],
        pair: str = "EUR/USD",
        start: str = "2024-01-02T00:00",
        left_out: Collection[int] = (),
    ) -> None:
        file = tmp_path_factory.mktemp("bars") / "bars.csv"
        write_hours(file, bars, start, left_out)
        series = ("--instrument", pair, "--timeframe", "1h", "--side", "bid", "--dataset", dataset)
        server("import", file, *series)

    return write


@pytest.fixture(scope="session")
def cross(target: Target) -> dict[str, Any]:
    """The reference's strategy, registered."""
    body = {
        "name": "Golden cross",
        "description": "Two averages <script>alert(1)</script>",
        "instruments": ["EUR_USD"],
        "timeframe": "H1",
        "code": reference.SMA_CROSS,
    }
    answer = target.http.post("/api/v1/strategies/register", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture(scope="session")
def result(target: Target, imported: str, cross: dict[str, Any]) -> dict[str, Any]:
    """The reference's run."""
    assert imported
    body = {
        "strategy_id": cross["id"],
        "start_date": "2017-04-19",
        "end_date": "2018-02-07",
        "initial_capital": 100_000,
    }
    answer = target.http.post("/api/v1/backtest", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture(scope="session")
def hashes() -> dict[str, str]:
    """The result's hash on each form of the platform."""
    return {}
