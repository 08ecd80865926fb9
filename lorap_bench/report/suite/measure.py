"""What a cell is measured by: the metric's names, its direction, and how its figures are written, all in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lorap_bench.metric import Metric, metric_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lorap_bench.record import TrialRecord
    from lorap_bench.report.document import Kind
    from lorap_bench.stats.front import Direction
    from lorap_bench.stats.intervals import Interval

__all__ = ["ACCURACY", "MAE", "Measure", "measure_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A metric on the test split.

    Attributes:
        metric: which, as published figures name it.
        name: the metric in a sentence.
        level: heading of a column of means, with its unit.
        gain: heading of a column of gains; more than 0 is better whatever the metric.
        axis: what an axis of means says.
        gain_axis: what an axis of gains says.
        level_kind: what a column of means holds.
        gain_kind: what a column of gains holds.
        scale: by what a value is multiplied where it is drawn.
    """

    metric: Metric
    name: str
    level: str
    gain: str
    axis: str
    gain_axis: str
    level_kind: Kind
    gain_kind: Kind
    scale: float

    @property
    def fraction(self) -> bool:
        """Whether values are fractions, shown in percent."""
        return self.metric is Metric.ACCURACY

    @property
    def direction(self) -> Direction:
        """Return whether the best value is the largest or the smallest."""
        return "max" if self.metric.higher_is_better else "min"

    def oriented(self, value: float) -> float:
        """Return a value so that more is better."""
        return value if self.metric.higher_is_better else -value

    def bounded(self, interval: Interval | None) -> Interval | None:
        """Return an interval cut to where a mean can lie."""
        if interval is None:
            return None
        return interval.within(0.0, 1.0 if self.fraction else float("inf"))


ACCURACY = Measure(
    metric=Metric.ACCURACY,
    name="accuracy",
    level="Test accuracy, %",
    gain="Gain, points",
    axis="test accuracy (%)",
    gain_axis="gain over no prompt (points)",
    level_kind="interval",
    gain_kind="gain",
    scale=100.0,
)
MAE = Measure(
    metric=Metric.MAE,
    name="MAE",
    level="Test MAE",
    gain="Gain in MAE",
    axis="test MAE (less is better)",
    gain_axis="gain over no prompt (less MAE)",
    level_kind="mean",
    gain_kind="difference",
    scale=1.0,
)


def measure_of(records: Iterable[TrialRecord]) -> Measure:
    """Return what records are measured by: their objectives name it; accuracy where nothing says otherwise."""
    return MAE if metric_in(name for record in records for name in record.objectives) is Metric.MAE else ACCURACY
