"""How to get the same figures again: commands, versions, hashes, the study as it was run."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from lorap_bench.report.document import Column, Commands, Fold, Heading, Listing, Section, Table, Words, plain
from lorap_bench.report.format import seconds_text
from lorap_bench.report.provenance import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorap_bench.report.document import Block
    from lorap_bench.report.material import Material

__all__ = ["section"]


def section(material: Material) -> Section:
    """Return the section."""
    return Section(id="reproduce", title="How to reproduce", nav="Reproduce", blocks=tuple(_blocks(material)))


def _blocks(material: Material) -> Iterator[Block]:
    spec, records = material.spec, material.records
    last = max((record.started for record in records), default="")
    text = f"Study identity `{spec.identity}`"
    text += f"; last trial started {last}" if last else ""
    seconds = seconds_text(sum(record.seconds for record in records))
    yield Words(
        f"{text}; {seconds} of training in {len(records)} trials. This report was made from the stored study alone."
    )
    file, name = shlex.quote(material.file), spec.name
    yield Words(
        f"`{plain(material.file)}` lies beside the report: the study as it was run, with every default written out. "
        "The first command runs it again, the second makes this report from what it stores, the third trains one trial "
        "again and compares it with its record bit for bit (on a CPU, with the versions below)."
    )
    beside = "".join(f" {shlex.quote(other.spec.name)}" for other in material.others)
    commands = [f"lorap-bench run {file}", f"lorap-bench report {file}{beside}"]
    if material.front:
        commands.append(f"lorap-bench rerun {name} {material.front[0].number} --check")
    if material.confirmations:
        commands.insert(1, f"lorap-bench confirm {file}")
    yield Commands(tuple(commands))
    facts = environment(records)
    if facts:
        yield Heading("Environment of the trials")
        columns = (Column("What", "text"), Column("Value", "text"), Column("Trials", "whole"))
        rows = [(fact.label, value, count) for fact in facts for value, count in fact.values]
        yield Table(id="environment", caption="Environment of the trials", columns=columns, rows=rows)
    if material.study:
        yield Fold("Study file, with every default written out", (Listing(material.study),), id="study-file")
