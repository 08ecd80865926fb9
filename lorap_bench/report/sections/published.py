"""Ours beside published figures: in the plane of the test metric and bits, and one by one with a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from lorap_bench.published import PublishedResult, Verdict
from lorap_bench.report.beside import Beside, Ours, beside, measured
from lorap_bench.report.document import Column, Figure, Fold, Section, Table, Words
from lorap_bench.report.figures import base_figure, interval_bars
from lorap_bench.report.marks import published_trace
from lorap_bench.report.palette import LIGHT, series
from lorap_bench.report.pareto import octaves
from lorap_bench.report.representatives import average_bits
from lorap_bench.stats.intervals import Interval
from lorap_bench.store.look import Baseline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lorap_bench.report.document import Block
    from lorap_bench.report.material import Material
    from lorap_bench.report.score import Score

__all__ = ["section"]

_LOOKS: dict[str, dict[str, Any]] = {
    "confirmed trial": {"symbol": "diamond", "size": 11, "color": series(0)},
    "its scheme without a prompt": {"symbol": "circle-open", "size": 9, "color": series(1), "line": {"width": 1.8}},
    "simpler prompt": {"symbol": "square-open", "size": 9, "color": series(2), "line": {"width": 1.8}},
    "FP32, no prompt": {"symbol": "cross-thin", "size": 10, "color": LIGHT.ink, "line": {"width": 1.8}},
}
_BITS = "bits_mixq"


def section(material: Material) -> Section | None:
    """Return the section; None where nothing was measured on the test split, as the ladder says."""
    ours = measured(material)
    if not ours:
        return None
    return Section(
        id="published", title="Ours beside published figures", nav="Published", blocks=tuple(_blocks(material, ours))
    )


def _blocks(material: Material, ours: Sequence[Ours]) -> Iterator[Block]:
    found = beside(material)
    theirs = [one.theirs for one in found]
    yield Words(
        f"What the confirmation measured on the test split, {material.looks}, with fresh seeds (bars: 95 % t "
        "interval); stars are published figures on the same data set with the same architecture, where log files or "
        "pages show them. Bits are the mean over quantizers, as MixQ counts them; published ones are as their paper "
        "counts."
    )
    yield _figure(material, ours, [one for one in theirs if one.metric is material.metric and one.average_bits])
    if not found:
        yield Words(
            "No published figure is known for this data set with this architecture, from a log or a page.", empty=True
        )
        return
    counts = {kind: sum(one.judgement.verdict is kind for one in found) for kind in Verdict}
    told = ", ".join(f"{count} {kind.value}" for kind, count in counts.items() if count)
    yield Words(
        f"Each published figure with the result of ours that comes nearest to its setting: **{told}** (n = "
        f"{len(found)}). Two figures are not comparable where scheme, prompt, split, folds, cleaned data or what chose "
        "the epoch differ, or where average bits, counted as the paper counts them, are more than half a bit apart. "
        f"Otherwise one published standard deviation ({_tolerance(material)} where none is given) is the tolerance. "
        "**Width, depth and pooling of the model decide nothing: they stand with the sources**, and may be all that a "
        "verdict shows. Where their deviation and runs are known, Welch’s 95 % interval stands beside the difference."
    )
    yield _verdicts(found, material.score)
    yield Fold("Protocols and sources of the published figures", (_sources(found),))


def _tolerance(material: Material) -> str:
    return "one point" if material.metric.higher_is_better else "0.01"


def _figure(material: Material, ours: Sequence[Ours], theirs: Sequence[PublishedResult]) -> Figure:
    written = material.score
    plot = base_figure("average bits (mean over quantizers)", written.title("test"), height=460)
    parts: dict[str, list[Ours]] = {name: [] for name in _LOOKS}
    for one in ours:
        parts[_part(material, one)].append(one)
    for name, members in parts.items():
        if members:
            plot.add_trace(_ours(name, members, written))
    if theirs:
        plot.add_trace(published_trace(theirs, "published", written))
    octaves(plot, "average_bits", [_bits(one) for one in ours] + [float(one.average_bits or 0) for one in theirs])
    plot.update_layout(margin_b=96)
    columns = (
        Column("Trial", "trial"),
        Column("What", "text"),
        Column("Average bits (mean over quantizers)"),
        written.column("Test"),
    )
    table = Table(
        id="measured",
        caption="What was measured on the test split",
        columns=columns,
        rows=[(one.trial, one.words, _bits(one), one.test) for one in ours],
        trials=[one.trial for one in ours],
    )
    drawn = "confirmed trials, their baselines, and published figures as stars"
    label = f"Test {written.name} against average bits: {drawn}"
    return Figure(id="confirmed", label=label, plot=plot, table=table)


def _part(material: Material, one: Ours) -> str:
    confirmation = material.confirmations[one.trial]
    roles = {record.digest: role for role, record in confirmation.baselines.items()}
    role = roles.get(one.record.digest)
    if role is None:
        return "confirmed trial"
    names = {Baseline.NO_PROMPT: "its scheme without a prompt", Baseline.FP32: "FP32, no prompt"}
    return names.get(role, "simpler prompt")


def _ours(name: str, members: Sequence[Ours], written: Score) -> go.Scatter:
    return go.Scatter(
        x=[_bits(one) for one in members],
        y=[written.scale * one.test.mean for one in members],
        error_y=interval_bars([one.test for one in members], written.scale)
        | {"color": LIGHT.faint, "thickness": 1, "width": 2},
        mode="markers",
        name=f"{name} (n = {len(members)})",
        marker=_LOOKS[name],
        customdata=[one.trial for one in members],
        hovertext=[one.words for one in members],
        hovertemplate=f"%{{hovertext}}: %{{y:{written.digits}}}{written.unit}<extra></extra>",
    )


def _bits(one: Ours) -> float:
    known = one.record.costs.get(_BITS)
    return float(known) if known is not None else average_bits(one.record)


def _verdicts(found: Sequence[Beside], written: Score) -> Table:
    columns = (
        Column("Verdict", "text"),
        Column("Paper", "text"),
        Column("Scheme", "text"),
        Column("Bits, theirs"),
        written.single("Theirs"),
        Column("± std", written.single("").kind),
        written.means("Ours"),
        Column("Bits, ours"),
        Column("Trial", "trial"),
        written.gains("Difference"),
        Column("Why", "text"),
    )

    def row(one: Beside) -> tuple[Any, ...]:
        theirs = one.theirs
        return (
            one.judgement.verdict.value,
            theirs.paper,
            theirs.framework,
            theirs.average_bits,
            theirs.value,
            theirs.std,
            one.ours.test,
            one.ours.record.costs.get(theirs.definition.cost),
            one.ours.trial,
            _difference(one),
            one.judgement.reason,
        )

    return _rows("beside-published", "Ours beside published figures", columns, found, row)


def _sources(found: Sequence[Beside]) -> Table:
    columns = (
        Column("Paper", "text"),
        Column("Scheme", "text"),
        Column("Bits, theirs"),
        Column("Runs", "whole"),
        Column("Their protocol", "text"),
        Column("Ours is", "text"),
        Column("Other differences", "text"),
        Column("Source", "text"),
    )

    def row(one: Beside) -> tuple[Any, ...]:
        theirs = one.theirs
        return (
            theirs.paper,
            theirs.framework,
            theirs.average_bits,
            theirs.runs,
            str(theirs.protocol) or None,
            one.ours.words,
            "; ".join(one.judgement.differences) or None,
            f"{theirs.source} ({theirs.reliability.value})",
        )

    return _rows("published-sources", "Protocols and sources of the published figures", columns, found, row)


def _rows(
    name: str,
    caption: str,
    columns: tuple[Column, ...],
    found: Sequence[Beside],
    row: Callable[[Beside], tuple[Any, ...]],
) -> Table:
    numbers = [one.ours.trial for one in found]
    return Table(id=name, caption=caption, columns=columns, rows=[row(one) for one in found], trials=numbers)


def _difference(one: Beside) -> Interval | None:
    """Return ours less theirs with Welch's interval where it is known; ``n`` counts our seeds."""
    judged = one.judgement
    if judged.difference is None:
        return None
    return Interval(mean=judged.difference, std=None, low=judged.low, high=judged.high, n=one.ours.test.n)
