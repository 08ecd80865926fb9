"""The sections of a study file that say how it is searched: sampler, early stopping, replicas, budget, storage."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from lorap_bench.study.patterns import GIVEN_AWAY, URL
from lorap_bench.study.values import Scalar, Strict, Together

__all__ = ["BudgetSpec", "ReplicaSpec", "SearchSpec", "StoppingSpec", "StorageSpec"]


class SearchSpec(Strict):
    """Who proposes the points: a sampler by name and its arguments; how many points are trained together.

    A number for ``together`` lets the sampler propose so many points before it hears of any of them.
    ``"auto"`` trains together what is proposed alike with or without the others' results. ``warm_start`` proposes
    sensible points first; ``rank_prior`` draws the first ranks by what the aggregation error of a model needs.
    """

    sampler: str = "EHVI"
    arguments: dict[str, Scalar] = Field(default_factory=dict)
    together: Together = "auto"
    warm_start: bool = False
    rank_prior: bool = False


class StoppingSpec(Strict):
    """When a trial may end before its last epoch; its curve and its partial values are kept.

    ``MO-ASHA`` looks at rungs, after ``grace_epochs`` and each ``reduction_factor`` times as many epochs, and lets the
    best 1 / ``reduction_factor``, and whatever nothing there dominates, go on. ``bound`` ends there what could not
    enter the front even if it still gained as much as any trial before it.
    """

    rule: Literal["none", "MO-ASHA"] = "none"
    grace_epochs: Annotated[int, Field(ge=1)] = 10
    reduction_factor: Annotated[int, Field(ge=2)] = 3
    bound: bool = False

    @property
    def active(self) -> bool:
        """Whether any trial may be stopped early."""
        return self.rule != "none" or self.bound


class ReplicaSpec(Strict):
    """Seeds of each trial in the search, and fresh seeds of each front trial on the test split after it.

    A trial counts as one that may be on the front where the probability that nothing dominates it, by the noise
    between seeds, is at least ``probability``. Those are confirmed, and with ``screen`` a trial first trains so many
    of its seeds, and the rest only if it may be on the front.
    """

    search: Annotated[int, Field(ge=1)] = 1
    screen: Annotated[int, Field(ge=1)] | None = None
    probability: Annotated[float, Field(gt=0, lt=1)] = 0.2
    confirm: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _fewer(self) -> ReplicaSpec:
        if self.screen is not None and self.screen > self.search:
            raise ValueError(f"screen must be at most search, which is {self.search}")
        return self


class BudgetSpec(Strict):
    """What a study may spend; it ends at the first limit. Failed trials count, lost and interrupted ones do not.

    ``epochs`` are those of all seeds, ``gpu_hours`` and ``hours`` are trained and passed time. ``trial_seconds`` ends a
    trial that takes longer, ``retries`` are those of a trial whose worker was lost.
    """

    trials: Annotated[int, Field(ge=1)]
    epochs: Annotated[int, Field(ge=1)] | None = None
    gpu_hours: Annotated[float, Field(gt=0)] | None = None
    hours: Annotated[float, Field(gt=0)] | None = None
    trial_seconds: Annotated[float, Field(gt=0)] | None = None
    retries: Annotated[int, Field(ge=0)] = 2


class StorageSpec(Strict):
    """Where the sampler's history is kept: a journal file or an SQLite file in the study folder, or PostgreSQL.

    ``url`` goes with PostgreSQL; ``${NAME}`` in it stands for an environment variable, and a password stands in no
    other way. ``lease_seconds`` is how long a driver on PostgreSQL may be silent before its trials go to the others.
    """

    kind: Literal["journal", "sqlite", "postgresql"] = "journal"
    url: str = ""
    lease_seconds: Annotated[float, Field(gt=0)] = 60.0

    @model_validator(mode="after")
    def _whole(self) -> StorageSpec:
        if (self.kind == "postgresql") != bool(self.url):
            raise ValueError('url goes with kind = "postgresql", and only with it')
        if self.url and not re.match(URL, self.url):
            raise ValueError("url must be postgresql+psycopg://user@host/database, or ${NAME}")
        if re.search(GIVEN_AWAY, self.url):
            raise ValueError(
                "a password does not belong in a study file: write ${NAME} for it, or keep it in ~/.pgpass"
            )
        return self
