"""One run of a study in its parts: search, confirm, report. Each says whether it is complete."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

from lorap_bench.cli.budget import told_budget
from lorap_bench.cli.screen import counted, message
from lorap_bench.store.access import access
from lorap_bench.store.lock import Driven

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lorap_bench.cost.shape import TaskShape
    from lorap_bench.executors.stop import Stop
    from lorap_bench.record import TrialRecord
    from lorap_bench.search.loop import Broker
    from lorap_bench.search.objective import Planner
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.store.look import Look
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
        from lorap_bench.cli.pulse import Pulse
        from lorap_bench.executors.stop import on_request_file
        from lorap_bench.search.loop import Broker

        by = self.folder.manifest.extension
        with (
            watch(self.spec, self.folder.records(), quiet=self.quiet, by=by) as show,
            Broker(self.spec, self.folder, shape, on_event=show) as broker,
            # After the lock: a request is meant for who drives. Beside others, one from before may be for them.
            on_request_file(self.stop, self.folder.stop_request, fresh=broker.alone),
        ):
            broker.others.on_note = message
            show.feel(lambda: Pulse(spent=broker.spent, running=broker.in_flight, trials=broker.under_way))
            if end := self._end(broker):
                message(f"{self.spec.name} is finished: {end}")
                return True
            execute(broker)
            end = self._end(broker)
            if end and broker.counted < self.spec.budget.trials:
                message(f"{self.spec.name} ended before its budget: {end}")
            return bool(end)

    def whole_search(self, shape: TaskShape, execute: Callable[[Broker], None]) -> Drive | None:
        """Run the search, and on with what its budget was extended by meanwhile.

        The drive with the last budget is returned; None where something is left.

        Raises:
            LorapBenchError: see ``search``.
        """
        drive = self
        while drive.search(shape, execute):
            grown = drive.goes_on()
            if grown is None:
                return drive
            drive = grown
        return None

    def goes_on(self) -> Drive | None:
        """Return the drive with a budget that was extended meanwhile; None where it was not.

        Raises:
            StoreError: ``study.json`` is damaged.
        """
        from lorap_bench.cli.wiring import stored_study

        spec = stored_study(self.folder)
        if spec.budget == self.spec.budget:
            return None
        message(f"the budget was extended; it goes on to {counted(spec.budget.trials, 'trial')}")
        return replace(self, spec=spec)

    def confirm(self, planner: Planner) -> bool:
        """Confirm the front if the study asks for it and was not looked at; return whether nothing is left.

        A look that was interrupted goes on. Once a look is whole, only the verb ``confirm --again`` makes another:
        what it would be for is said.
        """
        looks = self.folder.looks.all()
        if looks and looks[-1].finished:
            self._tell_what_is_not_confirmed(looks)
            return True
        earlier = self.folder.looks.earlier
        if earlier and not looks:
            self._tell_of_earlier_looks(earlier)
            return True
        seeds = len(looks[-1].seeds) if looks else self.spec.replicas.confirm
        if not seeds or not self._front():
            return True
        return self.look(planner, seeds=seeds) is not None

    def look(self, planner: Planner, *, seeds: int, again: bool = False, ladder: bool = False) -> Look | None:
        """Look at the test split, or on where a look stopped; return the whole look, None if it is interrupted.

        Raises:
            LorapBenchError: see ``search.confirm.confirm``.
        """
        from lorap_bench.executors.stop import Interrupted, on_request_file
        from lorap_bench.search.confirm import Bench, confirm
        from lorap_bench.train.trial import run_trial

        if self.stop.drain:
            return None

        def tell(name: str, record: TrialRecord) -> None:
            if not self.quiet:
                fresh = counted(len(record.members), "fresh seed")
                why = f" ({record.reason})" if record.reason else ""
                message(f"{name} confirmed on the test split with {fresh}: {record.status}{why}")
            if self.stop.drain:
                raise Interrupted

        bench = Bench(train=run_trial, planner=planner, on_epoch=self.stop.check, on_event=tell, ladder=ladder)
        others = self.folder.driven  # then it is refused, and a request to stop is meant for them
        heed = nullcontext() if others else on_request_file(self.stop, self.folder.stop_request)
        try:
            with heed:
                return confirm(self.spec, self.folder, bench, seeds=seeds, again=again)
        except Interrupted:
            return None
        except Driven:
            if not self._shared:
                raise
            message("another driver is at work on this study; the last one to end confirms its front")
            return None

    def report(self) -> Path:
        """Write the study's page and return its path.

        Raises:
            StoreError: the study has no trials, or the page cannot be written.
        """
        from lorap_bench.report.write import write_report

        return write_report((self.folder, self.spec), self.page.parent, on_note=message)

    @property
    def _shared(self) -> bool:
        """Whether several drivers may work on the study."""
        return self.spec.storage.kind == "postgresql"

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
        """Return how many trials there are, and how much of the looks at the test split."""
        return len(self.folder.records()), self.folder.looks.extent

    def _end(self, broker: Broker) -> str:
        """Say why no more trials are asked for; empty while more are."""
        trials = self.spec.budget.trials
        if broker.counted >= trials:
            return told_budget(broker.counted, trials, self.folder.manifest.extension.trials)
        return broker.over or broker.exhausted

    def _front(self) -> list[int]:
        from lorap_bench.search.confirm import front

        return [record.number for record in front(self.spec, self.folder.records())]

    def _tell_of_earlier_looks(self, earlier: int) -> None:
        """Say that the studies which gave this one its first trials were looked at, if it asks for a look."""
        if self.spec.replicas.confirm:
            times = counted(earlier, "time")
            message(
                f"not confirmed: the studies that the first trials come from were looked at {times}; "
                f"`lorap-bench confirm {self.spec.name} --again` looks once more, with other fresh seeds"
            )

    def _tell_what_is_not_confirmed(self, looks: list[Look]) -> None:
        """Say which front trials no look was at, and whether the study asks for more seeds than the last look had."""
        wanted, last = self.spec.replicas.confirm, looks[-1]
        seen = {one.number for look in looks for one in look.subjects}
        fresh = [number for number in self._front() if number not in seen]
        found = [f"{counted(len(fresh), 'trial')} of the front came after it"] if fresh else []
        if wanted > len(last.seeds):
            found.append(f"the study asks for {wanted} seeds, not {len(last.seeds)}")
        if found:
            message(
                f"not confirmed again: the test split was looked at on {last.date} (look {last.number}) and "
                f"{', and '.join(found)}; `lorap-bench confirm {self.spec.name} --again` looks once more"
            )

    def failed(self) -> int:
        """Return how many trials of the budget failed."""
        return sum(record.status.failed and record.status.counts for record in self.folder.records())
