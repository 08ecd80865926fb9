"""The counts of the known data sets, which their files must come to: a truncated file may still be well formed."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lorap_bench.data.packed import Packed

__all__ = ["PUBLISHED", "Counts", "check_counts"]


@dataclass(frozen=True, slots=True)
class Counts:
    """How much a data set holds; ``edges`` counts both directions."""

    graphs: int
    nodes: int
    edges: int
    features: int
    classes: int


# Sources: the TU collection's table and PyG's documentation. Features are those that are read here.
PUBLISHED = {
    "Cora": Counts(1, 2708, 10556, 1433, 7),
    "CiteSeer": Counts(1, 3327, 9104, 3703, 6),
    "PubMed": Counts(1, 19717, 88648, 500, 3),
    "MUTAG": Counts(188, 3371, 7442, 7, 2),
    "PROTEINS": Counts(1113, 43471, 162088, 3, 2),
    "NCI1": Counts(4110, 122747, 265506, 37, 2),
    "DD": Counts(1178, 334925, 1686092, 89, 2),
    "REDDIT-BINARY": Counts(2000, 859254, 1991016, 1, 2),
    "IMDB-BINARY": Counts(1000, 19773, 193062, 136, 2),
}


def check_counts(name: str, packed: Packed) -> None:
    """Compare a set's counts with the published ones; a set that is not known passes.

    Raises:
        ValueError: a count differs; names each with both figures.
    """
    published = PUBLISHED.get(name)
    if published is None:
        return
    found = (
        len(packed.graph_ptr) - 1,
        len(packed.x),
        packed.edge_index.shape[1],
        packed.x.shape[1],
        int(packed.y.max()) + 1,
    )
    wrong = [
        f"{count:,} {field.name} instead of {expected:,}"
        for field, count, expected in zip(fields(published), found, astuple(published), strict=True)
        if count != expected
    ]
    if wrong:
        raise ValueError(", ".join(wrong))
