"""MixQ: what is searched, its price, the stages in order, and that nothing is swapped or overwritten."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor

from lorap_bench.config import QuantConfig
from lorap_bench.models.blueprint import blueprint, shape_of
from lorap_bench.models.network import Network
from lorap_bench.quant import Context, MixQ, Stage
from lorap_bench.quant.mixq import BitPenalty
from lorap_bench.quant.relaxed import RelaxedQuantizer
from lorap_bench.testing import graph_task, node_task
from lorap_bench.train.cohort import Member
from lorap_bench.train.loop import fit
from tests.quant.networks import build, trial

if TYPE_CHECKING:
    from lorap_bench.models.graph import GraphBatch

CONFIG = QuantConfig(scheme="MixQ", bit_penalty=0.7, search_epochs=4, pretrain_epochs=3)
PUBLISHED = {
    *(f"layers.{layer}.{local}" for layer in "01" for local in ("weight", "feature", "norm", "aggregate")),
    "layers.0.input",
}


def searched(config: QuantConfig, arch: str = "GCN", *, level: str = "node") -> dict[str, list[float]]:
    """Return the candidates of each relaxed site."""
    task = node_task() if level == "node" else graph_task()
    built = build(trial(config, arch=arch), task, stage=Stage.SEARCH)
    return {
        name: quantizer.get_buffer("widths")[0].tolist()
        for name, quantizer in built.quantizers.items()
        if isinstance(quantizer, RelaxedQuantizer)
    }


def test_a_gcn_of_two_layers_has_the_nine_quantizers_of_the_paper() -> None:
    assert searched(CONFIG) == {key: [2, 4, 8] for key in sorted(PUBLISHED)}


def test_all_sites_adds_the_inputs_and_updates_of_the_other_layers() -> None:
    more = {"layers.1.input", "layers.0.update", "layers.1.update"}
    assert set(searched(replace(CONFIG, sites="all"))) == PUBLISHED | more


@pytest.mark.parametrize("arch", ["GCN", "GIN", "GAT", "SAGE", "RGCN"])
def test_the_classifier_of_graphs_is_searched_too(arch: str) -> None:
    assert {"head.input", "head.weight", "head.output"} <= set(searched(CONFIG, arch, level="graph"))


def test_a_width_the_allocation_names_is_the_only_choice() -> None:
    config = replace(
        CONFIG, bits=2, component_bits={"norm": 6}, site_bits={"layers.0.weight": 3, "layers.1.aggregate": 32}
    )
    found = searched(config)
    assert found["layers.0.norm"] == found["layers.1.norm"] == [6]
    assert found["layers.0.weight"] == [3]
    assert "layers.1.aggregate" not in found
    assert found["layers.1.weight"] == [2, 4, 8]  # ``bits`` names no site
    assert searched(replace(CONFIG, bits=32)) == {}


def test_the_price_is_that_of_a_counted_sum_over_sites() -> None:
    built = build(trial(CONFIG, arch="GAT"), node_task(), stage=Stage.SEARCH)
    kilobytes = [0.0, 0.0]
    for index, quantizer in enumerate(built.quantizers.values()):
        if isinstance(quantizer, RelaxedQuantizer):
            torch.nn.init.normal_(quantizer.get_parameter("choice"), generator=torch.Generator().manual_seed(index))
    built.forward()
    for name, quantizer in built.quantizers.items():
        if not isinstance(quantizer, RelaxedQuantizer):
            continue
        for member in range(2):
            share = quantizer.get_parameter("choice")[member].softmax(0).tolist()
            expected = sum(part * bits for part, bits in zip(share, (2, 4, 8), strict=True))
            kilobytes[member] += expected * built.seen[name][0][member].numel() / 8 / 1024
    price = built.network.price()
    assert isinstance(price, Tensor)
    torch.testing.assert_close(price, 0.7 * torch.tensor(kilobytes))


def test_a_negative_price_rewards_bits() -> None:
    penalty = BitPenalty((CONFIG, replace(CONFIG, bit_penalty=-0.5)))
    torch.testing.assert_close(penalty(torch.tensor([2.0, 2.0])), torch.tensor([1.4, -1.0]))


def test_the_price_moves_the_choice_toward_fewer_bits() -> None:
    built = build(trial(CONFIG), node_task(), stage=Stage.SEARCH)
    choice = built.quantizers["layers.0.feature"].get_parameter("choice")
    built.forward()
    (gradient,) = torch.autograd.grad(torch.as_tensor(built.network.price()).sum(), choice)
    assert (gradient[:, 2] > 0).all()
    assert (gradient[:, 0] < 0).all()


def test_weight_and_output_keep_their_own_widths() -> None:
    config = replace(CONFIG, site_bits={f"layers.{layer}.weight": 2 for layer in "01"}, component_bits={"feature": 4})
    built = build(trial(config), node_task())
    built.forward()
    for layer in "01":
        weight, feature = (built.seen[f"layers.{layer}.{local}"][1] for local in ("weight", "feature"))
        for member in range(2):
            assert weight[member].unique().numel() <= 4
            assert 4 < feature[member, :, 0].unique().numel() <= 16
    bits = built.network.bits()
    assert (bits["layers.0.weight"].tolist(), bits["layers.0.feature"].tolist()) == ([2, 2], [4, 4])


@pytest.mark.parametrize("stage", [Stage.SEARCH, Stage.QUANTIZED])
def test_latent_weights_are_not_overwritten(stage: Stage) -> None:
    built = build(trial(replace(CONFIG, candidates=[2])), node_task(), stage=stage)
    weight = built.network.convs[0].get_parameter("weight")
    before = weight.detach().clone()
    logits = built.network.train()(built.network.prepare(built.batch))
    assert torch.equal(weight, before)
    built.cohort.step(logits.square().mean((1, 2)))
    assert not torch.equal(weight, before)
    # a step smaller than the distance of two codes is kept
    assert weight[0].unique().numel() > 100


@pytest.mark.parametrize(
    ("pretrain", "expected"), [(3, ["search", "float", "quantized"]), (0, ["search", "quantized"])]
)
def test_stages_follow_in_order_with_fresh_weights_after_the_search(
    pretrain: int, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    entered: list[tuple[str, Tensor]] = []
    epochs: list[int] = []
    begin = Network.begin

    def noted(self: Network, stage: Stage, batch: GraphBatch) -> None:
        entered.append((str(stage), self.convs[0].get_parameter("weight").detach().clone()))
        begin(self, stage, batch)

    monkeypatch.setattr(Network, "begin", noted)
    config = trial(replace(CONFIG, pretrain_epochs=pretrain), epochs=5)
    fitted = fit(node_task(), [Member(config, 1), Member(config, 2)], on_epoch=epochs.append)
    assert [stage for stage, _ in entered] == expected
    assert epochs == list(range(4 + pretrain + 5))
    assert all(len(trainee.val_loss) == len(epochs) for trainee in fitted.trainees)
    # the epoch kept is one of the last stage
    assert all((trainee.best_epoch or 0) >= 4 + pretrain for trainee in fitted.trainees)
    weights = dict(entered)
    after = "float" if pretrain else "quantized"
    assert torch.equal(weights["search"], weights[after])
    if pretrain:
        assert not torch.equal(weights["float"], weights["quantized"])


def test_the_stages_are_those_of_the_configuration() -> None:
    scheme = MixQ((CONFIG,), (), "node")
    assert scheme.stages(CONFIG, 9) == ((Stage.SEARCH, 4), (Stage.FLOAT, 3), (Stage.QUANTIZED, 9))
    plan = blueprint(trial(CONFIG, epochs=9), shape_of(node_task()))
    assert plan.stages == scheme.stages(CONFIG, 9)


def test_the_float_stage_is_full_precision() -> None:
    task = node_task()
    mixed = build(trial(CONFIG), task, stage=Stage.FLOAT)
    exact = build(trial(QuantConfig(scheme="FP32")), task)
    assert torch.equal(mixed.forward(), exact.forward())
    assert mixed.network.price() == 0


@pytest.mark.parametrize("protect", [True, False])
def test_only_the_last_stage_protects_and_only_if_asked(protect: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[tuple[str, bool, bool]] = set()
    enter = Network._enter

    def noted(self: Network, graph: GraphBatch) -> None:
        enter(self, graph)
        context: Context = self.context
        if not context.calibrating:
            seen.add((str(context.stage), self.training, context.protected is not None))

    monkeypatch.setattr(Network, "_enter", noted)
    config = trial(replace(CONFIG, protect=protect, p_min=0.3, p_max=0.6))
    fit(node_task(), [Member(config, 1)])
    trains = {stage: spared for stage, training, spared in seen if training}
    assert trains == {"search": False, "float": False, "quantized": protect}
    assert not any(spared for _, training, spared in seen if not training)


def test_learned_widths_reach_the_measurements_and_the_costs() -> None:
    config = trial(replace(CONFIG, site_bits={"layers.0.weight": 2}))
    fitted = fit(node_task(), [Member(config, 1), Member(config, 2)])
    for member in fitted.measured:
        assert set(member.bits) == PUBLISHED
        assert set(member.bits.values()) <= {2, 4, 8}
        assert member.bits["layers.0.weight"] == 2
        costs = fitted.cohort.plan.costs_at(member.bits)
        assert costs["bits_mixq"] == pytest.approx(sum(member.bits.values()) / 9)
