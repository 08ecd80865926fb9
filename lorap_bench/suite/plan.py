"""What the cells of a suite come to before training: which cannot exist, and for how many epochs the others train."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lorap_bench.data.load import load_task
from lorap_bench.errors import ConfigError, Fault
from lorap_bench.models.blueprint import blueprint, shape_of
from lorap_bench.search.objective import default_planner
from lorap_bench.search.plan import refuse_infeasible
from lorap_bench.suite.tuning import search_study

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lorap_bench.models.blueprint import Blueprint
    from lorap_bench.suite.cell import Cell

__all__ = ["Plan", "blueprint_of", "plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """Cells in their order.

    Attributes:
        cells: those to run.
        skipped: those that are not, each with its reason.
        impossible: key → reason, of those among them that no configuration makes.
        epochs: key → epochs of all replicas together, and of the search before them, of those to run.
    """

    cells: list[Cell] = field(default_factory=list)
    skipped: list[Cell] = field(default_factory=list)
    impossible: dict[str, str] = field(default_factory=dict)
    epochs: dict[str, int] = field(default_factory=dict)


def plan(cells: Iterable[Cell]) -> Plan:
    """Work out every cell against its data set; train nothing.

    Raises:
        ConfigError: no cell is left to run.
        MissingResource: the data of a cell are not to be had.
    """
    found = Plan()
    for cell in cells:
        if cell.skipped:
            found.skipped.append(cell)
            continue
        try:
            epochs: int | None = blueprint_of(cell).epochs
        except ConfigError as error:
            epochs = _mended(cell)
            reason = "; ".join(str(fault) for fault in error.faults)
        if epochs is None:
            found.impossible[cell.key] = reason
            found.skipped.append(replace(cell, skipped=reason))
            continue
        found.cells.append(cell)
        searched = 0 if cell.tune is None else cell.tune.trials * cell.tune.seeds
        found.epochs[cell.key] = epochs * (searched + len(cell.replicas))
    if not found.cells:
        reasons = list(dict.fromkeys(cell.skipped for cell in found.skipped)) or ["no cell is chosen"]
        raise ConfigError([Fault(path="", message=reason) for reason in reasons], where="no cell is left to run")
    return found


def _mended(cell: Cell) -> int | None:
    """Return about how many epochs a training of a cell takes whose search may find what its own values lack.

    None is returned where it cannot.
    """
    if cell.tune is None:
        return None
    try:
        refuse_infeasible(search_study(cell), default_planner(shape_of(load_task(cell.config.task))))
    except ConfigError:
        return None
    return cell.config.optim.epochs


def blueprint_of(cell: Cell) -> Blueprint:
    """Return the blueprint of a cell.

    Raises:
        ConfigError: no configuration can be so.
        MissingResource: its data are not to be had.
    """
    return blueprint(cell.config, shape_of(load_task(cell.config.task)))
