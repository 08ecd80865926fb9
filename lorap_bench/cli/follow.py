"""A study that another process may be working on, looked at again and again; only what is new is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from lorap_bench.cli.budget import limits, told_budget
from lorap_bench.cli.pulse import Pace, Pulse
from lorap_bench.cli.scoreboard import Scoreboard
from lorap_bench.cli.wiring import stored_study
from lorap_bench.report.look import look_entry
from lorap_bench.report.table import summarise
from lorap_bench.search.account import FAILURE_LIMIT, IDLE_LIMIT
from lorap_bench.search.history import History
from lorap_bench.search.running import count_running
from lorap_bench.store.numbered import numbered, read_record
from lorap_bench.store.sessions import seconds_of

if TYPE_CHECKING:
    from lorap_bench.record import TrialRecord
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.spec import StudySpec

__all__ = ["Follower"]


@final
class Follower:
    """What is known of a study at the last ``look``.

    Attributes:
        folder: its folder.
        spec: the study, its budget as extended.
        board: what it has reached.
        pulse: what is under way and spent.
    """

    def __init__(self, folder: StudyFolder, spec: StudySpec) -> None:
        self.folder = folder
        self.spec = spec
        self.board = Scoreboard(spec)
        self.pulse = Pulse(driven=False)
        self._records: dict[int, TrialRecord] = {}
        self._history = History()
        self._pace = Pace()

    def look(self) -> list[TrialRecord]:
        """Look at the folder; return the records that were written since the last look, by number.

        Raises:
            StoreError: something in the folder is damaged, or cannot be read.
        """
        driven = self.folder.driven  # before the records: a driver that has gone since has written all of its own
        self.spec = self.board.spec = stored_study(self.folder)
        paths = [path for path in numbered(self.folder.root / "trials") if int(path.stem) not in self._records]
        fresh = [read_record(path) for path in paths]
        for record in fresh:
            self._records[record.number] = record
            self._history.add(record)
        if len(fresh) > 1:  # the front of many at once is found sooner than one by one
            self.board = Scoreboard(self.spec, self._records.values())
        elif fresh:
            self.board.add(fresh[0])
        running = count_running(self.folder) if driven else 0
        spent = self._history.spent(seconds_of(self.folder.root))
        self.pulse = Pulse(spent=spent, running=running, driven=driven)
        return fresh

    @property
    def left(self) -> float | None:
        """Return the seconds until the budget is spent, as far as the pace tells."""
        return self._pace.left(self.spec.budget, self.pulse.spent)

    @property
    def over(self) -> str:
        """Return why the search has nothing left to do; empty while it has."""
        spec = self.spec
        size = spec.parameters.size(spec.base)
        seeds = spec.replicas.screen or spec.replicas.search
        if self.pulse.spent.trials >= spec.budget.trials:
            by = self.folder.manifest.extension.trials
            return told_budget(self.pulse.spent.trials, spec.budget.trials, by)
        over = self.pulse.spent.over(spec.budget, epochs=seeds * spec.base.optim.epochs)
        return over or self._history.exhausted(size, idle=IDLE_LIMIT, failures=FAILURE_LIMIT)

    def summary(self) -> dict[str, Any]:
        """Return where the study stands as plain values, ready for JSON."""
        records = [self._records[number] for number in sorted(self._records)]
        found = summarise(self.spec, records, self.folder.confirmations(), self.pulse.running).to_mapping()
        found["budget"]["extension"] = self.folder.manifest.extension.to_mapping()
        found["limits"] = limits(self.spec, self.pulse.spent)
        found["driven"] = self.pulse.driven
        return found | {"looks": [look_entry(look) for look in self.folder.looks.all()]}
