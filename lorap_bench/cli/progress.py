"""Progress people can watch: a live view in a terminal, a line a trial in a log, nothing when quiet."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol, Self, final

from rich.live import Live

from lorap_bench.cli.live import glance
from lorap_bench.cli.pulse import Pace, Pulse
from lorap_bench.cli.scoreboard import Scoreboard
from lorap_bench.cli.screen import message, number, stderr
from lorap_bench.record import Status
from lorap_bench.search.budget import Spending
from lorap_bench.study.extension import Extension
from lorap_bench.study.spec import OBJECTIVES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from rich.console import RenderableType

    from lorap_bench.record import TrialRecord
    from lorap_bench.study.spec import StudySpec

__all__ = ["StudyProgress", "watch"]


class StudyProgress(Protocol):
    """Whoever is shown every record as it is written."""

    def feel(self, pulse: Callable[[], Pulse]) -> None:
        """Learn how to ask what is under way and spent."""
        ...

    def __call__(self, record: TrialRecord) -> None:
        """Show one more record."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def watch(
    spec: StudySpec, records: Iterable[TrialRecord], *, quiet: bool, by: Extension | None = None
) -> StudyProgress:
    """Return the progress that fits: a live view in a terminal, lines elsewhere, silence when asked.

    Args:
        spec: the study.
        records: its trials so far.
        quiet: whether silence is asked for.
        by: by how much its budget was extended.
    """
    board = Scoreboard(spec, records)
    if not quiet and stderr().is_terminal:
        return _View(board, by or Extension())
    return _Lines(board, quiet=quiet)


@final
class _View:
    """The study at a glance, drawn twice a second as long as it runs; its last state stays on the screen."""

    def __init__(self, board: Scoreboard, by: Extension) -> None:
        self._board = board
        self._by = by
        self._pace = Pace()
        self._pulse: Callable[[], Pulse] = self._by_counting
        self._console = stderr()
        self._live = Live(console=self._console, get_renderable=self._draw, refresh_per_second=2)

    def feel(self, pulse: Callable[[], Pulse]) -> None:
        self._pulse = pulse

    def __call__(self, record: TrialRecord) -> None:
        self._board.add(record)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def _draw(self) -> RenderableType:
        pulse = self._pulse()
        left = self._pace.left(self._board.spec.budget, pulse.spent)
        return glance(self._board, pulse, left, self._by, self._console.width)

    def _by_counting(self) -> Pulse:
        return Pulse(spent=Spending(trials=self._board.counted))


@final
class _Lines:
    """One plain line a trained trial, and none for points that were answered without training."""

    def __init__(self, board: Scoreboard, *, quiet: bool) -> None:
        self._board = board
        self._quiet = quiet
        self._began = time.monotonic()
        self._first = board.counted

    def feel(self, pulse: Callable[[], Pulse]) -> None:
        """Lines tell of what has ended."""

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
