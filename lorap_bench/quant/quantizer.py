"""Quantizers: modules that fake-quantize the tensor of one site, for every member at once."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, final

import torch
from torch import Tensor

from lorap_bench.kernels.backend import kernels
from lorap_bench.kernels.csr import edges_to_rows
from lorap_bench.kernels.members import MemberModule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.cost.site import Site
    from lorap_bench.kernels.csr import Csr
    from lorap_bench.kernels.interface import KnownRange, Messages
    from lorap_bench.quant.context import Stage

__all__ = ["Identity", "Quantizer", "code_range", "is_weight"]


class Quantizer(MemberModule):
    """Fake-quantizes the tensors of one site."""

    live: ClassVar[bool] = False
    """Whether what it makes of a constant may change from step to step, so that none of it may be kept."""

    straight: bool = False
    """Whether it passes every gradient straight through and learns nothing by one."""

    @property
    def watched(self) -> bool:
        """Whether somebody looks at what passes: then a tensor is formed that a fused operation would not form."""
        return bool(self._forward_hooks)

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Return x with the values its codes stand for: ``[S, …]`` → ``[S, …]``.

        In training mode a quantizer of activations learns its range from x first.
        """

    @abstractmethod
    def calibrate(self, x: Tensor) -> None:
        """Fix the range of a constant tensor once: x ``[S, …]``."""

    def calibrate_shared(self, x: Tensor) -> None:
        """Fix the range of a constant tensor that all members share once: x ``[1, …]``."""
        self.calibrate(x.expand(self.members, *x.shape[1:]))

    def known_range(self) -> KnownRange | None:
        """Return range and codes, where nothing else decides what becomes of a tensor in this pass; else None."""
        return None

    def begin(self, stage: Stage) -> None:
        """Enter a stage of training; a calibrating pass follows. Only ``live`` quantizers are told."""

    def sparse(self, values: Tensor, pattern: Csr) -> Tensor:
        """Quantize the stored entries ``[S, E]`` of a sparse matrix whose other entries are zero, and stay so."""
        quantized: Tensor = self(values)
        return quantized

    def sum_messages(self, messages: Messages) -> Tensor:
        """Quantize what each neighbour sends, and sum it by the node that receives it: → ``[S, N, d]``."""
        return kernels().propagate(edges_to_rows(messages.pattern), None, self(messages.materialised()))

    def bits(self) -> Tensor | None:
        """Return the mean width of the tensor's elements ``[S]`` where it is learned, with its gradient; else None."""
        return None

    def row_bits(self) -> Tensor | None:
        """Return the learned width of each row ``[S, N]``, or of each group of rows; None where rows share one."""
        return None


@final
class Identity(Quantizer):
    """Leaves a tensor in full precision."""

    straight = True

    def forward(self, x: Tensor) -> Tensor:
        return x

    def calibrate(self, x: Tensor) -> None:
        """Do nothing: there is no range."""


def code_range(widths: Sequence[int], *, symmetric: bool) -> tuple[Tensor, Tensor]:
    """Return the smallest and largest code per member.

    Formula: symmetric (signed) ``-2^(b-1) … 2^(b-1) - 1``; asymmetric (unsigned) ``0 … 2^b - 1``.

    Shape: two of ``[S]`` float32.
    """
    low = [-(2.0 ** (bits - 1)) if symmetric else 0.0 for bits in widths]
    high = [2.0 ** (bits - 1) - 1 if symmetric else 2.0**bits - 1 for bits in widths]
    return torch.tensor(low), torch.tensor(high)


def is_weight(site: Site) -> bool:
    """Return whether a site holds learned parameters: its range is read from it, not remembered."""
    return site.component in {"weight", "attention"}
