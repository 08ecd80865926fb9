"""The Pareto figure with all three objectives at once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from lorap_bench.report.figures import base_figure
from lorap_bench.report.marks import bare_records
from lorap_bench.report.palette import LIGHT, ramp
from lorap_bench.report.pareto import axis_scale, grouped
from lorap_bench.report.trial import objective, score

if TYPE_CHECKING:
    from lorap_bench.record import TrialRecord
    from lorap_bench.report.material import Material
    from lorap_bench.report.score import Score

__all__ = ["space_figure"]

_LOOKS: dict[str, dict[str, Any]] = {
    "infeasible": {"symbol": "circle-open", "size": 3.5, "color": LIGHT.faint},
    "dominated": {"symbol": "circle", "size": 3, "opacity": 0.55},
    "front": {"symbol": "diamond", "size": 5.5},
}
_COSTS = ("average_bits", "overhead")


def space_figure(material: Material) -> go.Figure | None:
    """Draw the trials over bits and overhead, the metric upright and as colour; None unless all three are sought."""
    written = material.score
    axes = (*_COSTS, written.metric.value)
    if set(material.spec.objectives) != set(axes):
        return None
    figure = base_figure("", "", height=520)
    for name, (members, _) in grouped(material).items():
        shown = [record for record in members if all(math.isfinite(value) for value in _place(record, axes))]
        if shown:
            figure.add_trace(_points(name, [_place(record, axes) for record in shown], shown))
    if not figure.data:
        return None
    bare = [(record, found.mean) for record in bare_records(material) if (found := score(record)) is not None]
    if bare:
        figure.add_trace(_baselines(bare, written))
    axis = {
        "backgroundcolor": LIGHT.background,
        "gridcolor": LIGHT.rule,
        "linecolor": LIGHT.rule,
        "zeroline": False,
        "showspikes": False,
        "tickfont": {"color": LIGHT.muted, "size": 10},
    }
    titles = ("average bits", "overhead (%)", written.title("").strip())
    scene = {
        f"{letter}axis": axis | {"title": {"text": title, "font": {"size": 12}}}
        for letter, title in zip("xyz", titles, strict=True)
    }
    camera = {"eye": {"x": 1.35, "y": 1.35, "z": 0.6}, "center": {"x": 0, "y": 0, "z": -0.16}}
    view = {"camera": camera, "aspectmode": "manual", "aspectratio": {"x": 1.25, "y": 1.25, "z": 0.8}}
    figure.update_layout(scene=scene | view, margin={"l": 0, "r": 0, "t": 0, "b": 0}, legend_y=0.02)
    return figure


def _points(name: str, places: list[tuple[float, float, float]], records: list[TrialRecord]) -> go.Scatter3d:
    bits, overhead, height = zip(*places, strict=True)
    marker = dict(_LOOKS[name])
    if "color" not in marker:
        marker |= {"color": list(height), "colorscale": [list(stop) for stop in ramp()]}
    return go.Scatter3d(
        x=list(bits),
        y=list(overhead),
        z=list(height),
        mode="markers",
        name=name,
        marker=marker,
        customdata=[record.number for record in records],
        hovertemplate="trial %{customdata}<extra></extra>",
    )


def _baselines(bare: list[tuple[TrialRecord, float]], written: Score) -> go.Scatter3d:
    """Draw the confirmed trials' schemes without a prompt, by their validation metric on fresh seeds."""
    return go.Scatter3d(
        x=[record.costs.get("average_bits") for record, _ in bare],
        y=[record.costs.get("overhead") for record, _ in bare],
        z=[written.scale * mean for _, mean in bare],
        mode="markers",
        name=f"baseline: no prompt, fresh seeds (n = {len(bare)})",
        marker={"symbol": "square-open", "size": 4.5, "color": LIGHT.muted},
        hovertemplate=f"no prompt: %{{x:.2f}} bits, validation %{{z:{written.digits}}}{written.unit}<extra></extra>",
    )


def _place(record: TrialRecord, axes: tuple[str, ...]) -> tuple[float, float, float]:
    bits, overhead, height = (objective(record, name) * axis_scale(name) for name in axes)
    return bits, overhead, height
