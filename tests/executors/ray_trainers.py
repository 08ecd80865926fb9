"""Trainers that Ray's workers import by name. ``task.dataset`` names a folder that is their memory."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorap_bench.errors import ConfigError, Fault, MissingResource
from tests.search.synthetic import each, train

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.config import TrialConfig
    from lorap_bench.record import Outcome


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
def buggy(config: TrialConfig, seeds: Sequence[int], **arguments: Any) -> Outcome:
    raise ZeroDivisionError("the trainer has a bug")


@each
def without_data(config: TrialConfig, seeds: Sequence[int], **arguments: Any) -> Outcome:
    raise MissingResource("no such file", where="Cora")


@each
def impossible(config: TrialConfig, seeds: Sequence[int], **arguments: Any) -> Outcome:
    raise ConfigError([Fault(path="model.heads", message="do not divide")])


def count(config: TrialConfig, event: str) -> int:
    """Return how often ``event`` happened before, and note that it happened again."""
    folder = Path(config.task.dataset)
    seen = len(list(folder.glob(f"{event}-*")))
    (folder / f"{event}-{seen}").touch()
    return seen
