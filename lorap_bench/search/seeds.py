"""Every seed of a study as a function of the study's seed and the trial's place, never of the clock.

So a study that was interrupted and resumed draws what the uninterrupted one draws. Every look at the
test split has a stream of fresh seeds of its own.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["confirmation_seeds", "member_seeds", "sampler_seed", "sequence_seed"]

_BITS = 31  # every library takes a non-negative 32-bit signed seed


def sampler_seed(study_seed: int, key: int) -> int:
    """Return the seed of the sampler for the ask of trial ``key``."""
    return _seed("sampler", study_seed, key)


def sequence_seed(study_seed: int) -> int:
    """Return the seed of what a study draws once for all its trials: the order of a grid, the scrambling of QMC."""
    return _seed("sequence", study_seed)


def member_seeds(study_seed: int, key: int, members: int) -> tuple[int, ...]:
    """Return the training seeds of trial ``key``, one a member, all different."""
    return _stream("member", study_seed, key, members)


def confirmation_seeds(study_seed: int, look: int, members: int, *, used: Collection[int] = ()) -> tuple[int, ...]:
    """Return the fresh training seeds of a look at the test split: none of them is among ``used``.

    All configurations of the look share them, so that their figures can be compared seed by seed.
    """
    return _stream("confirm", study_seed, look, members, used)


def _stream(name: str, study_seed: int, key: int, members: int, used: Collection[int] = ()) -> tuple[int, ...]:
    seeds: list[int] = []
    index = 0
    while len(seeds) < members:
        seed = _seed(name, study_seed, key, index)
        index += 1
        if seed not in used and seed not in seeds:
            seeds.append(seed)
    return tuple(seeds)


def _seed(*parts: str | int) -> int:
    """Hash the parts to a non-negative 31-bit number."""
    text = "/".join(str(part) for part in parts)
    digest = hashlib.blake2b(text.encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") & ((1 << _BITS) - 1)
