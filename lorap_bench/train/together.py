"""Train members of equal shapes in as few cohorts as memory allows.

What does not fit by the estimate is cut before training, what runs out of memory all the same is
halved and tried again: members are independent, so how they are cut changes no result. Who is stopped
early may depend on it, for a judge is told of members as they come to a rung.
"""

from __future__ import annotations

import itertools
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from lorap_bench.kernels.allocator import keep_blocks
from lorap_bench.kernels.threads import one_thread
from lorap_bench.record import Status
from lorap_bench.train.loop import Trainee, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lorap_bench.data.task import GraphTask, Split
    from lorap_bench.train.cohort import Member
    from lorap_bench.train.early import Early
    from lorap_bench.train.measure import Measured

__all__ = ["Ended", "Errand", "train_together"]


@dataclass(frozen=True, slots=True)
class Ended:
    """One member after its training.

    ``status`` and ``reason`` say how it ended, ``measured`` is None where that was not at its last epoch. ``cohort`` is
    how many members trained as one program, ``seconds`` its share of their time, by epochs.
    """

    trainee: Trainee
    status: Status
    reason: str = ""
    measured: Measured | None = None
    cohort: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Errand:
    """What members are trained on: see ``fit``."""

    task: GraphTask
    split: Split
    on_epoch: Callable[[int], None] | None
    early: Early


def train_together(members: Sequence[Member], errand: Errand, *, most: int) -> Iterator[list[tuple[int, Ended]]]:
    """Train members of equal shapes; yield (position, member) of each cohort as it ends.

    Args:
        members: configurations that agree in shape, each with its seed.
        errand: what they are trained on.
        most: how many may train at once.
    """
    waiting = deque(_even(list(range(len(members))), most))
    spent = [0.0] * len(members)  # on cohorts that did not fit
    while waiting:
        positions = waiting.popleft()
        reasons = {position: errand.early.stopped(members[position]) for position in positions}
        if late := [position for position, reason in reasons.items() if reason]:
            yield [(place, Ended(Trainee(members[place], stopped=reasons[place]), Status.PRUNED)) for place in late]
            positions = [position for position in positions if position not in late]
            if not positions:
                continue
        clock = time.perf_counter()
        ended, reason = _attempt([members[position] for position in positions], errand)
        shares = _shares([trainee for trainee, _ in ended], time.perf_counter() - clock)
        for position, share in zip(positions, shares, strict=True):
            spent[position] += share
        if reason and len(positions) > 1:
            waiting.extendleft(reversed(_even(positions, (len(positions) + 1) // 2)))
            continue
        yield [
            (
                position,
                Ended(
                    trainee=trainee,
                    status=Status.OUT_OF_MEMORY if reason else _status(trainee),
                    reason=reason,
                    measured=measured,
                    cohort=len(positions),
                    seconds=spent[position],
                ),
            )
            for position, (trainee, measured) in zip(positions, ended, strict=True)
        ]


def _attempt(members: list[Member], errand: Errand) -> tuple[list[tuple[Trainee, Measured | None]], str]:
    """Train one cohort; where it does not fit, return untrained members and the reason.

    The error is gone when this returns, and with it the tensors that its frames hold.
    """
    split = errand.split
    try:
        keep_blocks()
        with one_thread():
            fitted = fit(errand.task, members, split=split, on_epoch=errand.on_epoch, early=errand.early)
    except (MemoryError, torch.OutOfMemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        return [(Trainee(member), None) for member in members], reason
    measured = {id(trainee): found for trainee, found in zip(fitted.alive, fitted.measured, strict=True)}
    return [(trainee, measured.get(id(trainee))) for trainee in fitted.trainees], ""


def _even(positions: list[int], most: int) -> list[list[int]]:
    """Cut into as few parts of at most ``most`` as there can be, their lengths as equal as can be."""
    count = -(-len(positions) // most)
    ends = [len(positions) * part // count for part in range(count + 1)]
    return [positions[start:stop] for start, stop in itertools.pairwise(ends)]


def _status(trainee: Trainee) -> Status:
    if trainee.diverged:
        return Status.DIVERGED
    return Status.PRUNED if trainee.stopped else Status.COMPLETE


def _shares(trainees: Sequence[Trainee], seconds: float) -> list[float]:
    """Share the time of a cohort among its members by their epochs, evenly where there are none."""
    epochs = [len(trainee.train_loss) for trainee in trainees]
    whole = sum(epochs)
    return [seconds * (own / whole if whole else 1 / len(epochs)) for own in epochs]


def _is_out_of_memory(error: BaseException | None) -> bool:
    """Return whether an error, or one that it came from, says so: ending a recording may raise over the first."""
    if error is None:
        return False
    words = ("can't allocate memory", "not enough memory", "std::bad_alloc")
    says_so = isinstance(error, MemoryError | torch.OutOfMemoryError) or any(word in str(error) for word in words)
    return says_so or _is_out_of_memory(error.__context__)
