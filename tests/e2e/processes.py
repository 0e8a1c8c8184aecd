"""Processes that the tests start, watch and stop."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

STOP_SECONDS = 15
POLL_SECONDS = 0.05
LOG_TAIL_CHARS = 4_000

# What a child process needs of the environment that the tests run in. The rest is said by each target.
PASSED_ON = ("PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "CARGO_TARGET_DIR", "CARGO_BUILD_TARGET", "TMPDIR")


def base_environment() -> dict[str, str]:
    """The environment of a child process before its settings."""
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ}


def free_port() -> int:
    """A port of the loopback address that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until(ready: Callable[[], bool], what: str, seconds: float) -> None:
    """Asks again and again whether it is ready, until the time is over."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} within {seconds} s")
        time.sleep(POLL_SECONDS)


def answers(url: str) -> bool:
    """Whether something answers there, whatever it says."""
    try:
        httpx.get(url, timeout=2)
    except httpx.TransportError:
        return False
    return True


@contextmanager
def running(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    log: Path,
    ready: Callable[[], bool],
    seconds: float,
) -> Iterator[subprocess.Popen[bytes]]:
    """A process from the moment it is ready until the block ends; its log is shown if it does not get so far."""
    with log.open("wb") as sink:
        process = subprocess.Popen(command, env=env, cwd=cwd, stdout=sink, stderr=subprocess.STDOUT)
    try:

        def alive_and_ready() -> bool:
            if process.poll() is not None:
                raise RuntimeError(f"{command[0]} ended with {process.returncode}")
            return ready()

        try:
            wait_until(alive_and_ready, f"{command[0]} is ready", seconds)
        except (RuntimeError, TimeoutError) as error:
            raise RuntimeError(f"{error}; its log:\n{log.read_text(errors='replace')[-LOG_TAIL_CHARS:]}") from error
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
