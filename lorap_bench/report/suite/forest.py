"""The forest plot of gains: means over data sets with their intervals, and the single gains behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import plotly.graph_objects as go

from lorap_bench.report.document import Figure
from lorap_bench.report.figures import base_figure
from lorap_bench.report.format import LEAST_FOR_INTERVAL
from lorap_bench.report.palette import LIGHT, series, symbol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.report.document import Table
    from lorap_bench.report.score import Score
    from lorap_bench.report.suite.gains import Gain, Pooled

__all__ = ["forest"]


def forest(name: str, score: Score, gains: tuple[Sequence[Pooled], Sequence[Gain]], twin: Table) -> Figure:
    """Draw a row for each mean over data sets: a diamond with its interval, beneath it the gains that it is made from.

    Colour and shape tell the prompts apart; rows stand together by scheme. ``gains`` are the means over data sets and
    the single gains, ``twin`` the table of the latter.
    """
    rows, found = gains
    prompts = list(dict.fromkeys(one.prompt for one in rows))
    schemes = list(dict.fromkeys(one.scheme for one in rows))
    ordered = [one for scheme in schemes for one in rows if one.scheme == scheme]
    heights = _heights(ordered)
    plot = base_figure(
        f"gain over no prompt ({'points' if score.percent else 'less MAE'})",
        "",
        height=150 + 30 * len(ordered) + 10 * len(schemes),
    )
    plot.add_vline(x=0, line={"color": LIGHT.muted, "width": 1})
    for place, prompt in enumerate(prompts):
        own = [(one, heights[at]) for at, one in enumerate(ordered) if one.prompt == prompt]
        plot.add_trace(_singles(score, place, own, found))
        plot.add_trace(_means(score, place, own))
    names = [f"{one.scheme or 'all schemes'} · {one.prompt}" for one in ordered]
    plot.update_yaxes(tickvals=heights, ticktext=names, range=[min(heights) - 1, 1], showgrid=False)
    plot.update_layout(margin_b=96)
    best = max(rows, key=lambda one: one.comparison.difference.mean)
    label = (
        f"Gain of {len(prompts)} prompts over none under {len([one for one in schemes if one])} schemes, means over "
        f"data sets with 95 % intervals; the largest is that of {best.prompt} with {best.scheme or 'all schemes'}"
    )
    return Figure(id=name, label=label, plot=plot, table=twin)


def _heights(ordered: Sequence[Pooled]) -> list[float]:
    """Return where each row stands: from 0 downwards, a gap between schemes."""
    heights, at = [], 0.0
    for place, one in enumerate(ordered):
        if place:
            at -= 1.0 if one.scheme == ordered[place - 1].scheme else 1.5
        heights.append(at)
    return heights


def _behind(one: Pooled, found: Sequence[Gain]) -> list[Gain]:
    return [gain for gain in found if gain.arm.prompt == one.prompt and one.scheme in {"", gain.arm.scheme}]


def _singles(score: Score, place: int, own: Sequence[tuple[Pooled, float]], found: Sequence[Gain]) -> go.Scatter:
    points = [(gain, height) for one, height in own for gain in _behind(one, found)]
    return go.Scatter(
        x=[score.scale * gain.comparison.difference.mean for gain, _ in points],
        y=[height - 0.3 for _, height in points],
        mode="markers",
        marker={"color": series(place), "symbol": symbol(place), "size": 5, "opacity": 0.45},
        hovertext=[f"{gain.group.name}: {gain.arm}" for gain, _ in points],
        hovertemplate="%{hovertext}: %{x:+.3~g}<extra></extra>",
        showlegend=False,
    )


def _means(score: Score, place: int, own: Sequence[tuple[Pooled, float]]) -> go.Scatter:
    gaps = [one.comparison.difference for one, _ in own]
    half = [
        0.0 if gap.high is None or gap.n < LEAST_FOR_INTERVAL else score.scale * (gap.high - gap.mean) for gap in gaps
    ]
    return go.Scatter(
        x=[score.scale * gap.mean for gap in gaps],
        y=[height for _, height in own],
        mode="markers",
        name=own[0][0].prompt,
        marker={"color": series(place), "symbol": "diamond", "size": 10},
        error_x={"type": "data", "array": half, "color": series(place), "thickness": 1.6, "width": 4},
        hovertext=[f"{one.scheme or 'all schemes'}, {one.prompt}: n = {one.comparison.n} data sets" for one, _ in own],
        hovertemplate="%{hovertext}, %{x:+.3~g}<extra></extra>",
    )
