"""The member axis: modules whose every parameter and buffer carries a leading axis of members.

A *member* is one seed of one trial; ``S`` members train as one program. A module declares each
parameter with its initial distribution and its optimizer group; whoever builds a cohort draws the
initial values from streams named after the parameter, one generator a member.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import StrEnum

import torch
from torch import Tensor, nn

__all__ = ["Group", "Init", "MemberModule", "glorot", "ones", "zeros"]

Init = Callable[[tuple[int, ...], torch.Generator], Tensor]


class Group(StrEnum):
    """Optimizer groups: each has its own learning rate and weight decay per member."""

    BACKBONE = "backbone"
    PROMPT = "prompt"
    WEIGHT_STEP = "weight_step"
    FEATURE_STEP = "feature_step"
    ROW_STEP = "row_step"
    BITS = "bits"
    SCALE = "scale"
    CHOICE = "choice"


class MemberModule(nn.Module):
    """A module over ``members`` members; parameters and buffers are ``[S, *shape]``."""

    def __init__(self, members: int) -> None:
        super().__init__()
        self.members = members
        self.initial: dict[str, Init] = {}
        self.groups: dict[str, Group] = {}
        self.by_node: set[str] = set()

    def declare(
        self, name: str, shape: tuple[int, ...], init: Init, group: Group = Group.BACKBONE, *, by_node: bool = False
    ) -> None:
        """Register a parameter ``[S, *shape]`` with its initial distribution and group.

        ``by_node`` says that it holds one number for each node of the one graph, ``[S, N, 1]``: a training step on a
        part of the graph then leaves the other nodes' numbers as they are.
        """
        self.register_parameter(name, nn.Parameter(torch.zeros(self.members, *shape)))
        self.initial[name] = init
        self.groups[name] = group
        if by_node:
            self.by_node.add(name)


def glorot(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Draw from U(-a, a), a = sqrt(6 / (fan_in + fan_out)) over the last two axes.

    Source: Glorot & Bengio 2010, equation 16.
    """
    bound = math.sqrt(6.0 / (shape[-2] + shape[-1]))
    return torch.empty(shape).uniform_(-bound, bound, generator=generator)


def zeros(shape: tuple[int, ...], _: torch.Generator) -> Tensor:
    """Return zeros."""
    return torch.zeros(shape)


def ones(shape: tuple[int, ...], _: torch.Generator) -> Tensor:
    """Return ones."""
    return torch.ones(shape)
