"""The trainers by scheme, each from a trial's configuration: what ours reads, they read."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from benchmarks.naive.a2q import ColumnStep, RowStep, learned_kilobytes
from benchmarks.naive.degree_quant import PercentileQuant, protection
from benchmarks.naive.fake_quant import MovingAverageQuant, WeightQuant
from benchmarks.naive.gcn import FP32GCN, QuantGCN, QuantGCNConv, Sites
from benchmarks.naive.mixq import RelaxedQuant, expected_kilobytes
from benchmarks.naive.prompts import LowRankPrompt, NodePrompt
from benchmarks.naive.trainer import NodeTrainer

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.config import TrialConfig
    from lorap_bench.data.task import GraphTask

__all__ = ["a2q_gcn", "degree_quant_gcn", "fp32_gcn", "mixq_gcn", "qat_gcn"]


def fp32_gcn(task: GraphTask, config: TrialConfig) -> NodeTrainer:
    """Return PyG's own GCN in full precision."""
    model = FP32GCN(task.x.shape[1], config.model.hidden, task.classes)
    return NodeTrainer(task, model, _adam(model, config))


def qat_gcn(task: GraphTask, config: TrialConfig) -> NodeTrainer:
    """Return plain quantization-aware training, with the prompts the configuration asks for."""
    quant = config.quant

    def sites(_layer: int, _widths: tuple[int, int]) -> Sites:
        names = ("input", "feature", "norm", "aggregate", "update")
        observed: Sites = {name: MovingAverageQuant(quant.bits, quant.momentum) for name in names}
        return observed | {"weight": WeightQuant(quant.bits)}

    model = _gcn(task, config, sites)
    return NodeTrainer(task, model, _adam(model, config))


def degree_quant_gcn(task: GraphTask, config: TrialConfig) -> NodeTrainer:
    """Return Degree-Quant: masks, percentiles, and a quantizer on every message if the configuration has it."""
    quant = config.quant

    def sites(_layer: int, _widths: tuple[int, int]) -> Sites:
        messages = ("message",) if quant.messages else ()
        names = ("input", "feature", "aggregate", "update", *messages)
        observed: Sites = {name: PercentileQuant(quant.bits, quant.percentile) for name in names}
        return observed | {"weight": WeightQuant(quant.bits, clipped=True), "norm": MovingAverageQuant(quant.bits)}

    model = _gcn(task, config, sites)
    degrees = torch.bincount(task.edge_index[1], minlength=task.x.shape[0])
    return NodeTrainer(task, model, _adam(model, config), protection(degrees, quant.p_min, quant.p_max))


def mixq_gcn(task: GraphTask, config: TrialConfig) -> NodeTrainer:
    """Return MixQ's search: the relaxed model, and the expected kilobytes as a part of the loss."""
    quant = config.quant

    def sites(layer: int, widths: tuple[int, int]) -> Sites:
        relaxed = partial(RelaxedQuant, quant.candidates)
        made: Sites = {"weight": relaxed(signed=True), "norm": relaxed()}
        made |= {name: relaxed(widths[1]) for name in ("feature", "aggregate")}
        return made | ({"input": relaxed(widths[0])} if layer == 0 else {})

    model = _gcn(task, config, sites)

    def penalty(model: nn.Module) -> Tensor:
        return quant.bit_penalty * expected_kilobytes(model, task.x, task.edge_index)

    rates = {"log_scale": quant.lr_scale, "zero": quant.lr_scale, "choice": quant.lr_choice}
    return NodeTrainer(task, model, _adam(model, config, rates), penalty=penalty)


def a2q_gcn(task: GraphTask, config: TrialConfig) -> NodeTrainer:
    """Return A²Q: learned steps and widths under a price on memory. Binary features need no quantizer."""
    quant = config.quant

    def sites(layer: int, widths: tuple[int, int]) -> Sites:
        made: Sites = {
            "weight": ColumnStep(quant.bits, widths[1], start=(0.1, 0.2), local=False),
            "feature": ColumnStep(quant.bits, widths[1], start=(0.01, 0.01), local=True),
        }
        return made | ({"input": RowStep(quant.bits, task.x.shape[0], start=(0.01, 0.01))} if layer else {})

    model = _gcn(task, config, sites)

    def penalty(model: nn.Module) -> Tensor:
        over = (learned_kilobytes(model) - quant.memory_target).clamp(min=0)
        return quant.memory_weight * over.square()

    rates = {
        "q_weight.step": quant.lr_weight_step,
        "q_feature.step": quant.lr_feature_step,
        "q_input.step": quant.lr_row_step,
        "width": quant.lr_bits,
    }
    return NodeTrainer(task, model, _adam(model, config, rates), penalty=penalty)


def _gcn(task: GraphTask, config: TrialConfig, sites: Callable[[int, tuple[int, int]], Sites]) -> QuantGCN:
    prompt = config.prompt
    widths = (task.x.shape[1], config.model.hidden, task.classes)

    def layer(index: int) -> QuantGCNConv:
        d_in, d_out = widths[index : index + 2]
        low_rank = LowRankPrompt(d_out, prompt.count, prompt.rank) if "LoRAP" in prompt.kind else None
        return QuantGCNConv(d_in, d_out, sites(index, (d_in, d_out)), low_rank)

    node_prompt = NodePrompt(widths[0], prompt.node_count) if prompt.kind == "GPFLoRAP" else None
    return QuantGCN((layer(0), layer(1)), node_prompt)


def _adam(model: nn.Module, config: TrialConfig, rates: dict[str, float] | None = None) -> torch.optim.Adam:
    """Return Adam; a parameter whose name ends with an entry of ``rates`` has that rate and no decay, as prompts do."""
    groups: list[dict[str, object]] = []
    for name, parameter in model.named_parameters():
        own = [rate for ending, rate in (rates or {}).items() if name.endswith(ending)]
        if "prompt" in name:
            own = [config.prompt.lr]
        decay = 0.0 if own else config.optim.weight_decay
        groups.append({"params": [parameter], "lr": own[0] if own else config.optim.lr, "weight_decay": decay})
    return torch.optim.Adam(_merged(groups))


def _merged(groups: list[dict[str, object]]) -> list[dict[str, object]]:
    """Join groups of equal rate and decay, so that Adam steps over few of them."""
    merged: dict[tuple[object, object], dict[str, object]] = {}
    for group in groups:
        key = (group["lr"], group["weight_decay"])
        known = merged.setdefault(key, group | {"params": []})
        known["params"] = [*known["params"], *group["params"]]  # type: ignore[misc]  # both are lists of parameters
    return list(merged.values())
