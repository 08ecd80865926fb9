"""Training that ends in a record whatever happens: time that is up, errors that nobody foresaw.

A group that fails is tried again trial by trial, so that one trial's fault is not the others'.
"""

from __future__ import annotations

import math
import re
import time
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, ParamSpec, TypeVar, final

from lorap_bench.errors import LorapBenchError
from lorap_bench.record import Status
from lorap_bench.train.deadline import Overtime, deadline
from lorap_bench.train.group import Group

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lorap_bench.data.task import Split
    from lorap_bench.train.outcome import Trial
    from lorap_bench.train.watch import Judge, Watch

__all__ = ["train_contained"]

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

_MOST = 500
"""Characters of an error's message that a record keeps."""
# The folders of an absolute path, POSIX or Windows.
_FOLDERS = re.compile(r"(?<![\w.:/\\-])(?:~?/|[A-Za-z]:\\)(?:[^\s/\\'\"<>|:]+[/\\])+")


def train_contained(trials: list[Trial], split: Split, watch: Watch) -> Iterator[list[Trial]]:
    """Train trials of equal shapes; yield those that have ended, whose members then say how.

    Raises:
        LorapBenchError: an expected error. Whatever ``watch`` raises passes too.
    """
    try:
        yield from _train(trials, split, _marked(watch))
    except _FromOutside as passing:
        raise passing.error from None


def _train(trials: list[Trial], split: Split, watch: Watch) -> Iterator[list[Trial]]:
    """Train together, then alone what was not whole when that failed."""
    clock = time.perf_counter()
    group = Group(trials, split, watch)
    failure = _failure(group, watch.seconds, len(trials))
    if failure is not None and len(trials) == 1:
        group.abandon(*failure)
    whole = [trial for trial in trials if trial.whole]
    if failure is not None:
        left = [trial for trial in trials if not trial.whole] or trials
        known = math.fsum(ended.seconds for trial in whole for ended in trial.ended.values())
        lost = time.perf_counter() - clock - known
        for trial in left:
            trial.lost_seconds += lost / len(left)
    if whole:
        yield whole
    for trial in trials:
        if not trial.whole:
            trial.ended.clear()
            yield from _train([trial], split, watch)


def _failure(group: Group, seconds: float | None, trials: int) -> tuple[Status, str] | None:
    """Train a group; return how it failed, as a status and a reason, or None."""
    try:
        with deadline(None if seconds is None else seconds * trials) as check:
            group.train(check)
    except LorapBenchError:
        raise
    except Overtime:
        return Status.TIMEOUT, f"took longer than {seconds:g} s"
    except Exception as error:  # noqa: BLE001  # whatever it is, it is this trial's, and the study goes on
        return Status.USER_ERROR, _told(error)
    return None


def _told(error: Exception) -> str:
    """Return an error in one line: its kind, its message without anybody's folders, the module and line it is from."""
    frames = list(traceback.walk_tb(error.__traceback__))
    place = f"{frames[-1][0].f_globals.get('__name__', '?')}, line {frames[-1][1]}"
    message = _FOLDERS.sub("…/", " ".join(str(error).split()))[:_MOST]
    return f"{type(error).__name__}: {message} ({place})" if message else f"{type(error).__name__} ({place})"


class _FromOutside(BaseException):
    """An error of whoever looks on: no trial's doing, so nothing that judges trials may see it."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


def _marked(watch: Watch) -> Watch:
    """Return the same watch, its errors told apart from those of training."""
    return replace(
        watch,
        on_epoch=None if watch.on_epoch is None else _outside(watch.on_epoch),
        judge=None if watch.judge is None else _Marked(watch.judge),
    )


@final
class _Marked:
    def __init__(self, judge: Judge) -> None:
        self.rungs = _outside(judge.rungs)
        self.stops = _outside(judge.stops)


def _outside(call: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    def marked(*arguments: _Arguments.args, **named: _Arguments.kwargs) -> _Result:
        try:
            return call(*arguments, **named)
        except Exception as error:
            raise _FromOutside(error) from error

    return marked
