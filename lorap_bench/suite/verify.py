"""Whether a suite's folder holds what it says: nothing missing, nothing changed, every row made again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lorap_bench.config import TrialConfig
from lorap_bench.errors import LorapBenchError, StoreError
from lorap_bench.study.slots import lookup
from lorap_bench.study.space import overlay
from lorap_bench.suite.check import Check
from lorap_bench.suite.expand import expand
from lorap_bench.suite.origins import origin_notes
from lorap_bench.suite.selection import selection_faults
from lorap_bench.suite.spec import path_of
from lorap_bench.suite.stored import stored_suite
from lorap_bench.suite.table import tidy
from lorap_bench.suite.tables import differences
from lorap_bench.suite.verify_search import search_faults

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorap_bench.suite.cell import Cell
    from lorap_bench.suite.folder import SuiteFolder
    from lorap_bench.suite.result import CellResult

__all__ = ["verify_suite"]


@dataclass(frozen=True, slots=True)
class _Found:
    """A suite's cells, those that cannot exist, what is finished, and what is wrong with files, by key."""

    cells: list[Cell]
    impossible: dict[str, str]
    results: dict[str, CellResult]
    damaged: dict[str, str]


def verify_suite(folder: SuiteFolder) -> list[Check]:
    """Return every check of a suite's folder. No data are read, and nothing is changed."""
    try:
        spec, impossible = stored_suite(folder)
        cells = expand(spec)
    except LorapBenchError as error:
        return [Check.of("suite", [str(error)], "")]
    found = _read(folder, cells, impossible)
    counted = f"{len(found.results)} cells"
    checks = [
        Check.of("suite", [], f"{spec.name}, schema 1"),
        Check.of("files", found.damaged.values(), f"{counted}: schema, key and checksum fit"),
        Check.of("cells", _missing(found), f"all {len(found.cells)} cells are there, or skipped with their reason"),
        Check.noted("other cells", _others(folder, found), "no file is of another suite"),
        Check.of("replicas", _replicas(found), "every cell has all of its seeds and folds"),
        Check.of("selection", _selection(folder, found), _selection_words(folder, found)),
        *_searches(folder, found),
        Check.of("costs", _costs(found), "the costs of every record are the mean of its replicas'"),
        Check.of("table", _table(folder, found), "every row is what the cells make"),
    ]
    records = [record for result in found.results.values() for record in result.records]
    return [*checks, Check.noted("origins", origin_notes(records), "one commit, one set of versions, one device")]


def _read(folder: SuiteFolder, cells: list[Cell], impossible: dict[str, str]) -> _Found:
    found = _Found(cells, impossible, {}, {})
    for cell in cells:
        try:
            result = folder.read(cell.key)
        except StoreError as error:
            found.damaged[cell.key] = str(error)
            continue
        if result is not None:
            found.results[cell.key] = result
    return found


def _missing(found: _Found) -> Iterator[str]:
    known = {*found.results, *found.damaged, *found.impossible}
    yield from (f"{cell.name} is not there" for cell in found.cells if not cell.skipped and cell.key not in known)


def _others(folder: SuiteFolder, found: _Found) -> Iterator[str]:
    others = folder.keys() - {cell.key for cell in found.cells}
    if others:
        yield f"{len(others)} files in cells/ are of no cell of this suite: {', '.join(sorted(others)[:3])}, …"


def _replicas(found: _Found) -> Iterator[str]:
    for cell, result in _pairs(found):
        if result.replicas != cell.replicas:
            yield f"{cell.name}: has {list(result.replicas)}, its suite asks for {list(cell.replicas)}"
        if any(lookup(cell.config.to_mapping(), path_of(axis)) != value for axis, value in result.axes.items()):
            yield f"{cell.name}: says that it is {result.axes}"
        tuned = None if result.tuning is None else overlay(cell.config, result.tuning.params)
        for record, (config, seeds) in zip(result.records, cell.requests(tuned), strict=False):
            if TrialConfig.from_mapping(record.config) != config or tuple(one.seed for one in record.members) != seeds:
                yield f"{cell.name}: the record of fold {config.task.fold} is of another configuration or other seeds"


def _selection(folder: SuiteFolder, found: _Found) -> Iterator[str]:
    for cell, result in _pairs(found):
        try:
            curves = folder.curves(cell.key) or [{} for _ in result.records]
        except StoreError as error:
            yield str(error)
            continue
        if len(curves) != len(result.records):
            yield f"{cell.name}: curves of {len(curves)} trainings, records of {len(result.records)}"
        for record, one in zip(result.records, curves, strict=False):
            yield from (f"{cell.name}: {fault}" for fault in selection_faults(record, one))


def _searches(folder: SuiteFolder, found: _Found) -> Iterator[Check]:
    """Yield the check of the searches, where cells are tuned."""
    trials = [result.tuning.trials for result in found.results.values() if result.tuning is not None]
    if trials:
        fine = f"{min(trials)} to {max(trials)} trials a cell, none saw the test split; the best is chosen again"
        yield Check.of("searches", search_faults(folder, _pairs(found)), fine)


def _selection_words(folder: SuiteFolder, found: _Found) -> str:
    kept = sum(folder.has_curves(key) for key in found.results)
    return f"epochs chosen on validation alone; checked against the curves of {kept} of {len(found.results)} cells"


def _costs(found: _Found) -> Iterator[str]:
    for cell, result in _pairs(found):
        costs = iter(result.costs)
        for record in result.records:
            own = [next(costs) for _ in record.members]
            if not _alike(_mean([one for one in own if set(one) == set(record.costs)]), record.costs):
                yield f"{cell.name}: the costs of a record are not the mean of its replicas'"


def _mean(costs: list[dict[str, Any]]) -> dict[str, float]:
    if not costs or all(one == costs[0] for one in costs):
        return costs[0] if costs else {}
    return {name: math.fsum(one[name] for one in costs) / len(costs) for name in costs[0]}


def _alike(one: dict[str, float], other: dict[str, float]) -> bool:
    """Whether two sets of costs agree, but for the last digits that another order of a sum leaves."""
    return set(one) == set(other) and all(math.isclose(one[name], other[name], rel_tol=1e-9) for name in one)


def _table(folder: SuiteFolder, found: _Found) -> Iterator[str]:
    if found.damaged:
        yield "cannot be made again while cells are damaged"
        return
    told = differences(folder.root, tidy(found.cells, found.results))
    yield from (f"{name} {difference}" for name, difference in told.items() if difference)


def _pairs(found: _Found) -> Iterator[tuple[Cell, CellResult]]:
    yield from ((cell, found.results[cell.key]) for cell in found.cells if cell.key in found.results)
