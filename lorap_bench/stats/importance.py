"""Which search parameters an objective hangs on, over the trials that a search visited.

A random forest predicts the objective from the parameters, and a parameter matters as much as the prediction of
trials that the forest has not seen suffers when that parameter's values are shuffled among them:

    importance = (MSE shuffled − MSE) / variance of the objective

that is, the drop of the held-out R² (Breiman 2001; Fisher, Rudin, Dominici 2019). Noise comes out around 0, on either
side. It tells what the forest used within the visited region, not what a change of the parameter would cause: two
parameters that move together share what either would explain.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lorap_bench.stats.columns import evenly_spaced, numbers, one_hot

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Importance", "Importances", "importance"]

Floats = NDArray[np.float64]

_LEAST = 20
_FOLDS = 5
_SHUFFLES = 3
_TREES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """A parameter's drop of held-out R² when it is shuffled: mean and standard deviation over folds and shuffles."""

    name: str
    mean: float
    std: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Importances:
    """The parameters from the most to the least important.

    Attributes:
        parameters: all of them.
        held_out: R² of the forest on trials it has not seen; near 0 or below, the importances mean nothing.
        n: trials used.
        available: trials with a value; more than ``n`` where every so-many-th one was taken.
    """

    parameters: tuple[Importance, ...]
    held_out: float
    n: int
    available: int


def importance(
    columns: Mapping[str, Sequence[object]], target: Sequence[float | None], *, seed: int = 0, most: int = 1000
) -> Importances | None:
    """Return each parameter's importance; None for a constant target, fewer than 20 trials, or no parameter.

    The same input gives the same result. Trials without a finite target are left out; of more than ``most``, evenly
    spaced ones are taken.

    Args:
        columns: parameter → its values, one a trial: numbers, booleans, texts, or None where it is not active.
        target: the objective, one a trial.
        seed: of the folds, the forests and the shuffles.
        most: trials that are used at most.
    """
    values = np.array([math.nan if value is None else value for value in target], dtype=np.float64)
    available = np.flatnonzero(np.isfinite(values))
    rows = evenly_spaced(available, most)
    if len(rows) < _LEAST or np.ptp(values[rows]) == 0 or not columns:
        return None
    groups = [_group([column[row] for row in rows]) for column in columns.values()]
    design = _Design(np.concatenate(groups, axis=1), np.repeat(np.arange(len(groups)), [g.shape[1] for g in groups]))
    error, drops = _cross_fitted(design, values[rows], seed)
    scale = float(np.var(values[rows]))
    means, stds = drops.mean(axis=0) / scale, drops.std(axis=0, ddof=1) / scale
    found = [Importance(name=name, mean=float(means[i]), std=float(stds[i])) for i, name in enumerate(columns)]
    found.sort(key=lambda one: -one.mean)
    return Importances(parameters=tuple(found), held_out=1 - error / scale, n=len(rows), available=len(available))


@dataclass(frozen=True, slots=True)
class _Design:
    """The encoded columns ``[n, c]`` and which parameter each belongs to ``[c]``."""

    table: Floats
    owner: NDArray[np.int64]


def _group(values: Sequence[object]) -> Floats:
    """Return a parameter's columns: of numbers their order, missing below all; of anything else a column a value.

    Trees ask only for the order, which single precision keeps whatever the numbers' size.
    """
    found = numbers(values)
    if found is None:
        return one_hot(values)
    _, order = np.unique(found, return_inverse=True)
    return np.where(np.isfinite(found), order, -1.0)[:, None]


def _cross_fitted(design: _Design, target: Floats, seed: int) -> tuple[float, Floats]:
    """Return the held-out mean squared error and how much shuffling each parameter adds to it.

    Shape:
        the second ``[folds · shuffles, parameters]``.
    """
    squares, drops = 0.0, []
    for fold, (seen, held) in enumerate(_folds(len(target), seed)):
        forest = _forest(design.table[seen], target[seen], seed + fold)
        tables = [design.table[held], *_shuffled(design, held, np.random.default_rng([seed, fold]))]
        predicted = forest.predict(np.concatenate(tables)).reshape(len(tables), -1)
        errors = ((predicted - target[held]) ** 2).mean(axis=1)
        squares += errors[0] * len(held)
        drops.append((errors[1:] - errors[0]).reshape(_SHUFFLES, -1))
    return float(squares / len(target)), np.concatenate(drops)


def _folds(n: int, seed: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield (seen, held out) row numbers; a search's early and late trials fall into every fold."""
    parts = np.array_split(np.random.default_rng(seed).permutation(n), _FOLDS)
    for index, held in enumerate(parts):
        yield np.concatenate(parts[:index] + parts[index + 1 :]), held


def _shuffled(design: _Design, held: NDArray[np.int64], rng: np.random.Generator) -> Iterator[Floats]:
    """Yield the held-out rows with one parameter shuffled: every parameter, then again."""
    for _ in range(_SHUFFLES):
        order = rng.permutation(held)
        for parameter in range(int(design.owner.max()) + 1):
            table, moved = design.table[held], design.owner == parameter
            table[:, moved] = design.table[np.ix_(order, np.flatnonzero(moved))]
            yield table


def _forest(table: Floats, target: Floats, seed: int) -> Any:
    """Return a fitted forest; every split may take any column, for a choice among few shrinks the weaker ones."""
    from sklearn.ensemble import RandomForestRegressor  # a second of imports that few pages need

    forest = RandomForestRegressor(_TREES, min_samples_leaf=2, n_jobs=1, random_state=seed)
    return forest.fit(table, target)
