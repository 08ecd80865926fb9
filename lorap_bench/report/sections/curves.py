"""How the front's trials trained: validation metric and training loss by epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from lorap_bench.report.document import Column, Figure, Pair, Section, Table, Words
from lorap_bench.report.figures import base_figure
from lorap_bench.report.palette import dash, series, symbol
from lorap_bench.report.representatives import label, spread
from lorap_bench.report.training import Course, course
from lorap_bench.report.trial import quality
from lorap_bench.report.verdict import winners

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lorap_bench.record import Curves, TrialRecord
    from lorap_bench.report.document import Block
    from lorap_bench.report.material import Material
    from lorap_bench.report.score import Score

__all__ = ["MOST_TRIALS", "section"]

MOST_TRIALS = 6
"""As many as there are colours and dashes: a seventh line could be told from the first by nothing."""
_POINTS = 200
_WITH_BAND = 3
_DECADE = 10


@dataclass(frozen=True, slots=True, eq=False)
class _Trained:
    record: TrialRecord
    curves: Curves


def section(material: Material) -> Section:
    """Return the section."""
    return Section(id="curves", title="Training curves of the front", nav="Curves", blocks=tuple(_blocks(material)))


def _blocks(material: Material) -> Iterator[Block]:
    if not material.front:
        yield Words("There is no front yet: no feasible trial has completed.", empty=True)
        return
    won = [winner.record.number for winner in winners(material.able)]
    read = [
        _Trained(record, material.curves(record.number)) for record in spread(material.front, MOST_TRIALS, always=won)
    ]
    shown = [one for one in read if course(one.record.config, one.curves, "val_metric") is not None]
    if not shown:
        yield Words(
            "The trials of the front have no curves here. A search keeps them in `curves/` of the study’s folder: "
            "copy that beside `trials/`.",
            empty=True,
        )
        return
    yield Words(_lead(material, shown))
    yield Pair(((_validation(shown, material.score),), (_loss(shown),)))


def _lead(material: Material, shown: Sequence[_Trained]) -> str:
    seeds = sorted({len(one.record.members) for one in shown})
    text = (
        f"{len(shown)} of the {len(material.front)} trials of the front, spread by bits, the best under each bit "
        f"budget among them. A line is the mean over a trial’s seeds (n = {'–'.join(map(str, seeds))}); "
        "the first epoch is 0."
    )
    if seeds[-1] > 1:
        whose = "each line" if len(shown) <= _WITH_BAND else f"the first and the {material.score.best} line"
        text += f" The band around {whose} runs from the least to the most of its seeds; the tables have every seed."
    return text


def _validation(shown: Sequence[_Trained], written: Score) -> Figure:
    plot = _plot(shown, "val_metric", written.title("validation"), written.scale)
    columns = (
        Column("Trial", "trial"),
        Column("Seed", "whole"),
        Column("Epochs", "whole"),
        Column("Best epoch", "whole"),
        written.single(f"{written.heading} at the best epoch"),
        written.single(f"{written.heading} at the last"),
    )
    rows = [
        (one.record.number, member.seed, member.epochs, member.best_epoch, member.val, _last(one, "val_metric", place))
        for one in shown
        for place, member in enumerate(one.record.members)
    ]
    table = _table("curves-validation-table", f"Validation {written.name} by trial and seed", columns, rows)
    words = f"Lines of validation {written.name} by epoch, {len(shown)} trials of the front"
    return Figure(id="curves-validation", label=words, plot=plot, table=table)


def _loss(shown: Sequence[_Trained]) -> Figure:
    plot = _plot(shown, "train_loss", "training loss", 1.0)
    columns = (
        Column("Trial", "trial"),
        Column("Seed", "whole"),
        Column("Epochs", "whole"),
        Column("Training loss, last"),
        Column("Validation loss, last"),
    )
    rows = [
        (one.record.number, member.seed, member.epochs, _last(one, "train_loss", place), _last(one, "val_loss", place))
        for one in shown
        for place, member in enumerate(one.record.members)
    ]
    table = _table("curves-loss-table", "Loss by trial and seed", columns, rows)
    values = [value for trace in plot.data for value in trace.y]
    if values and 0 < _DECADE * min(values) < max(values):
        plot.update_yaxes(type="log", dtick="D2" if max(values) < _DECADE**4 * min(values) else 1)
    words = f"Lines of training loss by epoch, {len(shown)} trials of the front"
    return Figure(id="curves-loss", label=words, plot=plot, table=table)


def _table(name: str, caption: str, columns: tuple[Column, ...], rows: list[tuple[Any, ...]]) -> Table:
    return Table(id=name, caption=caption, columns=columns, rows=rows, trials=[row[0] for row in rows])


def _last(one: _Trained, name: str, place: int) -> float | None:
    """Return a member's last value of a curve."""
    members = one.curves.get(name, [])
    values = [value for value in members[place] if math.isfinite(value)] if place < len(members) else []
    return values[-1] if values else None


def _plot(shown: Sequence[_Trained], name: str, title: str, factor: float) -> go.Figure:
    plot = base_figure("epoch", title, height=400)
    best = max(shown, key=lambda one: quality(one.record))
    lines = []
    for place, one in enumerate(shown):
        found = course(one.record.config, one.curves, name)
        if found is None:
            continue
        drawn = found.thinned(_POINTS)
        if len(one.record.members) > 1 and (len(shown) <= _WITH_BAND or one in {shown[0], best}):
            plot.add_traces(_band(one.record, drawn, place, factor))
        lines.append(_line(one.record, drawn, place, factor))
    plot.add_traces(lines)
    plot.update_layout(legend={"y": 1.02, "yanchor": "bottom", "tracegroupgap": 0})
    return plot


def _line(record: TrialRecord, drawn: Course, place: int, factor: float) -> go.Scatter:
    return go.Scatter(
        x=drawn.epochs.tolist(),
        y=(factor * drawn.mean).tolist(),
        mode="lines" if len(drawn.epochs) > 1 else "markers",
        name=label(record),
        legendgroup=str(record.number),
        line={"color": series(place), "dash": dash(place), "width": 1.8},
        marker={"color": series(place), "symbol": symbol(place)},
        meta={"trial": record.number},
        hovertemplate="epoch %{x}: %{y:.3~f}",
    )


def _band(record: TrialRecord, drawn: Course, place: int, factor: float) -> list[go.Scatter]:
    """Return the two edges of a band, the second with what is between them filled."""
    return [
        go.Scatter(
            x=drawn.epochs.tolist(),
            y=(factor * edge).tolist(),
            mode="lines",
            line={"width": 0, "color": series(place)},
            fill=fill,
            # The fill of a trace keeps its colour whatever the trace's opacity; a pattern without gaps has its own.
            fillpattern={"shape": "/", "solidity": 1, "fgcolor": series(place), "fgopacity": 0.16, "size": 4},
            legendgroup=str(record.number),
            showlegend=False,
            hoverinfo="skip",
            meta={"trial": record.number},
        )
        for edge, fill in ((drawn.high, None), (drawn.low, "tonexty"))
    ]
