"""Learned widths by row, as blocks of the bits' section: against the in-degree where a row is a node."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from lorap_bench.metric import metric_in
from lorap_bench.report.document import Block, Column, Figure, Table, Words
from lorap_bench.report.figures import base_figure
from lorap_bench.report.palette import LIGHT, dash, series, symbol
from lorap_bench.report.representatives import evenly, label, spread
from lorap_bench.report.row_widths import Rows, rows_of
from lorap_bench.report.score import Score
from lorap_bench.report.trial import quality

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.record import TrialRecord
    from lorap_bench.report.material import Material
    from lorap_bench.report.row_widths import Octave

__all__ = ["MOST_TRIALS", "row_bits_blocks"]

MOST_TRIALS = 6
_PATTERNS = ("", "/", "x", ".", "-", "+")


def row_bits_blocks(material: Material) -> list[Block]:
    """Return what the trials learned for each row; nothing where no trial of the study learns widths."""
    learners = [record for record in material.front if _learns(record)]
    aside = ""
    if not learners:
        learners = sorted(filter(_learns, material.able), key=quality, reverse=True)
        learners = learners[:MOST_TRIALS]
        aside = f" No such trial is on the front: these are the {len(learners)} {material.score.best} of the others."
    if not learners:
        return []
    read = spread(learners, MOST_TRIALS)
    found = [rows for record in read for rows in rows_of(record, material.curves(record.number))]
    if len(read) < len(learners):
        aside += f" Read are {len(read)} of {len(learners)} such trials of the front, spread evenly by bits."
    nodes = [rows for rows in found if rows.in_degree is not None and rows.octaves()]
    groups = [rows for rows in found if rows.in_degree is None]
    blocks = ([] if not nodes else _by_degree(nodes, aside)) + ([] if not groups else _by_group(groups, aside))
    return blocks or _nothing(read)


def _nothing(read: Sequence[TrialRecord]) -> list[Block]:
    """Say why trials that learned widths have none by row: nothing at all where their scheme learns them by site."""
    if all(record.config.get("quant", {}).get("scheme") != "A2Q" for record in read):
        return []
    return [
        Words("The curves of these trials, which hold each node’s width, are not in the study’s folder.", empty=True)
    ]


def _learns(record: TrialRecord) -> bool:
    return any(member.bits for member in record.members)


def _lines(found: Sequence[Rows]) -> list[tuple[str, Rows]]:
    """Return what is drawn, with its name: the sites of the best trial or, of one site each, the trials."""
    if len({rows.site for rows in found}) == 1:
        return [(label(rows.record), rows) for rows in found]
    best = max((rows.record for rows in found), key=quality)
    own = [rows for rows in found if rows.record is best]
    return [(html.escape(rows.site, quote=False), rows) for rows in evenly(own, MOST_TRIALS)]


def _whose(found: Sequence[Rows], drawn: Sequence[tuple[str, Rows]]) -> str:
    if len({rows.site for rows in found}) == 1:
        return f"site `{found[0].site}`, a line a trial (n = {len(drawn)})"
    best = Score(metric_in(drawn[0][1].record.objectives)).best
    more = " The table has the others." if len(drawn) < len(found) else ""
    return f"the {best} of them, {label(drawn[0][1].record)}, a line a site (n = {len(drawn)}).{more}"


def _by_degree(found: Sequence[Rows], aside: str) -> list[Block]:
    drawn = _lines(found)
    counts = {octave.place: octave for _, rows in drawn for octave in rows.octaves()}
    octaves = [counts[place] for place in sorted(counts)]
    plot = base_figure("in-degree, n = nodes", "bits of a node", height=380)
    for place, (name, rows) in enumerate(drawn):
        plot.add_trace(_line(rows, name, place, len(drawn)))
    plot.update_xaxes(
        tickmode="array",
        tickvals=[octave.place for octave in octaves],
        ticktext=[f"{octave.label}<br>n = {octave.nodes:,}" for octave in octaves],
        showgrid=False,
    )
    plot.update_layout(legend={"y": 1.02, "yanchor": "bottom"})
    members = len(found[0].widths)
    words = (
        f"How many bits a node gets, by how many neighbours it gathers from: {_whose(found, drawn)}. "
        f"A mark is the mean over an octave’s nodes and {members} seeds, a bar runs from the first to the third "
        f"quartile.{aside}"
    ).replace("..", ".")
    text = f"Lines of the mean learned width over the in-degree, {len(drawn)} of them"
    return [Words(words), Figure(id="bits-degree", label=text, plot=plot, table=_degree_table(found))]


def _line(rows: Rows, name: str, place: int, of: int) -> go.Scatter:
    """Return the mean with the quartiles as a bar, moved aside so that lines do not cover each other's bars."""
    octaves = rows.octaves()
    shift = 0.09 * (place - (of - 1) / 2)
    return go.Scatter(
        x=[octave.place + shift for octave in octaves],
        y=[octave.mean for octave in octaves],
        error_y={
            "type": "data",
            "symmetric": False,
            # Widths are whole: a mean may lie outside the quartiles, and a bar cannot begin beyond its mark.
            "array": [max(octave.high - octave.mean, 0.0) for octave in octaves],
            "arrayminus": [max(octave.mean - octave.low, 0.0) for octave in octaves],
            "color": series(place),
            "thickness": 1.2,
            "width": 3,
        },
        mode="lines+markers",
        name=name,
        line={"color": series(place), "dash": dash(place), "width": 1.5},
        marker={"color": series(place), "symbol": symbol(place), "size": 8},
        meta={"trial": rows.record.number},
        text=[_told(octave) for octave in octaves],
        hovertemplate="%{text}",
    )


def _told(octave: Octave) -> str:
    quartiles = f"quartiles {octave.low:g}, {octave.median:g}, {octave.high:g}"
    return f"in-degree {octave.label}: {octave.mean:.2f} bits, {quartiles}, {octave.nodes:,} nodes"


def _degree_table(found: Sequence[Rows]) -> Table:
    columns = (
        Column("Trial", "trial"),
        Column("Site", "text"),
        Column("In-degree", "text"),
        Column("Nodes, n", "whole"),
        Column("Seeds, n", "whole"),
        Column("Bits, mean"),
        Column("First quartile"),
        Column("Median"),
        Column("Third quartile"),
    )
    rows = [
        (
            each.record.number,
            each.site,
            octave.label,
            octave.nodes,
            len(each.widths),
            octave.mean,
            octave.low,
            octave.median,
            octave.high,
        )
        for each in found
        for octave in each.octaves()
    ]
    return Table(
        id="bits-degree-table",
        caption="Learned bits of a node by its in-degree, the seeds of a trial pooled",
        columns=columns,
        rows=rows,
        trials=[row[0] for row in rows],
    )


def _by_group(found: Sequence[Rows], aside: str) -> list[Block]:
    drawn = _lines(found)
    plot = base_figure("bits of a group", "share of the groups (%)", height=360)
    for place, (name, one) in enumerate(drawn):
        plot.add_trace(_bars(one, name, place))
    plot.update_xaxes(dtick=1, showgrid=False)
    plot.update_layout(barmode="group", legend={"y": 1.02, "yanchor": "bottom"})
    words = (
        "In graph classification a scheme learns a width for each of several groups of nodes, not for a node: how many "
        f"groups came to which width, the {len(found[0].widths)} seeds of a trial pooled. Drawn: "
        f"{_whose(found, drawn)}.{aside}"
    ).replace("..", ".")
    columns = (
        Column("Trial", "trial"),
        Column("Site", "text"),
        Column("Bits", "whole"),
        Column("Groups, n", "whole"),
        Column("Share (%)", "fraction"),
    )
    rows = [
        (each.record.number, each.site, int(width), count, count / sum(each.counts().values()))
        for each in found
        for width, count in each.counts().items()
    ]
    table = Table(
        id="bits-groups-table",
        caption="Groups of nodes by the width they learned, the seeds of a trial pooled",
        columns=columns,
        rows=rows,
        trials=[row[0] for row in rows],
    )
    text = f"Bars of how many groups of nodes have which width, {len(drawn)} series"
    return [Words(words), Figure(id="bits-groups", label=text, plot=plot, table=table)]


def _bars(rows: Rows, name: str, place: int) -> go.Bar:
    counts = rows.counts()
    whole = sum(counts.values())
    return go.Bar(
        x=list(counts),
        y=[100 * count / whole for count in counts.values()],
        text=[f"{count:,} of {whole:,} groups" for count in counts.values()],
        textposition="none",
        name=name,
        marker={
            "color": series(place),
            "pattern": {"shape": _PATTERNS[place], "bgcolor": series(place), "fgcolor": LIGHT.background},
        },
        meta={"trial": rows.record.number},
        hovertemplate="%{x} bits: %{y:.1f} %, %{text}",
    )
