"""One run of a study in its parts: search, confirm, report. Each says whether it is complete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from lorap_bench.cli.screen import counted, message
from lorap_bench.store.access import access

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lorap_bench.cost.shape import TaskShape
    from lorap_bench.executors.stop import Stop
    from lorap_bench.record import TrialRecord
    from lorap_bench.search.loop import Broker
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.spec import StudySpec

__all__ = ["Drive", "told_budget"]


def told_budget(spent: int, trials: int) -> str:
    """Say how much of a budget is spent; one that was lowered afterwards may be overspent."""
    if spent > trials:
        return f"{counted(spent, 'trial')}, of a budget since cut to {trials}"
    return f"{spent} of {counted(trials, 'trial')}"


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
                spent = told_budget(broker.counted, self.spec.budget.trials)
                message(f"{self.spec.name} is finished: {broker.exhausted if self._wants(broker) else spent}")
                return True
            execute(broker)
            if broker.exhausted and self._wants(broker):
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
                seeds = counted(len(record.members), "fresh seed")
                message(f"trial {record.number} confirmed on the test split with {seeds}: {record.status}")
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

    @property
    def reported(self) -> bool:
        """Whether there is a page."""
        with access(self.page):
            return self.page.is_file()

    def extent(self) -> tuple[int, int]:
        """Return how many trials and confirmations there are."""
        return len(self.folder.records()), len(self.folder.confirmations())

    def _wants(self, broker: Broker) -> bool:
        """Whether the budget asks for more trials."""
        return broker.counted < self.spec.budget.trials

    def failed(self) -> int:
        """Return how many trials of the budget failed."""
        return sum(record.status.failed and record.status.counts for record in self.folder.records())
