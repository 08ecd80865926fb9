"""How a report writes a metric: its columns, its axes, its figures. Accuracies stand in percent, errors as they are.

A gain is always a betterment: of an error it is what was saved, so that more than 0 speaks for the first of two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lorap_bench.metric import Metric
from lorap_bench.report.document import Column
from lorap_bench.report.format import gain_text, interval_text, percent_text, plain_text, spread_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.stats.intervals import Interval

__all__ = ["Score", "spoken"]


def spoken(name: str) -> str:
    """Return an objective's or a cost's name as running text has it."""
    return Metric(name).label if name in set(Metric) else name.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Score:
    """A metric in a report."""

    metric: Metric = Metric.ACCURACY

    @property
    def name(self) -> str:
        """Return what running text calls it: ``accuracy`` or ``MAE``."""
        return self.metric.label

    @property
    def heading(self) -> str:
        """Return the name as a heading begins with it."""
        return self.name[0].upper() + self.name[1:]

    @property
    def names(self) -> str:
        """Return the plural."""
        return "accuracies" if self.percent else "errors (MAE)"

    @property
    def unit(self) -> str:
        """Return what follows a figure."""
        return " %" if self.percent else ""

    @property
    def mark(self) -> str:
        """Return what stands behind a figure on its own."""
        return "%" if self.percent else self.name

    @property
    def points(self) -> str:
        """Return what follows a difference of figures."""
        return " points" if self.percent else ""

    @property
    def change(self) -> str:
        """Return what an axis of differences counts."""
        return "points" if self.percent else f"change of {self.name}"

    @property
    def scale(self) -> float:
        """Return what a value is multiplied with on an axis."""
        return self.metric.scale

    @property
    def digits(self) -> str:
        """Return the format of a value on an axis."""
        return ".1f" if self.percent else ".3f"

    @property
    def fine(self) -> str:
        """Return the format of a single trial's value on an axis."""
        return ".2f" if self.percent else ".4f"

    @property
    def best(self) -> str:
        """Return the adjective of the best one."""
        return "most accurate" if self.percent else "least erring"

    @property
    def as_good(self) -> str:
        """Return what a trial is that is no worse than another."""
        return "is at least as accurate" if self.percent else "errs no more"

    def title(self, split: str) -> str:
        """Return an axis' title."""
        return f"{split} {self.name} (%)" if self.percent else f"{split} {self.name} ↓"

    def column(self, split: str) -> Column:
        """Return the column of means over seeds on a split."""
        name = f"{split} {self.name}".strip()
        return Column(f"{name}, %", "interval") if self.percent else Column(f"{name} ↓", "mean")

    def single(self, heading: str) -> Column:
        """Return a column of single values."""
        return Column(f"{heading}, %", "fraction") if self.percent else Column(heading, "number")

    def means(self, heading: str) -> Column:
        """Return a column of means over seeds under another heading than the metric's."""
        return Column(f"{heading}, %", "interval") if self.percent else Column(heading, "mean")

    def gains(self, heading: str) -> Column:
        """Return a column of gains, means of differences over seeds."""
        return Column(f"{heading}, points", "gain") if self.percent else Column(heading, "difference")

    def less(self, first: str, second: str) -> str:
        """Return how the gain of the first over the second is written: the smaller error is taken from the larger."""
        return f"{first} − {second}" if self.metric.higher_is_better else f"{second} − {first}"

    def text(self, value: float | None) -> str:
        """Write a value without its unit."""
        return self._text(value)

    def interval(self, interval: Interval | None) -> str:
        """Write a mean with its unit, its spread and n."""
        return interval_text(interval, self._text, self.unit)

    def spread(self, interval: Interval) -> str:
        """Write how far seeds scatter."""
        return spread_text(interval, self._text)

    def gain(self, interval: Interval | None) -> str:
        """Write a gain with its spread, without its unit."""
        return gain_text(interval, self.metric)

    @property
    def _text(self) -> Callable[[float | None], str]:
        return percent_text if self.percent else plain_text

    @property
    def percent(self) -> bool:
        return self.metric is Metric.ACCURACY
