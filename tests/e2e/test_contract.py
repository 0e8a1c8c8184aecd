"""A client that knows only the OpenAPI document finds no failure of ours and no answer that is not stated."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import targets
from processes import base_environment
from targets import CLIENT_KEY, Target

EXAMPLES_MAX = 30
SECONDS_MAX = 600
SEED = 20260101
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


@pytest.fixture(scope="module")
def fresh(server_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server of its own: what the client leaves behind is in nobody's way."""
    with targets.embedded(server_binary, tmp_path_factory.mktemp("contract")) as target:
        yield target


def test_no_request_that_the_document_allows_gets_an_answer_that_it_does_not(fresh: Target, tmp_path: Path) -> None:
    url = str(fresh.http.base_url).rstrip("/")
    command = [
        "schemathesis", "run", f"{url}/api/openapi.json", "--url", url,
        "--header", f"X-API-Key: {CLIENT_KEY}",
        "--checks", ",".join(CHECKS),
        "--phases", "examples,coverage,fuzzing",
        "--max-examples", str(EXAMPLES_MAX),
        "--seed", str(SEED),
        "--generation-database", "none",
        "--suppress-health-check", "all",
        "--continue-on-failure",
        "--no-color",
    ]  # fmt: skip
    # A folder without a configuration file.
    done = subprocess.run(
        command, env=base_environment(), cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS_MAX
    )
    print(done.stdout[-2_000:])
    assert done.returncode == 0, done.stdout + done.stderr
