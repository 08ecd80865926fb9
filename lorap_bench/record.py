"""The record of one trial: what ran, how it ended, what it measured, what it costs.

A record is complete without the study around it. It names no host, user, path or process.
Curves are kept beside it, for they are large and read rarely.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, NamedTuple

from lorap_bench.errors import StoreError

__all__ = ["RECORD_VERSION", "Curves", "MemberResult", "Outcome", "Status", "TrialRecord"]

RECORD_VERSION = 1


class Status(StrEnum):
    """How a trial ended. ``counts`` tells whether it spends the study's budget."""

    COMPLETE = "complete"
    PRUNED = "pruned"
    DIVERGED = "diverged"
    OUT_OF_MEMORY = "out_of_memory"
    TIMEOUT = "timeout"
    USER_ERROR = "user_error"
    WORKER_LOST = "worker_lost"
    INTERRUPTED = "interrupted"
    INVALID = "invalid"
    DUPLICATE = "duplicate"

    @property
    def failed(self) -> bool:
        """Whether training was tried and did not end well, whoever's fault it was."""
        return self in _FAILED or self.retried

    @property
    def counts(self) -> bool:
        """Whether a trial that ended so counts in the budget."""
        return self in {Status.COMPLETE, Status.PRUNED} or self in _FAILED

    @property
    def retried(self) -> bool:
        """Whether the machinery, not the configuration, failed: the same trial runs again."""
        return self in {Status.WORKER_LOST, Status.INTERRUPTED}


_FAILED = frozenset({Status.DIVERGED, Status.OUT_OF_MEMORY, Status.TIMEOUT, Status.USER_ERROR})


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberResult:
    """One seed of a trial: its metric at the epoch chosen on validation, test only when asked.

    ``bits`` is the mean width of each site whose width was learned; ``aggregation_error`` the relative error of
    each layer's aggregated features, without and with its prompt (``train.measure`` has the formula).
    """

    seed: int
    status: Status
    val: float | None
    test: float | None = None
    best_epoch: int | None = None
    epochs: int = 0
    bits: dict[str, float] = field(default_factory=dict)
    aggregation_error: list[tuple[float, float]] = field(default_factory=list)


Curves = dict[str, list[list[float]]]
"""Curve name → one list of values a member: ``train_loss``, ``val_loss``, ``val_metric`` by epoch,
``row_bits:<site>`` by node (or by group of nodes), where a scheme learns a width for each, ``in_degree`` by node beside
it (one list: it is every member's), and ``val_best``, the best metric so far at each rung it reached, where a study
stops trials early."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRecord:
    """Everything one trial leaves behind but its curves.

    ``number`` is the trial's place in the study (kept by a retry), ``params`` the point of the
    space by dotted path, ``config`` the effective configuration, ``digest`` its hash,
    ``objectives`` and ``costs`` natural-sign figures by name, ``effective`` what the configuration
    came to (bits per site, ranks per layer).
    """

    status: Status
    config: dict[str, Any]
    digest: str
    number: int = -1
    reason: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    objectives: dict[str, float] = field(default_factory=dict)
    violations: dict[str, float] = field(default_factory=dict)
    costs: dict[str, float] = field(default_factory=dict)
    effective: dict[str, Any] = field(default_factory=dict)
    members: tuple[MemberResult, ...] = ()
    duplicate_of: int | None = None
    attempt: int = 0
    started: str = ""
    seconds: float = 0.0
    provenance: dict[str, Any] = field(default_factory=dict)
    schema_version: int = RECORD_VERSION

    @property
    def feasible(self) -> bool:
        """Whether every constraint holds (a violation is positive)."""
        return all(value <= 0 for value in self.violations.values())

    def to_mapping(self) -> dict[str, Any]:
        """Return plain values, ready for JSON; its tables are the record's own, and not to be changed."""
        mapping = {name: getattr(self, name) for name in _RECORD_FIELDS}
        return mapping | {"members": tuple(_member_mapping(member) for member in self.members)}

    @classmethod
    def from_mapping(cls, mapping: Any, *, where: str = "") -> TrialRecord:
        """Build from plain values.

        Raises:
            StoreError: the record was written by another version of the schema, or is damaged.
        """
        found = mapping.get("schema_version") if isinstance(mapping, dict) else None
        if found != RECORD_VERSION:
            raise StoreError(f"record schema {found!r}, this version reads {RECORD_VERSION}", where=where)
        try:
            members = tuple(
                MemberResult(**{**member, "status": Status(member["status"])}) for member in mapping["members"]
            )
            return cls(**{**mapping, "status": Status(mapping["status"]), "members": members})
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(f"damaged record ({error})", where=where) from error


_RECORD_FIELDS = tuple(one.name for one in fields(TrialRecord))
_MEMBER_FIELDS = tuple(one.name for one in fields(MemberResult))


def _member_mapping(member: MemberResult) -> dict[str, Any]:
    return {name: getattr(member, name) for name in _MEMBER_FIELDS}


class Outcome(NamedTuple):
    """What a run of a trial returns: its record and its curves."""

    record: TrialRecord
    curves: Curves
