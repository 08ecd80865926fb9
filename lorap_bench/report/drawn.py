"""The trials that figures draw, as one table: what was set, what came of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lorap_bench.report.document import Column, Table
from lorap_bench.report.trial import objective, score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.record import TrialRecord
    from lorap_bench.report.document import Kind
    from lorap_bench.report.material import Material

__all__ = ["DRAWN", "drawn_table"]

DRAWN = "drawn"
_COSTS = {
    "average_bits": Column("average bits"),
    "overhead": Column("overhead, %"),
}


def drawn_table(material: Material) -> Table:
    """Return a row a drawn trial: its searched parameters, its figures as far as any has them, and its part."""
    columns = {material.metric.value: material.score.column("")} | _COSTS
    names = [name for name in columns if any(_value(record, name) is not None for record in material.drawn)]
    return Table(
        id=DRAWN,
        caption="The trials that are drawn",
        columns=(
            Column("Trial", "trial"),
            *(Column(path, _kind(values)) for path, values in material.varied.items()),
            *(columns[name] for name in names),
            Column("part", "text"),
        ),
        rows=[_row(material, record, names) for record in material.drawn],
        trials=[record.number for record in material.drawn],
        of=len(material.complete),
    )


def _row(material: Material, record: TrialRecord, names: Sequence[str]) -> tuple[Any, ...]:
    return (
        record.number,
        *(record.params.get(path) for path in material.varied),
        *(_value(record, name) for name in names),
        material.part(record),
    )


def _value(record: TrialRecord, name: str) -> Any:
    if name not in _COSTS:
        return score(record)
    value = objective(record, name)
    return value if math.isfinite(value) else None


def _kind(values: Sequence[Any]) -> Kind:
    """Return what a parameter's column holds: whole numbers, numbers, or words where any of its values is one."""
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
        return "text"
    return "whole" if all(isinstance(value, int) for value in values) else "number"
