"""What the engine makes of calls of the language over a file of bars."""

import csv
import subprocess
from collections.abc import Sequence
from pathlib import Path

SECONDS_MAX = 120

# One strategy records so many series, at most.
SERIES_MAX = 32


def rows_of(bars: Path) -> list[list[str]]:
    """Time, open, high, low, close and, where there is one, volume."""
    with bars.open(newline="") as file:
        return list(csv.reader(file))[1:]


def recorded(
    program: Path, bars: Path, calls: Sequence[tuple[str, str]], folder: Path
) -> dict[str, list[float | None]]:
    """Of each call and the names of what it gives: a column for each name, None where it is undefined."""
    columns: dict[str, list[float | None]] = {}
    batch: list[tuple[str, str]] = []
    for call, names in calls:
        if sum(len(names.split(", ")) for _, names in [*batch, (call, names)]) > SERIES_MAX:
            columns |= recorded_at_once(program, bars, batch, folder)
            batch = []
        batch.append((call, names))
    return columns | recorded_at_once(program, bars, batch, folder)


def recorded_at_once(
    program: Path, bars: Path, calls: Sequence[tuple[str, str]], folder: Path
) -> dict[str, list[float | None]]:
    lines = []
    for call, names in calls:
        # A local name must not hide a function of the language.
        places = {name: f"{name}_here" for name in names.split(", ")}
        lines.append(f"{', '.join(places.values())} = {call}")
        lines += [f'record("{name}", {place})' for name, place in places.items()]
    body = "\n".join(f"        {line}" for line in lines)
    strategy = folder / "strategy.py"
    strategy.write_text(f"class S(Strategy):\n    def analyze(self, data):\n{body}\n        return {{}}\n")
    done = subprocess.run([program, strategy, bars], capture_output=True, text=True, timeout=SECONDS_MAX)
    assert done.returncode == 0, done.stderr
    header, *rows = csv.reader(done.stdout.splitlines())
    table = [[float(value) if value else None for value in row] for row in rows]
    return {name: list(column) for name, column in zip(header, zip(*table, strict=True), strict=True)}
