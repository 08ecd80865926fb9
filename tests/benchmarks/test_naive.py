"""The straightforward trainers are the models ours are compared on: equal weights, equal first step; and they learn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  # the name torch users know
from torch import Tensor, nn

from benchmarks import naive, ours
from benchmarks.naive.gcn import FP32GCN, QuantGCN
from benchmarks.naive.mixq import RelaxedQuant
from lorap_bench.config import ModelConfig, QuantConfig, TaskConfig, TrialConfig
from lorap_bench.kernels.backend import use
from lorap_bench.train.metrics import cross_entropy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from benchmarks.naive.trainer import NodeTrainer
    from lorap_bench.data.task import GraphTask
    from lorap_bench.models.network import Network
    from lorap_bench.train.loop import Passes

    Build = Callable[[GraphTask, TrialConfig], NodeTrainer]

QAT = QuantConfig(bits=4)
DQ = QuantConfig(scheme="DegreeQuant", bits=4, percentile=0.01, p_max=0.1)

CASES: dict[str, tuple[QuantConfig, str, Build]] = {
    "QAT": (QAT, "None", naive.qat_gcn),
    "QAT + LoRAP": (QAT, "LoRAP", naive.qat_gcn),
    "QAT + GPFLoRAP": (QAT, "GPFLoRAP", naive.qat_gcn),
    "full precision": (QuantConfig(scheme="FP32"), "None", naive.fp32_gcn),
    "Degree-Quant": (DQ, "None", naive.degree_quant_gcn),
    "Degree-Quant with messages": (replace(DQ, messages=True), "None", naive.degree_quant_gcn),
    "A2Q": (QuantConfig(scheme="A2Q", bits=4), "None", naive.a2q_gcn),
    "MixQ": (QuantConfig(scheme="MixQ"), "None", naive.mixq_gcn),
}
every_case = pytest.mark.parametrize("case", list(CASES))
# The relaxed model takes half a second a step.
slow_mixq = pytest.mark.parametrize(
    "case", [pytest.param(name, marks=pytest.mark.slow) if name == "MixQ" else name for name in CASES]
)


@pytest.fixture(scope="module", autouse=True)
def reference() -> Iterator[None]:
    with use("reference"):
        yield


@pytest.fixture
def cora(raw_mirror: Path) -> GraphTask:
    return ours.dataset("Cora")


@every_case
def test_first_step_is_that_of_our_model(cora: GraphTask, case: str) -> None:
    quant, prompt, build = CASES[case]
    trial = ours.config(quant, hidden=16, prompt=prompt)
    trial = replace(trial, model=replace(trial.model, dropout=0.0))
    torch.manual_seed(0)
    own = build(cora, trial)
    own.model.train()
    own.model.dropout = 0.0  # type: ignore[assignment]  # torch's modules hold tensors, says their type
    passes = ours.cohort(cora, trial, members=2)
    _copy(own.model, passes.cohort.network)
    logits, loss, weight = _first_step(passes)
    own_logits = own.model(cora.x, cora.edge_index, _protected(passes))
    rows = cora.splits["train"]
    own_loss = F.cross_entropy(own_logits[rows], cora.y[rows])
    if own.penalty is not None:
        own_loss = own_loss + own.penalty(own.model)
    own_weight = _first_weight(own.model)
    torch.testing.assert_close(own_loss, loss, rtol=1e-3, atol=0)
    _assert_alike(own_logits.detach(), logits.detach(), share=0.005)
    gradients = torch.autograd.grad(own_loss, own_weight)[0], torch.autograd.grad(loss, weight)[0][0]
    _assert_near(gradients[0] if case != "full precision" else gradients[0].mT, gradients[1])


@slow_mixq
def test_learns(cora: GraphTask, case: str) -> None:
    quant, prompt, build = CASES[case]
    torch.manual_seed(0)
    own = build(cora, ours.config(quant, hidden=16, prompt=prompt))
    first = float(own.step())
    before = _train_loss(own, cora)
    losses = [float(own.step()) for _ in range(19)]
    assert losses[-1] < first
    assert _train_loss(own, cora) < before
    assert 0 <= own.evaluate() <= 1


def test_graph_level_first_step_and_learning(raw_mirror: Path) -> None:
    task = ours.dataset("PROTEINS")
    task = replace(task, splits={**task.splits, "train": task.splits["train"][::16]})
    # A percentile so small means the extremes, which a constant's range always is with us.
    quant = QuantConfig(scheme="DegreeQuant", bits=8, percentile=1e-9, p_max=0.0)
    trial = TrialConfig(
        task=TaskConfig(dataset="PROTEINS", batch_size=task.splits["train"].numel()),
        model=ModelConfig(arch="GIN", hidden=16, layers=3, dropout=0.0),
        quant=quant,
    )
    torch.manual_seed(0)
    own = naive.degree_quant_gin(task, trial)
    passes = ours.cohort(task, trial, members=1)
    network = passes.cohort.network
    for conv, layer in zip(network.convs, own.model.get_submodule("convs").children(), strict=True):
        for index, part in enumerate(("inner", "outer")):
            _fill(layer.get_parameter(f"{part}.weight"), conv.get_parameter(f"weight{index}"))
            _fill(layer.get_parameter(f"{part}.bias"), conv.get_parameter(f"bias{index}"))
    assert network.head is not None
    for name in ("weight", "bias"):
        _fill(own.model.get_parameter(f"head.{name}"), network.head.get_parameter(name))
    first = own.step()
    torch.testing.assert_close(first, passes.train(0)[0], rtol=1e-3, atol=0)
    losses = [float(own.step()) for _ in range(20)]
    assert losses[-1] < float(first)


def _train_loss(own: NodeTrainer, task: GraphTask) -> float:
    """Return the cross-entropy on the training nodes, as in evaluation."""
    own.model.eval()
    rows = task.splits["train"]
    with torch.no_grad():
        return float(F.cross_entropy(own.model(task.x, task.edge_index)[rows], task.y[rows]))


def _first_step(passes: Passes) -> tuple[Tensor, Tensor, Tensor]:
    """Return our first member's logits and loss of one training pass, and its first weight."""
    network = passes.cohort.network.train()
    portion = next(passes.feed.train(0))
    logits = passes._logits(portion._replace(rows=None))
    assert portion.rows is not None
    loss = cross_entropy(logits.index_select(1, portion.rows), portion.y) / portion.y.numel() + network.price()
    return logits[0], loss[0], network.get_parameter("convs.0.weight")


def _protected(passes: Passes) -> Tensor | None:
    """Return the rows that our first member protects in its first step."""
    network = passes.cohort.network
    if network.protection is None:
        return None
    mask: Tensor = network.protection(passes.feed.calibration().ranks, passes.cohort.draws)
    return mask[0]


def _first_weight(model: nn.Module) -> nn.Parameter:
    return model.get_parameter("first.lin.weight" if isinstance(model, FP32GCN) else "first.weight")


def _copy(model: nn.Module, network: Network) -> None:
    """Give a straightforward GCN our first member's parameters."""
    for place, conv in zip(("first", "second"), network.convs, strict=True):
        layer = model.get_submodule(place)
        for name, parameter in conv.named_parameters():
            if isinstance(model, FP32GCN):
                value = parameter.mT if name == "weight" else parameter
                _fill(layer.get_parameter("lin.weight" if name == "weight" else name), value)
            else:
                _fill(layer.get_parameter(name.replace("quantizers.at_", "sites.q_")), parameter)
        for site in layer.modules():
            if isinstance(site, RelaxedQuant):
                site.fitted = True
    if isinstance(model, QuantGCN) and model.node_prompt is not None:
        assert network.node_prompt is not None
        ours_at = network.node_prompt.get_parameter
        _fill(model.get_parameter("node_prompt.scorer.weight"), ours_at("scorer").mT)
        _fill(model.get_parameter("node_prompt.scorer.bias"), ours_at("bias"))
        _fill(model.get_parameter("node_prompt.basis"), ours_at("basis"))


def _fill(target: Tensor, members: Tensor) -> None:
    """Copy the first member's value."""
    with torch.no_grad():
        target.copy_(members[0].reshape(target.shape))


def _assert_alike(got: Tensor, expected: Tensor, *, share: float) -> None:
    """Check that all but a small share of values agree: a sum in another order may round to another code."""
    apart = (got - expected).abs() > 1e-4 * expected.abs().max()
    assert apart.float().mean() <= share


def _assert_near(got: Tensor, expected: Tensor) -> None:
    assert (got - expected).norm() <= 0.02 * expected.norm()
    assert expected.norm() > 0
