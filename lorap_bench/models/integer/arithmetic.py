"""Products of coded matrices in integers: dense, sparse, and edge by edge.

With A = s_a (Q_a - z_a) and X = s_x (Q_x - z_x), where A has a pattern of stored entries and is zero elsewhere,

    (A X)_ic = s_a s_x [ (Q_a Q_x)_ic - z_x,c Σ_j Q_a,ij - z_a Σ_j Q_x,jc + n_i z_a z_x,c ],

each sum over the n_i entries stored in row i. For z_a = 0 (edge weights on unsigned codes) the last two terms
vanish; a sum without edge weights is the case Q_a = 1. A dense matrix stores all its entries.

Source: MixQ-GNN (Moustafa et al. 2024), quantized message passing; the sums over stored entries only are ours.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from lorap_bench.errors import ConfigError, Fault
from lorap_bench.models.integer.codes import Coded, SparseCoded, Sums

if TYPE_CHECKING:
    from lorap_bench.kernels.csr import Csr

__all__ = ["dense_product", "edge_product", "linear", "sparse_product"]

_LARGEST = 2**31 - 1


def linear(x: Coded | SparseCoded, weight: Coded, site: str) -> Sums:
    """Multiply node features by a weight: ``[N, d_in]`` · ``[d_in, d_out]``."""
    if isinstance(x, SparseCoded):
        return sparse_product(x.pattern, x.entries, weight, site)
    return dense_product(x, weight, site)


def dense_product(a: Coded, b: Coded, site: str) -> Sums:
    """Multiply ``[n, k]`` by ``[k, m]``; ``site`` is what the sums become.

    Raises:
        ConfigError: a sum could leave the range of 32-bit integers.
    """
    a, b = a.signed(), b.signed()
    inner = a.codes.shape[1]
    _check(inner * a.magnitude() * b.magnitude(), site)
    sums = _int8_matmul(a.codes, b.codes)
    if a.zero.any():
        sums -= a.zero * b.codes.sum(0, dtype=torch.int32)
    if b.zero.any():
        rows = a.codes.sum(1, keepdim=True, dtype=torch.int32)
        sums -= b.zero * (rows - inner * a.zero)
    return Sums(sums, a.scale * b.scale)


def sparse_product(pattern: Csr, a: Coded | None, b: Coded, site: str) -> Sums:
    """Multiply a sparse ``[n, k]``, all its entries 1 where ``a`` is None, by ``[k, m]``; entries of a ``[E]``.

    Raises:
        ConfigError: a sum could leave the range of 32-bit integers.
    """
    entries = np.ones(pattern.entries, np.int32) if a is None else _int32(a.codes)
    magnitudes = entries if a is None else np.abs(entries) + abs(int(a.zero))
    heaviest = int(_row_sums(pattern, magnitudes).max(initial=0))
    _check(heaviest * b.magnitude(), site)
    factor = _int32(b.codes)
    sums = _matrix(pattern, entries) @ factor
    if b.zero.any():
        sums -= _row_sums(pattern, entries)[:, None] * b.zero.numpy()
    if a is not None and a.zero.any():
        ones = np.ones(pattern.entries, np.int32)
        column_terms = _matrix(pattern, ones) @ factor - _row_sums(pattern, ones)[:, None] * b.zero.numpy()
        sums -= a.zero.numpy() * column_terms
    scale = b.scale if a is None else a.scale * b.scale
    return Sums(torch.from_numpy(sums.astype(np.int32, copy=False)), scale)


def edge_product(pattern: Csr, a: Coded | None, b: Coded) -> Sums:
    """Multiply each entry by the row it points to: ``[E]`` and ``[k, m]`` → ``[E, m]``.

    No sum is longer than one product of two codes, so none can overflow.
    """
    rows = b.codes.index_select(0, pattern.col).int() - b.zero
    if a is None:
        return Sums(rows, b.scale)
    return Sums((a.codes.int() - a.zero).unsqueeze(1) * rows, a.scale * b.scale)


def _int8_matmul(a: Tensor, b: Tensor) -> Tensor:
    """Multiply int8 matrices into int32: by the processor's int8 instructions where those are exact."""
    if _int8_is_exact() and min(*a.shape, *b.shape) > 0:
        return torch._int_mm(a, b)  # noqa: SLF001  # torch has no public name for it
    return a.int() @ b.int()


@lru_cache(maxsize=1)
def _int8_is_exact() -> bool:
    """Return whether extreme codes come out right: older processors saturate sums of two products at 16 bits."""
    signs = torch.tensor([[-128, 127], [127, -128]], dtype=torch.int8)
    a, b = signs.repeat_interleave(32, 1).repeat(8, 1), signs.repeat_interleave(32, 0).repeat(1, 8)
    try:
        return torch.equal(torch._int_mm(a, b), a.int() @ b.int())  # noqa: SLF001  # as above
    except (AttributeError, RuntimeError):
        return False


def _check(bound: int, site: str) -> None:
    if bound > _LARGEST:
        fault = Fault(
            path=site,
            message="its sums may not fit 32-bit accumulators; use fewer bits or a smaller input",
            got=bound,
            allowed=f"at most {_LARGEST}",
        )
        raise ConfigError([fault])


def _int32(codes: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    return cast("np.ndarray[tuple[int, ...], np.dtype[np.int32]]", codes.int().numpy())


def _matrix(pattern: Csr, entries: np.ndarray[tuple[int, ...], np.dtype[np.int32]]) -> csr_array:
    return csr_array((entries, pattern.col.numpy(), pattern.rowptr.numpy()), shape=pattern.shape)


def _row_sums(
    pattern: Csr, entries: np.ndarray[tuple[int, ...], np.dtype[np.int32]]
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    running = np.concatenate([[0], np.cumsum(entries, dtype=np.int64)])
    return cast("np.ndarray[tuple[int, ...], np.dtype[np.int64]]", np.diff(running[pattern.rowptr.numpy()]))
