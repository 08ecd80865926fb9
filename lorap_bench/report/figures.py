"""The figures, as Plotly values in light colours; the page's script adapts them to the theme.

Each figure is pure: records in, ``Figure`` out, or None where there is nothing to draw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from lorap_bench.metric import Metric
from lorap_bench.report.palette import LIGHT, dash, series, veiled
from lorap_bench.report.score import Score

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from lorap_bench.report.marginal import Group
    from lorap_bench.stats.intervals import Interval

__all__ = ["CONFIG", "TITLES", "base_figure", "interval_bars", "marginal_figure", "step_trace"]

# No upload button, no logo, no server: a report talks to no one.
CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "responsive": True,
    "modeBarButtonsToRemove": ["lasso2d", "select2d", "autoScale2d"],
    "toImageButtonOptions": {"format": "svg", "filename": "lorap-bench"},
}
TITLES = {
    **{metric.value: Score(metric).title("validation") for metric in Metric},
    "average_bits": "average bits per element",
    "overhead": "prompt overhead (% of bit operations)",
}
_LEAST_FOR_BOX = 5
_ACCURACY = Score()
_GOLDEN = (5**0.5 - 1) / 2
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_MONOSPACE = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"


def marginal_figure(path: str, groups: Sequence[Group], drawn: Container[int], score: Score = _ACCURACY) -> go.Figure:
    """Draw the metric against one parameter.

    A box spans the quartiles from five trials on, its whiskers the least to the most. Of the trials,
    those in ``drawn`` have a point.
    """
    figure = base_figure(path, TITLES[score.metric.value], height=320)
    boxed = [(place, group) for place, group in enumerate(groups) if len(group.values) >= _LEAST_FOR_BOX]
    if boxed:
        figure.add_trace(_boxes(boxed, score.scale))
    points = [
        (place, value, number)
        for place, group in enumerate(groups)
        for value, number in zip(group.values, group.numbers, strict=True)
        if number in drawn
    ]
    figure.add_trace(
        go.Scatter(
            x=[round(place + _apart(number), 3) for place, _, number in points],
            y=[score.scale * value for _, value, _ in points],
            mode="markers",
            marker={"color": LIGHT.accent, "size": 5, "opacity": 0.65},
            customdata=[number for *_, number in points],
            hovertemplate=f"trial %{{customdata}}: %{{y:{score.fine}}}{score.unit}<extra></extra>",
            showlegend=False,
        )
    )
    names = [f"{group.label}<br>n = {len(group.values)}" for group in groups]
    figure.update_xaxes(
        tickvals=list(range(len(groups))), ticktext=names, range=[-0.6, len(groups) - 0.4], showgrid=False
    )
    return figure


def _boxes(boxed: Sequence[tuple[int, Group]], scale: float) -> go.Box:
    quartiles = [np.percentile(group.values, [25, 50, 75]) * scale for _, group in boxed]
    return go.Box(
        x=[place for place, _ in boxed],
        q1=[float(low) for low, _, _ in quartiles],
        median=[float(middle) for _, middle, _ in quartiles],
        q3=[float(high) for _, _, high in quartiles],
        lowerfence=[scale * min(group.values) for _, group in boxed],
        upperfence=[scale * max(group.values) for _, group in boxed],
        width=0.5,
        fillcolor="rgba(0,0,0,0)",
        line={"color": LIGHT.muted, "width": 1},
        hoverinfo="skip",
        showlegend=False,
    )


def _apart(number: int) -> float:
    """Return how far a trial's point stands from the middle of its group: spread out, and always the same."""
    return 0.32 * ((number * _GOLDEN) % 1 - 0.5)


def step_trace(x: Iterable[float], y: Iterable[float], place: int, *, name: str, bound: str = "") -> go.Scatter:
    """Return a stepped line in the look of the series at ``place``.

    ``bound`` makes it the edge of a band instead: ``"upper"``, and then ``"lower"``, which fills what is between.
    """
    if bound:
        return go.Scatter(
            x=list(x),
            y=list(y),
            mode="lines",
            line={"width": 0, "shape": "hv", "color": series(place)},
            fill="tonexty" if bound == "lower" else None,
            fillcolor=veiled(series(place)) if bound == "lower" else None,
            legendgroup=name,
            showlegend=False,
            hoverinfo="skip",
        )
    return go.Scatter(
        x=list(x),
        y=list(y),
        mode="lines",
        name=name,
        legendgroup=name,
        line={"color": series(place), "dash": dash(place), "shape": "hv", "width": 2},
        hovertemplate="%{x:,.4~g}: %{y:.4f}",
    )


def interval_bars(intervals: Sequence[Interval], scale: float = 100.0) -> dict[str, Any]:
    """Return bars over intervals, ``scale`` times their values; each end its own, for one may be cut."""
    ends = [(one.mean if one.low is None else one.low, one.mean if one.high is None else one.high) for one in intervals]
    return {
        "type": "data",
        "symmetric": False,
        "array": [scale * (high - one.mean) for one, (_, high) in zip(intervals, ends, strict=True)],
        "arrayminus": [scale * (one.mean - low) for one, (low, _) in zip(intervals, ends, strict=True)],
    }


def base_figure(x_title: str, y_title: str, *, height: int) -> go.Figure:
    """Return an empty figure in the page's look, ``height`` pixels tall and as wide as its place."""
    axis = {
        "gridcolor": LIGHT.grid,
        "linecolor": LIGHT.rule,
        "tickcolor": LIGHT.rule,
        "zeroline": False,
        "showline": True,
        "ticks": "outside",
        "ticklen": 4,
        "automargin": True,
        "tickfont": {"color": LIGHT.muted},
    }
    return go.Figure(
        layout={
            "template": "none",
            "height": height,
            "autosize": True,
            "font": {"family": _FONT, "size": 13, "color": LIGHT.ink},
            "paper_bgcolor": LIGHT.background,
            "plot_bgcolor": LIGHT.background,
            "margin": {"l": 56, "r": 16, "t": 16, "b": 52},
            "xaxis": axis | {"title": {"text": x_title, "standoff": 10, "font": {"size": 13}}},
            "yaxis": axis | {"title": {"text": y_title, "standoff": 10, "font": {"size": 13}}},
            "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": -0.17, "yanchor": "top"},
            "hovermode": "closest",
            "hoverlabel": {
                "align": "left",
                "bgcolor": LIGHT.surface,
                "bordercolor": LIGHT.rule,
                "font": {"family": _MONOSPACE, "size": 11, "color": LIGHT.ink},
                "namelength": -1,
            },
        }
    )
