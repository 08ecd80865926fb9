"""Leave points out of a crowd where it is densest: what stands alone stays."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["thinned"]

_CELLS = 24


def thinned(points: NDArray[np.float64], most: int) -> list[int]:
    """Return the places of at most ``most`` points, in order.

    The box of the points is divided into 24 cells along each axis, and the cells give up a point each in turn until
    there are enough: a cell with few points keeps all of them. Points that are not finite share a cell.

    Shape:
        points ``[n, m]``.
    """
    if len(points) <= most:
        return list(range(len(points)))
    finite = np.where(np.isfinite(points), points, np.nan)
    with np.errstate(invalid="ignore"):
        low = np.nanmin(finite, axis=0, initial=np.inf)
        width = np.nanmax(finite, axis=0, initial=-np.inf) - low
        share = (finite - low) / np.where(width > 0, width, 1.0)
    cells = np.where(np.isfinite(share), np.minimum(share * _CELLS, _CELLS - 1), -1).astype(np.int64)
    seen: Counter[tuple[int, ...]] = Counter()
    turns = []
    for cell in map(tuple, cells.tolist()):
        turns.append(seen[cell])
        seen[cell] += 1
    return sorted(np.argsort(turns, kind="stable")[:most].tolist())
