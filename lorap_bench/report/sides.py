"""What attainment compares: methods in the plane of the metric and a cost, each with the runs that found its points.

A run is what one search found, where a method was searched for several times; else what one seed position of its one
search found: the first seed of every trial, the second seed of every trial, and so on.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lorap_bench.report.company import Method
from lorap_bench.report.trial import objective

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lorap_bench.record import TrialRecord
    from lorap_bench.report.company import Method

__all__ = ["MOST_SIDES", "LineUp", "Side", "line_up", "method_side"]

MOST_SIDES = 4
_SPLITS = ("prompt.kind", "quant.scheme")
_WITHOUT = "None"

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """A method in the plane: the points of each of its runs, (cost, metric), and how many trials they come from.

    Shape:
        each run ``[n, 2]``; a run may be empty.
    """

    label: str
    runs: tuple[Floats, ...]
    trials: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LineUp:
    """What is compared.

    Attributes:
        sides: what is drawn, the first one first.
        pairs: which are set against each other.
        left: labels of those that find no room.
        searches: whether a run is a whole search, and not a seed position of one.
        parted: the searched path that parts one method into sides; empty: the sides are the report's methods.
    """

    sides: tuple[Side, ...]
    pairs: tuple[tuple[Side, Side], ...]
    left: tuple[str, ...]
    searches: bool
    parted: str = ""


def line_up(found: Sequence[Method], x: str) -> LineUp:
    """Return what stands against what in the plane of the metric and ``x``.

    Several methods as they are; one method by its prompts where they varied (with any against without), else by its
    schemes, else alone.
    """
    searches = any(len(method.studies) > 1 for method in found)
    if len(found) > 1:
        sides = [method_side(method, x, searches=searches) for method in found]
        return _lined(sides, [], searches=searches)
    for path in _SPLITS:
        values = _values(found[0], path)
        if len(values) > 1:
            sides = [_part(found[0], x, path, {value}) for value in values]
            pairs = []
            if values[0] == _WITHOUT and path == "prompt.kind":
                pairs = [(_part(found[0], x, path, set(values[1:]), "with a prompt"), sides[0])]
            return _lined(sides, pairs, searches=searches, parted=path)
    return _lined([method_side(found[0], x, searches=searches)], [], searches=searches)


def method_side(method: Method, x: str, *, searches: bool) -> Side:
    """Return a method with all its feasible trials; ``searches``: each of its studies is a run."""
    return _side(method, x, method.label, searches, lambda _: True)


def _lined(sides: list[Side], pairs: list[tuple[Side, Side]], *, searches: bool, parted: str = "") -> LineUp:
    drawn = sides[:MOST_SIDES]
    return LineUp(
        sides=tuple(drawn),
        pairs=tuple(pairs or [(drawn[0], other) for other in drawn[1:]]),
        left=tuple(side.label for side in sides[MOST_SIDES:]),
        searches=searches,
        parted=parted,
    )


def _values(method: Method, path: str) -> list[str]:
    """Return which values of a path the feasible trials have: no prompt first, then the commonest."""
    counts = Counter(_setting(record, path) for study in method.studies for record in study.able)
    return sorted(counts, key=lambda value: (value != _WITHOUT, -counts[value], value))


def _part(method: Method, x: str, path: str, values: set[str], label: str = "") -> Side:
    """Return the trials of one method that have one of the values."""
    name = label or next(iter(values))
    name = "no prompt" if name == _WITHOUT else name
    return _side(method, x, name, len(method.studies) > 1, lambda record: _setting(record, path) in values)


def _setting(record: TrialRecord, path: str) -> str:
    section, _, key = path.partition(".")
    return str(record.config.get(section, {}).get(key))


def _side(method: Method, x: str, label: str, searches: bool, kept: Callable[[TrialRecord], bool]) -> Side:
    chosen = [[record for record in study.able if kept(record)] for study in method.studies]
    trials = sum(map(len, chosen))
    if searches:
        y = method.studies[0].metric.value
        runs = [[(objective(record, x), objective(record, y)) for record in records] for records in chosen]
    else:
        positions = max((len(record.members) for record in method.studies[0].able), default=0)
        runs = [_replica(chosen[0], x, position) for position in range(positions)]
    return Side(label, tuple(_points(run) for run in runs), trials)


def _replica(records: Sequence[TrialRecord], x: str, position: int) -> list[tuple[float, float]]:
    """Return the points of one seed position, over the trials that have so many seeds."""
    members = [(record, record.members[position]) for record in records if position < len(record.members)]
    return [(objective(record, x), member.val) for record, member in members if member.val is not None]


def _points(run: Sequence[Any]) -> Floats:
    return np.array(run, dtype=np.float64).reshape(-1, 2)
