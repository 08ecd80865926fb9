"""What passes through each quantizer of a network, and what moves with the nodes when they are renumbered."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple

from lorap_bench.quant.quantizer import Quantizer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

    from lorap_bench.models.network import Network

__all__ = ["Passed", "node_state", "quantizers", "watched"]


class Passed(NamedTuple):
    """One tensor at one site: before its quantizer and after."""

    given: Tensor
    made: Tensor


def quantizers(network: Network) -> dict[str, Quantizer]:
    """Return every quantizer by the name of its site."""
    return {site: part.quantizer(site.removeprefix(part.prefix)) for part in network.parts for site in part.sizes}


@contextmanager
def watched(network: Network) -> Iterator[dict[str, list[Passed]]]:
    """Record what passes through the quantizers, by site, while the body runs."""
    seen: dict[str, list[Passed]] = {site: [] for site in quantizers(network)}
    with ExitStack() as stack:
        for site, quantizer in quantizers(network).items():

            def note(_: nn.Module, given: tuple[Tensor, ...], made: Tensor, site: str = site) -> None:
                seen[site].append(Passed(given[0].detach().clone(), made.detach().clone()))

            stack.callback(quantizer.register_forward_hook(note).remove)
        yield seen


def node_state(network: Network, nodes: int) -> set[str]:
    """Return the names of the quantizers' parameters and buffers that hold one entry a node: ``[S, N, …]``."""
    return {
        f"{prefix}.{name}"
        for prefix, module in network.named_modules()
        if isinstance(module, Quantizer)
        for name, value in module.state_dict().items()
        if value.dim() > 1 and value.shape[1] == nodes
    }
