"""The contract every quantization-aware-training framework fulfils.

A scheme is given the sites of a model and one configuration a member, and builds one quantizer a
site. It never sees the model's layers, the graph, or the prompts: LoRAP on QAT at 4 bits is a
prompt of ``lorap_bench.prompts`` and a scheme of ``lorap_bench.quant`` that meet at the hook
points of ``lorap_bench.models``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from lorap_bench.config import QuantConfig
    from lorap_bench.cost.site import Site
    from lorap_bench.quant.quantizer import Quantizer

__all__ = ["Scheme"]


@dataclass(frozen=True, slots=True)
class Scheme(ABC):
    """A QAT framework for a cohort: ``configs`` has one entry a member, ``sites`` the model's sites."""

    quantizes: ClassVar[bool] = True
    """Whether the scheme quantizes at all: one that does not needs no materialised messages."""

    configs: tuple[QuantConfig, ...]
    sites: tuple[Site, ...]

    @abstractmethod
    def widths(self, config: QuantConfig) -> dict[str, int]:
        """Return the bits of every quantizable site before training.

        Raises:
            ConfigError: the allocation names what the model does not have.
        """

    @abstractmethod
    def quantizer(self, site: Site) -> Quantizer:
        """Build the quantizer of one site, for all members."""
