"""A cell of a suite as its report sees it: where it stands, what it was to be, and what came of it."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from lorap_bench.record import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lorap_bench.record import MemberResult, TrialRecord

__all__ = ["BARE", "Arm", "Entry", "State"]

BARE = "None"
"""The prompt of an arm without one."""


class Arm(NamedTuple):
    """What is compared within a data set and an architecture."""

    scheme: str
    prompt: str

    def __str__(self) -> str:
        return f"{self.scheme}, {'no prompt' if self.prompt == BARE else self.prompt}"


class State(StrEnum):
    """How a cell stands; a failed one has at least one training that did not end well."""

    DONE = "done"
    FAILED = "failed"
    LEFT = "left"
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One cell.

    Attributes:
        axes: axis, by its name in the suite's file → value.
        config: its configuration.
        trainings: how many trainings were asked for.
        skipped: why it is not run; empty where it is.
        records: one for each fold, test figures included; none while it is left.
        costs: what each training costs.
        tuning: how its configuration was chosen on validation (``trials``, ``params``, ``val``); None where it was not.
    """

    axes: Mapping[str, Any]
    config: Mapping[str, Any]
    trainings: int
    skipped: str = ""
    records: tuple[TrialRecord, ...] = ()
    costs: tuple[Mapping[str, float], ...] = ()
    tuning: Mapping[str, Any] | None = None

    @property
    def dataset(self) -> str:
        """Return its data set."""
        return str(self.config["task"]["dataset"])

    @property
    def arch(self) -> str:
        """Return its architecture."""
        return str(self.config["model"]["arch"])

    @property
    def arm(self) -> Arm:
        """Return its scheme and prompt."""
        return Arm(str(self.config["quant"]["scheme"]), str(self.config["prompt"]["kind"]))

    @property
    def name(self) -> str:
        """Return the values of its axes, for a reader."""
        return " ".join(str(value) for value in self.axes.values())

    @cached_property
    def members(self) -> list[tuple[TrialRecord, MemberResult]]:
        """Return every training, with the record that it is in."""
        return [(record, member) for record in self.records for member in record.members]

    @cached_property
    def tests(self) -> dict[int, float]:
        """Return seed → test figure of the trainings that ended well; of folds, each has a seed of its own."""
        return {
            member.seed: member.test
            for _, member in self.members
            if member.status is Status.COMPLETE and member.test is not None and math.isfinite(member.test)
        }

    @property
    def failures(self) -> Counter[str]:
        """Count the trainings that did not end well by how they ended."""
        bad = [member.status for _, member in self.members if member.seed not in self.tests]
        return Counter("no test figure" if one is Status.COMPLETE else one.value.replace("_", " ") for one in bad)

    @property
    def state(self) -> State:
        """Return how the cell stands."""
        if self.skipped:
            return State.SKIPPED
        if not self.records:
            return State.LEFT
        return State.DONE if len(self.tests) >= self.trainings else State.FAILED

    @property
    def note(self) -> str:
        """Say what is missing: how many trainings failed and how, or that the cell has none."""
        if self.state is not State.FAILED:
            return "" if self.state is State.DONE else self.state.value
        how = " and ".join(self.failures)
        return f"{self.trainings - len(self.tests)} of {self.trainings} failed" + (f": {how}" if how else "")

    def cost(self, name: str) -> float | None:
        """Return the mean of a cost over the trainings that ended well, or over all where none did."""
        well = [costs for (_, member), costs in zip(self.members, self.costs, strict=True) if member.seed in self.tests]
        found = [costs[name] for costs in well or self.costs if costs.get(name) is not None]
        return math.fsum(found) / len(found) if found else None

    @property
    def mean_costs(self) -> dict[str, float]:
        """Return every cost, as ``cost`` gives it."""
        names = dict.fromkeys(name for costs in self.costs for name in costs)
        return {name: value for name in names if (value := self.cost(name)) is not None}

    @property
    def seconds(self) -> float | None:
        """Return how long one training took, the time of those that ran together shared evenly; None without one."""
        return sum(record.seconds for record in self.records) / len(self.members) if self.members else None
