"""Train the cells of a suite one after another in this process, and write each down as it ends.

A cell is looked at on the test split at the epochs chosen on validation. Nothing is ever chosen by what is found there:
which cells are run, and how, stands in the suite's file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lorap_bench.executors.stop import Interrupted
from lorap_bench.record import Status
from lorap_bench.suite.plan import blueprint_of
from lorap_bench.suite.result import CellResult
from lorap_bench.train.trial import run_groups
from lorap_bench.train.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from lorap_bench.executors.stop import Stop
    from lorap_bench.models.blueprint import Blueprint
    from lorap_bench.record import Curves, MemberResult
    from lorap_bench.suite.cell import Cell
    from lorap_bench.suite.folder import SuiteFolder
    from lorap_bench.suite.plan import Plan

__all__ = ["Audience", "run_cells"]


@dataclass(frozen=True, slots=True)
class Audience:
    """Who looks on.

    Attributes:
        on_cell: called with a cell and its result once that is written.
        epochs: opened for each cell; what it gives is called before every epoch.
    """

    on_cell: Callable[[Cell, CellResult], None]
    epochs: Callable[[Cell], AbstractContextManager[Callable[[int], None] | None]]


def run_cells(plan: Plan, folder: SuiteFolder, done: Mapping[str, CellResult], stop: Stop, audience: Audience) -> bool:
    """Run the cells that are not ``done``; return whether all are.

    A request to stop lets the cell in training end, a second one leaves it: then it runs again next time.

    Raises:
        LorapBenchError: data are not to be had, or the disk refuses.
    """
    for cell in plan.cells:
        if cell.key in done:
            continue
        if stop.drain:
            return False
        try:
            with audience.epochs(cell) as show:
                result, curves = _train(cell, _both(stop.check, show))
        except Interrupted:
            return False
        folder.write(result, curves)
        audience.on_cell(cell, result)
    return True


def _train(cell: Cell, on_epoch: Callable[[int], None]) -> tuple[CellResult, list[Curves]]:
    """Train a cell, fold by fold; a training that fails is a result too."""
    records, curves, costs = [], [], []
    watch = Watch(on_epoch=on_epoch)
    plan = blueprint_of(cell)
    for request in cell.requests():
        (ended,) = run_groups([request], split="test", watch=watch)
        record, found = ended[0]
        records.append(record)
        curves.append(found)
        costs += [_costs(plan, member) for member in record.members]
    return CellResult(axes=cell.axes, records=tuple(records), costs=tuple(costs)), curves


def _costs(plan: Blueprint, member: MemberResult) -> dict[str, float]:
    """Return what a replica costs: where widths are learned, with those that it came to, if it came to an end."""
    learned = plan.scheme.learns_bits and member.status is Status.COMPLETE
    return plan.costs_at(member.bits) if learned else plan.costs


def _both(check: Callable[[int], None], show: Callable[[int], None] | None) -> Callable[[int], None]:
    def call(epoch: int) -> None:
        check(epoch)
        if show is not None:
            show(epoch)

    return call
