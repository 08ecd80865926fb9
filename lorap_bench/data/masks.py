"""Several published splits of one graph, as masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    from lorap_bench.data.task import Split

__all__ = ["published_masks"]


def published_masks(masks: Mapping[Split, NDArray[np.generic]], splits: int, nodes: int) -> dict[Split, Tensor]:
    """Return masks of a graph's published splits; one mask alone serves every split.

    Shape:
        masks: ``[splits, nodes]`` or ``[nodes]``, of truth values or of zeros and ones; the result
        ``[splits, nodes]`` bool.

    Raises:
        ValueError: a mask has another shape or other values, is empty, or shares a node with another of its split.
    """
    taken = np.zeros((splits, nodes), dtype=np.int64)
    result: dict[Split, Tensor] = {}
    for name, values in masks.items():
        if values.shape not in {(nodes,), (splits, nodes)}:
            raise ValueError(f"the {name} mask is {list(values.shape)} instead of {[splits, nodes]}")
        if not np.isin(values, (0, 1)).all():
            raise ValueError(f"the {name} mask holds more than zeros and ones")
        mask = np.broadcast_to(values.astype(bool), (splits, nodes))
        if not mask.any(axis=1).all():
            raise ValueError(f"the {name} mask of a split is empty")
        taken += mask
        result[name] = torch.from_numpy(mask.copy())
    if taken.max(initial=0) > 1:
        raise ValueError(f"split {int(taken.max(axis=1).argmax())} has a node in two parts")
    return result
