"""Ours beside published figures: each figure that fits a cell, with the verdict of the study's report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lorap_bench.published import Verdict
from lorap_bench.report.document import Column, Fold, Section, Table, Words
from lorap_bench.report.suite.headlines import headlines
from lorap_bench.report.suite.literature import matches, others
from lorap_bench.stats.intervals import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lorap_bench.report.document import Block
    from lorap_bench.report.score import Score
    from lorap_bench.report.suite.headlines import Headline
    from lorap_bench.report.suite.literature import Match
    from lorap_bench.report.suite.material import SuiteMaterial

__all__ = ["section"]


def section(material: SuiteMaterial) -> Section:
    """Return the section."""
    blocks = tuple(_blocks(material))
    return Section(id="published", title="Ours beside published figures", nav="Published", blocks=blocks)


def _blocks(material: SuiteMaterial) -> Iterator[Block]:
    yield from _headlines(material)
    found = matches(material)
    checked = (
        "Figures written down from memory, which nobody could check, are among them and say so."
        if material.unverified
        else "Figures that nobody could check are left out; `--unverified` shows them."
    )
    if not found:
        yield Words(
            "No published figure is known for a cell that was trained: same data set, architecture, scheme, prompt and "
            f"metric. {checked}",
            empty=True,
        )
        return
    counts = {kind: sum(one.judgement.verdict is kind for one in found) for kind in Verdict}
    told = ", ".join(f"{count} {kind.value}" for kind, count in counts.items() if count)
    yield Words(
        "Every published figure of a data set, architecture, scheme, prompt and metric that a trained cell has, beside "
        f"the cell whose bits are nearest: **{told}** (n = {len(found)}). Two figures are not comparable where split, "
        "folds, cleaned data or what chose the epoch differ, or where average bits, counted as the paper counts them, "
        "are more than half a bit apart. Otherwise one published standard deviation (one point where none is given) is "
        "the tolerance. **Width, depth and pooling of the model decide nothing: they stand with the sources**, and may "
        "be all that a verdict shows. Where their deviation and runs are known, Welch’s 95 % interval stands beside "
        f"the difference. {checked} {_rest(material)}"
    )
    for score in material.scores:
        own = [one for one in found if one.group.score == score]
        if own:
            yield _verdicts(score, own)
    yield Fold("Protocols and sources of the published figures", (_sources(found),))


def _headlines(material: SuiteMaterial) -> Iterator[Block]:
    """Yield the figures of LoRAP whose sources say too little to be compared with, beside our best on validation."""
    found = headlines(material)
    if not found:
        return
    yield Words(
        "**Figures of LoRAP to reach for.** Their sources name no architecture, and mostly no scheme and no bits, so "
        "no verdict is possible. Beside each stands our cell with LoRAP that is best on validation on that data set; "
        "our bits are those of what enters linear maps, as A²Q counts them."
    )
    for score in material.scores:
        own = [one for one in found if one.group.score == score]
        if own:
            yield _reached(score, own)


def _reached(score: Score, found: Sequence[Headline]) -> Table:
    columns = (
        Column("Data set", "text"),
        Column("What the source says", "text"),
        Column("Bits, theirs"),
        score.single("Theirs"),
        Column("Our cell", "text"),
        score.means("Ours"),
        Column("Bits, ours"),
        Column(f"Ours − theirs{', points' if score.percent else ''}", "points" if score.percent else "number"),
        Column("Source", "text"),
    )
    rows = [
        (
            one.group.dataset,
            ", ".join(part for part in (one.theirs.framework, one.theirs.prompt) if part != "unknown"),
            one.theirs.average_bits,
            one.theirs.value,
            f"{one.group.part}, {one.arm}",
            one.ours,
            one.bits,
            one.gap,
            f"{one.theirs.source} ({one.theirs.reliability.value}; {one.theirs.note})",
        )
        for one in found
    ]
    name = "headlines" if score.percent else f"headlines-{score.name.lower()}"
    return Table(id=name, caption="Figures of LoRAP to reach for", columns=columns, rows=rows)


def _rest(material: SuiteMaterial) -> str:
    count = others(material)
    if not count:
        return ""
    return f"{count} more on these data sets with these architectures are of schemes or prompts without a trained cell."


def _verdicts(score: Score, found: Sequence[Match]) -> Table:
    columns = (
        Column("Verdict", "text"),
        Column("Paper", "text"),
        Column("Data set", "text"),
        Column("Model", "text"),
        Column("Scheme", "text"),
        Column("Prompt", "text"),
        Column("Bits, theirs"),
        score.single("Theirs"),
        score.single("± std"),
        score.means("Ours"),
        Column("Bits, ours"),
        score.gains("Difference"),
        Column("Why", "text"),
    )

    def row(one: Match) -> tuple[Any, ...]:
        theirs = one.theirs
        return (
            one.judgement.verdict.value,
            theirs.paper,
            theirs.dataset,
            one.group.part,
            theirs.framework,
            theirs.prompt,
            theirs.average_bits,
            theirs.value,
            theirs.std,
            one.ours,
            one.bits,
            _difference(one),
            "; ".join(filter(None, [one.judgement.reason, _chance(one), one.note and f"ours: {one.note}"])),
        )

    name = "beside-published" if score.percent else f"beside-published-{score.name.lower()}"
    return Table(id=name, caption="Ours beside published figures", columns=columns, rows=[row(one) for one in found])


def _sources(found: Sequence[Match]) -> Table:
    columns = (
        Column("Paper", "text"),
        Column("Data set", "text"),
        Column("Scheme", "text"),
        Column("Bits, theirs"),
        Column("Runs", "whole"),
        Column("Their protocol", "text"),
        Column("All differences", "text"),
        Column("Source", "text"),
    )
    rows = [
        (
            one.theirs.paper,
            one.theirs.dataset,
            one.theirs.framework,
            one.theirs.average_bits,
            one.theirs.runs,
            str(one.theirs.protocol) or None,
            "; ".join(one.judgement.differences) or None,
            f"{one.theirs.source} ({one.theirs.reliability.value})",
        )
        for one in found
    ]
    caption = "Protocols and sources of the published figures"
    return Table(id="published-sources", caption=caption, columns=columns, rows=rows)


def _chance(one: Match) -> str:
    judged = one.judgement
    if judged.low is None or judged.high is None or not judged.low <= 0.0 <= judged.high:
        return ""
    return "the interval of the difference holds 0: it may be chance"


def _difference(one: Match) -> Interval | None:
    """Return ours less theirs with Welch's interval where it is known; ``n`` counts our trainings."""
    judged = one.judgement
    if judged.difference is None:
        return None
    return Interval(mean=judged.difference, std=None, low=judged.low, high=judged.high, n=one.ours.n)
