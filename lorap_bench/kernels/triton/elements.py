"""Kernels of one pass over the elements: fake quantization, (ReLU and) dropout, the masked gradient."""

from __future__ import annotations

import triton.language as tl

from lorap_bench.kernels.triton.compiled import compiled

__all__ = ["BLOCK", "NEAREST", "NOISE", "STOCHASTIC", "drop", "fake_quantize", "grid", "masked", "nearest"]

BLOCK = 1024
"""Elements of one program."""

NEAREST, STOCHASTIC, NOISE = 0, 1, 2
"""What stands for rounding: to nearest, down after noise, or noise alone."""


@compiled
def _bits(index: tl.tensor, keys: tl.tensor, member: tl.tensor, members: tl.tensor) -> tl.tensor:
    """Return the counter hash of ``kernels.random``: uniform 32-bit integers, unsigned."""
    first = tl.load(keys + member).to(tl.uint32, bitcast=True)
    second = tl.load(keys + members + member).to(tl.uint32, bitcast=True)
    bits = index.to(tl.uint32) ^ first
    bits = bits ^ (bits >> 16)
    bits = bits * 0x7FEB352D
    bits = bits ^ (bits >> 15)
    bits = bits + second
    bits = bits * 0x846CA68B
    return bits ^ (bits >> 16)


@compiled
def nearest(x: tl.tensor) -> tl.tensor:
    """Round half to even: adding 1.5 · 2^23 leaves no room for a fraction; larger values have none that matters."""
    return tl.where(tl.abs(x) < 4194304.0, (x + 12582912.0) - 12582912.0, x)


@compiled
def grid(low: tl.tensor, high: tl.tensor, least: tl.tensor, most: tl.tensor, SYMMETRIC: tl.constexpr) -> tl.tensor:
    """Return scale and zero point of a range (``Kernels.fake_quantize``); NaN stays NaN."""
    low, high = tl.where(low > 0, 0.0, low), tl.where(high < 0, 0.0, high)
    if SYMMETRIC:
        reach = tl.where((-low > high) | (low != low), -low, high)  # noqa: PLR0124  # NaN alone differs from itself
        scale = tl.div_rn(reach, most)
    else:
        scale = tl.div_rn(high - low, most - least)
    scale = tl.where(scale < 1.1920928955078125e-07, 1.1920928955078125e-07, scale)
    zero = tl.zeros_like(scale)
    if not SYMMETRIC:
        zero = nearest(least - tl.div_rn(low, scale))
        zero = tl.where(zero < least, least, zero)
        zero = tl.where(zero > most, most, zero)
    return scale, zero


@compiled
def fake_quantize(
    x: tl.tensor,
    out: tl.tensor,
    inside: tl.tensor,
    low: tl.tensor,
    high: tl.tensor,
    least: tl.tensor,
    most: tl.tensor,
    keys: tl.tensor,
    hidden: tl.tensor,
    count: tl.tensor,
    columns: tl.tensor,
    width: tl.tensor,
    SYMMETRIC: tl.constexpr,
    MODE: tl.constexpr,
    CHANNELS: tl.constexpr,
    MARKED: tl.constexpr,
    PROTECTED: tl.constexpr,
    BLOCK: tl.constexpr,
) -> None:
    """Quantize ``[S, count]``: limits ``[S]`` or ``[S, columns]``, hidden ``[S, count / width]``."""
    member = tl.program_id(1)
    start = member.to(tl.int64) * count
    index = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    valid = index < count
    value = tl.load(x + start + index, mask=valid, other=0.0)
    least, most = tl.load(least + member), tl.load(most + member)
    if CHANNELS:
        place = member * columns + index % columns
        scale, zero = grid(tl.load(low + place), tl.load(high + place), least, most, SYMMETRIC)
    else:
        scale, zero = grid(tl.load(low + member), tl.load(high + member), least, most, SYMMETRIC)
    code = tl.div_rn(value, scale + tl.zeros_like(value)) + zero
    if MODE == 0:
        code = nearest(code)
    else:
        noise = (_bits(index, keys, member, tl.num_programs(1)) >> 8).to(tl.float32) * 5.9604644775390625e-08
        code = code + noise
        code = tl.floor(code) if MODE == 1 else code - 0.5
    passes = (code > least) & (code < most)
    code = tl.where(code < least, least, code)
    code = tl.where(code > most, most, code)
    code = (code - zero) * scale
    if PROTECTED:
        rows = count // width
        kept = tl.load(hidden + member * rows + index // width, mask=valid, other=0) != 0
        code = tl.where(kept, value, code)
        passes = passes | kept
    tl.store(out + start + index, code, mask=valid)
    if MARKED:
        tl.store(inside + start + index, passes.to(tl.uint8), mask=valid)


@compiled
def drop(
    x: tl.tensor,
    out: tl.tensor,
    kept: tl.tensor,
    thresholds: tl.tensor,
    keys: tl.tensor,
    count: tl.tensor,
    RELU: tl.constexpr,
    MARKED: tl.constexpr,
    BLOCK: tl.constexpr,
) -> None:
    """Keep each element of ``[S, count]`` by its own draw, scaled."""
    member = tl.program_id(1)
    start = member.to(tl.int64) * count
    index = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    valid = index < count
    value = tl.load(x + start + index, mask=valid, other=0.0)
    threshold = tl.load(thresholds + member)
    passes = _bits(index, keys, member, tl.num_programs(1)).to(tl.int32, bitcast=True) >= threshold
    if RELU:
        passes = passes & (value > 0)
    tl.store(out + start + index, value * tl.where(passes, _factor(threshold), 0.0), mask=valid)
    if MARKED:
        tl.store(kept + start + index, passes.to(tl.uint8), mask=valid)


@compiled
def masked(
    gradient: tl.tensor,
    inside: tl.tensor,
    thresholds: tl.tensor,
    out: tl.tensor,
    count: tl.tensor,
    SCALED: tl.constexpr,
    BLOCK: tl.constexpr,
) -> None:
    """Multiply a gradient ``[S, count]`` by its mask, and with SCALED by what dropout scaled with."""
    member = tl.program_id(1)
    start = member.to(tl.int64) * count
    index = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    valid = index < count
    value = tl.load(gradient + start + index, mask=valid, other=0.0)
    passes = tl.load(inside + start + index, mask=valid, other=0) != 0
    factor = _factor(tl.load(thresholds + member)) if SCALED else 1.0
    tl.store(out + start + index, value * tl.where(passes, factor, 0.0), mask=valid)


@compiled
def _factor(threshold: tl.tensor) -> tl.tensor:
    """Return 1 / (1 - rate), rounded as the reference rounds it."""
    keep = (0.5 - threshold.to(tl.float64) * 2.3283064365386963e-10).to(tl.float32)
    return tl.div_rn(tl.zeros_like(keep) + 1.0, keep)
