"""How long the cells that are left will train, from those of the same suite that have."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import mean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lorap_bench.suite.cell import Cell
    from lorap_bench.suite.plan import Plan
    from lorap_bench.suite.result import CellResult

__all__ = ["Forecast", "forecast"]


@dataclass(frozen=True, slots=True)
class Forecast:
    """Seconds of the cells that are left, as far as they are known, and how many are not."""

    seconds: float
    known: int
    unknown: int


def forecast(plan: Plan, results: Mapping[str, CellResult]) -> Forecast:
    """Return how long what is left of a plan will train.

    Formula: epochs of a cell times the mean seconds an epoch over the finished cells of the same data set that agree
    with it on most axes. A data set of which no cell has finished is not known.
    """
    done = [(cell, _rate(results[cell.key])) for cell in plan.cells if cell.key in results]
    measured = [(cell, rate) for cell, rate in done if rate is not None]
    left = [cell for cell in plan.cells if cell.key not in results]
    found = [_seconds(cell, plan.epochs[cell.key], measured) for cell in left]
    known = [seconds for seconds in found if seconds is not None]
    return Forecast(sum(known), len(known), len(found) - len(known))


def _rate(result: CellResult) -> float | None:
    return result.seconds / result.epochs if result.epochs else None


def _seconds(cell: Cell, epochs: int, measured: Iterable[tuple[Cell, float]]) -> float | None:
    alike: dict[int, list[float]] = {}
    for other, rate in measured:
        if other.config.task.dataset == cell.config.task.dataset:
            alike.setdefault(_agreement(cell, other), []).append(rate)
    return epochs * mean(alike[max(alike)]) if alike else None


def _agreement(one: Cell, other: Cell) -> int:
    return sum(one.axes[axis] == other.axes[axis] for axis in one.axes)
