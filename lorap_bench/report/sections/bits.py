"""Where the bits of the front's trials lie: by site of the network and, where widths are learned, by node."""

from __future__ import annotations

import html
import math
from itertools import groupby
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from lorap_bench.report.document import Block, Column, Figure, Heading, Section, Table, Words
from lorap_bench.report.figures import base_figure
from lorap_bench.report.format import number_text
from lorap_bench.report.palette import LIGHT, ramp
from lorap_bench.report.representatives import average_bits, by_bits, evenly, label
from lorap_bench.report.sections.row_bits import row_bits_blocks
from lorap_bench.report.site_bits import site_bits, site_parts, sites
from lorap_bench.report.trial import score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.record import TrialRecord
    from lorap_bench.report.material import Material
    from lorap_bench.report.score import Score

__all__ = ["MOST_ROWS", "section"]

MOST_ROWS = 40
_ROW = 22
_TICKS = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 16.0, 32.0)


def section(material: Material) -> Section:
    """Return the section: a heat map of the front by site, and learned widths against the nodes' in-degree."""
    front = by_bits([record for record in material.front if site_bits(record)])
    blocks: list[Block] = []
    if front:
        shown = evenly(front, MOST_ROWS)
        blocks += [Words(_lead(front, shown)), _figure(front, shown, material.score)]
    elif material.front:
        blocks.append(Words("No trial of the front records the width of its sites.", empty=True))
    else:
        blocks.append(Words("There is no front yet: no feasible trial has completed.", empty=True))
    rows = row_bits_blocks(material)
    if rows:
        blocks += [Heading("Widths learned for each node"), *rows]
    return Section(id="bits", title="Where the bits go", nav="Bits", blocks=tuple(blocks))


def _lead(front: Sequence[TrialRecord], shown: Sequence[TrialRecord]) -> str:
    text = (
        f"The width of every site in the {len(front)} trials of the front, from few bits to many. The average counts "
        "elements: a wide site with few elements hardly raises it."
    )
    if len({tuple(site_bits(record)) for record in front}) > 1:
        text += " An empty cell: that trial’s network has no such site, or its scheme leaves the site as it is."
    if any(member.bits for record in front for member in record.members):
        text += " Where widths are learned, a cell is the mean over the trial’s seeds."
    if len(shown) < len(front):
        text += f" Drawn are {len(shown)} of the {len(front)} trials, spread evenly by bits; the table has all."
    return text


def _figure(front: Sequence[TrialRecord], shown: Sequence[TrialRecord], written: Score) -> Figure:
    names = sites(front)
    cells = [[site_bits(record).get(name) for name in names] for record in shown]
    plot = base_figure("", "", height=150 + _ROW * len(shown))
    plot.add_trace(_heat_map(shown, names, cells))
    _name_layers(plot, names)
    plot.update_xaxes(
        type="category",
        labelalias={_safe(name): _safe(site_parts(name)[1]) for name in names},
        tickangle=-90 if len(names) > 8 else 0,
        tickfont={"size": 11},
        showgrid=False,
        showline=False,
        ticks="",
    )
    plot.update_yaxes(
        autorange="reversed", showgrid=False, showline=False, ticks="", type="category", tickfont={"size": 11}
    )
    plot.update_layout(margin={"t": 40})
    widths = [bits for row in cells for bits in row if bits is not None]
    words = (
        f"Heat map of bit widths, {len(shown)} trials by {len(names)} sites: "
        f"from {number_text(min(widths))} to {number_text(max(widths))} bits"
    )
    return Figure(id="bits-sites", label=words, plot=plot, table=_table(front, names, written))


def _heat_map(shown: Sequence[TrialRecord], names: Sequence[str], cells: list[list[float | None]]) -> go.Heatmap:
    """Return the widths, coloured by their logarithm: from 2 to 4 bits is as far as from 4 to 8."""
    widths = [bits for row in cells for bits in row if bits]
    low, high = min(widths, default=1.0), max(widths, default=1.0)
    ticks = [tick for tick in _TICKS if low <= tick <= high] or [low]
    return go.Heatmap(
        x=[_safe(name) for name in names],
        y=[label(record) for record in shown],
        z=[[math.log2(bits) if bits else None for bits in row] for row in cells],
        text=[["" if bits is None else number_text(round(bits, 1)) for bits in row] for row in cells],
        customdata=[[_safe(name) for name in names] for _ in shown],
        texttemplate="%{text}",
        hovertemplate="%{y}<br>%{customdata}: %{text} bits<extra></extra>",
        hoverongaps=False,
        colorscale=ramp(),
        zmin=math.log2(low),
        zmax=math.log2(high) if high > low else math.log2(low) + 1,
        xgap=1,
        ygap=1,
        meta={"trials": [record.number for record in shown]},
        colorbar={
            "title": {"text": "bits", "side": "top"},
            "tickmode": "array",
            "tickvals": [math.log2(tick) for tick in ticks],
            "ticktext": [number_text(tick) for tick in ticks],
            "thickness": 10,
            "lenmode": "pixels",
            "len": min(60 + _ROW * len(shown), 260),
            "y": 1,
            "yanchor": "top",
            "outlinewidth": 0,
            "tickfont": {"color": LIGHT.muted},
        },
    )


def _name_layers(plot: go.Figure, names: Sequence[str]) -> None:
    """Write each part of the network over its sites, with a line between two parts."""
    start = 0
    for part, group in groupby(site_parts(name)[0] for name in names):
        end = start + len(list(group))
        plot.add_annotation(
            x=(start + end - 1) / 2,
            y=1,
            yref="paper",
            yanchor="bottom",
            text=_safe(part),
            showarrow=False,
            font={"color": LIGHT.muted, "size": 11},
        )
        if start:
            plot.add_vline(x=start - 0.5, line={"color": LIGHT.ink, "width": 1.5})
        start = end


def _table(front: Sequence[TrialRecord], names: Sequence[str], written: Score) -> Table:
    title = written.title("Validation")
    columns = (
        Column("Trial", "trial"),
        Column(title, written.column("").kind),
        Column("Average bits"),
        *(Column(name) for name in names),
    )
    rows = []
    for record in front:
        widths = site_bits(record)
        bits = average_bits(record)
        average = bits if math.isfinite(bits) else None
        rows.append((record.number, score(record), average, *(widths.get(name) for name in names)))
    return Table(
        id="bits-sites-table",
        caption=f"Bit width of each site, {len(front)} trials of the front",
        columns=columns,
        rows=rows,
        trials=[record.number for record in front],
    )


def _safe(text: str) -> str:
    """Return a text so that Plotly, which reads a few HTML tags, shows it as it is."""
    return html.escape(text, quote=False)
