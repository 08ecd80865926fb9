"""The figures, as Plotly values in light colours; the page's script adapts them to the theme.

Each figure is pure: records in, ``Figure`` out, or None where there is nothing to draw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from lorap_bench.report.palette import LIGHT, dash, series, veiled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lorap_bench.report.marginal import Group

__all__ = ["CONFIG", "TITLES", "base_figure", "marginal_figure", "step_trace"]

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
    "accuracy": "validation accuracy (%)",
    "average_bits": "average bits per element",
    "overhead": "prompt overhead (% of bit operations)",
}
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_MONOSPACE = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"


def marginal_figure(path: str, groups: Sequence[Group]) -> go.Figure:
    """Draw accuracy against one parameter: every trial a point, a box from five trials on."""
    figure = base_figure(path, TITLES["accuracy"], height=320)
    for group in groups:
        boxed = len(group.values) >= 5
        figure.add_trace(
            go.Box(
                x=[f"{group.label}<br>n = {len(group.values)}"] * len(group.values),
                y=[100 * value for value in group.values],
                customdata=list(group.numbers),
                boxpoints="all",
                jitter=0.35,
                pointpos=0,
                fillcolor="rgba(0,0,0,0)",
                line={"color": LIGHT.muted if boxed else "rgba(0,0,0,0)", "width": 1},
                marker={"color": LIGHT.accent, "size": 5, "opacity": 0.65},
                hoveron="points",
                hovertemplate="trial %{customdata}: %{y:.2f} %<extra></extra>",
                showlegend=False,
            )
        )
    figure.update_xaxes(type="category", showgrid=False)
    return figure


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
