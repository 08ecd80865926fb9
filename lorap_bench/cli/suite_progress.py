"""Progress of a suite: a line a cell, and in a terminal a bar of the epochs of the one in training."""

from __future__ import annotations

from statistics import mean
from typing import TYPE_CHECKING

from lorap_bench.cli.epochs import epochs
from lorap_bench.cli.screen import counted, message, number
from lorap_bench.suite.forecast import forecast
from lorap_bench.suite.run import Audience

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from lorap_bench.suite.cell import Cell
    from lorap_bench.suite.forecast import Forecast
    from lorap_bench.suite.result import CellResult
    from lorap_bench.suite.sitting import Sitting

__all__ = ["span", "suite_progress", "told_forecast"]


def suite_progress(sitting: Sitting, *, quiet: bool) -> Audience:
    """Return who tells of a sitting's cells on stderr; nobody where silence is asked for."""

    def tell(cell: Cell, result: CellResult) -> None:
        if quiet:
            return
        done = sum(one.key in sitting.results for one in sitting.plan.cells)
        total = str(len(sitting.plan.cells))
        left = forecast(sitting.plan, sitting.results)
        told = [f"[{done:>{len(total)}}/{total}] {cell.name}: {_figures(result)}", span(result.seconds)]
        message(" · ".join(filter(None, [*told, told_forecast(left)])))

    def bar(cell: Cell) -> AbstractContextManager[Callable[[int], None] | None]:
        runs = len({replica.fold for replica in cell.replicas})
        return epochs(sitting.plan.epochs[cell.key] // len(cell.replicas), quiet=quiet or runs > 1)

    return Audience(tell, bar)


def told_forecast(left: Forecast) -> str:
    """Say how long what is left will take, as far as that is known; empty where nothing is left."""
    told = [f"{span(left.seconds)} left"] if left.known else []
    told += [f"{counted(left.unknown, 'cell')} of which no time is known yet"] if left.unknown else []
    return " and ".join(told)


def span(seconds: float) -> str:
    """Write a time: 12 s, 3 min, 4.5 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def _figures(result: CellResult) -> str:
    tests = [member.test for _, member in result.members if member.test is not None]
    bits = [costs["average_bits"] for costs in result.costs if "average_bits" in costs]
    told = [f"test {number(mean(tests))}"] if tests else []
    told += [f"{number(mean(bits))} bits"] if bits else []
    failures = [f"{record.status}: {record.reason}" for record in result.records if record.reason]
    return ", ".join([*told, *dict.fromkeys(failures)])
