"""Whether a set comes to its published counts: a truncated file may still be well formed."""

from __future__ import annotations

from dataclasses import astuple, fields
from typing import TYPE_CHECKING

from lorap_bench.data.families import TABLE, Counts

if TYPE_CHECKING:
    from lorap_bench.data.packed import Packed

__all__ = ["PUBLISHED", "Counts", "check_counts", "check_listed"]

PUBLISHED = {name: counts for family in TABLE for name, counts in family.sets.items()}


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
        packed.classes,
    )
    wrong = [
        f"{count:,} {field.name} instead of {expected:,}"
        for field, count, expected in zip(fields(published), found, astuple(published), strict=False)
        if expected is not None and count != expected
    ]
    if wrong:
        raise ValueError(", ".join(wrong))


def check_listed(name: str, edges: int) -> None:
    """Compare the number of edges that the raw files list with the published one, where that is what is published.

    Raises:
        ValueError: it differs.
    """
    published = PUBLISHED.get(name)
    if published is not None and published.listed not in {None, edges}:
        raise ValueError(f"{edges:,} listed edges instead of {published.listed:,}")
