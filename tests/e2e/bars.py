"""Small series of bars, and how they are stored."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path

# Open, high, low, close.
Bar = tuple[float, float, float, float]
Store = Callable[..., None]


def flat(price: float) -> Bar:
    return (price, price, price, price)


def write_hours(file: Path, bars: list[Bar], start: str, left_out: Collection[int]) -> None:
    """One bar an hour from `start` on, but for those whose numbers are left out."""
    opens = datetime.fromisoformat(start).replace(tzinfo=UTC)
    rows = ["time,open,high,low,close"]
    for hour, bar in enumerate(bars):
        if hour not in left_out:
            stamp = (opens + timedelta(hours=hour)).strftime("%Y-%m-%d %H:%M")
            rows.append(f"{stamp},{','.join(str(price) for price in bar)}")
    file.write_text("\n".join(rows) + "\n")
