"""Real bars, and the program that writes down what a strategy records over them."""

import gzip
import os
import shutil
from pathlib import Path

import pytest

import sam

DATA = sam.ROOT.parent / "shared/data"


@pytest.fixture(scope="session")
def record() -> Path:
    """The example of fx-engine. tests/run builds it."""
    server = os.environ.get("SERVER_BINARY", str(sam.ROOT / "target/release/server"))
    path = Path(server).parent / "examples/record"
    assert path.is_file(), f"{path} is not built: cargo build --release -p fx-engine --example record"
    return path


def real(name: str) -> Path:
    """A file of real bars. Where CI is set it must be there."""
    path = DATA / name
    if not path.is_file() and "CI" not in os.environ:
        pytest.skip(f"left out: there is no {path.name} beside the workspace")
    return path


@pytest.fixture(scope="session")
def eurusd_h1() -> Path:
    return real("backtestingpy/EURUSD_H1_2017-2018.csv")


@pytest.fixture(scope="session")
def gbpusd_m1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    packed_path = real("nautilus/fxcm/gbpusd-m1-bid-2012.csv.gz")
    path = tmp_path_factory.mktemp("bars") / packed_path.stem
    with gzip.open(packed_path) as packed, path.open("wb") as plain:
        shutil.copyfileobj(packed, plain)
    return path
