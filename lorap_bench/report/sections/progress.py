"""How fast the search found its front: the hypervolume over trials, epochs and seconds, beside other searches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lorap_bench.record import Status
from lorap_bench.report.company import Method, methods
from lorap_bench.report.document import Column, Figure, Pair, Section, Table, Words, plain
from lorap_bench.report.figures import base_figure, step_trace
from lorap_bench.report.format import number_text
from lorap_bench.report.score import spoken
from lorap_bench.report.table import directions, objective_matrix
from lorap_bench.stats.front import REFERENCE, box_hypervolume_history
from lorap_bench.study.spec import OBJECTIVES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lorap_bench.report.material import Material

__all__ = ["AXES", "History", "history", "history_figure", "section"]

_ROWS = 60
AXES = {
    "trials": "trials of the budget",
    "epochs": "epochs of all seeds",
    "seconds": "seconds of training",
}


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """A search's hypervolume after each trial, and what had been spent by then.

    Shape:
        every array ``[trials]``.
    """

    value: NDArray[np.float64]
    spent: dict[str, NDArray[np.float64]]


def history(material: Material) -> History:
    """Return the share of the reference box that is dominated after each trial, in order of number."""
    records = material.records
    values = objective_matrix(material.spec, records)
    values[[record.status is not Status.COMPLETE or not record.feasible for record in records]] = np.nan
    epochs = [sum(member.epochs for member in record.members) for record in records]
    # What was answered without training spends nothing: else a search that repeats itself would look slower than it is.
    trials = [record.status.counts for record in records]
    spent = {"trials": trials, "epochs": epochs, "seconds": [record.seconds for record in records]}
    return History(
        np.array(box_hypervolume_history(values, directions(material.spec))),
        {name: np.cumsum(np.array(amounts, dtype=np.float64)) for name, amounts in spent.items()},
    )


def section(material: Material) -> Section:
    """Return the section; of several searches by one method the median with their range."""
    if not material.able:
        words = Words("No feasible trial completed: the hypervolume is 0.", empty=True)
        return Section(id="progress", title="Hypervolume", nav="Progress", blocks=(words,))
    found = {method: [history(study) for study in method.studies] for method in methods(material) if method.has_trials}
    figures = [history_figure(axis, found) for axis in AXES]
    parts = tuple((figure,) for figure in figures)
    return Section(
        id="progress",
        title="Hypervolume over what was spent",
        nav="Progress",
        blocks=(Words(_lead(material, found)), Pair(parts)),
    )


def _lead(material: Material, found: dict[Method, list[History]]) -> str:
    own = history(material)
    names = list(material.spec.objectives)
    worst, ideal = (
        ", ".join(f"{spoken(name)} {getattr(REFERENCE, end)[name]:g}" for name in names) for end in ("worst", "ideal")
    )
    unit = "accuracy as a fraction" if material.metric.higher_is_better else "MAE in the unit of what is predicted"
    text = (
        f"The share of the reference box that the front dominates: **{own.value[-1]:.4f}** after "
        f"{own.spent['trials'][-1]:,.0f} trials of the budget, which repeated, refused and lost ones do not spend. The "
        f"box (reference point version {REFERENCE.version}) runs from the worst corner ({worst}) to the ideal one "
        f"({ideal}); {unit}, overhead in percent. It is the same for every study, so curves may be "
        "compared."
    )
    outside = _outside(material)
    if outside:
        text += (
            f" {outside} of {len(material.complete)} complete trials lie at or beyond the worst corner and add nothing."
        )
    lines = [
        f"{plain(method.label)} (n = {len(histories)} search{'es' if len(histories) > 1 else ''})"
        for method, histories in found.items()
    ]
    if len(found) > 1:
        text += f" Drawn: {', '.join(lines)}; of several searches the median, and their range as a band."
    if not any(method.control for method in found):
        name, file = plain(material.spec.name), plain(material.file)
        text += (
            " **No random control was given**: the same search at random, with the same budget, is "
            f"`lorap-bench run {file} --set name={name}-random --set search.sampler=Random`; then "
            f"`lorap-bench report {file} {name}-random` draws both."
        )
    return text


def _outside(material: Material) -> int:
    """Count the complete trials of which an objective is no better than the box's worst corner."""
    names = list(material.spec.objectives)
    values = objective_matrix(material.spec, material.complete)
    worst = np.array([REFERENCE.worst[name] for name in names])
    signs = np.array([1.0 if OBJECTIVES[name] == "max" else -1.0 for name in names])
    return int((~(signs * (values - worst) > 0)).any(axis=1).sum())


def history_figure(axis: str, found: dict[Method, list[History]]) -> Figure:
    """Draw the hypervolume of each method over one of ``AXES``; of several searches the median with their range."""
    plot = base_figure(AXES[axis], "hypervolume", height=320)
    rows: list[tuple[str, float, float, float, float, int]] = []
    for place, (method, histories) in enumerate(found.items()):
        at, low, middle, high = band(histories, axis)
        if len(histories) > 1:
            plot.add_trace(step_trace(at, high, place, name=method.label, bound="upper"))
            plot.add_trace(step_trace(at, low, place, name=method.label, bound="lower"))
        plot.add_trace(step_trace(at, middle, place, name=method.label))
        kept = _kept(at, middle)
        rows += [
            (method.label, float(at[i]), float(middle[i]), float(low[i]), float(high[i]), len(histories)) for i in kept
        ]
    columns = (
        Column("Search", "text"),
        Column(AXES[axis].capitalize(), "number"),
        Column("Hypervolume, median"),
        Column("Least"),
        Column("Most"),
        Column("n", "whole"),
    )
    table = Table(
        id=f"progress-{axis}",
        caption=f"Hypervolume by {AXES[axis]}",
        columns=columns,
        rows=rows,
    )
    ends = "; ".join(f"{method.label} ends at {number_text(band(h, axis)[2][-1])}" for method, h in found.items())
    label = f"Lines of the hypervolume over {AXES[axis]}: {ends}"
    return Figure(id=f"progress-{axis}", label=label, plot=plot, table=table)


def band(
    histories: Sequence[History], axis: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return where the least, the median or the most hypervolume of the searches changed, and the three.

    It begins where all have a trial, and ends where the first of the searches ends: else their number would change.

    Shape:
        each result ``[m]``.
    """
    end = min(one.spent[axis][-1] for one in histories)
    at = np.unique(np.concatenate([one.spent[axis] for one in histories]))
    start = min(max(one.spent[axis][0] for one in histories), end)
    at = at[(at >= start) & (at <= end)]
    table = np.stack([_at(one, axis, at) for one in histories])
    rows = np.stack([at, table.min(axis=0), np.median(table, axis=0), table.max(axis=0)])
    turns = np.ones(len(at), dtype=bool)  # a stepped line needs the places where it steps, and its end
    turns[1:-1] = (np.diff(rows[1:], axis=1) != 0).any(axis=0)[:-1]
    at, low, middle, high = rows[:, turns]
    return at, low, middle, high


def _at(one: History, axis: str, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a search's hypervolume when so much had been spent; 0 before its first trial."""
    place = np.searchsorted(one.spent[axis], at, side="right") - 1
    return np.where(place >= 0, one.value[np.maximum(place, 0)], 0.0)


def _kept(at: NDArray[np.float64], value: NDArray[np.float64]) -> list[int]:
    """Return the places that the table holds: where the value rises, the last, and evenly thinned to ``_ROWS``."""
    rises = [0, *(np.flatnonzero(np.diff(value) > 0) + 1).tolist(), len(at) - 1]
    places = list(dict.fromkeys(rises))
    step = -(-len(places) // _ROWS)
    return list(dict.fromkeys([*places[::step], places[-1]]))
