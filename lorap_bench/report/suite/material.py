"""A suite as the sections of its report see it: its cells in groups that are compared within."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lorap_bench.metric import metric_in
from lorap_bench.report.score import Score
from lorap_bench.report.suite.entry import Arm, Entry, State
from lorap_bench.stats.intervals import t_interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lorap_bench.metric import Metric
    from lorap_bench.record import TrialRecord
    from lorap_bench.stats.intervals import Interval

__all__ = ["Group", "SuiteMaterial", "slug"]

_DECIMALS = 6
_OF_GROUPS = frozenset({"dataset", "task.dataset", "arch", "model.arch"})
_OF_ARMS = frozenset({"scheme", "quant.scheme", "prompt", "prompt.kind"})


@dataclass(frozen=True, kw_only=True)
class Group:
    """The cells of one data set and one architecture, and of one value of every further axis: what is compared within.

    Attributes:
        dataset: the data set.
        part: the architecture, and values of further axes.
        score: what its cells are scored by.
        entries: scheme and prompt → cell.
    """

    dataset: str
    part: str
    score: Score
    entries: Mapping[Arm, Entry]

    @property
    def name(self) -> str:
        """Return data set and architecture, for a reader."""
        return f"{self.dataset} with {self.part}"

    @property
    def slug(self) -> str:
        """Return data set and architecture as a name of a file may be."""
        return slug(self.name.replace(" with ", " "))

    def test(self, arm: Arm) -> Interval | None:
        """Return the test mean of an arm over its trainings that ended well, with its 95 % t interval."""
        entry = self.entries.get(arm)
        return _bounded(t_interval(entry.tests.values()), self.score.metric) if entry is not None else None

    def mean(self, arm: Arm) -> float | None:
        """Return the test mean to six decimals: single precision parts equal figures in the eighth."""
        found = self.test(arm)
        return None if found is None else round(found.mean, _DECIMALS)

    def done(self, arm: Arm) -> bool:
        """Whether all trainings of an arm ended well."""
        entry = self.entries.get(arm)
        return entry is not None and entry.state is State.DONE


@dataclass(frozen=True, kw_only=True)
class SuiteMaterial:
    """A suite and its cells in their order.

    Attributes:
        name: the suite's name.
        description: what it asks, in a sentence.
        text: the suite as TOML, every default written out.
        file: how commands name that file.
        folder: how commands name the suite's folder.
        entries: every cell.
        unverified: whether published figures that nobody could check are shown.
    """

    name: str
    description: str = ""
    text: str = ""
    file: str = ""
    folder: str = ""
    entries: tuple[Entry, ...]
    unverified: bool = False

    @cached_property
    def counts(self) -> Counter[State]:
        """Count the cells by how they stand."""
        return Counter(entry.state for entry in self.entries)

    @cached_property
    def records(self) -> list[TrialRecord]:
        """Return the records of all cells."""
        return [record for entry in self.entries for record in entry.records]

    @cached_property
    def datasets(self) -> list[str]:
        """Return the data sets in their order."""
        return list(dict.fromkeys(entry.dataset for entry in self.entries))

    @cached_property
    def schemes(self) -> list[str]:
        """Return the schemes in their order."""
        return list(dict.fromkeys(entry.arm.scheme for entry in self.entries))

    @cached_property
    def prompts(self) -> list[str]:
        """Return the prompts in their order."""
        return list(dict.fromkeys(entry.arm.prompt for entry in self.entries))

    @cached_property
    def groups(self) -> list[Group]:
        """Return the groups in the order of their first cells."""
        scores = {name: _score(entry for entry in self.entries if entry.dataset == name) for name in self.datasets}
        found: dict[tuple[str, str], dict[Arm, Entry]] = {}
        for entry in self.entries:
            found.setdefault((entry.dataset, self._part(entry)), {})[entry.arm] = entry
        return [
            Group(dataset=dataset, part=part, score=scores[dataset], entries=entries)
            for (dataset, part), entries in found.items()
        ]

    @cached_property
    def scores(self) -> list[Score]:
        """Return what the groups are scored by, each once."""
        return list(dict.fromkeys(group.score for group in self.groups))

    @cached_property
    def _further(self) -> list[str]:
        """Return the axes, beside data set, architecture, scheme and prompt, that have more than one value."""
        axes = dict.fromkeys(axis for entry in self.entries for axis in entry.axes)
        others = [axis for axis in axes if axis not in _OF_GROUPS | _OF_ARMS]
        return [axis for axis in others if len({str(entry.axes.get(axis)) for entry in self.entries}) > 1]

    def _part(self, entry: Entry) -> str:
        return ", ".join([entry.arch, *(_told(axis, entry.axes[axis]) for axis in self._further)])


def slug(text: str) -> str:
    """Return a text in lower case, all but letters and digits as single dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _told(axis: str, value: Any) -> str:
    name = axis.rpartition(".")[2].replace("_", " ")
    return f"{value} bits" if axis in {"bits", "quant.bits"} else f"{name} {value}"


def _score(entries: Iterable[Entry]) -> Score:
    """Return what cells are scored by: their objectives name it; accuracy where nothing says otherwise."""
    return Score(metric_in(name for entry in entries for record in entry.records for name in record.objectives))


def _bounded(interval: Interval | None, metric: Metric) -> Interval | None:
    """Return an interval cut to where a mean can lie."""
    return None if interval is None else interval.within(*metric.bounds)
