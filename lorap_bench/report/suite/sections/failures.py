"""What is not in the tables and why: trainings that failed, cells that are skipped, cells that are left."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from lorap_bench.record import Status
from lorap_bench.report.document import Column, Fold, Heading, Listing, Section, Table, Words
from lorap_bench.report.provenance import redact
from lorap_bench.report.suite.entry import Entry, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorap_bench.report.document import Block
    from lorap_bench.report.suite.material import SuiteMaterial

__all__ = ["section"]

_COLUMNS = (
    Column("Cell", "text"),
    Column("Seed", "whole"),
    Column("Fold", "whole"),
    Column("Epochs", "whole"),
    Column("How", "text"),
    Column("Why", "text"),
)


def section(material: SuiteMaterial) -> Section:
    """Return the section."""
    return Section(id="failures", title="What is missing", nav="Missing", blocks=tuple(_blocks(material)))


def _blocks(material: SuiteMaterial) -> Iterator[Block]:
    failed = [row for entry in material.entries for row in _failed(entry)]
    if failed:
        yield Words(
            f"**{_counted(len(failed), 'training')} in {_counted(material.counts[State.FAILED], 'cell')} did not end "
            "well.** Their cells are marked in every table; means are over the others, which may flatter them."
        )
        yield Table(
            id="failures",
            caption="Trainings that did not end well",
            columns=_COLUMNS,
            rows=failed,
        )
    else:
        yield Words(f"No training failed ({sum(len(entry.members) for entry in material.entries)} ended).")
    yield _states(material)
    if material.counts[State.SKIPPED]:
        yield Heading("Cells that are not run")
        yield _skipped(material)
    left = [entry.name for entry in material.entries if entry.state is State.LEFT]
    if left:
        yield Fold(f"Cells that are left ({len(left)})", (Listing("\n".join(left)),))


def _failed(entry: Entry) -> Iterator[tuple[Any, ...]]:
    """Yield a row for each training that has no test figure, or ended otherwise than well."""
    for record, member in entry.members:
        if member.seed in entry.tests:
            continue
        ended = "no test figure" if member.status is Status.COMPLETE else member.status.value.replace("_", " ")
        place = (member.seed, record.config["task"]["fold"], member.epochs)
        yield (entry.name, *place, ended, redact(record.reason) or None)


def _skipped(material: SuiteMaterial) -> Table:
    reasons: dict[str, list[Entry]] = {}
    for entry in material.entries:
        if entry.skipped:
            reasons.setdefault(redact(entry.skipped), []).append(entry)
    rows = [(len(found), "; ".join(entry.name for entry in found), reason) for reason, found in reasons.items()]
    columns = (Column("Cells", "whole"), Column("Which", "text"), Column("Why", "text"))
    return Table(id="skipped", caption="Cells that are not run", columns=columns, rows=rows)


def _states(material: SuiteMaterial) -> Table:
    """Return how the cells of each group stand."""
    columns = (
        Column("Data set", "text"),
        Column("Model", "text"),
        *(Column(state.value.capitalize(), "whole") for state in State),
    )
    rows = []
    for group in material.groups:
        found = Counter(entry.state for entry in group.entries.values())
        rows.append((group.dataset, group.part, *(found[state] for state in State)))
    return Table(id="cells", caption="Cells by data set and model", columns=columns, rows=rows)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
