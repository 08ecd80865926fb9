"""One run of a study in its parts: search, confirm, report. Each says whether it is complete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from lorap_bench.cli.screen import message

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lorap_bench.cost.shape import TaskShape
    from lorap_bench.executors.stop import Stop
    from lorap_bench.record import TrialRecord
    from lorap_bench.search.loop import Broker
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.spec import StudySpec

__all__ = ["Drive"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """A study, its folder and the wish to stop."""

    spec: StudySpec
    folder: StudyFolder
    stop: Stop
    quiet: bool

    def search(self, shape: TaskShape, execute: Callable[[Broker], None]) -> bool:
        """Run what is left of the search; return whether nothing is left.

        Raises:
            LorapBenchError: another driver is at work, or the study cannot go on.
        """
        from lorap_bench.cli.progress import watch
        from lorap_bench.search.loop import Broker

        with (
            watch(self.spec, self.folder.records(), quiet=self.quiet) as show,
            Broker(self.spec, self.folder, shape, on_event=show) as broker,
        ):
            if broker.done:
                why = broker.exhausted or f"{broker.counted} of {self.spec.budget.trials} trials"
                message(f"{self.spec.name} is finished: {why}")
                return True
            execute(broker)
            if broker.exhausted:
                message(f"{self.spec.name} ended before its budget: {broker.exhausted}")
            return broker.done

    def confirm(self) -> bool:
        """Confirm the front on fresh seeds as far as that is wanted; return whether nothing is left."""
        if not self.spec.replicas.confirm:
            return True
        if self.stop.drain:
            return False
        from lorap_bench.executors.stop import Interrupted
        from lorap_bench.search.confirm import confirm
        from lorap_bench.train.trial import run_trial

        def tell(record: TrialRecord) -> None:
            if not self.quiet:
                seeds = len(record.members)
                message(f"trial {record.number} confirmed on the test split with {seeds} fresh seeds: {record.status}")
            if self.stop.drain:
                raise Interrupted

        try:
            confirm(self.spec, self.folder, run_trial, on_epoch=self.stop.check, on_event=tell)
        except Interrupted:
            return False
        return True

    def report(self) -> Path:
        """Write the study's page and return its path.

        Raises:
            StoreError: the study has no trials, or the page cannot be written.
        """
        from lorap_bench.report.page import write_report

        return write_report(self.folder, self.spec, self.page.parent)

    @property
    def page(self) -> Path:
        """Return where the page lies."""
        return self.folder.root / "report" / "index.html"

    def extent(self) -> tuple[int, int]:
        """Return how many trials and confirmations there are."""
        return len(self.folder.records()), len(self.folder.confirmations())

    def failed(self) -> int:
        """Return how many trials of the budget failed."""
        return sum(record.status.failed and record.status.counts for record in self.folder.records())
