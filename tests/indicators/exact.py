"""The definitions of docs/LANGUAGE.md in decimal arithmetic of sixty digits: slow, plain, and exact for our purpose.

A series is a list with None where it is undefined.
"""

from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, getcontext
from zoneinfo import ZoneInfo

getcontext().prec = 60

Series = list[Decimal | None]


def of(function: Callable[..., Decimal | None], *series: Series) -> Series:
    """A function of the values of one bar, undefined where one of them is."""
    return [None if None in values else function(*values) for values in zip(*series, strict=True)]


def ratio(a: Decimal, b: Decimal) -> Decimal | None:
    return None if b == 0 else a / b


def lag(x: Series, n: int) -> Series:
    return ([None] * n + x)[: len(x)]


def window(x: Series, n: int, function: Callable[[Sequence[Decimal]], Decimal | None]) -> Series:
    """A function of the last n values."""
    values: Series = [None] * (n - 1)
    for end in range(n, len(x) + 1):
        last = x[end - n : end]
        values.append(None if None in last else function(last))
    return values[: len(x)]


def recursion(x: Series, n: int, step: Callable[[Decimal, Decimal], Decimal]) -> Series:
    """Seeded with the mean of the first n values; undefined ones are passed over."""
    values: Series = []
    seed: list[Decimal] = []
    y: Decimal | None = None
    for value in x:
        if value is None:
            values.append(None)
            continue
        if y is not None:
            y = step(y, value)
        else:
            seed.append(value)
            if len(seed) == n:
                y = sum(seed) / n
        values.append(y)
    return values


def mean(values: Sequence[Decimal]) -> Decimal:
    return sum(values) / len(values)


def sma(x: Series, n: int) -> Series:
    return window(x, n, mean)


def ema(x: Series, n: int) -> Series:
    weight = Decimal(2) / (n + 1)
    return recursion(x, n, lambda y, x: y + weight * (x - y))


def rma(x: Series, n: int) -> Series:
    return recursion(x, n, lambda y, x: (y * (n - 1) + x) / n)


def wma(x: Series, n: int) -> Series:
    return window(x, n, lambda last: sum(i * v for i, v in enumerate(last, start=1)) / (n * (n + 1) // 2))


def stdev(x: Series, n: int) -> Series:
    def deviation(last: Sequence[Decimal]) -> Decimal:
        middle = mean(last)
        return mean([(v - middle) ** 2 for v in last]).sqrt()

    return window(x, n, deviation)


def mean_deviation(x: Series, n: int) -> Series:
    def deviation(last: Sequence[Decimal]) -> Decimal:
        middle = mean(last)
        return mean([abs(v - middle) for v in last])

    return window(x, n, deviation)


def slope(x: Series, n: int) -> Series:
    middle = Decimal(n - 1) / 2
    squares = sum((i - middle) ** 2 for i in range(n))
    return window(x, n, lambda last: sum((i - middle) * v for i, v in enumerate(last)) / squares)


def linreg(x: Series, n: int) -> Series:
    return of(lambda m, s: m + s * (n - 1) / 2, sma(x, n), slope(x, n))


def dema(x: Series, n: int) -> Series:
    once = ema(x, n)
    return of(lambda a, b: 2 * a - b, once, ema(once, n))


def tema(x: Series, n: int) -> Series:
    once = ema(x, n)
    twice = ema(once, n)
    return of(lambda a, b, c: 3 * a - 3 * b + c, once, twice, ema(twice, n))


def kama(x: Series, n: int) -> Series:
    fast, slow = Decimal(2) / 3, Decimal(2) / 31
    steps = of(lambda a, b: abs(a - b), x, lag(x, 1))
    changes, paths = of(lambda a, b: abs(a - b), x, lag(x, n)), window(steps, n, sum)
    values: Series = []
    y: Decimal | None = None
    for bar, (change, path) in enumerate(zip(changes, paths, strict=True)):
        if change is not None and path is not None:
            efficiency = Decimal(1) if path <= change else change / path
            y = x[bar - 1] if y is None else y
            y += (efficiency * (fast - slow) + slow) ** 2 * (x[bar] - y)
        values.append(y)
    return values


def rsi(x: Series, n: int) -> Series:
    steps = of(lambda a, b: a - b, x, lag(x, 1))
    up, down = rma(of(lambda s: max(s, Decimal(0)), steps), n), rma(of(lambda s: max(-s, Decimal(0)), steps), n)

    def strength(up: Decimal, down: Decimal) -> Decimal:
        return Decimal(50) if up == down == 0 else 100 * up / (up + down)

    return of(strength, up, down)


def true_range(high: Series, low: Series, close: Series) -> Series:
    return of(lambda h, l, c: max(h - l, abs(h - c), abs(l - c)), high, low, lag(close, 1))  # noqa: E741


def atr(high: Series, low: Series, close: Series, n: int) -> Series:
    return rma(true_range(high, low, close), n)


def directional(high: Series, low: Series, close: Series, n: int) -> tuple[Series, Series, Series]:
    """Wilder's sums begin with a 0 and n − 1 values, and show from the next bar on (TA-Lib)."""
    up, down = of(lambda a, b: a - b, high, lag(high, 1)), of(lambda a, b: b - a, low, lag(low, 1))
    zero = Decimal(0)

    def summed(x: Series) -> Series:
        return [None] * n + rma([zero, *x[1:]], n)[n:]

    ranges = summed(true_range(high, low, close))
    plus, minus = (
        of(
            lambda m, r: zero if r == 0 else 100 * m / r,
            summed(of(lambda a, b: a if a > b and a > 0 else zero, *way)),
            ranges,
        )
        for way in ((up, down), (down, up))
    )
    index = of(lambda p, m: zero if p + m == 0 else 100 * abs(p - m) / (p + m), plus, minus)
    return plus, minus, rma(index, n)


def ratchet(x: Series, release: Series) -> Series:
    values: Series = []
    y: Decimal | None = None
    for value, limit in zip(x, release, strict=True):
        if value is not None and limit is not None:
            y = value if y is None or value < y or limit > y else y
        values.append(y)
    return values


def supertrend(high: Series, low: Series, close: Series, n: int, k: Decimal) -> tuple[Series, Series]:
    reach, before = atr(high, low, close, n), lag(close, 1)
    upper = ratchet(of(lambda h, l, r: (h + l) / 2 + k * r, high, low, reach), before)  # noqa: E741
    negated = of(lambda h, l, r: -((h + l) / 2 - k * r), high, low, reach)  # noqa: E741
    lower = of(lambda y: -y, ratchet(negated, of(lambda c: -c, before)))
    line, direction = [], []
    rises = False
    for c, u, b in zip(close, upper, lower, strict=True):
        if u is not None:
            rises = c >= b if rises else c > u
        line.append(None if u is None else b if rises else u)
        direction.append(None if u is None else Decimal(1 if rises else -1))
    return line, direction


def psar(high: Series, low: Series, step: Decimal, limit: Decimal) -> Series:
    """Wilder's stop and reverse as TA-Lib begins it: the second bar decides the way."""
    down, up = low[0] - low[1], high[1] - high[0]
    rises = not (down > 0 and up < down)
    stop, extreme = (low[0], high[1]) if rises else (high[0], low[1])
    factor, values = step, [None]
    for bar in range(1, len(high)):
        # The second bar has no other bar's range to stay out of.
        before = max(bar - 1, 1)
        highest, lowest = max(high[before], high[bar]), min(low[before], low[bar])
        if low[bar] <= stop if rises else high[bar] >= stop:
            value = max(extreme, highest) if rises else min(extreme, lowest)
            rises, factor = not rises, step
            extreme = high[bar] if rises else low[bar]
        else:
            value = stop
            if high[bar] > extreme if rises else low[bar] < extreme:
                extreme = high[bar] if rises else low[bar]
                factor = min(factor + step, limit)
        values.append(value)
        following = value + factor * (extreme - value)
        stop = min(following, lowest) if rises else max(following, highest)
    return values


def swings(x: Series, n: int, beyond: Callable[[Decimal, Decimal], bool]) -> Series:
    """A value that is beyond each of the n before it and of the n after it, shown n bars late."""
    values: Series = []
    for bar in range(len(x)):
        middle = bar - n
        around = x[middle - n : middle] + x[middle + 1 : bar + 1]
        found = middle >= n and all(beyond(x[middle], other) for other in around)
        values.append(x[middle] if found else None)
    return values


def trading_day(opened: datetime) -> date:
    """Ends at 17:00 New York; what opens on a weekend belongs to Monday's."""
    local = opened.astimezone(ZoneInfo("America/New_York"))
    day = local.date() + timedelta(days=local.hour >= 17)
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)


def trading_week(opened: datetime) -> tuple[int, int]:
    return trading_day(opened).isocalendar()[:2]


def moment(stamp: str) -> datetime:
    time = datetime.fromisoformat(stamp)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def last_session(x: Series, sessions: Sequence[Hashable], pick: Callable[[Sequence[Decimal]], Decimal]) -> Series:
    """Of the last completed session; never of the one in which the data begins."""
    values: Series = []
    complete: Decimal | None = None
    begun = 0
    for bar, session in enumerate(sessions):
        if bar > 0 and session != sessions[bar - 1]:
            if begun > 0:
                complete = pick(x[begun:bar])
            begun = bar
        values.append(complete)
    return values


def since_session(x: Series, sessions: Sequence[Hashable]) -> Series:
    """The sum of the current session so far."""
    values: Series = []
    for bar, session in enumerate(sessions):
        goes_on = bar > 0 and session == sessions[bar - 1]
        values.append(x[bar] + (values[-1] if goes_on else Decimal(0)))
    return values
