"""Progress people can watch: a bar in a terminal, a line a trial in a log, nothing when quiet."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol, Self, final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lorap_bench.cli.screen import message, number, stderr
from lorap_bench.record import Status
from lorap_bench.report.table import directions, front_records, objective_matrix
from lorap_bench.stats.front import box_hypervolume
from lorap_bench.study.spec import OBJECTIVES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from lorap_bench.record import TrialRecord
    from lorap_bench.study.spec import StudySpec

__all__ = ["Scoreboard", "StudyProgress", "watch"]


@final
class Scoreboard:
    """What a study has reached so far, kept up record by record."""

    def __init__(self, spec: StudySpec, records: Iterable[TrialRecord] = ()) -> None:
        self.spec = spec
        self.counted = 0
        self.failed = 0
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
        """Return the best accuracy on the front, None where there is none."""
        return max((record.objectives.get("accuracy", 0.0) for record in self.front), default=None)

    def __str__(self) -> str:
        parts = [
            f"front {len(self.front)}",
            f"best accuracy {number(self.best)}",
            f"hypervolume {self.hypervolume:.4f}",
        ]
        return " · ".join([*([f"{self.failed} failed"] if self.failed else []), *parts])

    def _count(self, record: TrialRecord) -> None:
        self.counted += record.status.counts
        self.failed += record.status.failed

    def _update(self, candidates: list[TrialRecord]) -> None:
        self.front = front_records(self.spec, candidates)
        self.hypervolume = box_hypervolume(objective_matrix(self.spec, self.front), directions(self.spec))


class StudyProgress(Protocol):
    """Whoever is shown every record as it is written."""

    def __call__(self, record: TrialRecord) -> None:
        """Show one more record."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def watch(spec: StudySpec, records: Iterable[TrialRecord], *, quiet: bool) -> StudyProgress:
    """Return the progress that fits: a bar in a terminal, lines elsewhere, silence when asked."""
    board = Scoreboard(spec, records)
    if not quiet and stderr().is_terminal:
        return _Bar(board)
    return _Lines(board, quiet=quiet)


@final
class _Bar:
    def __init__(self, board: Scoreboard) -> None:
        self._board = board
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[board]}"),
            TimeRemainingColumn(compact=True),
            console=stderr(),
            speed_estimate_period=3600,
        )
        total = board.spec.budget.trials
        self._task = self._bar.add_task(board.spec.name, total=total, completed=board.counted, board=str(board))

    def __call__(self, record: TrialRecord) -> None:
        self._board.add(record)
        self._bar.update(self._task, completed=self._board.counted, board=str(self._board))

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()


@final
class _Lines:
    """One plain line a trained trial, and none for points that were answered without training."""

    def __init__(self, board: Scoreboard, *, quiet: bool) -> None:
        self._board = board
        self._quiet = quiet
        self._began = time.monotonic()
        self._first = board.counted

    def __call__(self, record: TrialRecord) -> None:
        self._board.add(record)
        if record.status.counts and not self._quiet:
            message(f"{self._place()} trial {record.number} {_result(record)} · {self._board}{self._left()}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def _place(self) -> str:
        total = str(self._board.spec.budget.trials)
        return f"[{self._board.counted:>{len(total)}}/{total}]"

    def _left(self) -> str:
        rest = self._board.spec.budget.trials - self._board.counted
        done = self._board.counted - self._first
        seconds = (time.monotonic() - self._began) / done * rest
        return f" · {seconds:.0f} s left" if rest > 0 else ""


def _result(record: TrialRecord) -> str:
    if record.status is not Status.COMPLETE:
        return f"{record.status}: {record.reason}" if record.reason else str(record.status)
    return " ".join(f"{name} {number(record.objectives[name])}" for name in OBJECTIVES if name in record.objectives)
