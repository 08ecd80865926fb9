"""What integers cost beside fake quantization, and prompts beside none: time and bytes of a forward pass."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from lorap_bench.models.hooks import Conv
from lorap_bench.models.integer.network import integer_model, one_member

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.models.graph import GraphBatch
    from lorap_bench.models.network import Network

__all__ = ["Cost", "measure"]


@dataclass(frozen=True, slots=True)
class Cost:
    """One way to compute a forward pass.

    ``seconds`` of process CPU time, the median of ``repeats`` turns, and ``spread`` = (max - min) / median;
    ``weight_bytes`` of the weights, ``activation_bytes`` of the tensors at all other sites as they are stored,
    ``prompt_bytes`` of the prompts' parameters.
    """

    seconds: float
    spread: float
    repeats: int
    weight_bytes: int
    activation_bytes: int
    prompt_bytes: int


@torch.no_grad()
def measure(network: Network, batch: GraphBatch, repeats: int = 9, member: int = 0) -> dict[str, Cost]:
    """Measure a member's forward pass in integers and fake-quantized, with its prompts and without them.

    The contestants take turns, and what is constant in the batch is coded before. Without prompts a model
    keeps its grids: its logits are of no use, its arithmetic is the unprompted model's.

    Returns:
        ``"integer"`` and ``"fake-quantized"``; if the network has prompts, also each ``", no prompts"``.
    """
    networks = {"": one_member(network, member)}
    if networks[""].node_prompt is not None or any(conv.prompt is not None for conv in _convs(network)):
        networks[", no prompts"] = _without_prompts(networks[""])
    contestants: dict[str, Callable[[], object]] = {}
    sizes: dict[str, tuple[int, int, int]] = {}
    for suffix, alone in networks.items():
        integer = integer_model(alone)
        prepared, constants = integer.prepare(batch), alone.prepare(batch)
        contestants[f"integer{suffix}"] = lambda integer=integer, prepared=prepared: integer.infer(prepared)  # type: ignore[misc]  # a lambda's defaults have no types
        contestants[f"fake-quantized{suffix}"] = lambda alone=alone, constants=constants: alone(constants)  # type: ignore[misc]  # as above
        codes = [coded.codes for coded in integer.codes(batch).values()]
        stored = integer.bytes
        sizes[f"integer{suffix}"] = (stored.stored, sum(each.nbytes for each in codes), stored.prompts)
        sizes[f"fake-quantized{suffix}"] = (stored.full, sum(4 * each.numel() for each in codes), stored.prompts)
    return {name: Cost(*timing, repeats, *sizes[name]) for name, timing in _turns(contestants, repeats).items()}


def _turns(contestants: dict[str, Callable[[], object]], repeats: int) -> dict[str, tuple[float, float]]:
    """Run the contestants in turn; return the median time of each and its spread. The first turn only warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(repeats + 1):
        for name, work in contestants.items():
            start = time.process_time()
            work()
            if turn:
                seconds[name].append(time.process_time() - start)
    return {name: _summary(values) for name, values in seconds.items()}


def _summary(values: list[float]) -> tuple[float, float]:
    median = statistics.median(values)
    return median, (max(values) - min(values)) / median


def _convs(network: Network) -> list[Conv]:
    return [part for part in network.parts if isinstance(part, Conv)]


def _without_prompts(network: Network) -> Network:
    plain = one_member(network, 0)
    plain.node_prompt = None
    for conv in _convs(plain):
        conv.prompt = None
    return plain
