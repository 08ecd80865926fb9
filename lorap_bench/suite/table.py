"""The tidy table of a suite: one row a finished cell and replica, from the cells alone.

Columns whose names begin with ``run.`` say when, how long and on what a row was trained. They come last; but for them,
the same suite gives the same table byte for byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from lorap_bench.data.load import canonical_name, metric_of
from lorap_bench.record import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lorap_bench.record import TrialRecord
    from lorap_bench.suite.cell import Cell
    from lorap_bench.suite.result import CellResult

__all__ = ["COSTS", "RUN", "TUNED", "tidy"]

COSTS = ("average_bits", "bits_a2q", "bits_mixq", "overhead", "bit_operations", "model_bytes")
RUN = "run."
"""What the names of columns begin with that two runs of one suite may have different."""
TUNED = "tuned."
"""What the names of columns begin with that hold what a search chose."""

_WHOLE = ("seed", "fold", "best_epoch")
_TEXT = ("key", "status", "reason", "metric")
_REAL = ("val", "test", *COSTS)
_RUN_TEXT = ("started", "commit", "versions", "backend", "device", "machine")


def tidy(cells: Iterable[Cell], results: Mapping[str, CellResult]) -> pd.DataFrame:
    """Return the rows of the cells that are finished, in the order of the cells and of their replicas."""
    rows = [row for cell in cells if cell.key in results for row in _rows(cell, results[cell.key])]
    axes = [*next(iter(cells)).axes]
    searched = next(iter(cells)).tune
    tuned = [] if searched is None else ["trials", *(f"{TUNED}{path}" for path in searched.space)]
    columns = [*axes, "key", "seed", "fold", "status", "reason", "metric", "val", "test", "best_epoch", *COSTS, *tuned]
    columns += [f"{RUN}{name}" for name in ("started", "seconds", "commit", "versions", "backend", "device", "machine")]
    table = pd.DataFrame(rows, columns=columns)
    types: dict[str, Any] = (
        dict.fromkeys(_TEXT, "str") | dict.fromkeys(_WHOLE, "Int64") | dict.fromkeys(_REAL, "Float64")
    )
    types |= {"trials": "Int64"} if tuned else {}
    types |= {f"{RUN}{name}": "str" for name in _RUN_TEXT} | {f"{RUN}seconds": "Float64"}
    return table.astype(types)


def _rows(cell: Cell, result: CellResult) -> Iterable[dict[str, Any]]:
    for (record, member), costs in zip(result.members, result.costs, strict=True):
        yield {
            **cell.axes,
            "key": cell.key,
            "seed": member.seed,
            "fold": record.config["task"]["fold"],
            "status": member.status.value,
            "reason": "" if member.status is Status.COMPLETE else record.reason,
            "metric": metric_of(canonical_name(cell.config.task.dataset)).value,
            "val": member.val,
            "test": member.test,
            "best_epoch": member.best_epoch,
            **{name: costs.get(name) for name in COSTS},
            **_tuned(result),
            **_run(record),
        }


def _tuned(result: CellResult) -> dict[str, Any]:
    """Return what a cell's search came to: its trials, and the point that it chose."""
    if result.tuning is None:
        return {}
    return {"trials": result.tuning.trials} | {f"{TUNED}{path}": one for path, one in result.tuning.params.items()}


def _run(record: TrialRecord) -> dict[str, Any]:
    """Return where a row comes from; the time of a record is shared evenly among its replicas."""
    origin = record.provenance
    versions = ", ".join(f"{name} {version}" for name, version in origin.get("versions", {}).items())
    found = {"started": record.started, "seconds": record.seconds / len(record.members), "versions": versions}
    found |= {name: origin.get(name, "") for name in ("commit", "backend", "device", "machine")}
    return {f"{RUN}{name}": value for name, value in found.items()}
