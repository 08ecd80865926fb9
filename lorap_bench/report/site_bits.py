"""The width that each site of a trial came to, with the sites in the order of the network."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lorap_bench.record import TrialRecord

__all__ = ["site_bits", "site_parts", "sites"]


def site_bits(record: TrialRecord) -> dict[str, float]:
    """Return site → bits; where a width was learned, the mean over the members that have it."""
    found = {site: float(bits) for site, bits in (record.effective.get("bits") or {}).items()}
    learned: dict[str, list[float]] = {}
    for member in record.members:
        for site, bits in member.bits.items():
            learned.setdefault(site, []).append(bits)
    return found | {site: math.fsum(values) / len(values) for site, values in learned.items()}


def sites(records: Iterable[TrialRecord]) -> list[str]:
    """Return every site of the trials; one that only some have comes after the one before it in theirs."""
    order: list[str] = []
    for record in records:
        place = 0
        for site in site_bits(record):
            if site not in order:
                order.insert(place, site)
            place = order.index(site) + 1
    return order


def site_parts(site: str) -> tuple[str, str]:
    """Return a site's part of the network and its name there: ``layers.0.weight`` → ``layer 0``, ``weight``."""
    first, _, rest = site.partition(".")
    if first == "layers":
        layer, _, name = rest.partition(".")
        return f"layer {layer}", name or layer
    return (first, rest) if rest else ("", first)
