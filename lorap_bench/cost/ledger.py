"""Costs in closed form from a ledger: every tensor with its width, every operation with its widths.

Formulas, with e_t elements and b_t bits of tensor t:

* ``average_bits`` = Σ e_t b_t / Σ e_t over weights, hidden activations and prompts;
* ``average_bits_with_input`` = the same with the constant inputs (raw features, edge weights);
* ``bits_a2q`` = mean over layers of the bits of the inputs of linear maps (A²Q);
* ``bits_mixq`` = unweighted mean over all quantizers (MixQ);
* ``bit_operations`` = Σ_o count_o · mean bits of the operation's sites (MixQ's BitOPs);
* ``overhead`` = 100 · prompts' bit operations / the unprompted model's bit operations.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lorap_bench.cost.site import Operation, Role, Site

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["FIXED_COSTS", "FULL_PRECISION", "Ledger"]

FULL_PRECISION = 32
FIXED_COSTS = ("operations", "parameters", "extra_parameters")
"""The costs that no width enters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Tensors, operations, and the width of each quantizable site in bits."""

    sites: tuple[Site, ...]
    operations: tuple[Operation, ...]
    bits: Mapping[str, float]

    def width(self, site: Site) -> float:
        """Return the bits of one site: 32 where nothing quantizes it."""
        return self.bits.get(site.name, FULL_PRECISION) if site.quantized else FULL_PRECISION

    def costs(self) -> dict[str, float]:
        """Return every cost by name.

        Units: bits, operations, bit operations, bytes; ``overhead`` and ``extra_parameters`` in
        percent of the unprompted model.
        """
        hidden = [site for site in self.sites if site.role is not Role.CONSTANT]
        weights = self._elements(Role.WEIGHT)
        prompts = self._elements(Role.PROMPT)
        base = self._bit_operations(op for op in self.operations if not op.prompt)
        extra = self._bit_operations(op for op in self.operations if op.prompt)
        return {
            "average_bits": self._mean_width(hidden),
            "average_bits_with_input": self._mean_width(self.sites, binary_inputs=True),
            "bits_a2q": self._bits_a2q(),
            "bits_mixq": self._bits_mixq(),
            "operations": sum(op.count for op in self.operations),
            "bit_operations": base + extra,
            "model_bytes": self._bytes(Role.WEIGHT) + self._bytes(Role.PROMPT),
            "feature_bytes": self._bytes(Role.ACTIVATION),
            "parameters": weights + prompts,
            "overhead": 100.0 * extra / base,
            "extra_parameters": 100.0 * prompts / weights,
        }

    def _elements(self, role: Role) -> float:
        return sum(site.elements for site in self.sites if site.role is role)

    def _bytes(self, role: Role) -> float:
        return sum(site.elements * self.width(site) for site in self.sites if site.role is role) / 8

    def _mean_width(self, sites: Iterable[Site], *, binary_inputs: bool = False) -> float:
        bits = elements = 0.0
        for site in sites:
            width = 1 if binary_inputs and site.binary else self.width(site)
            bits += site.elements * width
            elements += site.elements
        return bits / elements

    def _bits_a2q(self) -> float:
        layers: dict[str, list[float]] = defaultdict(list)
        for site in self.sites:
            exact = site.binary or (site.two_valued and self.width(site) == 1)
            if site.feeds_linear and site.name in self.bits and not exact:
                layers[site.layer].append(self.width(site))
        means = [sum(widths) / len(widths) for widths in layers.values()]
        return sum(means) / len(means) if means else float(FULL_PRECISION)

    def _bits_mixq(self) -> float:
        widths = [self.width(site) for site in self.sites if site.name in self.bits]
        return sum(widths) / len(widths) if widths else float(FULL_PRECISION)

    def _bit_operations(self, operations: Iterable[Operation]) -> float:
        by_name = {site.name: site for site in self.sites}
        total = 0.0
        for operation in operations:
            widths = [self.width(by_name[name]) for name in operation.sites]
            total += operation.count * (sum(widths) / len(widths) if widths else FULL_PRECISION)
        return total
