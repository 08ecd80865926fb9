"""Attainment as figures: what shares of a method's runs reach, and where one method's runs reach more often."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lorap_bench.report.document import Column, Figure, Table
from lorap_bench.report.figures import TITLES, base_figure
from lorap_bench.report.palette import LIGHT, dash, series
from lorap_bench.report.pareto import octaves
from lorap_bench.report.score import Score
from lorap_bench.stats.attainment import attainment_surfaces
from lorap_bench.stats.attainment_difference import attainment_difference
from lorap_bench.stats.front import front_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.report.sides import Side
    from lorap_bench.stats.attainment_difference import Difference
    from lorap_bench.stats.front import Direction

__all__ = ["Window", "difference_figure", "plane_directions", "surfaces_figure", "window"]

_ACCURACY = Score()
_LEVELS = (0.25, 0.5, 0.75)
_MOST_ROWS = 200
_STEPS = 5  # of strength, where more different shares occur

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Window:
    """The part of the plane that figures show: the name of the cost, and the ends of it and of the metric."""

    x: str
    box: tuple[tuple[float, float], tuple[float, float]]
    score: Score = _ACCURACY

    @property
    def worst(self) -> float:
        """Return the end of the metric that is the worse one: what is attained lies from the surface to there."""
        return self.box[1][0] if self.score.metric.higher_is_better else self.box[1][1]


def plane_directions(score: Score) -> tuple[Direction, Direction]:
    """Return which way a cost and the metric are better."""
    return "min", score.metric.direction


def window(x: str, sides: Sequence[Side], score: Score = _ACCURACY) -> Window | None:
    """Return the part of the plane in which the runs of any side have their fronts; None where no run has a point."""
    directions = plane_directions(score)
    fronts = [run[front_mask(run, directions)] for side in sides for run in side.runs if len(run)]
    points = np.concatenate(fronts) if fronts else np.empty((0, 2))
    if not len(points):
        return None
    (left, bottom), (right, top) = points.min(axis=0), points.max(axis=0)
    margin_x, margin_y = 0.04 * (right - left) or 0.05 * abs(right) or 1.0, 0.06 * (top - bottom) or 0.01
    low, high = (bottom - margin_y, top) if score.metric.higher_is_better else (bottom, top + margin_y)
    return Window(x, ((float(left), float(right + margin_x)), (float(low), float(high))), score)


def surfaces_figure(name: str, sides: Sequence[Side], shown: Window) -> Figure:
    """Draw for each side what half of its runs attain as a line, and what a quarter to three quarters do as a band."""
    plot = _base(shown, height=460)
    rows: list[tuple[Any, ...]] = []
    for place, side in enumerate(sides):
        surfaces = attainment_surfaces(side.runs, plane_directions(shown.score), _LEVELS)
        plot.add_trace(_band(surfaces[0.25], surfaces[0.75], shown, place, side.label))
        plot.add_trace(_line(surfaces[0.5], shown, place, side))
        rows += [
            (side.label, level, float(x), float(y), len(side.runs), side.trials)
            for level, corners in surfaces.items()
            for x, y in corners
        ]
    columns = (
        Column("Method", "text"),
        Column("Attained by, % of runs", "fraction"),
        Column(_title(shown.x)),
        shown.score.single(shown.score.heading),
        Column("Runs", "whole"),
        Column("Trials", "whole"),
    )
    caption = "Corners of the attainment surfaces"
    table = Table(id=f"{name}-corners", caption=caption, columns=columns, rows=rows)
    each = "; ".join(f"{side.label}, n = {len(side.runs)}" for side in sides)
    cost = shown.x.replace("_", " ")
    label = (
        f"Validation {shown.score.name} that a quarter, half and three quarters of the runs reach, by {cost}: {each}"
    )
    return Figure(id=name, label=label, plot=plot, table=table)


def difference_figure(name: str, one: Side, other: Side, shown: Window) -> Figure:
    """Draw where the share of runs that attain differs: blue where the first's is larger, vermillion the second's."""
    directions = plane_directions(shown.score)
    found = attainment_difference(one.runs, other.runs, directions, shown.box)
    plot = _base(shown, height=460)
    for trace in _areas(found, one, other, shown.score.scale):
        plot.add_trace(trace)
    for place, side in enumerate((one, other)):
        half = attainment_surfaces(side.runs, directions, (0.5,))[0.5]
        line = _line(half, shown, place, side)
        plot.add_trace(line.update(line={"color": LIGHT.ink, "width": 1.4}, legendgroup="", showlegend=False))
    table = _boxes(name, found, one, other, shown)
    label = (
        f"Where runs of {one.label} (n = {found.first}) and of {other.label} (n = {found.second}) attain more often: "
        f"{_extremes(found)}"
    )
    return Figure(id=name, label=label, plot=plot, table=table)


def _base(shown: Window, *, height: int) -> go.Figure:
    plot = base_figure(TITLES[shown.x], TITLES[shown.score.metric.value], height=height)
    (left, right), (bottom, top) = shown.box
    octaves(plot, shown.x, [left, right])
    ends = [0.97 * left, right] if plot.layout.xaxis.type == "log" else [left - 0.02 * (right - left), right]
    plot.update_xaxes(range=np.log10(ends).tolist() if plot.layout.xaxis.type == "log" else ends)
    room = 0.04 * (top - bottom)
    low, high = (bottom, top + room) if shown.score.metric.higher_is_better else (bottom - room, top)
    plot.update_yaxes(range=[shown.score.scale * low, shown.score.scale * high])
    plot.update_layout(margin_b=104, legend={"yref": "container", "y": 0, "yanchor": "bottom"})
    return plot


def _path(corners: Floats, shown: Window) -> tuple[list[float], list[float]]:
    """Return the outline of what a surface's corners attain, from the window's worse edge to its right one."""
    _, right = shown.box[0]
    if not len(corners):
        return [], []
    ys = np.repeat([shown.worst, *corners[:, 1]], 2)[1:]
    return [*np.repeat(corners[:, 0], 2).tolist(), right], (shown.score.scale * ys).tolist()


def _band(upper: Floats, lower: Floats, shown: Window, place: int, label: str) -> go.Scatter:
    """Fill between two surfaces; down to the corner of the window where the lower one is out of reach."""
    _, right = shown.box[0]
    xs, ys = _path(upper, shown)
    back_x, back_y = _path(lower, shown) if len(lower) else ([right], [shown.score.scale * shown.worst])
    return go.Scatter(
        x=[*xs, *reversed(back_x)] if xs else [],
        y=[*ys, *reversed(back_y)] if xs else [],
        mode="lines",
        line={"width": 0, "color": series(place)},
        fill="toself",
        fillcolor=series(place),
        opacity=0.18,
        legendgroup=label,
        showlegend=False,
        hoverinfo="skip",
    )


def _line(corners: Floats, shown: Window, place: int, side: Side) -> go.Scatter:
    xs, ys = _path(corners, shown)
    unit = "bits" if shown.x == "average_bits" else "% overhead"
    reached = f"%{{y:{shown.score.digits}}}{shown.score.unit}"
    return go.Scatter(
        x=xs,
        y=ys,
        mode="lines",
        name=f"{_shown(side.label)} (n = {len(side.runs)} runs, {side.trials} trials)",
        legendgroup=side.label,
        line={"color": series(place), "dash": dash(place), "width": 2.2},
        hovertemplate=f"%{{fullData.name}}<br>half of the runs: {reached} at %{{x:.3~g}} {unit}<extra></extra>",
    )


def _areas(found: Difference, one: Side, other: Side, scale: float) -> list[go.Scatter]:
    """Return one trace a sign and step of strength, the weakest first."""
    sizes = np.round(np.abs(found.share), 6)
    steps: Floats = np.unique(sizes)
    if len(steps) > _STEPS:
        steps = np.linspace(0, 1, _STEPS + 1)[1:]
    reached = np.searchsorted(steps, sizes)
    traces = []
    for place, (sign, side) in enumerate(((1, one), (-1, other))):
        for step, most in enumerate(steps):
            chosen = np.flatnonzero((reached == step) & (np.sign(found.share) == sign))
            if len(chosen):
                trace = _area(found, chosen, (sign, float(most)), place, scale)
                traces.append(trace.update(text=f"{_shown(side.label)} {trace.text}"))
    return traces


def _area(found: Difference, chosen: NDArray[np.int64], strength: tuple[int, float], place: int, scale: float) -> Any:
    sign, most = strength
    xs: list[float | None] = []
    ys: list[float | None] = []
    for index in chosen:
        (left, bottom), (right, top) = found.lower[index], found.upper[index]
        xs += [left, right, right, left, left, None]
        ys += [scale * bottom, scale * bottom, scale * top, scale * top, scale * bottom, None]
    least, largest = (f"{100 * end:.0f}" for end in np.quantile(np.abs(found.share[chosen]), [0, 1]))
    span = least if least == largest else f"{least} to {largest}"
    text = f"{'+' if sign > 0 else '−'}{span} points"
    return go.Scatter(
        x=xs[:-1],
        y=ys[:-1],
        mode="lines",
        line={"width": 0, "color": series(place)},
        fill="toself",
        fillcolor=series(place),
        opacity=0.12 + 0.7 * most,
        name=text,
        text=f"more often<br>by {span} points of runs ({'+' if sign > 0 else '−'})",
        hoveron="fills",
        hoverinfo="text",
    )


def _boxes(name: str, found: Difference, one: Side, other: Side, shown: Window) -> Table:
    """Return the rectangles, the largest first."""
    area = np.prod(found.upper - found.lower, axis=1)
    order = np.argsort(-area, kind="stable")[:_MOST_ROWS]
    title = _title(shown.x)
    columns = (
        Column(f"{title} from"),
        Column("to"),
        shown.score.single(f"{shown.score.heading} from"),
        shown.score.single("to"),
        Column(f"Share of {one.label} less share of {other.label}, points", "points"),
    )
    rows = [
        (
            float(found.lower[index, 0]),
            float(found.upper[index, 0]),
            float(found.lower[index, 1]),
            float(found.upper[index, 1]),
            float(found.share[index]),
        )
        for index in order
    ]
    caption = f"Rectangles in which the shares of runs differ: n = {found.first} and n = {found.second}"
    return Table(id=f"{name}-boxes", caption=caption, columns=columns, rows=rows, of=len(found.share))


def _extremes(found: Difference) -> str:
    if not len(found.share):
        return "nowhere, they attain the same"
    most, least = 100 * max(0.0, float(found.share.max())), 100 * max(0.0, float(-found.share.min()))
    return f"at most {most:.0f} points more of the first's runs, and at most {least:.0f} points more of the second's"


def _shown(label: str) -> str:
    """Return a label as Plotly shows it letter by letter."""
    return html.escape(label, quote=False)


def _title(x: str) -> str:
    return "Average bits" if x == "average_bits" else "Overhead, %"
