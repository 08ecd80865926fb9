"""What a fake-quantized network's sites hold in one evaluation pass: places before rounding, and codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from lorap_bench.kernels.straight_through import affine_grid
from lorap_bench.quant.affine import ActivationQuantizer, WeightQuantizer

if TYPE_CHECKING:
    from lorap_bench.models.graph import GraphBatch
    from lorap_bench.models.network import Network


@dataclass(frozen=True, slots=True, eq=False)
class FakeCodes:
    """One site of one member: ``x / scale + zero`` of its input, the codes of its output."""

    places: Tensor
    codes: Tensor


@torch.no_grad()
def fake_codes(network: Network, batch: GraphBatch, member: int) -> tuple[dict[str, FakeCodes], Tensor]:
    """Run the forward pass of evaluation; return what each affine site held, and the member's logits."""
    found: dict[str, FakeCodes] = {}
    handles = []

    def watch(site: str, quantizer: ActivationQuantizer | WeightQuantizer) -> None:
        def note(_: Any, inputs: tuple[Tensor], output: Tensor) -> None:
            (x,) = inputs
            limits = quantizer.limits if isinstance(quantizer, ActivationQuantizer) else quantizer.limits(x)
            grid = affine_grid(x, limits, quantizer.codes)
            places, codes = (each / grid.scale + grid.zero for each in (x, output))
            found[site] = FakeCodes(places[member], codes.round()[member].int())

        handles.append(quantizer.register_forward_hook(note))

    for part in network.eval().parts:
        for site in part.sizes:
            quantizer = part.quantizer(site.removeprefix(part.prefix))
            if isinstance(quantizer, ActivationQuantizer | WeightQuantizer):
                watch(site, quantizer)
    logits = network(network.prepare(batch))[member]
    for handle in handles:
        handle.remove()
    return found, logits
