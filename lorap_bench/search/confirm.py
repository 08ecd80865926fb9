"""Confirmation: the front, frozen, once more with fresh seeds on the test split.

The front is taken on the search's own objectives, which come from validation alone. Nothing that
is read here goes back into the search.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from lorap_bench.record import Status
from lorap_bench.search.objective import values
from lorap_bench.search.seeds import confirmation_seeds
from lorap_bench.stats.front import front_mask
from lorap_bench.study.space import overlay
from lorap_bench.study.spec import OBJECTIVES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lorap_bench.config import TrialConfig
    from lorap_bench.record import Outcome, TrialRecord
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.spec import StudySpec

__all__ = ["confirm", "front"]


class Trainer(Protocol):
    """Train one configuration on some seeds and report on the test split."""

    def __call__(
        self,
        config: TrialConfig,
        seeds: Sequence[int],
        *,
        split: Literal["test"],
        on_epoch: Callable[[int], None] | None,
    ) -> Outcome:
        """Return the record and its curves."""
        ...


def front(spec: StudySpec, records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Return the complete, feasible, non-dominated trials, by number."""
    able = [record for record in records if record.status is Status.COMPLETE and record.feasible]
    if not able:
        return []
    table = np.array([values(spec, record) for record in able], dtype=float)
    mask = front_mask(table, [OBJECTIVES[name] for name in spec.objectives])
    return [record for record, kept in zip(able, mask, strict=True) if kept]


def confirm(
    spec: StudySpec,
    folder: StudyFolder,
    train: Trainer,
    *,
    on_epoch: Callable[[int], None] | None = None,
    on_event: Callable[[TrialRecord], None] | None = None,
) -> list[TrialRecord]:
    """Run every front trial with ``replicas.confirm`` fresh seeds on the test split; return the new records.

    Call it when the search is done. What was confirmed with as many seeds before is not run again, so an
    interrupted confirmation goes on where it stopped.

    Args:
        spec: the study.
        folder: its folder; no other driver may hold it.
        train: the trainer.
        on_epoch: handed to the trainer; what it raises ends the confirmation.
        on_event: called with every confirmation as it is written.

    Raises:
        StoreError: another driver is at work.
    """
    if spec.replicas.confirm == 0:
        return []
    done: list[TrialRecord] = []
    with folder.lock():
        known = folder.confirmations()
        for record in front(spec, folder.records()):
            old = known.get(record.number)
            if old is not None and len(old.members) == spec.replicas.confirm:
                continue
            used = tuple(member.seed for member in record.members)
            seeds = confirmation_seeds(spec.seed, record.number, spec.replicas.confirm, used=used)
            config = overlay(spec.base, record.params)
            outcome = train(config, seeds, split="test", on_epoch=on_epoch)
            confirmed = replace(outcome.record, number=record.number, params=record.params)
            folder.write_confirmation(outcome._replace(record=confirmed))
            done.append(confirmed)
            if on_event is not None:
                on_event(confirmed)
    return done
