"""Sites, contexts and tensors for tests of quantizers."""

from __future__ import annotations

import torch
from torch import Tensor

from lorap_bench.cost import Role, Site
from lorap_bench.kernels import Draws
from lorap_bench.quant import Context


def activation(rows: int = 3, columns: int = 2, *, nonnegative: bool = False, edges: bool = False) -> Site:
    """Return the site of a tensor ``[S, rows, columns]``."""
    return Site(
        name="layers.0.feature",
        layer="0",
        component="feature",
        role=Role.ACTIVATION,
        elements=rows * columns,
        columns=columns,
        rows="edge" if edges else "node",
        nonnegative=nonnegative,
    )


def weight(rows: int = 3, columns: int = 2) -> Site:
    """Return the site of a parameter ``[S, rows, columns]``."""
    return Site(
        name="layers.0.weight",
        layer="0",
        component="weight",
        role=Role.WEIGHT,
        elements=rows * columns,
        columns=columns,
    )


def context(*seeds: int) -> Context:
    """Return the context of a network with these seeds (one member of seed 0 by default)."""
    return Context(Draws(list(seeds or (0,))))


def normal(*shape: int, seed: int = 0) -> Tensor:
    """Draw from N(0, 1)."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
