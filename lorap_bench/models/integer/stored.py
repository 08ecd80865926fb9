"""An integer network as named tensors, for a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from lorap_bench.models.integer.network import IntegerNetwork

__all__ = ["integer_tensors"]


def integer_tensors(model: IntegerNetwork) -> dict[str, Tensor]:
    """Return every site's grid, and the codes of the weights.

    A value is ``(code - zero) scale``; a code is ``clamp(round(value / scale + zero), low, high)``.

    Shape: ``<site>.scale`` float32, ``<site>.zero``, ``.low`` and ``.high`` int32, each ``[]``, or ``[1, C]`` where
    it is one a channel; ``<site>.codes`` of a weight ``[d_in, d_out]`` int8, or uint8 where no code is negative.
    """
    found: dict[str, Tensor] = {}
    for site, coder in model.grids.items():
        grid = coder.grid
        found[f"{site}.scale"] = grid.scale
        for name, part in (("zero", grid.zero), ("low", grid.low), ("high", grid.high)):
            found[f"{site}.{name}"] = part.to(torch.int32)
    for site, coded in model.weights.items():
        found[f"{site}.codes"] = coded.codes
    return found
