"""One trial: a configuration and its seeds in, a record and its curves out; failures are statuses."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from itertools import takewhile
from typing import TYPE_CHECKING

import torch

from lorap_bench.data.load import load_task
from lorap_bench.models.blueprint import Blueprint, blueprint, shape_of
from lorap_bench.record import Curves, MemberResult, Outcome, Status, TrialRecord
from lorap_bench.train.cohort import Member
from lorap_bench.train.loop import Trainee, fit
from lorap_bench.train.provenance import provenance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lorap_bench.config import TrialConfig
    from lorap_bench.data.task import GraphTask, Split
    from lorap_bench.train.measure import Measured

__all__ = ["run_trial"]

_STATIC_OBJECTIVES = ("average_bits", "overhead")
_CURVES = ("train_loss", "val_loss", "val_metric")


def run_trial(
    config: TrialConfig,
    seeds: Sequence[int],
    *,
    split: Split = "val",
    task: GraphTask | None = None,
    on_epoch: Callable[[int], None] | None = None,
) -> Outcome:
    """Train a configuration with each seed and record what came of it.

    Args:
        config: the configuration.
        seeds: one member each; all train as one program.
        split: ``"val"`` (the test indices are taken out of reach) or ``"test"`` (measured once, at
            the epochs chosen on validation).
        task: the task, if the caller holds it already.
        on_epoch: see ``fit``.

    Raises:
        ConfigError: the configuration is impossible on this task.
        MissingResource: its data are not to be had.
    """
    started = datetime.now(UTC).isoformat(timespec="seconds")
    clock = time.perf_counter()
    task = task or load_task(config.task)
    plan = blueprint(config, shape_of(task))
    members = [Member(config, seed) for seed in seeds]
    trainees, reason = [Trainee(member) for member in members], ""
    status = Status.COMPLETE
    measured: dict[int, Measured] = {}
    try:
        visible = task if split == "test" else _without_test(task)
        with _one_thread():
            fitted = fit(visible, members, split=split, on_epoch=on_epoch)
        trainees = fitted.trainees
        measured = dict(zip((trainee.member.seed for trainee in fitted.alive), fitted.measured, strict=True))
    except (MemoryError, torch.OutOfMemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        status, reason = Status.OUT_OF_MEMORY, (str(error).splitlines() or [type(error).__name__])[0]
    lost = [trainee for trainee in trainees if trainee.diverged]
    if lost:
        epoch = min(len(trainee.train_loss) for trainee in lost)
        status, reason = Status.DIVERGED, f"{len(lost)} of {len(trainees)} members diverged, first at epoch {epoch}"
    costs = _costs(plan, measured)
    record = TrialRecord(
        status=status,
        reason=reason,
        config=plan.config,
        digest=plan.digest,
        objectives=_objectives(costs, trainees, status),
        costs=costs,
        effective=plan.effective,
        members=tuple(_result(trainee, status, measured.get(trainee.member.seed)) for trainee in trainees),
        started=started,
        seconds=time.perf_counter() - clock,
        provenance=provenance(),
    )
    return Outcome(record, _curves(trainees) | _row_bits(list(measured.values())))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute on one thread: bitwise repeatable, and faster than two that contend with another worker."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@lru_cache(maxsize=4)
def _without_test(task: GraphTask) -> GraphTask:
    """Return one and the same stripped task each time, so that what is prepared for it is found again."""
    return task.without_test()


def _costs(plan: Blueprint, measured: dict[int, Measured]) -> dict[str, float]:
    """Return the costs; where widths are learned, the mean over the trained members of what each came to."""
    if not plan.scheme.learns_bits or not measured:
        return plan.costs
    found = [plan.costs_at(member.bits) for member in measured.values()]
    return {name: math.fsum(costs[name] for costs in found) / len(found) for name in found[0]}


def _row_bits(measured: Sequence[Measured]) -> Curves:
    sites = measured[0].row_bits if measured else ()
    return {f"row_bits:{site}": [member.row_bits[site] for member in measured] for site in sites}


def _objectives(costs: dict[str, float], trainees: Sequence[Trainee], status: Status) -> dict[str, float]:
    objectives = {name: costs[name] for name in _STATIC_OBJECTIVES if name in costs}
    values = [trainee.val for trainee in trainees if trainee.val is not None]
    if status is Status.COMPLETE:
        objectives = {"accuracy": math.fsum(values) / len(values)} | objectives
    return objectives


def _result(trainee: Trainee, status: Status, measured: Measured | None) -> MemberResult:
    own = status if status is Status.OUT_OF_MEMORY else Status.DIVERGED if trainee.diverged else Status.COMPLETE
    return MemberResult(
        seed=trainee.member.seed,
        status=own,
        val=trainee.val,
        test=trainee.test,
        best_epoch=trainee.best_epoch,
        epochs=len(trainee.train_loss),
        bits=measured.bits if measured else {},
        aggregation_error=measured.aggregation_error if measured else [],
    )


def _curves(trainees: Sequence[Trainee]) -> Curves:
    """Return the curves, cut at the first value that is not finite (JSON has none)."""
    curves: Curves = {name: [] for name in _CURVES}
    for trainee in trainees:
        for name in _CURVES:
            curves[name].append(list(takewhile(math.isfinite, getattr(trainee, name))))
        del curves["val_metric"][-1][len(curves["val_loss"][-1]) :]  # a metric without its loss is no evaluation
    return curves


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return any(words in str(error) for words in ("can't allocate memory", "not enough memory", "std::bad_alloc"))
