"""How to get the same figures again: commands, versions, devices, where cells were tuned, the suite as it was run."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from lorap_bench.report.document import Column, Commands, Fold, Heading, Listing, Section, Table, Words, plain
from lorap_bench.report.format import seconds_text
from lorap_bench.report.provenance import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorap_bench.report.document import Block
    from lorap_bench.report.suite.entry import Entry
    from lorap_bench.report.suite.material import SuiteMaterial

__all__ = ["section"]


def section(material: SuiteMaterial) -> Section:
    """Return the section."""
    return Section(id="reproduce", title="How to reproduce", nav="Reproduce", blocks=tuple(_blocks(material)))


def _blocks(material: SuiteMaterial) -> Iterator[Block]:
    records = material.records
    seconds = seconds_text(sum(record.seconds for record in records))
    last = max((record.started for record in records), default="")
    started = f"; last training started {last}" if last else ""
    yield Words(
        f"{seconds} of training{started}. This report was made from the cells in the suite’s folder alone. "
        f"`{plain(material.file)}` lies beside it: the suite as it was run, with every default written out. The "
        "commands run what is left of it, check its folder, and make this report again; started in another folder, the "
        "first trains everything again (bit for bit on a CPU, with the versions below)."
    )
    yield Commands(_commands(material))
    facts = environment(records)
    if facts:
        yield Heading("Environment of the cells")
        columns = (Column("What", "text"), Column("Value", "text"), Column("Records", "whole"))
        rows = [(fact.label, value, count) for fact in facts for value, count in fact.values]
        yield Table(id="environment", caption="Environment of the cells", columns=columns, rows=rows)
    yield from _tuning(material)
    if material.text:
        yield Fold("Suite file, with every default written out", (Listing(material.text),), id="suite-file")


def _commands(material: SuiteMaterial) -> tuple[str, ...]:
    """Return the commands for where the folder lies; the usual place, where that is not to be told."""
    place = material.folder if "/" in material.folder else f"runs/{material.name}"
    runs, file = place.rpartition("/")[0], shlex.quote(material.file)
    where = "" if runs == "runs" else f" --runs {shlex.quote(runs)}"
    return (
        f"lorap-bench suite {file}{where}",
        f"lorap-bench verify {shlex.quote(place)}",
        f"lorap-bench report {shlex.quote(place)}",
    )


def _tuning(material: SuiteMaterial) -> Iterator[Block]:
    tuned = [entry for entry in material.entries if entry.tuning is not None]
    yield Heading("Tuning")
    if not tuned:
        yield Words("No cell was tuned: each has the settings of the suite’s file.")
        return
    trials = sorted({_trials(entry) for entry in tuned})
    equal = f"{trials[0]} trials each" if len(trials) == 1 else f"**unequal budgets**: {_spelled(trials)} trials"
    trained = sum(bool(entry.records) for entry in material.entries)
    others = "" if len(tuned) == trained else " The others have the settings of the suite’s file."
    yield Words(
        f"{len(tuned)} of {trained} trained cells were tuned on validation with {equal}, and measured on fresh seeds."
        f"{others} **Intervals and tests are over seeds of the chosen points**: another search might choose others."
    )
    columns = (
        Column("Cell", "text"),
        Column("Trials", "whole"),
        Column("Validation figure of the chosen point"),
        Column("Chosen point", "code"),
    )
    rows = [(entry.name, *_chosen(entry)) for entry in tuned]
    yield Table(id="tuning", caption="Cells that were tuned", columns=columns, rows=rows)


def _chosen(entry: Entry) -> tuple[Any, ...]:
    told = entry.tuning or {}
    point = ", ".join(f"{path} = {json.dumps(value)}" for path, value in (told.get("params") or {}).items())
    return (_trials(entry), told.get("val"), point or None)


def _trials(entry: Entry) -> int:
    return int((entry.tuning or {}).get("trials", 0))


def _spelled(numbers: list[int]) -> str:
    return f"{', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
