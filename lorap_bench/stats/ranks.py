"""Several methods over several datasets: average ranks, Friedman's test, and which ranks differ by more than chance.

A table has one row a block (a dataset) and one column a treatment (a method). In each block the treatments are ranked
from 1 (best); equal values share the mean of their ranks. A block with a gap is left out.

Source: Demšar, "Statistical comparisons of classifiers over multiple data sets", JMLR 7, 2006.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.stats.front import Direction

__all__ = ["FriedmanResult", "average_ranks", "cliques", "critical_difference", "friedman"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class FriedmanResult:
    """Whether the treatments rank differently at all.

    Attributes:
        statistic: Friedman's χ² with k − 1 degrees of freedom, corrected for ties.
        p: its p value; with few blocks an approximation.
        n: whole blocks, the only ones counted.
        left_out: blocks with a gap.
        k: treatments.
        ranks: average rank of each treatment, 1 is best; empty where no block is whole.

    ``statistic`` and ``p`` are None for fewer than three treatments (compare those in pairs) or two blocks.
    """

    statistic: float | None
    p: float | None
    n: int
    left_out: int
    k: int
    ranks: tuple[float, ...]


def friedman(table: Sequence[Sequence[float | None]], direction: Direction = "max") -> FriedmanResult:
    """Test whether all treatments rank alike over the blocks.

    Shape:
        table ``[blocks, treatments]``.
    """
    whole = _whole(table)
    n, k = whole.shape
    statistic = p = None
    if k >= 3 and n >= 2:
        statistic, p = 0.0, 1.0
        if np.ptp(whole, axis=1).any():  # ties everywhere are 0 / 0 to scipy
            result = stats.friedmanchisquare(*whole.T)
            statistic, p = float(result.statistic), float(result.pvalue)
    ranks = tuple(_ranked(whole, direction).mean(axis=0).tolist()) if n else ()
    return FriedmanResult(statistic=statistic, p=p, n=n, left_out=len(table) - n, k=k, ranks=ranks)


def average_ranks(table: Sequence[Sequence[float | None]], direction: Direction = "max") -> tuple[float, ...]:
    """Return each treatment's mean rank over the whole blocks, 1 is best; empty where no block is whole."""
    return friedman(table, direction).ranks


def critical_difference(k: int, n: int, *, alpha: float = 0.05) -> float:
    """Return by how much two average ranks must differ to be told apart (Nemenyi's test).

    CD = q · √(k (k + 1) / (6 n)), with q the studentized range's quantile at 1 − α for k groups and ∞ degrees of
    freedom, divided by √2.

    Args:
        k: treatments, at least 2.
        n: blocks, at least 1.
        alpha: the chance of telling any two apart where all rank alike.
    """
    if k < 2 or n < 1:
        raise ValueError(f"at least 2 treatments and 1 block are needed, got {k} and {n}")
    quantile = float(stats.studentized_range.ppf(1 - alpha, k, np.inf)) / math.sqrt(2)
    return quantile * math.sqrt(k * (k + 1) / (6 * n))


def cliques(ranks: Sequence[float], difference: float) -> list[tuple[int, ...]]:
    """Return the largest groups within which no two ranks lie further apart than the critical difference.

    A group lists its treatments from the best rank on, two at least; a group within another is not repeated.
    """
    order = sorted(range(len(ranks)), key=lambda index: ranks[index])
    groups: list[tuple[int, ...]] = []
    end = 0
    for start, first in enumerate(order):
        stop = max(stop for stop in range(start, len(order)) if ranks[order[stop]] - ranks[first] <= difference) + 1
        if stop > end and stop - start > 1:
            groups.append(tuple(order[start:stop]))
        end = max(end, stop)
    return groups


def _whole(table: Sequence[Sequence[float | None]]) -> Floats:
    """Return the blocks in which every treatment has a finite value."""
    widths = {len(row) for row in table}
    if len(widths) != 1:
        raise ValueError(f"a table needs rows of one length, got lengths {sorted(widths)}")
    values = np.array([[math.nan if x is None else x for x in row] for row in table], dtype=np.float64)
    whole: Floats = values[np.isfinite(values).all(axis=1)]
    return whole


def _ranked(whole: Floats, direction: Direction) -> Floats:
    return np.asarray(stats.rankdata(-whole if direction == "max" else whole, axis=1), dtype=np.float64)
