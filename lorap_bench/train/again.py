"""Train one member of a recorded trial again, to have its network, and compare it with its record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lorap_bench.data.load import load_task
from lorap_bench.errors import ConfigError, Fault, LorapBenchError, StoreError
from lorap_bench.kernels.threads import one_thread
from lorap_bench.models.saved.save import Trained
from lorap_bench.record import Status
from lorap_bench.train.cohort import Member
from lorap_bench.train.loop import fit
from lorap_bench.train.recorded import causes, name_of, recorded_config, said

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.record import MemberResult, TrialRecord
    from lorap_bench.train.measure import Measured

__all__ = ["Again", "recorded_member", "train_again"]


@dataclass(frozen=True, slots=True, eq=False)
class Again:
    """A member trained again.

    ``differences`` says in words what came out otherwise than recorded (empty: nothing, bit for bit), ``causes``
    what is otherwise here than where the record was made.
    """

    trained: Trained
    val: float
    best_epoch: int
    measured: Measured
    differences: tuple[str, ...]
    causes: tuple[str, ...]

    @property
    def costs(self) -> dict[str, float]:
        """The member's own costs: where widths are learned, those that it came to."""
        plan = self.trained.plan
        return plan.costs_at(self.measured.bits) if plan.scheme.learns_bits else plan.costs


def train_again(record: TrialRecord, index: int = 0, *, on_epoch: Callable[[int], None] | None = None) -> Again:
    """Train a trial's configuration with one of its seeds; the test split is out of reach.

    Members do not depend on their company, so that on a CPU, with the same versions, the figures are the recorded
    ones bit for bit.

    Args:
        record: a complete trial.
        index: which of its members.
        on_epoch: see ``fit``.

    Raises:
        StoreError: the trial has no complete record, or one that this version cannot read.
        ConfigError: it has no such member.
        MissingResource: its data are not to be had.
        LorapBenchError: the training diverged here.
    """
    member = recorded_member(record, index)
    config = recorded_config(record)
    with one_thread():
        fitted = fit(load_task(config.task).without_test(), [Member(config, member.seed)], on_epoch=on_epoch)
    if not fitted.alive:
        raise LorapBenchError("the training diverged here, though not where it was recorded", where=name_of(record))
    (trainee,), (measured,) = fitted.alive, fitted.measured
    assert trainee.val is not None
    assert trainee.best_epoch is not None
    trained = Trained(fitted.cohort.plan, fitted.cohort.network, member.seed)
    pairs = {
        "val": (trainee.val, member.val),
        "best epoch": (trainee.best_epoch, member.best_epoch),
        "digest": (trained.plan.digest, record.digest),
    }
    return Again(
        trained=trained,
        val=trainee.val,
        best_epoch=trainee.best_epoch,
        measured=measured,
        differences=tuple(said(name, here, there) for name, (here, there) in pairs.items() if here != there),
        causes=causes(record),
    )


def recorded_member(record: TrialRecord, index: int) -> MemberResult:
    """Return a member of a complete trial.

    Raises:
        StoreError: the trial is not complete.
        ConfigError: it has no such member.
    """
    if record.status is Status.DUPLICATE:
        raise StoreError(f"repeats trial {record.duplicate_of}, which has the model", where=name_of(record))
    if record.status is not Status.COMPLETE:
        reason = f" ({record.reason})" if record.reason else ""
        raise StoreError(f"ended {record.status}{reason}; only a complete trial has a model", where=name_of(record))
    if not 0 <= index < len(record.members):
        allowed = f"0 to {len(record.members) - 1}" if record.members else "none: the trial has no members"
        fault = Fault(path="--seed-index", message="the trial has no such member", got=index, allowed=allowed)
        raise ConfigError([fault], where=name_of(record))
    return record.members[index]
