"""A Gaussian process over encoded points: what a figure will be, and how sure that is.

    y(x) = m + f(x) + ε,   f ~ GP(0, s² · Matérn-5/2(x, x'; ℓ_1 … ℓ_d)),   ε ~ N(0, τ²)

Scale, lengths and noise are chosen by marginal likelihood, which costs the most; so they are chosen anew only each
time the observations have grown by a quarter, on at most 128 of them, and held in between. They depend on the
first observations alone, never on the process that fits them: a resumed study predicts what an uninterrupted one does.

Source: Rasmussen and Williams 2006, chapters 2 and 5; scikit-learn fits it.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from lorap_bench.search.kept import even

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Predict", "Seen", "Surrogate"]

Array = NDArray[np.float64]
Predict: TypeAlias = "Callable[[Array], tuple[Array, Array]]"
"""Points to the mean and the standard deviation of their figures."""

_GROWTH = 1.25
_FIT_MOST = 128
_FIT_LEAST = 8
"""Fewer observations than that say nothing of ten lengths: the starting values are kept."""
_EQUAL = 1e-9
"""Figures that differ by less are equal."""


class Seen(NamedTuple):
    """Observed points ``[n, d]`` in the order in which they were asked for, and their figures ``[n]``.

    A figure that is not a number is one that training failed to give: it counts as the worst of the others.
    """

    rows: Array
    values: Array


@final
class Surrogate:
    """A process whose scales are remembered from one fit to the next."""

    def __init__(self) -> None:
        self._kernels: dict[tuple[int, int], Any] = {}

    def fit(self, seen: Seen, first: Seen, pending: Array | None = None) -> Predict:
        """Return what predicts mean and standard deviation, noise excluded, for rows of points.

        Args:
            seen: what is observed, or what is kept of it.
            first: the first observations, of which none is left out: the scales are chosen by them.
            pending: points ``[p, d]`` whose figures are still out: they count as observed at their expected values,
                so that nearby points are as good as before and less uncertain.

        Shape:
            the result maps ``[c, d]`` to two of ``[c]``.
        """
        kernel = self._kernel(first)
        values, centre, scale = _scaled(seen.values)
        process = _process(kernel, optimise=False).fit(seen.rows, values)
        if pending is not None and len(pending):
            believed = np.concatenate([values, process.predict(pending)])
            process = _process(kernel, optimise=False).fit(np.vstack([seen.rows, pending]), believed)
        noise = float(np.exp(kernel.theta[-1]))

        def predict(points: Array) -> tuple[Array, Array]:
            mean, deviation = process.predict(points, return_std=True)
            clean = np.sqrt(np.maximum(deviation**2 - noise, 1e-12))
            return centre + scale * mean, scale * clean

        return predict

    def _kernel(self, first: Seen) -> Any:
        count, columns = _milestone(len(first.rows)), first.rows.shape[1]
        if (count, columns) not in self._kernels:
            kernel = _start(columns)
            if count:
                some = np.array(even(count, _FIT_MOST))
                values = _scaled(first.values[:count])[0]
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # a scale at the end of its range is an answer
                    kernel = _process(kernel, optimise=True).fit(first.rows[some], values[some]).kernel_
            self._kernels[count, columns] = kernel
        return self._kernels[count, columns]


def _scaled(values: Array) -> tuple[Array, float, float]:
    """Return figures with mean 0 and deviation 1, and what these were; those that failed as the worst."""
    known = values[~np.isnan(values)]
    whole = np.where(np.isnan(values), known.min() if len(known) else 0.0, values)
    centre, scale = float(whole.mean()), float(whole.std())
    scale = scale if scale > _EQUAL else 1.0
    return (whole - centre) / scale, centre, scale


def _milestone(count: int) -> int:
    """Return the last of 8, 10, 12, 15, … that has been reached; 0 before, when there is too little to choose by."""
    milestone = 0
    following = float(_FIT_LEAST)
    while following <= count:
        milestone, following = int(following), following * _GROWTH
    return milestone


def _start(columns: int) -> Any:
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    lengths = Matern(np.full(columns, 1.0), (0.2, 10.0), nu=2.5)
    return ConstantKernel(1.0, (0.1, 10.0)) * lengths + WhiteKernel(0.05, (1e-3, 1.0))


def _process(kernel: Any, *, optimise: bool) -> Any:
    from sklearn.gaussian_process import GaussianProcessRegressor

    return GaussianProcessRegressor(kernel, optimizer="fmin_l_bfgs_b" if optimise else None, copy_X_train=False)
