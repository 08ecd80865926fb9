"""Compile every Triton kernel for a device that need not be there; print a line for each that uses inexact arithmetic.

Run as a program, without ``TRITON_INTERPRET``: the interpreter takes Python that the compiler refuses.
"""

from __future__ import annotations

import re
from typing import Any

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from lorap_bench.kernels.triton import elements, injection, products, rows

TARGET = GPUTarget("cuda", 80, 32)  # the oldest whose products in full precision we mean to support
INEXACT = re.compile(r"\w+\.approx\S*|div\.full\S*|mma\.\S*")
BYTES, INTEGERS, LONG = {"inside", "kept", "hidden"}, {"keys", "thresholds", "rowptr", "col"}, {"row", "order"}
SIZES = (
    *("count", "columns", "width", "rows", "inner", "share", "parts", "number", "entries", "heads", "tiles"),
    *("weight_member", "a_member", "a_row", "a_inner", "b_member", "b_inner", "b_column"),
)
TILE = {"ROWS": 32, "BLOCK": 64, "COUNT": 16}
ELEMENTS: dict[str, Any] = {"BLOCK": elements.BLOCK}
ENTRIES: dict[str, Any] = {"ENTRIES": rows.ENTRIES}
QUANTIZE = [
    {"SYMMETRIC": symmetric, "MODE": mode, "CHANNELS": mode == 0, "MARKED": True, "PROTECTED": True} | ELEMENTS
    for symmetric in (True, False)
    for mode in (elements.NEAREST, elements.STOCHASTIC, elements.NOISE)
]
GATES = (injection.SOFTMAX, injection.LINEAR, injection.SIGMOID)
PLAIN: dict[str, Any] = {"QUANTIZED": False, "SYMMETRIC": False, "MARKED": False}
THEN = [PLAIN | {"QUANTIZED": True, "SYMMETRIC": each, "MARKED": each} for each in (True, False)]
KERNELS: list[tuple[Any, list[dict[str, Any]]]] = [
    (elements.fake_quantize, QUANTIZE),
    (elements.drop, [{"RELU": True, "MARKED": True} | ELEMENTS]),
    (elements.masked, [{"SCALED": scaled} | ELEMENTS for scaled in (True, False)]),
    (products.multiply, [{"ROWS": 64, "INNER": 32, "COLUMNS": 64}]),
    (products.sum_parts, [ELEMENTS]),
    (rows.sum_rows, [{"WEIGHTED": True, "ORDERED": own, "HEADS": own, "BLOCK": 64} | ENTRIES for own in (True, False)]),
    (rows.sample, [{"BLOCK": 64} | ENTRIES]),
    (rows.soften, [ENTRIES]),
    (rows.soften_backward, [ENTRIES]),
    (injection.inject, [PLAIN | {"GATE": gate, "KEEP": True, "ONCE": True} | TILE | {"BLOCK": 256} for gate in GATES]),
    (injection.inject, [PLAIN | {"GATE": gate, "KEEP": False, "ONCE": False} | TILE for gate in GATES]),
    (
        injection.inject,
        [each | {"GATE": 0, "KEEP": True, "ONCE": once} | TILE for each in THEN for once in (True, False)],
    ),
    (injection.slope, [{"GATE": gate} | TILE for gate in GATES]),
    (injection.to_parameters, [TILE]),
]


def kind(name: str, kernel: Any) -> str:
    """Return the type of an argument by its name."""
    if name in SIZES and not (name == "parts" and kernel is not products.multiply):
        return "i32"
    return "*u8" if name in BYTES else "*i32" if name in INTEGERS else "*i64" if name in LONG else "*fp32"


def check(kernel: Any, constants: dict[str, Any]) -> None:
    """Compile one variant for sizes that are not known, and one for sizes of 1, which are compiled in."""
    for sizes in ({}, {name: 1 for name in kernel.arg_names if kind(name, kernel) == "i32"}):
        known = constants | sizes
        signature = {name: "constexpr" if name in known else kind(name, kernel) for name in kernel.arg_names}
        places = {(kernel.arg_names.index(name),): value for name, value in known.items()}
        made = triton.compile(
            ASTSource(fn=kernel, signature=signature, constexprs=places),
            target=TARGET,
            options={"enable_fp_fusion": False},
        )
        for found in sorted(set(INEXACT.findall(made.asm["ptx"]))):
            print(kernel.__name__, known, found)  # noqa: T201  # what the test reads


if __name__ == "__main__":
    for each, variants in KERNELS:
        for variant in variants:
            check(each, variant)
