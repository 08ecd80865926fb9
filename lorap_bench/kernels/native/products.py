"""Products so thin that reading and writing their result is all they cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.kernels.native.compiled import compiled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

__all__ = ["add_product"]


@compiled
def add_product(base: Floats, a: Floats, b: Floats, out: Floats) -> None:
    """Write ``base + a b``, a row at a time while it is in the cache.

    Shape: base ``[1 or S, n, m]``; a ``[S, n, k]``, b ``[S, k, m]``, out ``[S, n, m]``.
    """
    members, rows, count = a.shape
    for s in range(members):
        source = base[s if base.shape[0] > 1 else 0]
        for i in range(rows):
            target, start = out[s, i], source[i]
            for c in range(target.size):
                target[c] = start[c]
            for k in range(count):
                weight, row = a[s, i, k], b[s, k]
                for c in range(target.size):
                    target[c] += weight * row[c]
