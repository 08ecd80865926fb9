"""Run packs of trials one after another in this process. Knows neither Ray nor the sampler."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lorap_bench.executors.stop import Interrupted
from lorap_bench.record import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.executors.desk import Desk
    from lorap_bench.executors.stop import Stop
    from lorap_bench.executors.trainer import Trainer

__all__ = ["run_local"]

_PAUSE = 1.0
"""Seconds between two looks at what other drivers have left."""


def run_local(desk: Desk, train: Trainer, stop: Stop, *, on_epoch: Callable[[int], None] = lambda _: None) -> None:
    """Ask, train and tell until the desk has none left or ``stop`` is requested; trials may be stopped early.

    Trials that are left at ``stop.now``, or by a bug in the trainer, go back to the queue under
    their keys; the bug is raised. A request to drain lets those end that train together now.
    ``on_epoch`` is called with each epoch's number before it begins.

    Raises:
        LorapBenchError: the study ended otherwise than by its budget or an exhausted space.
    """
    from lorap_bench.train.watch import Watch  # late: its package brings torch

    def epoch_begins(epoch: int) -> None:
        stop.check(epoch)
        on_epoch(epoch)

    seconds = desk.seconds
    while not _drains(stop):
        jobs = desk.ask_pack()
        if not jobs and not desk.elsewhere:
            break
        if not jobs:  # a driver elsewhere may yet die over its trials
            time.sleep(_PAUSE)
            continue
        left = dict(enumerate(jobs))
        split = jobs[0].split
        watch = Watch(on_epoch=epoch_begins, judge=desk.judge(jobs), seconds=seconds)
        try:
            for ended in train([(job.config, job.seeds) for job in jobs], split=split, watch=watch):
                for position, outcome in sorted(ended.items()):
                    desk.tell(left.pop(position), outcome)
                if _drains(stop):
                    break
        except Interrupted:
            return
        finally:
            for job in left.values():
                desk.release(job, Status.INTERRUPTED)
    desk.raise_if_failed()


def _drains(stop: Stop) -> bool:
    # A function, for a signal may change the answer between two looks at it.
    return stop.drain
