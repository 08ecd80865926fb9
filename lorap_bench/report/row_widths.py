"""Widths that a trial learned for each row: of nodes by their in-degree, of groups of nodes by width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from lorap_bench.record import Curves, TrialRecord

__all__ = ["Octave", "Rows", "rows_of"]

_PREFIX = "row_bits:"


@dataclass(frozen=True, slots=True)
class Octave:
    """The nodes whose in-degree lies in one octave, and the widths they have over all members.

    ``place`` 0 is the in-degree 0, 1 is 1, 2 is 2, 3 is 3 to 4, 4 is 5 to 8, and so on.
    """

    place: int
    nodes: int
    mean: float
    low: float
    median: float
    high: float

    @property
    def label(self) -> str:
        """Return the in-degrees of the octave."""
        return str(self.place) if self.place < 3 else f"{2 ** (self.place - 2) + 1}–{2 ** (self.place - 1)}"


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The learned widths of one site of one trial, a list a member; ``in_degree`` is None where rows are no nodes."""

    record: TrialRecord
    site: str
    widths: Sequence[Sequence[float]]
    in_degree: Sequence[float] | None

    def octaves(self) -> list[Octave]:
        """Return the quartiles of the widths by in-degree, the members pooled; octaves without a node are left out.

        Members that lack a width for some node are left out.
        """
        if self.in_degree is None:
            return []
        degree = np.asarray(self.in_degree)
        members = np.array([each for each in self.widths if len(each) == len(degree)]).reshape(-1, len(degree))
        places = np.where(degree > 0, np.ceil(np.log2(np.maximum(degree, 1))) + 1, 0).astype(int)
        return [found for place in np.unique(places) if (found := _octave(int(place), members[:, places == place]))]

    def counts(self) -> dict[float, int]:
        """Return width → how many rows have it, over all members."""
        values = np.array([width for member in self.widths for width in member])
        found, counts = np.unique(values[np.isfinite(values)].round(), return_counts=True)
        return dict(zip(found.tolist(), counts.tolist(), strict=True))


def rows_of(record: TrialRecord, curves: Curves) -> Iterator[Rows]:
    """Yield the sites of a trial that learned a width for each row."""
    degree = next(iter(curves.get("in_degree", [])), None)
    for name, members in curves.items():
        if name.startswith(_PREFIX) and any(members):
            yield Rows(record, name.removeprefix(_PREFIX), members, degree)


def _octave(place: int, widths: NDArray[np.float64]) -> Octave | None:
    known = widths[np.isfinite(widths)]
    if not known.size:
        return None
    low, median, high = np.quantile(known, (0.25, 0.5, 0.75)).tolist()
    return Octave(place, widths.shape[1], float(known.mean()), low, median, high)
