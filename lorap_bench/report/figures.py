"""The figures, as Plotly values in light colours; the page's script adapts them to the theme.

Each figure is pure: records in, ``Figure`` out, or None where there is nothing to draw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from lorap_bench.record import Status
from lorap_bench.report.palette import LIGHT
from lorap_bench.report.table import directions, objective_matrix
from lorap_bench.stats.front import box_hypervolume_history

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.record import TrialRecord
    from lorap_bench.report.marginal import Group
    from lorap_bench.study.spec import StudySpec

__all__ = ["CONFIG", "TITLES", "base_figure", "hypervolume_figure", "marginal_figure"]

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


def hypervolume_figure(spec: StudySpec, records: Sequence[TrialRecord]) -> go.Figure | None:
    """Draw the share of the reference box dominated after each trial."""
    ordered = sorted(records, key=lambda record: record.number)
    values = objective_matrix(spec, ordered)
    eligible = np.array([record.status is Status.COMPLETE and record.feasible for record in ordered], dtype=bool)
    if not eligible.any():
        return None
    values[~eligible] = np.nan
    history = box_hypervolume_history(values, directions(spec))
    figure = base_figure("trial", "hypervolume", height=320)
    figure.add_trace(
        go.Scatter(
            x=[record.number for record in ordered],
            y=history,
            mode="lines+markers" if len(history) <= 60 else "lines",
            line={"color": LIGHT.accent, "shape": "hv", "width": 2},
            marker={"color": LIGHT.accent, "size": 4},
            hovertemplate="after trial %{x}: %{y:.4f}<extra></extra>",
            showlegend=False,
        )
    )
    return figure


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
