"""What each way to end took of a study's time and epochs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lorap_bench.record import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.record import TrialRecord

__all__ = ["Ending", "endings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The trials that ended in one way: how many, their seconds of training, their epochs run and asked for."""

    status: Status
    trials: int
    seconds: float
    run: int
    asked: int


def endings(records: Sequence[TrialRecord]) -> list[Ending]:
    """Return the ways in which trials ended, in the order of ``Status``; epochs are summed over the trials' seeds."""
    before = _epochs_before(records)
    return [
        _ending(status, found, before) for status in Status if (found := [r for r in records if r.status is status])
    ]


def _ending(status: Status, records: Sequence[TrialRecord], before: dict[tuple[Any, ...], int]) -> Ending:
    trained = [] if status in {Status.INVALID, Status.DUPLICATE} else records
    run = sum(member.epochs for record in trained for member in record.members)
    asked = sum(len(record.members) * (_last_stage(record) + before.get(_stages(record), 0)) for record in trained)
    seconds = sum(record.seconds for record in records)
    return Ending(status=status, trials=len(records), seconds=seconds, run=run, asked=max(asked, run))


def _epochs_before(records: Sequence[TrialRecord]) -> dict[tuple[Any, ...], int]:
    """Return how many epochs come before the last stage, by scheme, as its complete trials show."""
    found: dict[tuple[Any, ...], int] = {}
    for record in records:
        if record.status is Status.COMPLETE:
            most = max((member.epochs for member in record.members), default=0)
            found[_stages(record)] = max(found.get(_stages(record), 0), most - _last_stage(record))
    return found


def _stages(record: TrialRecord) -> tuple[Any, ...]:
    quant = record.config.get("quant", {})
    return tuple(quant.get(name) for name in ("scheme", "search_epochs", "pretrain_epochs"))


def _last_stage(record: TrialRecord) -> int:
    return int(record.config.get("optim", {}).get("epochs", 0))
