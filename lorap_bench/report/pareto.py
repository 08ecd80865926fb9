"""The Pareto figure: every complete trial where it costs and what it is worth, the front on top."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from lorap_bench.metric import Metric
from lorap_bench.record import Status
from lorap_bench.report.figures import TITLES, base_figure
from lorap_bench.report.marks import bare_records, bare_trace, known_figures, published_trace
from lorap_bench.report.palette import LIGHT, ramp
from lorap_bench.report.trial import objective, score
from lorap_bench.stats.front import front_mask
from lorap_bench.store.look import Baseline
from lorap_bench.study.spec import OBJECTIVES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.record import TrialRecord
    from lorap_bench.report.material import Material
    from lorap_bench.report.score import Score
    from lorap_bench.study.spec import StudySpec

__all__ = ["Shade", "axes", "axis_scale", "grouped", "has_shades", "octaves", "pareto_figure"]

_MARKERS: dict[str, dict[str, Any]] = {
    "infeasible": {"symbol": "circle-open", "size": 8, "opacity": 0.9, "line": {"color": LIGHT.faint, "width": 1.3}},
    "dominated": {"symbol": "circle", "size": 7, "opacity": 0.6, "line": {"width": 0}},
    "front": {"symbol": "diamond", "size": 12, "opacity": 1.0, "line": {"color": LIGHT.ink, "width": 1}},
}


def axes(spec: StudySpec) -> tuple[str, str]:
    """Return which objectives the Pareto figure shows along x and y.

    The metric stands upright against average bits where the study has no say in it; a study without
    its metric shows its two costs.
    """
    metric = spec.metric.value
    if metric not in spec.objectives and len(spec.objectives) == 2:
        return "average_bits", "overhead"
    costs = [name for name in spec.objectives if name != metric]
    return ("average_bits" if "average_bits" in costs or not costs else costs[0]), metric


def pareto_figure(material: Material) -> go.Figure | None:
    """Draw the complete trials: front strong, dominated thin, infeasible hollow, bars = seed spread; None without any.

    Where the front was confirmed, squares mark its schemes without a prompt, a line the same models in FP32.
    """
    spec, written = material.spec, material.score
    x, y = axes(spec)
    shown = [record for record in material.drawn if _drawable(record, x, y)]
    if not shown:
        return None
    colour = Shade(shown) if "overhead" not in {x, y} and has_shades(shown) else None
    figure = base_figure(TITLES[x], TITLES[y], height=500)
    if {x, y} <= set(spec.objectives):  # else the line would not be the front of this study
        right = max(objective(record, x) for record in shown)
        figure.add_trace(_staircase([record for record in material.front if _drawable(record, x, y)], x, y, right))
    for name, (members, count) in grouped(material).items():
        drawn = [record for record in members if _drawable(record, x, y)]
        if drawn:
            figure.add_trace(_legend_entry(name, count, len(drawn)))
            figure.add_trace(_points(name, drawn, (x, y), colour=colour))
    if y == written.metric.value:
        _add_marks(figure, material, x)
    if y == written.metric.value and (level := _fp32(material)) is not None:
        figure.add_hline(y=written.scale * level, line={"color": LIGHT.muted, "dash": "dot", "width": 1.2})
        text = "best FP32 without a prompt (validation, fresh seeds)"
        figure.add_annotation(
            x=0, xref="paper", y=written.scale * level, text=text, showarrow=False, yshift=9, xanchor="left"
        )
    on_front = [record for record in material.front if _drawable(record, x, y)]
    if on_front:
        figure.add_trace(_targets(on_front, x, y))
    figure.update_layout(margin_b=88, dragmode="select")  # the legend's place
    if colour is not None:
        figure.update_layout(coloraxis=colour.axis, margin_t=52)
    octaves(figure, x, [objective(record, x) for record in shown])
    if y == written.metric.value and on_front:
        _cut(figure, on_front, shown, written)
    return figure


def _cut(figure: go.Figure, front: Sequence[TrialRecord], shown: Sequence[TrialRecord], written: Score) -> None:
    """End the axis a little beyond the front, where many would else stand on one line, and tell what lies worse.

    Accuracies that are worse lie below, errors above.
    """
    name, up = written.metric.value, written.metric.quality
    means = [up(written.scale * objective(record, name)) for record in shown]
    low = min(up(written.scale * objective(record, name)) - written.scale * _std(record) for record in front)
    top, least = max(means), written.scale / 100
    floor = low - 0.06 * max(top - low, least)
    beyond = sum(mean < floor for mean in means)
    if beyond:
        ends = sorted([up(floor), up(top + 0.08 * max(top - floor, least))])
        figure.update_yaxes(range=ends)
        side = "below" if written.metric.higher_is_better else "above"
        words = f"{beyond} trial{'s' if beyond > 1 else ''} {side} (double click shows all)"
        place = {"y": 0, "yshift": 10} if side == "below" else {"y": 1, "yshift": -10}
        figure.add_annotation(x=1, xref="paper", yref="paper", text=words, showarrow=False, xanchor="right", **place)


def _std(record: TrialRecord) -> float:
    found = score(record)
    return found.std if found is not None and found.std is not None else 0.0


def _add_marks(figure: go.Figure, material: Material, x: str) -> None:
    """Mark the confirmed trials' schemes without a prompt and, for whoever asks in the legend, published figures."""
    bare = bare_records(material)
    if bare:
        figure.add_trace(bare_trace(bare, x, material.score))
    known = known_figures(material) if x == "average_bits" else []
    if known:
        stars = published_trace(known, f"published, test {material.score.name}", material.score)
        stars.visible = "legendonly"  # the others are of the validation split, and FP32 lies far to the right
        figure.add_trace(stars)


def grouped(material: Material) -> dict[str, tuple[list[TrialRecord], int]]:
    """Return the drawn trials by their part, and how many there are of each; the front last, so on top."""
    parts: dict[str, tuple[list[TrialRecord], int]] = {}
    for name in ("infeasible", "dominated", "front"):
        members = [record for record in material.drawn if material.part(record) == name]
        parts[name] = (members, sum(material.part(record) == name for record in material.complete))
    return parts


def octaves(figure: go.Figure, name: str, values: Sequence[float]) -> None:
    """Make an axis of widths logarithmic where they span much: 32-bit trials would squeeze the rest into a corner."""
    if name == "average_bits" and values and max(values) > 2 * min(values) > 0:
        figure.update_xaxes(
            type="log",
            title_text=f"{figure.layout.xaxis.title.text}, logarithmic",
            tickvals=[1, 2, 3, 4, 6, 8, 12, 16, 24, 32],
        )


def _fp32(material: Material) -> float | None:
    """Return the best validation metric, on fresh seeds, of the confirmed models in FP32 without a prompt."""
    records = [
        found.baselines[Baseline.FP32] for found in material.confirmations.values() if Baseline.FP32 in found.baselines
    ]
    unique = {record.digest: record for record in records}.values()
    means = [interval.mean for record in unique if (interval := score(record)) is not None]
    return max(means, key=material.metric.quality, default=None)


class Shade:
    """Overhead as colour: the axis, and each trial's place on it (logarithmic over wide spans)."""

    def __init__(self, records: Sequence[TrialRecord]) -> None:
        overheads = [objective(record, "overhead") for record in records]
        positive = [value for value in overheads if value > 0]
        self.floor = min(positive)
        self.log = max(positive) > 30 * self.floor
        bar: dict[str, Any] = {
            "title": {"text": "overhead (%)", "side": "top", "font": {"size": 12}},
            "orientation": "h",
            "x": 1,
            "xanchor": "right",
            "y": 1.02,
            "yanchor": "bottom",
            "len": 0.34,
            "thickness": 9,
            "outlinewidth": 0,
            "tickfont": {"size": 11, "color": LIGHT.muted},
        }
        if self.log:
            ticks = _log_ticks(self.floor, max(positive))
            bar |= {"tickvals": [math.log10(tick) for tick in ticks], "ticktext": [f"{tick:g}" for tick in ticks]}
        self.axis = {"colorscale": [list(stop) for stop in ramp()], "colorbar": bar}

    def of(self, record: TrialRecord) -> float:
        """Return a trial's place; no overhead at all stands at the lowest that occurs."""
        value = max(objective(record, "overhead"), self.floor if self.log else 0.0)
        return math.log10(value) if self.log else value


def _log_ticks(low: float, high: float) -> list[float]:
    """Return 1, 2, 5 times the powers of ten inside the range; powers alone over more than three."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if len(powers) <= 4 else (1,)
    return [step * 10.0**power for power in powers for step in steps if low <= step * 10.0**power <= high]


def has_shades(records: Sequence[TrialRecord]) -> bool:
    """Whether the trials' overheads can be told apart by a colour."""
    overheads = [objective(record, "overhead") for record in records]
    return bool(overheads) and bool(np.isfinite(overheads).all()) and min(overheads) != max(overheads)


def _drawable(record: TrialRecord, x: str, y: str) -> bool:
    finite = math.isfinite(objective(record, x)) and math.isfinite(objective(record, y))
    return record.status is Status.COMPLETE and finite


def _staircase(front: Sequence[TrialRecord], x: str, y: str, right: float) -> go.Scatter:
    """Draw the best y that each x can buy, out to the right end."""
    points = np.array([[objective(record, x), objective(record, y)] for record in front]).reshape(-1, 2)
    kept = points[front_mask(points, [OBJECTIVES[x], OBJECTIVES[y]])]
    ordered = kept[np.argsort(kept[:, 0])] if len(kept) else kept
    xs, ys = ordered[:, 0].tolist(), (ordered[:, 1] * axis_scale(y)).tolist()
    return go.Scatter(
        x=[*xs, right] if xs else [],
        y=[*ys, ys[-1]] if ys else [],
        mode="lines",
        name="front in this plane",
        legendrank=1001,
        line={"color": LIGHT.accent, "shape": "hv", "width": 1.5},
        hoverinfo="skip",
    )


def _points(name: str, records: Sequence[TrialRecord], axis: tuple[str, str], *, colour: Shade | None) -> go.Scatter:
    x, y = axis
    marker = dict(_MARKERS[name])
    if name == "infeasible":
        marker["color"] = LIGHT.faint
    elif colour is None:
        marker["color"] = LIGHT.accent
    else:
        marker |= {"color": [colour.of(record) for record in records], "coloraxis": "coloraxis"}
    return go.Scatter(
        x=[objective(record, x) for record in records],
        y=[objective(record, y) * axis_scale(y) for record in records],
        error_y=_bars(records, name, axis_scale(y)) if y in set(Metric) else None,
        mode="markers",
        legendgroup=name,
        showlegend=False,
        marker=marker,
        customdata=[record.number for record in records],
        hoverinfo="skip" if name == "front" else None,  # its targets answer
        hovertemplate=None if name == "front" else "trial %{customdata}<extra></extra>",
    )


def _targets(front: Sequence[TrialRecord], x: str, y: str) -> go.Scatter:
    """Return what a pointer meets on the front: of marks that overlap, Plotly takes the smallest."""
    return go.Scatter(
        x=[objective(record, x) for record in front],
        y=[objective(record, y) * axis_scale(y) for record in front],
        mode="markers",
        marker={"size": 6, "opacity": 0, "color": LIGHT.ink},
        customdata=[record.number for record in front],
        hovertemplate="trial %{customdata}<extra></extra>",
        showlegend=False,
    )


def _legend_entry(name: str, count: int, drawn: int) -> go.Scatter:
    """Return an empty trace for the legend, in one colour: points coloured by value have none to show there."""
    marker = _MARKERS[name] | {"color": LIGHT.faint if name == "infeasible" else LIGHT.accent}
    label = f"{name} (n = {count})" if drawn == count else f"{name} (n = {count}, {drawn} drawn)"
    return go.Scatter(
        x=[None],
        y=[None],
        mode="markers",
        name=label,
        legendgroup=name,
        legendrank=1000 - list(_MARKERS).index(name),
        marker=marker,
        hoverinfo="skip",
    )


def _bars(records: Sequence[TrialRecord], name: str, scale: float) -> dict[str, Any]:
    spreads = [interval.std if (interval := score(record)) else None for record in records]
    return {
        "type": "data",
        "array": [scale * (spread or 0.0) for spread in spreads],
        "color": LIGHT.muted if name == "front" else LIGHT.rule,
        "thickness": 1.2 if name == "front" else 1.0,
        "width": 3 if name == "front" else 0,
    }


def axis_scale(name: str) -> float:
    """Return what an objective is multiplied with on its axis."""
    return Metric(name).scale if name in set(Metric) else 1.0
