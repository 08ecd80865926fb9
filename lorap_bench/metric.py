"""What a task's predictions are scored by: its name, which way is better, and how its figures are written.

Figures travel in their natural sign: an accuracy is a fraction, a mean absolute error (MAE) is in the unit of what is
predicted.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Metric", "metric_in"]


class Metric(StrEnum):
    """A score; its value is the name that objectives, constraints and columns have."""

    ACCURACY = "accuracy"
    MAE = "mae"

    @property
    def target(self) -> Literal["classes", "value"]:
        """Return what is predicted: one of several classes, or a number."""
        return "classes" if self is Metric.ACCURACY else "value"

    @property
    def higher_is_better(self) -> bool:
        """Return whether a larger value is the better one."""
        return self is Metric.ACCURACY

    @property
    def direction(self) -> Literal["max", "min"]:
        """Return which way it is optimized."""
        return "max" if self.higher_is_better else "min"

    @property
    def label(self) -> str:
        """Return what running text calls it."""
        return "accuracy" if self is Metric.ACCURACY else "MAE"

    @property
    def scale(self) -> float:
        """Return what a value is multiplied with to be written: accuracies stand in percent."""
        return 100.0 if self is Metric.ACCURACY else 1.0

    @property
    def bounds(self) -> tuple[float, float]:
        """Return the least and the largest value possible."""
        return (0.0, 1.0) if self is Metric.ACCURACY else (0.0, math.inf)

    def quality(self, value: float) -> float:
        """Return a figure that is the larger the better ``value`` is."""
        return value if self.higher_is_better else -value

    def gain(self, value: float, other: float) -> float:
        """Return by how much ``value`` is better than ``other``: positive where it is."""
        return value - other if self.higher_is_better else other - value

    def raised(self, value: float, gain: float) -> float:
        """Return ``value`` made better by ``gain``, no further than the best that is possible."""
        low, high = self.bounds
        return min(high, value + gain) if self.higher_is_better else max(low, value - gain)

    def amount(self, value: float) -> str:
        """Write a size without its sign: points of accuracy, or the metric's own unit."""
        return f"{100 * abs(value):.1f} points" if self is Metric.ACCURACY else f"{abs(value):.3f}"


def metric_in(names: Iterable[str]) -> Metric:
    """Return the metric that is among some names, such as a study's objectives; accuracy where none is."""
    known = set(names)
    return next((metric for metric in Metric if metric.value in known), Metric.ACCURACY)
