"""Every trial in one table, as many as a page can hold."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from lorap_bench.report.document import Column, Fold, Section, Table, Words
from lorap_bench.report.provenance import redact
from lorap_bench.report.trial import objective, score

if TYPE_CHECKING:
    from lorap_bench.record import TrialRecord
    from lorap_bench.report.material import Material

__all__ = ["ROWS_SHOWN", "section"]

ROWS_SHOWN = 500


def section(material: Material) -> Section:
    """Return the section."""
    counts = Counter(record.status.value.replace("_", " ") for record in material.records)
    ends = ", ".join(f"{count} {name}" for name, count in counts.items())
    blocks: list[Words | Table] = [_table(material)]
    if len(material.records) > ROWS_SHOWN:
        blocks.insert(0, Words(f"The first {ROWS_SHOWN} of {len(material.records)}; `data.csv` holds them all."))
    fold = Fold(f"{len(material.records)} trials: {ends}", tuple(blocks))
    return Section(id="trials", title="All trials", nav="Trials", blocks=(fold,))


def _table(material: Material) -> Table:
    columns = (
        Column("Trial", "trial"),
        Column("Status", "text"),
        material.score.column("Validation"),
        Column("Average bits"),
        Column("Overhead, %"),
        Column("Seconds"),
        Column("Parameters", "text"),
        Column("Reason", "text"),
    )
    shown = material.records[:ROWS_SHOWN]
    return Table(
        id="all-trials",
        caption="All trials",
        columns=columns,
        rows=[_row(record) for record in shown],
        trials=[record.number for record in shown],
        of=len(material.records),
    )


def _row(record: TrialRecord) -> tuple[Any, ...]:
    status = record.status.value.replace("_", " ")
    repeats = f"of trial {record.duplicate_of}" if record.duplicate_of is not None else None
    return (
        record.number,
        status if record.feasible else f"{status}, infeasible",
        score(record),
        objective(record, "average_bits"),
        objective(record, "overhead"),
        record.seconds,
        ", ".join(f"{path} = {_short(value)}" for path, value in record.params.items()) or None,
        redact(record.reason) or repeats,
    )


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
