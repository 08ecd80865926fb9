"""The table of trained configurations: what a trial would have measured, without training it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["PACKED", "Row", "Table"]

PACKED = Path(__file__).parent / "cora.npz"
_VALIDATION, _EPOCHS, _EVERY = 500, 200, 5


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A configuration and what came of it.

    Attributes:
        digest: what names its training.
        params: the first point of the space that makes it.
        costs: average bits and overhead.
        marks: best validation accuracy so far, by seed, every few epochs: ``[seeds, rungs]``.
    """

    digest: str
    params: dict[str, Any]
    costs: dict[str, float]
    marks: NDArray[np.float64]

    @property
    def accuracy(self) -> float:
        """Return the mean over the seeds after the last epoch."""
        return float(self.marks[:, -1].mean())


@final
class Table:
    """Configurations by digest.

    Attributes:
        rows: digest → configuration, in the order of digests.
        epochs: epochs of a training.
        every: epochs between two marks.
    """

    def __init__(self, rows: Iterable[Row], *, epochs: int, every: int) -> None:
        self.rows = {row.digest: row for row in sorted(rows, key=lambda row: row.digest)}
        self.epochs, self.every = epochs, every

    @classmethod
    def packed(cls, path: Path = PACKED) -> Self:
        """Read what ``record --pack`` wrote."""
        with np.load(path) as file:
            facts = json.loads(str(file["facts"]))
            points = json.loads(file["points"].tobytes())
            marks = file["marks"] / facts["validation"]
        rows = [Row(**point, marks=curves) for point, curves in zip(points, marks, strict=True)]
        return cls(rows, epochs=facts["epochs"], every=facts["every"])

    @classmethod
    def raw(cls, folder: Path) -> Self:
        """Read the small files that ``record`` writes, as many as there are."""
        found = [row for path in sorted(folder.glob("*.json")) for row in json.loads(path.read_text())]
        rows = [
            Row(
                row["digest"], row["params"], row["costs"], np.rint(np.array(row["curves"]) * _VALIDATION) / _VALIDATION
            )
            for row in found
        ]
        return cls(rows, epochs=_EPOCHS, every=_EVERY)

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, digest: object) -> bool:
        return digest in self.rows

    def __getitem__(self, digest: str) -> Row:
        return self.rows[digest]

    def values(self) -> NDArray[np.float64]:
        """Return accuracy, average bits and overhead of every configuration: ``[rows, 3]``."""
        return np.array(
            [(row.accuracy, row.costs["average_bits"], row.costs["overhead"]) for row in self.rows.values()]
        )
