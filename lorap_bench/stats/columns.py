"""Columns of a table of trials as numbers: values of any kind, some missing, for models that know only numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["evenly_spaced", "numbers", "one_hot"]

Floats = NDArray[np.float64]


def numbers(values: Sequence[object]) -> Floats | None:
    """Return the values with NaN for what is missing or not finite; None where one is neither number nor boolean.

    Shape:
        ``[n]``.
    """
    if not all(value is None or isinstance(value, (int, float, np.number, np.bool_)) for value in values):
        return None
    found = np.array([math.nan if value is None else value for value in values], dtype=np.float64)
    return np.where(np.isfinite(found), found, math.nan)


def one_hot(values: Sequence[object]) -> Floats:
    """Return a column of 0 and 1 for each distinct text of the values, in the texts' order; missing is one of them.

    Shape:
        ``[n, distinct]``.
    """
    # A text "None" and a missing value are told apart by the quotes.
    _, codes = np.unique([repr(value) for value in values], return_inverse=True)
    return np.asarray(codes[:, None] == np.arange(codes.max(initial=-1) + 1), dtype=np.float64)


def evenly_spaced(rows: NDArray[np.int64], most: int) -> list[int]:
    """Return the rows, or ``most`` of them at even distances, the first and the last among them."""
    if len(rows) > most:
        rows = rows[np.linspace(0, len(rows) - 1, most).round().astype(np.int64)]
    return [int(row) for row in rows]
