"""Progress of a suite: a line a cell, and in a terminal what is in training."""

from __future__ import annotations

from statistics import mean
from typing import TYPE_CHECKING, Self, final

from rich.status import Status

from lorap_bench.cli.screen import counted, message, number, stderr
from lorap_bench.suite.forecast import forecast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.search.job import Job
    from lorap_bench.suite.cell import Cell
    from lorap_bench.suite.forecast import Forecast
    from lorap_bench.suite.result import CellResult
    from lorap_bench.suite.sitting import Sitting

__all__ = ["SuiteProgress", "span", "told_forecast"]


@final
class SuiteProgress:
    """Tells of a sitting's cells on stderr, for a ``with`` block; says nothing where silence is asked for."""

    def __init__(self, sitting: Sitting, *, quiet: bool) -> None:
        self._sitting, self._quiet = sitting, quiet
        console = stderr()
        self._live = None if quiet or not console.is_terminal else Status("", console=console)
        self._under_way = ""

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live is not None:
            self._live.stop()

    def on_pack(self, cell: Cell, jobs: Sequence[Job]) -> None:
        """Show which trials of a cell train now."""
        first = jobs[0]
        if first.split == "val":
            assert cell.tune is not None
            last = f" to {jobs[-1].number + 1}" if len(jobs) > 1 else ""
            part = f"trial {first.number + 1}{last} of {cell.tune.trials}"
        else:
            part = counted(len(first.seeds), "seed")
            part += f" on fold {first.config.task.fold}" if len({one.fold for one in cell.replicas}) > 1 else ""
        self._under_way = f"{cell.name}: {part}"
        self._show(self._under_way)

    def on_epoch(self, epoch: int) -> None:
        """Show the epoch that begins."""
        self._show(f"{self._under_way}, epoch {epoch + 1}")

    def on_cell(self, cell: Cell, result: CellResult) -> None:
        """Tell what a cell came to, and how long the others will take."""
        if self._quiet:
            return
        plan, results = self._sitting.plan, self._sitting.results
        done, total = sum(one.key in results for one in plan.cells), str(len(plan.cells))
        told = [f"[{done:>{len(total)}}/{total}] {cell.name}: {_figures(result)}", span(result.seconds)]
        message(" · ".join(filter(None, [*told, told_forecast(forecast(plan, results))])))

    def _show(self, text: str) -> None:
        if self._live is not None:
            self._live.update(text)


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
    told += [counted(result.tuning.trials, "trial")] if result.tuning else []
    failures = [f"{record.status}: {record.reason}" for record in result.records if record.reason]
    return ", ".join([*told, *dict.fromkeys(failures)])
