"""The contract every quantization-aware-training framework fulfils.

A scheme is given the sites of a model and one configuration a member, and builds one quantizer a
site. It never sees the model's layers, the graph, or the prompts: LoRAP on QAT at 4 bits is a
prompt of ``lorap_bench.prompts`` and a scheme of ``lorap_bench.quant`` that meet at the hook
points of ``lorap_bench.models``. What its quantizers need to know of a forward pass is in ``Context``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from lorap_bench.kernels.members import MemberModule
from lorap_bench.quant.context import Stage

if TYPE_CHECKING:
    from torch import Tensor

    from lorap_bench.config import QuantConfig
    from lorap_bench.cost.site import Site
    from lorap_bench.errors import Fault
    from lorap_bench.quant.context import Context
    from lorap_bench.quant.protection import Protection
    from lorap_bench.quant.quantizer import Quantizer

__all__ = ["ALLOCATION", "Penalty", "Scheme"]

ALLOCATION = frozenset({"bits", "layer_bits", "component_bits", "site_bits"})


@dataclass(frozen=True, slots=True)
class Scheme(ABC):
    """A QAT framework for a cohort.

    ``configs`` has one entry a member, ``sites`` the model's sites; ``level`` says whether the rows of a
    tensor are always the same nodes (``"node"``) or those of graphs never seen before (``"graph"``).
    """

    quantizes: ClassVar[bool] = True
    """Whether the scheme quantizes at all: one that does not needs no materialised messages."""
    learns_bits: ClassVar[bool] = False
    """Whether widths come out of training, so that costs are known only after it."""
    reads: ClassVar[frozenset[str]] = ALLOCATION
    """The fields of ``QuantConfig`` that the scheme reads; the others leave no trace in a trial's identity."""

    configs: tuple[QuantConfig, ...]
    sites: tuple[Site, ...]
    level: Literal["node", "graph"]

    @abstractmethod
    def widths(self, config: QuantConfig) -> dict[str, int]:
        """Return the bits of every site the scheme quantizes, before training.

        Raises:
            ConfigError: the allocation names what the model does not have.
        """

    @abstractmethod
    def quantizer(self, site: Site, context: Context) -> Quantizer:
        """Build the quantizer of one site, for all members."""

    @classmethod
    def resolved(cls, config: QuantConfig) -> QuantConfig:
        """Return the configuration with every ``"auto"`` replaced by the scheme's own choice."""
        return config

    def faults(self, config: QuantConfig) -> list[Fault]:
        """Return what makes a configuration impossible for this scheme."""
        return []

    def stages(self, config: QuantConfig, epochs: int) -> tuple[tuple[Stage, int], ...]:
        """Return the stages of a training and the epochs of each, in order."""
        return ((Stage.QUANTIZED, epochs),)

    def protection(self) -> Protection | None:
        """Build what chooses the rows that stay in full precision at each training step, if the scheme has that."""
        return None

    def penalty(self) -> Penalty | None:
        """Build the price of memory that joins the loss, if the scheme has one."""
        return None


class Penalty(MemberModule):
    """What a scheme adds to the loss for the memory that learned widths take."""

    @abstractmethod
    def forward(self, kilobytes: Tensor) -> Tensor:
        """Return the price: KB (1024 bytes) of one inference's learned tensors ``[S]`` → ``[S]``."""
