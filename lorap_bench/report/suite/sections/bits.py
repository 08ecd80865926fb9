"""What is bought with each bit: test figures of all arms against their average bits, a figure a data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from lorap_bench.report.document import Column, Figure, Heading, Pair, Section, Table, Words
from lorap_bench.report.figures import base_figure
from lorap_bench.report.palette import LIGHT, series, symbol
from lorap_bench.report.pareto import octaves
from lorap_bench.report.suite.entry import BARE, Arm
from lorap_bench.report.suite.material import slug
from lorap_bench.stats.front import front_mask

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lorap_bench.report.document import Block
    from lorap_bench.report.suite.entry import Entry
    from lorap_bench.report.suite.material import Group, SuiteMaterial
    from lorap_bench.stats.intervals import Interval

__all__ = ["section"]

_Point = tuple["Group", Arm, "Entry", float, "Interval"]


def section(material: SuiteMaterial) -> Section:
    """Return the section."""
    blocks = tuple(_blocks(material))
    return Section(id="bits", title="Test figures against bits", nav="Bits", blocks=blocks)


def _blocks(material: SuiteMaterial) -> Iterator[Block]:
    figures = {name: figure for name in material.datasets if (figure := _figure(material, name)) is not None}
    if not figures:
        yield Words("No cell has a test figure yet.", empty=True)
        return
    yield Words(
        "Every arm of a data set in all architectures: colours are schemes, shapes prompts, hollow marks lack a "
        "training that failed. The ringed are the front: no arm is as good in both and better in one. It is drawn "
        "through test means, so its arms are the lucky ones too; the intervals stand in the [tables](#tables)."
    )
    yield Pair(tuple((Heading(name), figure) for name, figure in figures.items()))


def _points(material: SuiteMaterial, dataset: str) -> list[_Point]:
    found = [
        (group, arm, entry, entry.cost("average_bits"), group.test(arm))
        for group in material.groups
        if group.dataset == dataset
        for arm, entry in group.entries.items()
    ]
    return [
        (group, arm, entry, bits, test)
        for group, arm, entry, bits, test in found
        if bits is not None and test is not None
    ]


def _figure(material: SuiteMaterial, dataset: str) -> Figure | None:
    points = _points(material, dataset)
    if not points:
        return None
    score = points[0][0].score
    plot = base_figure("average bits", score.title("test"), height=400)
    front = _front(points)
    if front:
        plot.add_trace(_line(front))
    for place, scheme in enumerate(material.schemes):
        own = [point for point in points if point[1].scheme == scheme]
        if own:
            plot.add_trace(_marks(material, own, place))
            plot.add_trace(_key(scheme, series(place), "circle"))
    for place, prompt in enumerate(material.prompts):
        if any(point[1].prompt == prompt for point in points):
            plot.add_trace(_key("no prompt" if prompt == BARE else prompt, LIGHT.muted, symbol(place)))
    octaves(plot, "average_bits", [bits for *_, bits, _ in points])
    for update in (plot.update_xaxes, plot.update_yaxes):
        update(
            automargin=False
        )  # margins that follow ticks and a legend never settle where two figures are side by side
    plot.update_layout(margin_b=130, margin_l=62, legend={"font": {"size": 11}, "y": -0.24})
    label = f"{score.title('Test')} on {dataset} against average bits, an arm a mark; {len(front)} on the front"
    stem = f"bits-{slug(dataset)}"
    return Figure(id=stem, label=label, plot=plot, table=_table(stem, dataset, points, front))


def _front(points: Sequence[_Point]) -> list[_Point]:
    """Return the arms on the front by bits; one that lacks a failed training is not on it."""
    whole = [point for point in points if point[0].done(point[1])]
    if not whole:
        return []
    mask = front_mask([[bits, test.mean] for *_, bits, test in whole], ["min", whole[0][0].score.metric.direction])
    return sorted((point for point, kept in zip(whole, mask, strict=True) if kept), key=lambda point: point[3])


def _line(front: Sequence[_Point]) -> go.Scatter:
    return go.Scatter(
        x=[bits for *_, bits, _ in front],
        y=[group.score.scale * test.mean for group, *_, test in front],
        mode="lines+markers",
        name="front",
        line={"color": LIGHT.muted, "width": 1.4, "dash": "dot", "shape": "hv"},
        marker={"color": LIGHT.muted, "symbol": "circle-open", "size": 15, "line": {"width": 1}},
        hoverinfo="skip",
    )


def _marks(material: SuiteMaterial, own: Sequence[_Point], place: int) -> go.Scatter:
    shapes = [symbol(material.prompts.index(arm.prompt)) for _, arm, *_ in own]
    hollow = [not group.done(arm) for group, arm, *_ in own]
    return go.Scatter(
        x=[bits for *_, bits, _ in own],
        y=[group.score.scale * test.mean for group, *_, test in own],
        mode="markers",
        name=own[0][1].scheme,
        legendgroup=own[0][1].scheme,
        showlegend=False,
        marker={
            "color": series(place),
            "symbol": [f"{shape}-open" if open_ else shape for shape, open_ in zip(shapes, hollow, strict=True)],
            "size": 8,
        },
        hovertext=[f"{group.part}: {arm}" for group, arm, *_ in own],
        hovertemplate="%{hovertext}, %{y:.4~g} at %{x:.3~g} bits<extra></extra>",
    )


def _key(name: str, colour: str, shape: str) -> go.Scatter:
    """Return an entry of the legend: a scheme's colour or a prompt's shape."""
    marker = {"color": colour, "symbol": shape, "size": 8}
    return go.Scatter(x=[None], y=[None], mode="markers", name=name, legendgroup=name, marker=marker, hoverinfo="skip")


def _table(stem: str, dataset: str, points: Sequence[_Point], front: Sequence[_Point]) -> Table:
    score = points[0][0].score
    columns = (
        Column("Model", "text"),
        Column("Scheme", "text"),
        Column("Prompt", "text"),
        Column("Average bits"),
        score.column("Test"),
        Column("On the front", "text"),
    )

    def row(point: _Point) -> tuple[Any, ...]:
        group, arm, _, bits, test = point
        return (group.part, *arm, bits, test, "yes" if point in front else "no")

    rows = [row(point) for point in sorted(points, key=lambda point: point[3])]
    return Table(id=f"{stem}-table", caption=f"Arms on {dataset} by average bits", columns=columns, rows=rows)
