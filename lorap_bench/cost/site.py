"""Sites: the named tensors of a model that a quantizer may act on, and the operations between them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

__all__ = ["COMPONENTS", "Operation", "Role", "Rows", "Site"]

Rows = Literal["node", "edge", "graph", "none"]
"""What the rows of a tensor are; a parameter's are nothing of a graph."""

COMPONENTS = (
    "input",
    "weight",
    "feature",
    "norm",
    "attention",
    "logits",
    "message",
    "aggregate",
    "update",
)
"""What a site can be: a layer's input, its weight, the product of both, the edge weights of the
normalised adjacency, attention vectors and logits, per-edge messages, their sum, the layer's output."""


class Role(StrEnum):
    """What a tensor is in the accounting."""

    WEIGHT = "weight"
    ACTIVATION = "activation"
    CONSTANT = "constant"
    PROMPT = "prompt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One tensor of a model: where it is, what it is, how large it is.

    ``elements`` is its size in one inference, ``columns`` that of its last axis and ``rows`` what the axis
    before it counts; ``quantized`` is False for tensors that no scheme touches (biases, prompts: always 32
    bits); ``feeds_linear`` marks the inputs of linear maps, ``leaves_linear`` their outputs, ``propagates`` what
    is summed over neighbours, ``nonnegative`` tensors without negative values; ``binary`` a raw input of zeros
    and ones, ``two_valued`` one whose rows each hold zeros and one other value. ``spared``: the rows of nodes that
    Degree-Quant protects pass it unquantized in training.
    """

    name: str
    layer: str
    component: str
    role: Role
    elements: float
    quantized: bool = True
    columns: int = 1
    rows: Rows = "none"
    feeds_linear: bool = False
    leaves_linear: bool = False
    propagates: bool = False
    nonnegative: bool = False
    binary: bool = False
    two_valued: bool = False
    spared: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Arithmetic of one inference: how many operations, between which sites.

    A multiply-accumulate of a linear map counts 1; in message passing the multiplication and the
    addition count 1 each (MixQ's convention). No sites: 32-bit arithmetic.
    """

    name: str
    count: float
    sites: tuple[str, ...] = ()
    prompt: bool = False
