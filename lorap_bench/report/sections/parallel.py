"""Every searched parameter and objective side by side, a line a trial, to be brushed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.report.document import Parallel, Section, Words
from lorap_bench.report.drawn import drawn_table

if TYPE_CHECKING:
    from lorap_bench.report.document import Block
    from lorap_bench.report.material import Material

__all__ = ["section"]

_FEWEST = 2
_COLOURED = ("average bits", "overhead, %")


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
        f"A line a trial, {which}: the searched parameters, then what came of them. Drag along an axis to keep the "
        f"trials between two values; every linked figure follows. Colour is the {material.score.name}. A trial without "
        "a parameter stands at the axis’s foot, marked by a dash."
    )
    if drawn < complete:
        text += " Left out are trials where they are dense, never one of the front."
    return text


def _parallel(material: Material) -> Parallel:
    table = drawn_table(material)
    labels = [column.label for column in table.columns]
    coloured = next((name for name in (material.score.column("").label, *_COLOURED) if name in labels), labels[-1])
    return Parallel(
        id="parallel-lines",
        label=f"Parallel coordinates of {len(table.rows)} trials over {len(material.varied)} searched parameters "
        f"and what came of them, coloured by {coloured}",
        table=table,
        colour=labels.index(coloured),
    )
