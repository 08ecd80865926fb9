"""What a study's trials tell a model-based sampler: points with their figures, points still out, points tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from optuna.trial import TrialState

from lorap_bench.metric import metric_in
from lorap_bench.record import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from optuna.trial import FrozenTrial

    from lorap_bench.record import TrialRecord
    from lorap_bench.search.encoding import Encoding

__all__ = ["PARTIAL", "Observation", "Told", "partial", "told"]

PARTIAL = "partial"
"""The user attribute of a trial that was stopped early: ``{"<metric>": so far, "share": of its epochs}``."""


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """A finished trial.

    Attributes:
        params: its point.
        row: the point as a regressor reads it.
        values: its objectives, in the study's order; None where it failed or was stopped early.
        feasible: whether every constraint held.
        partial: its metric when it was stopped, and after which share of its epochs; None if it was not.
    """

    params: dict[str, Any]
    row: NDArray[np.float64]
    values: tuple[float, ...] | None
    feasible: bool
    partial: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What is known of a study, in the order of the keys.

    Attributes:
        observations: the finished trials to learn from.
        first: the first finished trials, of which none is left out.
        pending: the points still out.
        tried: all points asked for.
    """

    observations: list[Observation]
    first: list[Observation]
    pending: list[dict[str, Any]]
    tried: list[dict[str, Any]]


def told(shown: Sequence[FrozenTrial], every: Sequence[FrozenTrial], encoding: Encoding) -> Told:
    """Sort trials by what they tell.

    Args:
        shown: the trials to learn from.
        every: all trials, whose points are not to be proposed again.
        encoding: turns points into rows.
    """
    pending = [trial.params for trial in shown if trial.state is TrialState.RUNNING]
    observations = _observations(shown, encoding)
    first = observations if len(every) == len(shown) else _observations(every[: len(shown)], encoding)
    return Told(observations, first, pending, [_point(trial) for trial in every])


def _observations(trials: Sequence[FrozenTrial], encoding: Encoding) -> list[Observation]:
    return [found for trial in trials if (found := _observation(trial, encoding)) is not None]


def partial(record: TrialRecord) -> dict[str, float] | None:
    """Return what is kept of a trial that was stopped early: its metric so far, after which share of its epochs."""
    metric = metric_in(record.objectives).value
    score = record.objectives.get(metric)
    epochs = max((member.epochs for member in record.members), default=0)
    if record.status is not Status.PRUNED or score is None or not epochs:
        return None
    return {metric: score, "share": min(epochs / record.config["optim"]["epochs"], 1.0)}


def _observation(trial: FrozenTrial, encoding: Encoding) -> Observation | None:
    feasible = all(violation <= 0 for violation in trial.constraints.values())
    params, values, seen = trial.params, None, None
    if trial.state is TrialState.COMPLETE:
        values = tuple(trial.values)
    elif trial.state is TrialState.PRUNED and PARTIAL in trial.user_attrs:
        note = trial.user_attrs[PARTIAL]
        seen = float(note[metric_in(note).value]), float(note["share"])
    elif trial.state is not TrialState.FAIL:
        return None  # refused before training, or not over
    return Observation(params, encoding.row(params), values, feasible, seen)


def _point(trial: FrozenTrial) -> dict[str, Any]:
    """Return a trial's point; that of one in the queue is known, too."""
    return {**trial.system_attrs.get("fixed_params", {}), **trial.params}
