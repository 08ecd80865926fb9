"""Numbers as a reader wants them, every interval with its n."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lorap_bench.metric import Metric

if TYPE_CHECKING:
    from lorap_bench.report.document import Kind
    from lorap_bench.report.result import Result
    from lorap_bench.stats.intervals import Interval

__all__ = [
    "LEAST_FOR_INTERVAL",
    "cell_text",
    "change_text",
    "gain_text",
    "interval_text",
    "number_text",
    "p_text",
    "percent_text",
    "plain_text",
    "points_text",
    "result_texts",
    "seconds_text",
    "spread_text",
]

LEAST_FOR_INTERVAL = 3
"""Values from which on an interval is worth showing: that of two says nothing of use."""

Text = Callable[[float | None], str]


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


def plain_text(value: float | None) -> str:
    """Write an error in its own unit with three decimals."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.3f}"


def interval_text(interval: Interval | None, text: Text = percent_text, unit: str = " %") -> str:
    """Write a mean with its unit, its spread and n."""
    if interval is None:
        return "–"
    mean = f"{text(interval.mean)}{unit}"
    return " ".join(part for part in (mean, spread_text(interval, text), f"(n = {interval.n})") if part)


def points_text(difference: float | None) -> str:
    """Write a difference of fractions in percentage points, with its sign."""
    if difference is None or not math.isfinite(difference):
        return "–"
    return f"{round(100 * difference, 1) + 0.0:+.1f}"  # + 0.0: no gain is +0.0, from whichever side


def change_text(difference: float | None) -> str:
    """Write a difference of errors in their own unit, with its sign."""
    if difference is None or not math.isfinite(difference):
        return "–"
    return f"{round(difference, 3) + 0.0:+.3f}"


def gain_text(interval: Interval | None, metric: Metric = Metric.ACCURACY) -> str:
    """Write a mean gain with its spread, in percentage points where it is one of accuracy; a dash for none."""
    if interval is None:
        return "–"
    text = points_text if metric is Metric.ACCURACY else change_text
    return " ".join(part for part in (text(interval.mean), spread_text(interval, text)) if part)


def result_texts(result: Result) -> tuple[str, str]:
    """Write a result: its mean, and everything beside it."""
    if result.test is None:
        return "–", result.note
    text = percent_text if result.fraction else plain_text
    mark = " ≈" if result.standing == "near" else ""
    spread = f"{spread_text(result.test, text)} n = {result.test.n}".lstrip()
    bits = "" if result.bits is None else f"{number_text(result.bits)} bits"
    return f"{text(result.test.mean)}{mark}", ", ".join(filter(None, [spread, bits, result.note]))


def spread_text(interval: Interval, text: Text = percent_text) -> str:
    """Write how far seeds scatter: the 95 % interval of the mean, of two seeds ± their standard deviation.

    The t interval of two values is 13 times their standard error each way: it says nothing of use.
    """
    if interval.n < LEAST_FOR_INTERVAL:
        deviation = percent_text if text in {percent_text, points_text} else plain_text
        return "" if interval.std is None else f"± {deviation(interval.std)}"
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
    return interval_text(interval, unit="")


def _mean(interval: Interval) -> str:
    return interval_text(interval, plain_text, "")


def _gain(interval: Interval) -> str:
    return f"{gain_text(interval)} (n = {interval.n})"


def _difference(interval: Interval) -> str:
    return f"{gain_text(interval, Metric.MAE)} (n = {interval.n})"


def _result(result: Result) -> str:
    return " ".join(filter(None, result_texts(result)))


_WRITERS: dict[str, Callable[[Any], str]] = {
    "number": number_text,
    "fraction": percent_text,
    "points": points_text,
    "interval": _interval,
    "gain": _gain,
    "mean": _mean,
    "difference": _difference,
    "result": _result,
    "p": p_text,
    "seconds": seconds_text,
}
