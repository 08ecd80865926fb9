"""Confirmation: the front, frozen, and its baselines once more with fresh seeds on the test split.

The front is taken on the search's own objectives, which come from validation alone. Nothing that
is read here goes back into the search. Every confirmation is a *look*, which the study's folder
records before it begins; a second one has to be asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Protocol, final

import numpy as np

from lorap_bench.errors import StoreError
from lorap_bench.record import Status
from lorap_bench.search.account import search_left
from lorap_bench.search.baselines import configurations, subject
from lorap_bench.search.objective import values
from lorap_bench.search.seeds import confirmation_seeds
from lorap_bench.stats.front import front_mask
from lorap_bench.stats.noisy_front import mean_errors, probabilities_on_front
from lorap_bench.store.look import Look
from lorap_bench.study.space import overlay
from lorap_bench.study.spec import OBJECTIVES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from lorap_bench.config import TrialConfig
    from lorap_bench.record import Outcome, TrialRecord
    from lorap_bench.search.objective import Planner
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.spec import StudySpec

__all__ = ["Bench", "confirm", "front"]


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


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What a look is run with.

    Attributes:
        train: the trainer.
        planner: what works out a configuration before training.
        on_epoch: handed to the trainer; what it raises ends the look for now.
        on_event: called with what ran (``trial 12``, ``FP32 (for trials 3, 12)``) and its record, once that is written.
        ladder: whether the simpler prompts below a trial's own run beside it too.
    """

    train: Trainer
    planner: Planner
    on_epoch: Callable[[int], None] | None = None
    on_event: Callable[[str, TrialRecord], None] | None = None
    ladder: bool = False


def front(spec: StudySpec, records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Return the complete, feasible trials that may be on the front, by number.

    Those are the non-dominated ones and, where trials have several seeds to tell the noise by, all that nothing
    dominates with a probability of at least ``replicas.probability``.
    """
    able = [record for record in records if record.status is Status.COMPLETE and record.feasible]
    if not able:
        return []
    table = np.array([values(spec, record) for record in able], dtype=float)
    mask = front_mask(table, [OBJECTIVES[name] for name in spec.objectives]) | _likely(spec, able, table)
    return [record for record, kept in zip(able, mask, strict=True) if kept]


def confirm(spec: StudySpec, folder: StudyFolder, bench: Bench, *, seeds: int, again: bool = False) -> Look:
    """Look at the test split: run every front trial and its baselines on the same fresh seeds; return the look.

    A look that was interrupted goes on with what is missing of it: the same trials, the same baselines (with their
    ladder, whether it is asked for again or not) and the same seeds.

    Args:
        spec: the study.
        folder: its folder; no other driver may hold it.
        bench: what to run with.
        seeds: how many fresh seeds.
        again: look although the study has been looked at.

    Raises:
        StoreError: another driver is at work, the search is not finished, its front is empty, the test
            split has been looked at, or the look that goes on has another number of seeds or no ladder.
    """
    with folder.lock():
        records = folder.records()
        look = folder.looks.unfinished()
        if look is None:
            look = _planned(spec, folder, bench, seeds)
            look = replace(look, again=again and look.number > 1)
            folder.looks.begin(look)
        elif len(look.seeds) != seeds:
            message = f"look {look.number} at the test split began with {len(look.seeds)} seeds and goes on with them"
            raise StoreError(f"{message}; got {seeds}", where=spec.name)
        elif bench.ladder and not look.ladder:
            message = f"look {look.number} at the test split began without the ladder and goes on without it"
            raise StoreError(f"{message}; got --ladder", where=spec.name)
        done = folder.looks.records(look)
        for digest, config in configurations(spec, records, look).items():
            if digest not in done:
                _run(folder, bench, look, digest, config)
        return folder.looks.finish(look, _now())


def _planned(spec: StudySpec, folder: StudyFolder, bench: Bench, seeds: int) -> Look:
    """Return the look that would be next, its seeds used by no trial and no look before it.

    Raises:
        StoreError: the search is not finished, or its front is empty.
    """
    records = folder.records()
    missing = search_left(spec, folder, bench.planner)
    if missing:
        raise StoreError(f"the search is not finished: {missing}; run it first", where=spec.name)
    found = front(spec, records)
    if not found:
        raise StoreError("no front to confirm: no feasible trial is complete", where=spec.name)
    before = folder.looks.all()
    used = {member.seed for record in records for member in record.members}
    used |= {seed for look in before for seed in look.seeds}
    number = folder.looks.next_number
    return Look(
        number=number,
        seeds=confirmation_seeds(spec.seed, number, seeds, used=used),
        subjects=tuple(
            subject(record.number, overlay(spec.base, record.params), bench.planner, ladder=bench.ladder)
            for record in found
        ),
        started=_now(),
        ladder=bench.ladder,
        counted=sum(record.status.counts for record in records),
        budget=spec.budget.trials,
    )


def _likely(spec: StudySpec, able: Sequence[TrialRecord], table: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark the trials that nothing dominates with some probability; none where the noise is not known."""
    errors = mean_errors([[member.val for member in record.members if member.val is not None] for record in able])
    metric, names = spec.metric, list[str](spec.objectives)
    if errors is None or metric.value not in names:
        return np.zeros(len(able), dtype=bool)
    place = names.index(metric.value)
    means = table[:, place] if metric.higher_is_better else -table[:, place]
    chances = probabilities_on_front(means, errors, np.delete(table, place, axis=1))
    return np.asarray(chances >= spec.replicas.probability)


def _run(folder: StudyFolder, bench: Bench, look: Look, digest: str, config: TrialConfig) -> None:
    """Run one configuration of a look and write down what came of it, however it ended."""
    record = bench.train(config, look.seeds, split="test", on_epoch=bench.on_epoch).record
    record = replace(record, digest=digest)
    numbers = [one.number for one in look.subjects if one.digest == digest]
    trial = folder.read(numbers[0]) if numbers else None
    if trial is not None:
        record = replace(record, number=trial.number, params=trial.params)
    folder.looks.write(look, digest, record)
    if bench.on_event is not None:
        bench.on_event(look.label(digest), record)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
