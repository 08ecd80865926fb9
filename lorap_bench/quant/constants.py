"""Constants of a data set, quantized once a range and width for every member, stage and trial that asks.

What becomes of a constant depends on its range and codes alone, so members, and trials one after another, that
agree in them share one tensor; its transpose, derived from it, is shared with it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from lorap_bench.kernels.backend import kernels
from lorap_bench.kernels.derived import derived, kept
from lorap_bench.kernels.interface import CodeRange, KnownRange

__all__ = ["quantized_constant", "read_range"]

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Recipe(NamedTuple):
    """All that a quantized constant depends on; the backend, for the sign of a zero may."""

    low: float
    high: float
    least: float
    most: float
    symmetric: bool
    backend: str


def quantized_constant(values: Tensor, known: KnownRange) -> Tensor:
    """Quantize what all members share: ``[1, …]`` → ``[1, …]`` where they quantize it alike, else ``[S, …]``."""
    positions: dict[_Recipe, int] = {}
    recipes = list(_recipes(known))
    for position, recipe in enumerate(recipes):
        positions.setdefault(recipe, position)
    pieces = {
        recipe: kept(partial(_piece, values, known, position), values, recipe) for recipe, position in positions.items()
    }
    return pieces[recipes[0]] if len(pieces) == 1 else torch.cat([pieces[recipe] for recipe in recipes])


def read_range(known: KnownRange) -> None:
    """Read a range to the host before a training step would, which must not wait for a device."""
    for _ in _recipes(known):
        pass


def _recipes(known: KnownRange) -> Iterator[_Recipe]:
    tensors = *known.limits, known.codes.low, known.codes.high
    lows, highs, least, most = (derived(_numbers, tensor, None) for tensor in tensors)
    for low, high, first, last in zip(lows, highs, least, most, strict=True):
        yield _Recipe(low, high, first, last, known.codes.symmetric, kernels().name)


def _numbers(tensor: Tensor, _: None) -> list[float]:
    """Read a tensor to the host: once as long as it stays as it is."""
    numbers: list[float] = tensor.tolist()
    return numbers


def _piece(values: Tensor, known: KnownRange, position: int) -> Tensor:
    """Quantize as one member does."""
    low, high, least, most = (
        tensor[position : position + 1] for tensor in (*known.limits, known.codes.low, known.codes.high)
    )
    codes = CodeRange(least, most, known.codes.symmetric)
    return kernels().fake_quantize(values, (low, high), codes, clipped=False)
