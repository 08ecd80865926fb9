"""Published figures of LoRAP of which too little is told to set a cell against them: what there is to reach for.

Where a source names no architecture, or no scheme, no cell of ours is the same. Beside such a figure stands the cell
with LoRAP, on the same data, that is best on validation: what the test split shows chooses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import mean
from typing import TYPE_CHECKING

from lorap_bench.published import published

if TYPE_CHECKING:
    from lorap_bench.published import PublishedResult
    from lorap_bench.report.suite.entry import Arm, Entry
    from lorap_bench.report.suite.material import Group, SuiteMaterial
    from lorap_bench.stats.intervals import Interval

__all__ = ["Headline", "headlines"]

_UNTOLD = "unknown"
_LORAP = ("LoRAP", "GPFLoRAP")
# Sets of the same images, whose superpixels were cut again.
_PUBLISHED_AS = {"MNIST-75sp": "MNIST", "CIFAR10-150sp": "CIFAR10"}


@dataclass(frozen=True, slots=True)
class Headline:
    """A published figure and our best on validation; ``gap`` is ours less theirs."""

    theirs: PublishedResult
    group: Group
    arm: Arm
    ours: Interval
    bits: float | None

    @property
    def gap(self) -> float:
        """Return ours less theirs, in the metric's natural sign."""
        return self.ours.mean - self.theirs.value


def headlines(material: SuiteMaterial) -> list[Headline]:
    """Return the figures of LoRAP on the suite's sets that name no architecture, each beside a cell of ours."""
    found = []
    for name in material.datasets:
        known = published(_PUBLISHED_AS.get(name, name), unverified=material.unverified)
        best = _best(material, name)
        for theirs in known:
            if best is None or theirs.arch != _UNTOLD or theirs.prompt == "None":
                continue
            group, arm, ours = best
            if theirs.metric is group.score.metric:
                found.append(Headline(theirs, group, arm, ours, _bits(group.entries[arm])))
    return found


def _best(material: SuiteMaterial, dataset: str) -> tuple[Group, Arm, Interval] | None:
    """Return the cell with LoRAP, all of whose trainings ended well, that is best on validation."""
    able = [
        (group.score.metric.quality(_validation(entry)), group, arm, test)
        for group in material.groups
        for arm, entry in group.entries.items()
        if group.dataset == dataset and arm.prompt in _LORAP and group.done(arm)
        if (test := group.test(arm)) is not None
    ]
    best = max(able, key=lambda one: one[0], default=None)  # the first of equals
    return None if best is None else best[1:]


def _validation(entry: Entry) -> float:
    return mean(member.val for _, member in entry.members if member.val is not None)


def _bits(entry: Entry) -> float | None:
    """Return the average bits as A²Q counts them, of what enters linear maps: the sources' own count is not told."""
    return entry.mean_costs.get("bits_a2q")
