"""Kernels of the low-rank injection: x is read once and written once, the scores never leave the program.

A quantizer whose range is known acts before the write. Rows wider than a block are read a second time. The number of
prompts is padded to at least 16, which products need; padded scores are -inf.
"""

from __future__ import annotations

import triton.language as tl

from lorap_bench.kernels.triton.compiled import compiled, exponential
from lorap_bench.kernels.triton.elements import grid, nearest

__all__ = ["LINEAR", "SIGMOID", "SOFTMAX", "inject", "slope", "to_parameters"]

SOFTMAX, LINEAR, SIGMOID = 0, 1, 2


@compiled
def _tile(x: tl.tensor, row: tl.tensor, place: tl.tensor, rows: tl.tensor, width: tl.tensor) -> tl.tensor:
    """Read a tile ``[ROWS, BLOCK]`` of a row-major matrix."""
    mask = (row < rows)[:, None] & (place < width)[None, :]
    return tl.load(x + row[:, None].to(tl.int64) * width + place[None, :], mask=mask, other=0.0)


@compiled
def _put(x: tl.tensor, tile: tl.tensor, row: tl.tensor, place: tl.tensor, rows: tl.tensor, width: tl.tensor) -> None:
    """Write a tile ``[ROWS, BLOCK]`` of a row-major matrix."""
    mask = (row < rows)[:, None] & (place < width)[None, :]
    tl.store(x + row[:, None].to(tl.int64) * width + place[None, :], tile, mask=mask)


@compiled
def _weights(
    score: tl.tensor, temperature: tl.tensor, bias: tl.tensor, valid: tl.tensor, GATE: tl.constexpr
) -> tl.tensor:
    """Return the weights of the prompts from scores ``[ROWS, COUNT]``; 0 where padded."""
    logits = tl.div_rn(score, temperature + tl.zeros_like(score)) + bias[None, :]
    if GATE == 0:
        logits = tl.where(valid[None, :], logits, float("-inf"))
        rise = exponential(logits - tl.max(logits, 1)[:, None])
        rise = tl.where(valid[None, :], rise, 0.0)
        found = tl.div_rn(rise, tl.sum(rise, 1)[:, None] + tl.zeros_like(rise))
    elif GATE == 1:
        found = logits
    else:
        logits = tl.where(logits > 60.0, 60.0, logits)
        logits = tl.where(logits < -60.0, -60.0, logits)
        found = tl.div_rn(tl.zeros_like(logits) + 1.0, 1.0 + exponential(-logits))
    return tl.where(valid[None, :], found, 0.0)


@compiled
def _finish(
    out: tl.tensor,
    inside: tl.tensor,
    tile: tl.tensor,
    row: tl.tensor,
    place: tl.tensor,
    rows: tl.tensor,
    width: tl.tensor,
    scale: tl.tensor,
    zero: tl.tensor,
    least: tl.tensor,
    most: tl.tensor,
    QUANTIZED: tl.constexpr,
    MARKED: tl.constexpr,
) -> None:
    """Write a tile, quantized as ``elements.fake_quantize`` quantizes if asked, and where its gradient passes."""
    if QUANTIZED:
        code = nearest(tl.div_rn(tile, scale + tl.zeros_like(tile)) + zero)
        if MARKED:
            _put(inside, ((code > least) & (code < most)).to(tl.uint8), row, place, rows, width)
        code = tl.where(code < least, least, code)
        code = tl.where(code > most, most, code)
        tile = (code - zero) * scale
    _put(out, tile, row, place, rows, width)


@compiled
def _ends(
    low: tl.tensor, high: tl.tensor, least: tl.tensor, most: tl.tensor, QUANTIZED: tl.constexpr, SYMMETRIC: tl.constexpr
) -> tuple[tl.tensor, tl.tensor, tl.tensor, tl.tensor]:
    """Read a member's grid and its end codes; zeros where nothing is quantized."""
    scale, zero = 0.0, 0.0
    first, last = 0.0, 0.0
    if QUANTIZED:
        first, last = tl.load(least), tl.load(most)
        scale, zero = grid(tl.load(low), tl.load(high), first, last, SYMMETRIC)
    return scale, zero, first, last


@compiled
def inject(
    x: tl.tensor,
    score: tl.tensor,
    basis: tl.tensor,
    bias: tl.tensor,
    temperature: tl.tensor,
    out: tl.tensor,
    weights: tl.tensor,
    inside: tl.tensor,
    low: tl.tensor,
    high: tl.tensor,
    least: tl.tensor,
    most: tl.tensor,
    rows: tl.tensor,
    width: tl.tensor,
    count: tl.tensor,
    GATE: tl.constexpr,
    KEEP: tl.constexpr,
    QUANTIZED: tl.constexpr,
    SYMMETRIC: tl.constexpr,
    MARKED: tl.constexpr,
    ONCE: tl.constexpr,
    ROWS: tl.constexpr,
    BLOCK: tl.constexpr,
    COUNT: tl.constexpr,
) -> None:
    """Add the prompt to some rows: x ``[S, rows, width]``, score ``[S, width, count]``, basis ``[S, count, width]``.

    With QUANTIZED the result is quantized on the grid of low, high, and the codes least … most, ``[S]`` each; with
    MARKED inside ``[S, rows, width]`` becomes where the unclamped code is strictly within.
    """
    member = tl.program_id(1).to(tl.int64)
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    prompt = tl.arange(0, COUNT)
    valid = prompt < count
    plane, matrix = member * rows * width, member * width * count
    x, out, inside, score, basis = x + plane, out + plane, inside + plane, score + matrix, basis + matrix
    scale, zero, first, last = _ends(low + member, high + member, least + member, most + member, QUANTIZED, SYMMETRIC)
    place = tl.arange(0, BLOCK)
    tile = _tile(x, row, place, rows, width)
    total = tl.dot(tile, _tile(score, place, prompt, width, count), input_precision="ieee")
    if not ONCE:
        for start in range(BLOCK, width, BLOCK):
            place = start + tl.arange(0, BLOCK)
            more = _tile(x, row, place, rows, width)
            total = tl.dot(more, _tile(score, place, prompt, width, count), total, input_precision="ieee")
    bias = tl.load(bias + member * count + prompt, mask=valid, other=0.0)
    share = _weights(total, tl.load(temperature + member), bias, valid, GATE)
    if KEEP:
        _put(weights + member * rows * count, share, row, prompt, rows, count)
    place = tl.arange(0, BLOCK)
    added = tl.dot(share, _tile(basis, prompt, place, count, width), input_precision="ieee")
    tile += added
    _finish(out, inside, tile, row, place, rows, width, scale, zero, first, last, QUANTIZED, MARKED)
    if not ONCE:
        for start in range(BLOCK, width, BLOCK):
            place = start + tl.arange(0, BLOCK)
            added = tl.dot(share, _tile(basis, prompt, place, count, width), input_precision="ieee")
            tile = _tile(x, row, place, rows, width) + added
            _finish(out, inside, tile, row, place, rows, width, scale, zero, first, last, QUANTIZED, MARKED)


@compiled
def slope(
    gradient: tl.tensor,
    score: tl.tensor,
    basis: tl.tensor,
    temperature: tl.tensor,
    weights: tl.tensor,
    slopes: tl.tensor,
    to_x: tl.tensor,
    rows: tl.tensor,
    width: tl.tensor,
    count: tl.tensor,
    GATE: tl.constexpr,
    ROWS: tl.constexpr,
    BLOCK: tl.constexpr,
    COUNT: tl.constexpr,
) -> None:
    """Return the gradients to the logits ``[S, rows, count]`` and to x, of some rows."""
    member = tl.program_id(1).to(tl.int64)
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    prompt = tl.arange(0, COUNT)
    gradient += member * rows * width
    to_x += member * rows * width
    score += member * width * count
    basis += member * count * width
    total = tl.zeros((ROWS, COUNT), tl.float32)
    for start in range(0, width, BLOCK):
        place = start + tl.arange(0, BLOCK)
        tile = _tile(gradient, row, place, rows, width)
        turned = tl.trans(_tile(basis, prompt, place, count, width))
        total = tl.dot(tile, turned, total, input_precision="ieee")
    share = _tile(weights + member * rows * count, row, prompt, rows, count)
    if GATE == 0:
        total = share * (total - tl.sum(share * total, 1)[:, None])
    elif GATE == 2:
        total = total * share * (1.0 - share)
    _put(slopes + member * rows * count, total, row, prompt, rows, count)
    total = tl.div_rn(total, tl.load(temperature + member) + tl.zeros_like(total))
    for start in range(0, width, BLOCK):
        place = start + tl.arange(0, BLOCK)
        turned = tl.trans(_tile(score, place, prompt, width, count))
        added = tl.dot(total, turned, input_precision="ieee")
        _put(to_x, _tile(gradient, row, place, rows, width) + added, row, place, rows, width)


@compiled
def to_parameters(
    x: tl.tensor,
    gradient: tl.tensor,
    temperature: tl.tensor,
    weights: tl.tensor,
    slopes: tl.tensor,
    parts: tl.tensor,
    rows: tl.tensor,
    width: tl.tensor,
    count: tl.tensor,
    tiles: tl.tensor,
    ROWS: tl.constexpr,
    BLOCK: tl.constexpr,
    COUNT: tl.constexpr,
) -> None:
    """Return one part of the gradients to score, basis and bias, of one block of columns.

    A part sums ``tiles`` tiles of rows; parts ``[S, parts, 2 width count + count]``: score ``[width, count]``,
    basis ``[count, width]``, bias ``[count]``.
    """
    part, member = tl.program_id(0), tl.program_id(2).to(tl.int64)
    place = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    prompt = tl.arange(0, COUNT)
    valid = prompt < count
    tau = tl.load(temperature + member)
    to_score = tl.zeros((BLOCK, COUNT), tl.float32)
    to_basis = tl.zeros((COUNT, BLOCK), tl.float32)
    to_bias = tl.zeros((COUNT,), tl.float32)
    for tile in range(tiles):
        row = (part * tiles + tile) * ROWS + tl.arange(0, ROWS)
        rise = _tile(slopes + member * rows * count, row, prompt, rows, count)
        to_bias += tl.sum(rise, 0)
        rise = tl.div_rn(rise, tau + tl.zeros_like(rise))
        values = _tile(x + member * rows * width, row, place, rows, width)
        to_score = tl.dot(tl.trans(values), rise, to_score, input_precision="ieee")
        share = _tile(weights + member * rows * count, row, prompt, rows, count)
        incoming = _tile(gradient + member * rows * width, row, place, rows, width)
        to_basis = tl.dot(tl.trans(share), incoming, to_basis, input_precision="ieee")
    parts += (member * tl.num_programs(0) + part) * (2 * width * count + count)
    _put(parts, to_score, place, prompt, width, count)
    _put(parts + width * count, to_basis, prompt, place, count, width)
    if tl.program_id(1) == 0:
        tl.store(parts + 2 * width * count + prompt, to_bias, mask=valid)
