"""How to get the same figures again: commands, versions, hashes, the study as it was run."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from lorap_bench.report.document import Column, Commands, Fold, Heading, Listing, Section, Table, Words, plain
from lorap_bench.report.format import seconds_text
from lorap_bench.report.provenance import environment
from lorap_bench.store.look import Baseline

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
    yield Words(
        f"`{plain(material.file)}` lies beside the report: the study as it was run, with every default written out. "
        f"The commands {_told(material)} (bit for bit on a CPU, with the versions below)."
    )
    yield Commands(tuple(command for command, _ in _steps(material)))
    facts = environment(records)
    if facts:
        yield Heading("Environment of the trials")
        columns = (Column("What", "text"), Column("Value", "text"), Column("Trials", "whole"))
        rows = [(fact.label, value, count) for fact in facts for value, count in fact.values]
        yield Table(id="environment", caption="Environment of the trials", columns=columns, rows=rows)
    if material.study:
        yield Fold("Study file, with every default written out", (Listing(material.study),), id="study-file")


def _steps(material: Material) -> Iterator[tuple[str, str]]:
    """Yield the commands in their order, each with what it does."""
    file = shlex.quote(material.file)
    yield f"lorap-bench run {file}", "run it again"
    if material.confirmations:
        found = material.confirmations.values()
        seeds = max(len(one.record.members) for one in found)
        ladder = " --ladder" if any({Baseline.GPF, Baseline.LORAP} & one.baselines.keys() for one in found) else ""
        yield f"lorap-bench confirm {file} --seeds {seeds}{ladder}", "measure its front on the test split"
    beside = "".join(f" {shlex.quote(other.spec.name)}" for other in material.others)
    yield f"lorap-bench report {file}{beside}", "make this report from what is stored"
    if material.front:
        number = material.front[0].number
        again = "train one trial again and compare it with its record"
        yield f"lorap-bench rerun {shlex.quote(material.spec.name)} {number} --check", again


def _told(material: Material) -> str:
    *first, last = (words for _, words in _steps(material))
    return f"{', '.join(first)}, and {last}"
