"""A trial of a study by its number, and the words for one that does not train again to its record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from lorap_bench.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.record import TrialRecord
    from lorap_bench.store.folder import StudyFolder

__all__ = ["DIFFERENT", "TrialNumber", "causes_text", "recorded_trial"]

DIFFERENT = 4

TrialNumber: TypeAlias = Annotated[
    int, typer.Argument(metavar="TRIAL", min=0, help="Number of the trial.", show_default=False)
]


def recorded_trial(folder: StudyFolder, trial: int) -> TrialRecord:
    """Return the record of a trial.

    Raises:
        StoreError: it has none (says which trials may have one), or it is damaged.
    """
    record = folder.read(trial)
    if record is None:
        there = [each.number for each in folder.records()]
        known = f"those from {there[0]} to {there[-1]} may have one" if there else "no trial has one yet"
        raise StoreError(f"trial {trial} has no record; {known}", where=str(folder.root))
    return record


def causes_text(causes: Sequence[str]) -> str:
    """Say what may have changed a result."""
    return f"the cause may be: {'; '.join(causes) or 'another processor, which sums in another order'}"
