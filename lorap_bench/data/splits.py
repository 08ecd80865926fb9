"""Splits by class that never change: the same labels and seed give the same split on every machine.

The order comes from SHA-256 and not from a library's random generator, whose stream may differ
between versions.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["folds", "parts", "per_class", "stratified_order"]


def stratified_order(labels: Sequence[int], seed: int) -> list[int]:
    """Return a shuffled order of the items in which every stretch holds the classes in proportion.

    Item number ``r`` of ``n`` shuffled items of its class takes the place ``(r + 1/2) / n``.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for index, label in enumerate(labels):
        members[label].append(index)
    places = [
        ((rank + 0.5) / len(items), label, index)
        for label, items in sorted(members.items())
        for rank, index in enumerate(sorted(items, key=lambda item: _ticket(item, seed)))
    ]
    return [index for _, _, index in sorted(places)]


def parts(labels: Sequence[int], sizes: Sequence[int], seed: int) -> list[list[int]]:
    """Return disjoint stratified parts of the given sizes, each sorted.

    Raises:
        ValueError: the sizes do not add up to the number of items.
    """
    if sum(sizes) != len(labels):
        raise ValueError(f"sizes {list(sizes)} do not add up to {len(labels)} items")
    order = stratified_order(labels, seed)
    ends = [sum(sizes[: number + 1]) for number in range(len(sizes))]
    return [sorted(order[end - size : end]) for end, size in zip(ends, sizes, strict=True)]


def folds(labels: Sequence[int], count: int, seed: int) -> list[list[int]]:
    """Return ``count`` stratified folds whose sizes differ by at most one, each sorted."""
    share, more = divmod(len(labels), count)
    return parts(labels, [share + (number < more) for number in range(count)], seed)


def per_class(labels: Sequence[int], sizes: Sequence[int], seed: int) -> list[list[int]]:
    """Return parts with ``sizes`` items of every class, and the rest as the last part, each sorted.

    Raises:
        ValueError: a class has no more items than the parts take.
    """
    chosen: list[list[int]] = [[] for _ in (*sizes, None)]
    members: dict[int, list[int]] = defaultdict(list)
    for index, label in enumerate(labels):
        members[label].append(index)
    for label, items in members.items():
        if len(items) <= sum(sizes):
            raise ValueError(f"class {label} has {len(items)} items, and more than {sum(sizes)} are needed")
        order = iter(sorted(items, key=lambda item: _ticket(item, seed)))
        for part, size in zip(chosen, (*sizes, None), strict=True):
            part.extend(islice(order, size))
    return [sorted(part) for part in chosen]


def _ticket(item: int, seed: int) -> bytes:
    """Return the item's lot in the shuffle."""
    return hashlib.sha256(f"{seed}:{item}".encode()).digest()
