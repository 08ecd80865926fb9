"""What a study has reached so far, kept up record by record."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, final

from lorap_bench.cli.screen import number
from lorap_bench.record import Status
from lorap_bench.report.provenance import redact
from lorap_bench.report.table import directions, front_records, objective_matrix
from lorap_bench.stats.front import box_hypervolume

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lorap_bench.record import TrialRecord
    from lorap_bench.study.spec import StudySpec

__all__ = ["Scoreboard"]


@final
class Scoreboard:
    """Counts, front and hypervolume of a study.

    Attributes:
        counted: trials that count in the budget.
        failed: trials that failed.
        states: trials by status.
        reasons: status → why the last trial that ended so did, where it says.
        front: the front's trials.
        hypervolume: the share of the reference box that they dominate.
    """

    def __init__(self, spec: StudySpec, records: Iterable[TrialRecord] = ()) -> None:
        self.spec = spec
        self.counted = 0
        self.failed = 0
        self.states: Counter[Status] = Counter()
        self.reasons: dict[Status, str] = {}
        self.hypervolume = 0.0
        self.front: list[TrialRecord] = []
        known = list(records)
        for record in known:
            self._count(record)
        self._update(known)

    def add(self, record: TrialRecord) -> None:
        """Take one more record in; only the front can meet it, so the work does not grow."""
        self._count(record)
        if record.status is Status.COMPLETE:
            self._update([*self.front, record])

    @property
    def best(self) -> float | None:
        """Return the best metric on the front, None where there is none."""
        metric = self.spec.metric
        found = (record.objectives.get(metric.value, metric.bounds[0]) for record in self.front)
        return max(found, key=metric.quality, default=None)

    def __str__(self) -> str:
        parts = [
            f"front {len(self.front)}",
            f"best {self.spec.metric.label} {number(self.best)}",
            f"hypervolume {self.hypervolume:.4f}",
        ]
        return " · ".join([*([f"{self.failed} failed"] if self.failed else []), *parts])

    def _count(self, record: TrialRecord) -> None:
        self.counted += record.status.counts
        self.failed += record.status.failed
        self.states[record.status] += 1
        if record.reason:
            self.reasons[record.status] = redact(record.reason).partition("\n")[0]

    def _update(self, candidates: list[TrialRecord]) -> None:
        self.front = front_records(self.spec, candidates)
        self.hypervolume = box_hypervolume(objective_matrix(self.spec, self.front), directions(self.spec))
