"""The comparison of two studies as a document, and in a folder of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lorap_bench.report.company import Method
from lorap_bench.report.compare import Compared, compare, dominated, sides
from lorap_bench.report.compare_verdict import verdict_blocks
from lorap_bench.report.document import Column, Document, Heading, Pair, Section, Table, Words, plain
from lorap_bench.report.html import html_page
from lorap_bench.report.raw import file_stem, raw_csv, tables
from lorap_bench.report.score import spoken
from lorap_bench.report.sections.attainment import attainment_blocks
from lorap_bench.report.sections.progress import AXES, history, history_figure
from lorap_bench.report.sides import LineUp
from lorap_bench.report.surfaces import window
from lorap_bench.report.trial import confirmed_score, objective, prompt_text, score
from lorap_bench.report.write import write_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lorap_bench.record import TrialRecord
    from lorap_bench.report.document import Block
    from lorap_bench.report.material import Material

__all__ = ["compare_document", "write_comparison"]


def write_comparison(first: Material, second: Material, out: Path) -> Path:
    """Write the page, its tables and ``compare.json`` into ``out``; return the page's path.

    Raises:
        StoreError: the folder cannot be written.
    """
    compared = compare(first, second)
    document = compare_document(compared, first, second)
    data = {"compare.json": json.dumps(compared.to_mapping(), indent=2, allow_nan=False) + "\n"}
    spread = {f"tables/{file_stem(table.id)}.csv": raw_csv(table) for table in tables(document)}
    write_files(out, {**data, **spread, "index.html": html_page(document, {}, data)})
    return out / "index.html"


def compare_document(compared: Compared, first: Material, second: Material) -> Document:
    """Return the document: the verdict, what runs attain, the hypervolume over what was spent, both fronts."""
    sections = (
        Section(id="verdict", title="Verdict", nav="Verdict", blocks=tuple(verdict_blocks(compared))),
        Section(
            id="attainment",
            title="What a run attains",
            nav="Attainment",
            blocks=tuple(_attained(compared, first, second)),
        ),
        Section(
            id="progress",
            title="Hypervolume over what was spent",
            nav="Progress",
            blocks=tuple(_progress(compared, first, second)),
        ),
        Section(id="fronts", title="Both fronts", nav="Fronts", blocks=tuple(_fronts(compared, first, second))),
    )
    facts = (
        ("A", f"{compared.first.name}, {compared.first.trials} complete trials"),
        ("B", f"{compared.second.name}, {compared.second.trials} complete trials"),
        ("Task", str(first.spec.task.dataset)),
        ("Objectives", ", ".join(map(spoken, compared.objectives))),
    )
    title = f"{compared.first.name} against {compared.second.name}"
    return Document(title=title, lead=first.spec.description, facts=facts, sections=sections)


def _attained(compared: Compared, first: Material, second: Material) -> Iterator[Block]:
    x, y = compared.plane
    if y != first.metric.value:
        yield Words(
            f"{first.score.heading} is no objective of these studies, and costs do not vary over runs.", empty=True
        )
        return
    both = sides(first, second, x)
    shown = window(x, both, first.score)
    if shown is None or not all(side.runs for side in both):
        yield Words("One of the studies has no feasible complete trial, so it attains nothing.", empty=True)
        return
    one, other = (len(side.runs) for side in both)
    yield Words(
        f"A run attains a point if one of its trials {first.score.as_good} and costs no more. A line bounds what "
        "half of a study’s runs attain, its band what a quarter to three quarters of them do. **A run is one replica "
        f"of the one search** (n = {one} and n = {other}): the validation {first.score.name} that each trial has with "
        "its first seed is one run, that with its second another. So this is the scatter of training, not that of the "
        "search."
    )
    yield from attainment_blocks(LineUp(sides=both, pairs=(both,), left=(), searches=False), shown)


def _progress(compared: Compared, first: Material, second: Material) -> Iterator[Block]:
    found = {
        Method(standing.name, (study,)): [history(study)]
        for standing, study in ((compared.first, first), (compared.second, second))
        if study.records
    }
    one, other = compared.first, compared.second
    yield Words(
        f"The share of the reference box (version {compared.reference}) that the front dominates, over what the search "
        f"had spent, a search a line: **{one.hypervolume:.4f}** for {plain(one.name)} at its end, "
        f"**{other.hypervolume:.4f}** for {plain(other.name)}. Compare at equal spending: the searches may have had "
        "other budgets."
    )
    yield Pair(tuple((history_figure(axis, found),) for axis in AXES))


def _fronts(compared: Compared, first: Material, second: Material) -> Iterator[Block]:
    one, other = compared.first, compared.second
    yield Words(
        f"Of A’s {one.front} front trials B’s front dominates {one.dominated}; of B’s {other.front} A’s dominates "
        f"{other.dominated}. Dominated: nowhere better and somewhere worse in "
        f"{', '.join(map(spoken, compared.objectives))}, by the means over seeds, without regard to their scatter."
    )
    yield Heading(f"A: {one.name}")
    yield from _front("a", first, second)
    yield Heading(f"B: {other.name}")
    yield from _front("b", second, first)


def _front(letter: str, study: Material, other: Material) -> Iterator[Block]:
    if not study.front:
        yield Words("The front is empty: no feasible trial completed.", empty=True)
        return
    beaten = {record.number for record in dominated(study, other)}
    looked = bool(study.confirmations)
    columns = (
        Column("Trial", "trial"),
        study.score.column("Validation"),
        *((study.score.column("Test"),) if looked else ()),
        Column("Average bits"),
        Column("Overhead, %"),
        Column("Dominated", "text"),
        Column("Scheme", "text"),
        Column("Prompt", "text"),
    )

    def row(record: TrialRecord) -> tuple[Any, ...]:
        return (
            record.number,
            score(record),
            *((confirmed_score(study.confirmations.get(record.number)),) if looked else ()),
            objective(record, "average_bits"),
            objective(record, "overhead"),
            "yes" if record.number in beaten else "no",
            record.config.get("quant", {}).get("scheme"),
            prompt_text(record),
        )

    ordered = sorted(study.front, key=lambda record: (objective(record, "average_bits"), record.number))
    caption = f"The front of {study.spec.name}"
    yield Table(id=f"front-{letter}", caption=caption, columns=columns, rows=[row(record) for record in ordered])
