"""A document's tables with their values as they are, for programs: fractions as fractions, intervals in their parts."""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from lorap_bench.report.card_table import card_table
from lorap_bench.report.document import Cards, Figure, Parallel, Table, walk
from lorap_bench.report.result import Result
from lorap_bench.stats.intervals import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorap_bench.report.document import Block, Column, Document

__all__ = [
    "IN_PARTS",
    "PARTS",
    "figures",
    "file_stem",
    "part_names",
    "part_values",
    "raw_csv",
    "raw_label",
    "raw_value",
    "tables",
]

PARTS = ("std", "low", "high", "n")
_FRACTIONS = ("fraction", "points", "interval", "gain")
IN_PARTS = ("interval", "gain", "mean", "difference")
_OF_RESULTS = ("average bits", "standing", "note")
_LONGEST_STEM = 100  # names of files end at 255 bytes
_UNIT = re.compile(r"(?:,? \(?(?:%|points)\)?)$")


def tables(document: Document) -> list[Table]:
    """Return every table of a document in reading order, those of its figures and cards too; one of an id."""
    found: dict[str, Table] = {}
    for section in document.sections:
        for block in walk(section.blocks):
            table = _table(block)
            if table is not None:
                found.setdefault(file_stem(table.id), table)
    return list(found.values())


def figures(document: Document) -> list[Figure]:
    """Return every figure that Plotly draws, in reading order."""
    return [block for section in document.sections for block in walk(section.blocks) if isinstance(block, Figure)]


def file_stem(name: str) -> str:
    """Return a table's or a figure's id as the name of a file, or of a label, may be."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", name).strip(".-")[:_LONGEST_STEM] or "unnamed"


def raw_label(column: Column) -> str:
    """Return a column's heading for raw values: without the percent or points that only a reader sees."""
    return _UNIT.sub("", column.label) if column.kind in _FRACTIONS else column.label


def raw_value(value: Any) -> Any:
    """Return a cell as JSON has it: an interval as a table of its parts, what is not finite as None."""
    if isinstance(value, Interval):
        return {name: raw_value(part) for name, part in asdict(value).items()}
    if isinstance(value, Result):
        return {"test": raw_value(value.test)} | dict(zip(_OF_RESULTS, _about(value), strict=True))
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)


def part_names(column: Column) -> tuple[str, ...]:
    """Return what a cell of a column holds beside its value: of an interval its ``PARTS``, of a result more."""
    if column.kind == "result":
        return (*PARTS, *_OF_RESULTS)
    return PARTS if column.kind in IN_PARTS else ()


def part_values(value: Any) -> list[Any]:
    """Return what an interval or a result holds, its mean first."""
    interval = value.test if isinstance(value, Result) else value
    found = [raw_value(getattr(interval, part, None)) for part in ("mean", *PARTS)]
    return found + _about(value) if isinstance(value, Result) else found


def _about(result: Result) -> list[Any]:
    return [raw_value(result.bits), result.standing.value, result.note]


def raw_csv(table: Table) -> str:
    """Return a table as CSV; an interval's column is its mean, and columns of its parts follow."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([name for column in table.columns for name in _names(column)])
    for row in table.rows:
        writer.writerow(
            [cell for column, value in zip(table.columns, row, strict=True) for cell in _cells(column, value)]
        )
    return buffer.getvalue()


def _table(block: Block) -> Table | None:
    if isinstance(block, Cards):
        return card_table(block)
    if isinstance(block, (Figure, Parallel)):
        return block.table
    return block if isinstance(block, Table) else None


def _names(column: Column) -> Iterator[str]:
    label = raw_label(column)
    yield label
    yield from (f"{label} {part}" for part in part_names(column))


def _cells(column: Column, value: Any) -> Iterator[Any]:
    names = part_names(column)
    if value is None or not names:
        yield from [raw_value(value), *[None] * len(names)]
    else:
        yield from part_values(value)
