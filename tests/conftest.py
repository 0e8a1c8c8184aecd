"""What all tests share: the server's binary, and the contract as it prints it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

import sam


@pytest.fixture(scope="session")
def server_binary() -> Path:
    """The server, built with its feature `aws`. tests/run names it."""
    path = Path(os.environ.get("SERVER_BINARY", sam.ROOT / "target/release/server"))
    assert path.is_file(), f"{path} is not built: cargo build --release -p server --features aws"
    return path


@pytest.fixture(scope="session")
def openapi(server_binary: Path) -> dict[str, Any]:
    """The OpenAPI document."""
    printed = subprocess.run([server_binary, "openapi"], capture_output=True, check=True, timeout=30)
    return json.loads(printed.stdout)
