"""What one arm of a benchmark table came to, as one cell of the table shows it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lorap_bench.stats.intervals import Interval

__all__ = ["Result", "Standing"]


class Standing(StrEnum):
    """How a mean stands among those it is compared with; ``NEAR`` is one that chance may have parted from the best."""

    BEST = "best"
    NEAR = "near"
    OTHER = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A mean over trainings, its average bits, how it stands, and what is to be said of it.

    ``test`` is None where nothing was measured; ``note`` says why, or what is missing. ``fraction`` tells whether the
    figure is shown in percent.
    """

    test: Interval | None
    bits: float | None = None
    standing: Standing = Standing.OTHER
    note: str = ""
    fraction: bool = True
