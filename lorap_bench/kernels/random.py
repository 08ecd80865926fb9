"""Randomness by counter: every draw is a pure function of (seed, stream, step, element).

No draw depends on another, so a member's numbers do not depend on the company it keeps, and
adding a stream (a prompt, a dropout site) does not shift the others'.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Draws", "counter_bits", "counter_keys", "counter_uniform", "drop_threshold", "stream_generator"]

_MASK64 = (1 << 64) - 1
_GOLDEN, _FACTORS = 0x9E3779B97F4A7C15, (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)  # of splitmix64


@dataclass(slots=True)
class Draws:
    """The members' seeds and the number of the training step at hand."""

    seeds: list[int]
    step: int = 0
    _held: _Held | None = field(default=None, init=False)

    def keys(self, stream: str) -> Tensor:
        """Return the step's keys of one named stream: ``[2, S]`` int32."""
        if self._held is None:
            return counter_keys(self.seeds, stream, self.step)
        return self._held.keys(stream, self.step)

    def advance(self) -> None:
        """Go on to the next step."""
        self.step += 1
        if self._held is not None:
            self._held.renew(self.step)

    def keep(self, positions: Sequence[int]) -> None:
        """Keep only the members at these positions."""
        self.seeds = [self.seeds[position] for position in positions]
        if self._held is not None:
            self.hold(self._held.device)

    def hold(self, device: torch.device) -> None:
        """From now on keep each stream's keys in one tensor of a device, renewed in place by ``advance``."""
        self._held = _Held(self.seeds, device)


class _Held:
    """The keys of the streams met so far, in tensors that stay where they are."""

    def __init__(self, seeds: list[int], device: torch.device) -> None:
        self.seeds, self.device = seeds, device
        self._keys: dict[str, Tensor] = {}
        self._bases = np.zeros((0, len(seeds)), dtype=np.uint64)

    def keys(self, stream: str, step: int) -> Tensor:
        """Return the tensor of a stream."""
        if stream not in self._keys:
            bases = np.array([[_stream_base(seed, stream) for seed in self.seeds]], dtype=np.uint64)
            self._bases = np.concatenate([self._bases, bases])
            self._keys[stream] = counter_keys(self.seeds, stream, step).to(self.device).contiguous()
        return self._keys[stream]

    def renew(self, step: int) -> None:
        """Write the keys of a step: the same as ``counter_keys``, all streams in one copy to the device."""
        if not self._keys:
            return
        words = self._bases + np.uint64(step + _GOLDEN & _MASK64)
        words = (words ^ (words >> np.uint64(30))) * np.uint64(_FACTORS[0])
        words = (words ^ (words >> np.uint64(27))) * np.uint64(_FACTORS[1])
        words ^= words >> np.uint64(31)
        halves = np.stack([words.astype(np.uint32), (words >> np.uint64(32)).astype(np.uint32)], axis=1)
        # Not blocking: the host copies the source at once, but must not wait for the device's last step.
        table = torch.from_numpy(halves.view(np.int32)).to(self.device, non_blocking=True)
        torch._foreach_copy_(list(self._keys.values()), list(table.unbind()))  # one launch for all; no public name


def stream_generator(seed: int, stream: str) -> torch.Generator:
    """Return a generator for one named stream of one member (initial values, not training steps)."""
    digest = hashlib.blake2b(f"{seed}/{stream}".encode(), digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "little") >> 1)


def counter_keys(seeds: Sequence[int], stream: str, step: int) -> Tensor:
    """Return two 32-bit keys a member for ``(seed, stream, step)``.

    Formula: splitmix64 of ``blake2b(seed/stream) + step``, cut in two.

    Shape: ``[2, S]`` int32.
    """
    pairs = []
    for seed in seeds:
        base = _stream_base(seed, stream)
        word = _splitmix64((base + step) & _MASK64)
        pairs.append((_signed(word & 0xFFFFFFFF), _signed(word >> 32)))
    return torch.tensor(pairs, dtype=torch.int32).T


def counter_bits(keys: Tensor, count: int) -> Tensor:
    """Hash the counters 0 … count-1 under each member's keys to uniform 32-bit integers.

    Formula: ``mix(mix'(i ^ k1) + k2)`` with the two multiply-xorshift rounds of lowbias32.

    Shape: keys ``[2, S]`` int32 → ``[S, count]`` int32, uniform over all signed values.

    Source: round constants of Wellons' lowbias32; the keyed two-stage use is ours.
    """
    index = torch.arange(count, dtype=torch.int32, device=keys.device)
    bits = index ^ keys[0].unsqueeze(1)
    scratch = torch.empty_like(bits)
    _xorshift(bits, scratch, 16)
    bits.mul_(0x7FEB352D)
    _xorshift(bits, scratch, 15)
    bits.add_(keys[1].unsqueeze(1))
    bits.mul_(-0x7B935975)  # 0x846CA68B as a signed 32-bit integer
    _xorshift(bits, scratch, 16)
    return bits


def counter_uniform(keys: Tensor, count: int) -> Tensor:
    """Draw uniformly from [0, 1): multiples of 2^-24 from ``counter_bits``.

    Shape: keys ``[2, S]`` int32 → ``[S, count]`` float32.
    """
    bits = counter_bits(keys, count)
    return bits.bitwise_right_shift_(8).bitwise_and_((1 << 24) - 1).to(torch.float32).mul_(2.0**-24)


def drop_threshold(rates: Sequence[float]) -> Tensor:
    """Return the signed 32-bit value below which a uniform integer means "drop".

    Shape: ``[S]`` int32; ``P(bits < threshold) = rate``.
    """
    return torch.tensor([min(int(rate * 2**32), 2**32 - 1) - 2**31 for rate in rates], dtype=torch.int32)


def _xorshift(bits: Tensor, scratch: Tensor, shift: int) -> None:
    # Right shift of a signed integer copies the sign: mask it away to get the logical shift.
    torch.bitwise_right_shift(bits, shift, out=scratch)
    scratch.bitwise_and_((1 << (32 - shift)) - 1)
    bits.bitwise_xor_(scratch)


_bases: dict[tuple[int, str], int] = {}


def _stream_base(seed: int, stream: str) -> int:
    key = (seed, stream)
    if key not in _bases:
        digest = hashlib.blake2b(f"{seed}/{stream}".encode(), digest_size=8).digest()
        _bases[key] = int.from_bytes(digest, "little")
    return _bases[key]


def _splitmix64(state: int) -> int:
    state = (state + _GOLDEN) & _MASK64
    state = ((state ^ (state >> 30)) * _FACTORS[0]) & _MASK64
    state = ((state ^ (state >> 27)) * _FACTORS[1]) & _MASK64
    return state ^ (state >> 31)


def _signed(word: int) -> int:
    return word - (1 << 32) if word >= 1 << 31 else word
