"""Trainers that Ray's workers import by name. ``task.dataset`` names a folder that is their memory."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorap_bench.errors import ConfigError, Fault, MissingResource
from lorap_bench.record import Outcome, Status
from tests.search.synthetic import each, train

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.config import TrialConfig
    from lorap_bench.train.watch import Watch


@each
def plain(config: TrialConfig, seeds: Sequence[int], **arguments: Any) -> Outcome:
    return train(config, seeds, **arguments)


@each
def killed_once(config: TrialConfig, seeds: Sequence[int], **arguments: Any) -> Outcome:
    """Kill the worker the first time a two-bit trial is met."""
    if config.quant.bits == 2 and count(config, "killed") == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return train(config, seeds, **arguments)


@each
def killed_always(config: TrialConfig, seeds: Sequence[int], **arguments: Any) -> Outcome:
    if config.quant.bits == 2:
        count(config, "killed")
        os.kill(os.getpid(), signal.SIGKILL)
    return train(config, seeds, **arguments)


def killed_in_company(requests: Sequence[tuple[TrialConfig, Sequence[int]]], **arguments: Any) -> Any:
    """Kill the worker of every pack that has more than one trial."""
    count(requests[0][0], f"pack-of-{len(requests)}")
    if len(requests) > 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return each(train)(requests, **arguments)


@each
def endless_but_one(config: TrialConfig, seeds: Sequence[int], **arguments: Any) -> Outcome:
    while count(config, "begun"):
        time.sleep(60)
    return train(config, seeds, **arguments)


@each
def buggy(config: TrialConfig, seeds: Sequence[int], **arguments: Any) -> Outcome:
    raise ZeroDivisionError("the trainer has a bug")


@each
def without_data(config: TrialConfig, seeds: Sequence[int], **arguments: Any) -> Outcome:
    raise MissingResource("no such file", where="Cora")


@each
def impossible(config: TrialConfig, seeds: Sequence[int], **arguments: Any) -> Outcome:
    raise ConfigError([Fault(path="model.heads", message="do not divide")])


def judged(requests: Sequence[tuple[TrialConfig, Sequence[int]]], *, watch: Watch, split: str = "val") -> Any:
    """Ask at every rung, with half the accuracy of a trial that is not stopped."""
    left = set(range(len(requests)))
    stopped: dict[int, tuple[int, str]] = {}
    judge = watch.judge
    rungs = [] if judge is None else judge.rungs(requests[0][0].optim.epochs)
    for place, rung in enumerate(rungs):
        values = {position: [0.5] * len(requests[position][1]) for position in left}
        assert judge is not None
        verdicts = judge.stops(rung, values)
        stopped |= {position: (place + 1, reason) for position, reason in verdicts.items()}
        left -= verdicts.keys()
    for position, (config, seeds) in enumerate(requests):
        outcome = train(config, seeds)
        if position in stopped:
            reached, reason = stopped[position]
            record = replace(outcome.record, status=Status.PRUNED, reason=reason, objectives={})
            yield {position: Outcome(record, {"val_best": [[0.5] * reached for _ in seeds]})}
        else:
            yield {
                position: Outcome(outcome.record, outcome.curves | {"val_best": [[0.5] * len(rungs) for _ in seeds]})
            }


def timed(requests: Sequence[tuple[TrialConfig, Sequence[int]]], *, watch: Watch, split: str = "val") -> Any:
    """Give the deadline as the reason."""
    for position, (config, seeds) in enumerate(requests):
        outcome = train(config, seeds)
        yield {position: Outcome(replace(outcome.record, reason=f"{watch.seconds:g}"), outcome.curves)}


def count(config: TrialConfig, event: str) -> int:
    """Return how often ``event`` happened before, and note that it happened again."""
    folder = Path(config.task.dataset)
    seen = len(list(folder.glob(f"{event}-*")))
    (folder / f"{event}-{seen}").touch()
    return seen
