"""Every searched parameter and objective side by side, a line a trial, to be brushed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lorap_bench.report.document import Column, Parallel, Section, Table, Words
from lorap_bench.report.trial import objective

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.record import TrialRecord
    from lorap_bench.report.document import Block, Kind
    from lorap_bench.report.material import Material

__all__ = ["section"]

_FEWEST = 2
_OBJECTIVES: dict[str, Column] = {
    "accuracy": Column("accuracy (%)", "fraction"),
    "average_bits": Column("average bits"),
    "overhead": Column("overhead (%)"),
}


def section(material: Material) -> Section:
    """Return the section."""
    blocks: tuple[Block, ...]
    if len(material.drawn) < _FEWEST:
        found = len(material.drawn)
        blocks = (Words(f"Lines need two complete trials to compare; there {_are(found)}.", empty=True),)
    else:
        blocks = (Words(_lead(material)), _parallel(material))
    return Section(id="parallel", title="Parallel coordinates", nav="Parallel", blocks=blocks)


def _are(found: int) -> str:
    return "is one" if found else "is none"


def _lead(material: Material) -> str:
    drawn, complete = len(material.drawn), len(material.complete)
    which = f"the {complete} complete trials" if drawn == complete else f"{drawn} of {complete} complete trials"
    text = (
        f"A line a trial, {which}: the searched parameters, then the objectives. Drag along an axis to keep the trials "
        "between two values; every linked figure follows. A trial without a parameter stands at the axis’s foot, "
        "marked by a dash."
    )
    if drawn < complete:
        text += " Left out are trials where they are dense, never one of the front."
    return text


def _parallel(material: Material) -> Parallel:
    names = list(material.spec.objectives)
    paths = list(material.varied)
    columns = (
        Column("Trial", "trial"),
        *(Column(path, _kind(values)) for path, values in material.varied.items()),
        *(_OBJECTIVES[name] for name in names),
        Column("on the front", "text"),
    )
    coloured = "accuracy" if "accuracy" in names else names[0]
    table = Table(
        id="parallel-table",
        caption="Searched parameters and objectives of the trials drawn",
        columns=columns,
        rows=[_row(material, record, paths, names) for record in material.drawn],
        trials=[record.number for record in material.drawn],
        of=len(material.complete),
    )
    return Parallel(
        id="parallel-lines",
        label=f"Parallel coordinates of {len(material.drawn)} trials over {len(paths)} searched parameters and "
        f"{len(names)} objectives, coloured by {_OBJECTIVES[coloured].label}",
        table=table,
        colour=1 + len(paths) + names.index(coloured),
    )


def _row(material: Material, record: TrialRecord, paths: Sequence[str], names: Sequence[str]) -> tuple[Any, ...]:
    values = [objective(record, name) for name in names]
    return (
        record.number,
        *(record.params.get(path) for path in paths),
        *(value if math.isfinite(value) else None for value in values),
        "yes" if record.number in material.on_front else "no",
    )


def _kind(values: Sequence[Any]) -> Kind:
    """Return what a parameter's column holds: whole numbers, numbers, or words where any of its values is one."""
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
        return "text"
    return "whole" if all(isinstance(value, int) for value in values) else "number"
