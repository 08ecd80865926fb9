"""From a network to the tensors of one member, and from them to a network again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.errors import StoreError, nearest
from lorap_bench.kernels.random import Draws
from lorap_bench.models.network import Network

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from lorap_bench.models.blueprint import Blueprint

__all__ = ["member_state", "rebuild"]


def member_state(network: Network, member: int) -> dict[str, Tensor]:
    """Return one member's parameters and buffers by dotted name, on the CPU: ``[S, *shape]`` → ``[*shape]``."""
    return {name: value[member].detach().cpu().clone() for name, value in network.state_dict().items()}


def rebuild(plan: Blueprint, seed: int, state: Mapping[str, Tensor], *, where: str = "") -> Network:
    """Build a trained network of one member, ready to predict.

    Everything that evaluation reads is in the parameters and buffers, but for the stage that training ended in.

    Raises:
        StoreError: the tensors are not those of this model (names what differs).
    """
    network = Network(plan, [plan.trial], Draws([seed]))
    refuse_others({name: value[0] for name, value in network.state_dict().items()}, state, where)
    network.load_state_dict({name: value.unsqueeze(0) for name, value in state.items()})
    network.context.stage = plan.stages[-1][0]
    return network.requires_grad_(False).eval()


def refuse_others(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor], where: str) -> None:
    """Refuse tensors that differ from a model's in name, shape or type.

    Raises:
        StoreError: they do.
    """
    missing, surplus = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
    if missing:
        hint = nearest(missing[0], surplus)
        message = f"{len(missing)} tensors of the model are missing, first {missing[0]!r}"
        raise StoreError(message + (f"; did you mean {hint!r}?" if hint else ""), where=where)
    if surplus:
        raise StoreError(f"{len(surplus)} tensors are not the model's, first {surplus[0]!r}", where=where)
    for name, tensor in wanted.items():
        if (_kind(tensor)) != _kind(found[name]):
            raise StoreError(f"{name}: is {_kind(found[name])}, the model has {_kind(tensor)}", where=where)


def _kind(tensor: Tensor) -> str:
    """Return type and shape in words: ``float32 [16, 7]``."""
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"
