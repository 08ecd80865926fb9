"""Numbers as a reader wants them, every interval with its n."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.report.document import Kind
    from lorap_bench.stats.intervals import Interval

__all__ = [
    "cell_text",
    "gain_text",
    "interval_text",
    "number_text",
    "p_text",
    "percent_text",
    "points_text",
    "seconds_text",
    "spread_text",
]

_LEAST_FOR_INTERVAL = 3


def number_text(value: float | None) -> str:
    """Write a number with three significant digits, whole numbers whole; a dash for none."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"


def percent_text(fraction: float | None) -> str:
    """Write a fraction as a percentage with one decimal."""
    return "–" if fraction is None or not math.isfinite(fraction) else f"{100 * fraction:.1f}"


def interval_text(interval: Interval | None) -> str:
    """Write a mean in percent with its spread and n."""
    if interval is None:
        return "–"
    mean = f"{percent_text(interval.mean)} %"
    return " ".join(part for part in (mean, spread_text(interval), f"(n = {interval.n})") if part)


def points_text(difference: float | None) -> str:
    """Write a difference of fractions in percentage points, with its sign."""
    if difference is None or not math.isfinite(difference):
        return "–"
    return f"{round(100 * difference, 1) + 0.0:+.1f}"  # + 0.0: no gain is +0.0, from whichever side


def gain_text(interval: Interval | None) -> str:
    """Write a mean difference in percentage points with its spread; a dash for none."""
    if interval is None:
        return "–"
    return " ".join(part for part in (points_text(interval.mean), spread_text(interval, points_text)) if part)


def spread_text(interval: Interval, text: Callable[[float | None], str] = percent_text) -> str:
    """Write how far seeds scatter: the 95 % interval of the mean, of two seeds ± their standard deviation.

    The t interval of two values is 13 times their standard error each way: it says nothing of use.
    """
    if interval.n < _LEAST_FOR_INTERVAL:
        return "" if interval.std is None else f"± {percent_text(interval.std)}"
    return f"[{text(interval.low)}, {text(interval.high)}]"


def seconds_text(seconds: float) -> str:
    """Write a duration in its two largest units."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def p_text(p: float | None) -> str:
    """Write a p-value with two significant digits, very small ones as a bound."""
    if p is None or not math.isfinite(p):
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def cell_text(value: Any, kind: Kind) -> str:
    """Write a cell of a table of the document; a dash for None."""
    if value is None:
        return "–"
    write = _WRITERS.get(kind)
    return str(value) if write is None else write(value)


def _interval(interval: Interval) -> str:
    mean = f"{percent_text(interval.mean)} {spread_text(interval)}".rstrip()
    return f"{mean} (n = {interval.n})"


def _gain(interval: Interval) -> str:
    return f"{gain_text(interval)} (n = {interval.n})"


_WRITERS: dict[str, Callable[[Any], str]] = {
    "number": number_text,
    "fraction": percent_text,
    "points": points_text,
    "interval": _interval,
    "gain": _gain,
    "p": p_text,
    "seconds": seconds_text,
}
