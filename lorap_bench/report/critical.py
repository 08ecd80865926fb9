"""The critical-difference diagram: average ranks of several methods, and which of them chance may have parted.

Source: Demšar, Statistical comparisons of classifiers over multiple data sets (JMLR 7, 2006), section 3.2.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import plotly.graph_objects as go

from lorap_bench.report.document import Column, Figure, Table
from lorap_bench.report.figures import base_figure
from lorap_bench.report.format import number_text, p_text
from lorap_bench.report.palette import LIGHT, veiled
from lorap_bench.stats.ranks import cliques, critical_difference, friedman

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.stats.ranks import FriedmanResult

__all__ = ["critical_figure", "ranked_words"]

_LEAST_BLOCKS, _LEAST_METHODS = 2, 3


def critical_figure(name: str, methods: Sequence[str], table: Sequence[Sequence[float | None]]) -> Figure | None:
    """Draw average ranks (1: best, of the largest values), a bar over each group that chance may have parted.

    None for fewer than three methods or two whole blocks.

    Shape:
        table ``[blocks, methods]``; blocks with a gap are left out.
    """
    if len(methods) < _LEAST_METHODS:
        return None
    found = friedman(table)
    if found.n < _LEAST_BLOCKS or found.p is None:
        return None
    difference = critical_difference(found.k, found.n)
    order = sorted(range(len(methods)), key=lambda place: found.ranks[place])
    plot = base_figure("average rank (1: best)", "", height=90 + 34 * len(methods))
    plot.add_trace(
        go.Scatter(
            x=[found.ranks[place] for place in order],
            y=[methods[place] for place in order],
            mode="markers+text",
            text=[f"{found.ranks[place]:.2f}" for place in order],
            textposition="top center",
            marker={"color": LIGHT.accent, "size": 10, "symbol": "diamond"},
            hovertemplate="%{y}: %{x:.2f}<extra></extra>",
            showlegend=False,
        )
    )
    for group in cliques(found.ranks, difference):
        ends = [found.ranks[group[0]], found.ranks[group[-1]]]
        plot.add_trace(
            go.Scatter(
                x=ends,
                y=[methods[group[0]]] * 2,
                mode="lines",
                line={"color": veiled(LIGHT.muted, 0.4), "width": 6},
                hoverinfo="skip",
                showlegend=False,
            )
        )
    plot.update_yaxes(type="category", autorange="reversed", showgrid=False)
    plot.update_xaxes(range=[0.5, len(methods) + 0.5], dtick=1 + len(methods) // 8)
    rows = [(methods[place], found.ranks[place], found.n) for place in order]
    columns = (Column("Method", "text"), Column("Average rank"), Column("n", "whole"))
    twin = Table(id=f"{name}-table", caption="Average ranks", columns=columns, rows=rows)
    best = f"{methods[order[0]]} ranks first with {found.ranks[order[0]]:.2f}"
    label = f"Average ranks of {len(methods)} methods over {found.n} blocks; {best}"
    return Figure(id=name, label=label, plot=plot, table=twin)


def ranked_words(table: Sequence[Sequence[float | None]]) -> str:
    """Say what Friedman's test finds, and the critical difference of Nemenyi's."""
    found: FriedmanResult = friedman(table)
    if found.p is None:
        return ""
    left = f"; {found.left_out} with a gap left out" if found.left_out else ""
    return (
        f"Friedman’s χ² = {number_text(found.statistic)}, p {_equals(found.p)} (n = {found.n} blocks{left}); by "
        f"Nemenyi’s test average ranks that differ by less than {critical_difference(found.k, found.n):.2f} may be "
        "chance (5 %): a bar runs from the best of such a group to its worst."
    )


def _equals(p: float) -> str:
    text = p_text(p)
    return text if text.startswith("<") else f"= {text}"
