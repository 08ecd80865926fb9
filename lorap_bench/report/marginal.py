"""The metric by the values of one parameter, for the prompt's count and rank."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lorap_bench.record import Status
from lorap_bench.report.trial import score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.metric import Metric
    from lorap_bench.record import TrialRecord

__all__ = ["PATHS", "Group", "amount", "marginal"]

PATHS = ("prompt.count", "prompt.rank", "prompt.node_count")
_MOST_GROUPS = 16


@dataclass(frozen=True, slots=True)
class Group:
    """The complete trials that share a value (or a range of values) of a parameter.

    ``values`` are mean metrics over seeds, one a trial; ``numbers`` the trials they come from.
    """

    label: str
    values: tuple[float, ...]
    numbers: tuple[int, ...]

    @property
    def mean(self) -> float:
        """Return the mean over the group's trials."""
        return statistics.fmean(self.values)

    @property
    def median(self) -> float:
        """Return the median over the group's trials."""
        return statistics.median(self.values)

    def best(self, metric: Metric) -> float:
        """Return the group's best trial's value."""
        return max(self.values, key=metric.quality)


def marginal(records: Sequence[TrialRecord], path: str) -> list[Group]:
    """Group the complete trials in which ``path`` was active by its value, in order.

    More than sixteen values are put together by octaves: 1, 2, 3–4, 5–8, 9–16, …
    """
    found: dict[int, list[tuple[float, int]]] = {}
    for record in records:
        interval = score(record)
        if record.status is Status.COMPLETE and path in record.params and interval is not None:
            found.setdefault(amount(record, path), []).append((interval.mean, record.number))
    if len(found) > _MOST_GROUPS:
        return [_group(_octave(top), rows) for top, rows in sorted(_by_octave(found).items())]
    return [_group(str(value), rows) for value, rows in sorted(found.items())]


def amount(record: TrialRecord, path: str) -> int:
    """Return a trial's number of prompts or its rank: where layers clamped it, the largest that is left."""
    ranks = record.effective.get("ranks") if path == "prompt.rank" else None
    return int(max(ranks)) if ranks else int(record.params[path])


def _by_octave(found: dict[int, list[tuple[float, int]]]) -> dict[int, list[tuple[float, int]]]:
    octaves: dict[int, list[tuple[float, int]]] = {}
    for value, rows in found.items():
        octaves.setdefault(1 << (value - 1).bit_length(), []).extend(rows)
    return octaves


def _octave(top: int) -> str:
    return str(top) if top <= 2 else f"{top // 2 + 1}–{top}"


def _group(label: str, rows: list[tuple[float, int]]) -> Group:
    return Group(label, tuple(value for value, _ in rows), tuple(number for _, number in rows))
