"""A²Q: what it quantizes and how, the price of memory, what the ledger makes of learned widths."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from lorap_bench.config import QuantConfig
from lorap_bench.models.blueprint import blueprint, shape_of
from lorap_bench.quant import Identity
from lorap_bench.quant.a2q import MemoryPenalty
from lorap_bench.quant.learned_step import ColumnQuantizer, GroupQuantizer, RowQuantizer
from lorap_bench.testing import graph_task, node_task
from lorap_bench.train.cohort import cohort_key
from tests.quant.networks import build, trial

CONFIG = QuantConfig(scheme="A2Q", bits=4, memory_target=0.5, memory_weight=2.0)


def kinds(
    arch: str, *, level: str = "node", prompt: str = "None", binary: bool = True, **quant: object
) -> dict[str, str]:
    """Return the kind of each site's quantizer."""
    task = node_task(binary=binary) if level == "node" else graph_task()
    config = replace(CONFIG, **quant)  # type: ignore[arg-type]  # keyword arguments of mixed types
    built = build(trial(config, arch=arch, prompt=prompt), task)
    return {name: type(quantizer).__name__ for name, quantizer in built.quantizers.items()}


def test_gcn_quantizes_the_published_sites() -> None:
    assert kinds("GCN") == {
        "layers.0.input": "Identity",  # zeros and ones need one bit
        "layers.0.weight": "ColumnQuantizer",
        "layers.0.feature": "ColumnQuantizer",
        "layers.0.norm": "Identity",
        "layers.0.aggregate": "Identity",
        "layers.0.update": "Identity",
        "layers.1.input": "RowQuantizer",
        "layers.1.weight": "ColumnQuantizer",
        "layers.1.feature": "ColumnQuantizer",
        "layers.1.norm": "Identity",
        "layers.1.aggregate": "Identity",
        "layers.1.update": "Identity",
    }


def test_all_sites_leaves_nothing_in_full_precision() -> None:
    found = kinds("GCN", sites="all")
    assert {name for name, kind in found.items() if kind == "Identity"} == {"layers.0.input"}
    assert {name for name, kind in found.items() if kind == "RowQuantizer"} == {"layers.1.input"}


def test_a_node_prompt_makes_a_binary_input_count() -> None:
    task = node_task(binary=True)
    plain, prompted = (blueprint(trial(CONFIG, prompt=kind), shape_of(task)) for kind in ("None", "GPF"))
    assert kinds("GCN", prompt="GPF")["layers.0.input"] == "RowQuantizer"
    assert plain.ledger.bits["layers.0.input"] == 1
    assert prompted.ledger.bits["layers.0.input"] == 4
    learned = {"layers.1.input": 2.0}
    assert plain.costs_at(learned)["bits_a2q"] == 2
    assert prompted.costs_at(learned | {"layers.0.input": 5.0})["bits_a2q"] == 3.5


def test_features_of_many_values_are_quantized_by_row() -> None:
    assert kinds("GCN", binary=False)["layers.0.input"] == "RowQuantizer"


def test_attention_has_a_step_a_head_and_its_features_a_width_a_node() -> None:
    found = kinds("GAT")
    assert found["layers.0.feature"] == "RowQuantizer"
    assert found["layers.0.attention"] == found["layers.0.logits"] == "ColumnQuantizer"
    built = build(trial(CONFIG, arch="GAT"), node_task())
    steps = {
        name: quantizer.get_parameter("step").shape[2]
        for name, quantizer in built.quantizers.items()
        if isinstance(quantizer, ColumnQuantizer)
    }
    assert steps == {
        "layers.0.weight": 16,
        "layers.0.attention": 8,
        "layers.0.logits": 8,
        "layers.1.weight": 3,
        "layers.1.attention": 1,
        "layers.1.logits": 1,
    }


@pytest.mark.parametrize("arch", ["GCN", "GIN", "GAT", "SAGE", "RGCN"])
def test_unseen_graphs_are_met_with_groups(arch: str) -> None:
    found = kinds(arch, level="graph", groups=17)
    assert "RowQuantizer" not in found.values()
    assert found["head.input"] == "GroupQuantizer"
    built = build(trial(replace(CONFIG, groups=17), arch=arch), graph_task())
    for quantizer in built.quantizers.values():
        if isinstance(quantizer, GroupQuantizer):
            assert quantizer.get_parameter("width").shape == (2, 17, 1)
            assert not quantizer.local


def test_node_level_activations_learn_locally_and_weights_from_the_task() -> None:
    for name, quantizer in build(trial(CONFIG), node_task()).quantizers.items():
        if isinstance(quantizer, RowQuantizer | ColumnQuantizer):
            assert quantizer.local == (not name.endswith("weight")), name
    built = build(trial(CONFIG), node_task())
    logits = built.forward()
    step = built.quantizers["layers.1.input"].get_parameter("step")
    once, twice = (torch.autograd.grad(k * logits.sum(), step, retain_graph=True)[0] for k in (1, 2))
    assert torch.equal(once, twice)  # whatever the loss
    weight = built.quantizers["layers.1.weight"].get_parameter("step")
    once, twice = (torch.autograd.grad(k * logits.sum(), weight, retain_graph=True)[0] for k in (1, 2))
    assert once.any()
    torch.testing.assert_close(twice, 2 * once)


def test_the_allocation_gives_fixed_widths_and_where_learned_ones_start() -> None:
    config = replace(CONFIG, component_bits={"weight": 2, "feature": 8}, site_bits={"layers.1.input": 6})
    built = build(trial(config), node_task())
    assert built.network.bits()["layers.1.input"].tolist() == [6, 6]
    built.forward()
    assert built.seen["layers.0.weight"][1][0, :, 0].unique().numel() <= 3
    assert 3 < built.seen["layers.0.feature"][1][0, :, 0].unique().numel() <= 255
    left = replace(CONFIG, site_bits={"layers.1.input": 32})
    assert isinstance(build(trial(left), node_task()).quantizers["layers.1.input"], Identity)


def test_nothing_to_learn_costs_nothing() -> None:
    for config in (trial(replace(CONFIG, bits=32)), trial(CONFIG, layers=1)):
        built = build(config, node_task(binary=True))
        built.forward()
        assert built.network.price() == 0


def test_the_price_is_that_of_a_counted_sum_of_stored_bits() -> None:
    built = build(trial(CONFIG, arch="GIN"), node_task(binary=False))
    quantizers = {name: q for name, q in built.quantizers.items() if isinstance(q, RowQuantizer)}
    assert len(quantizers) == 4  # both maps of both layers
    for index, quantizer in enumerate(quantizers.values()):
        torch.nn.init.uniform_(
            quantizer.get_parameter("width"), 1.0, 9.0, generator=torch.Generator().manual_seed(index)
        )
    built.forward()
    bits = [0.0, 0.0]
    for name, quantizer in quantizers.items():
        values, least = built.seen[name][0], 1 + quantizer.signed
        for member in range(2):
            for node in range(values.shape[1]):
                width = quantizer.get_parameter("width")[member, node, 0].item()
                bits[member] += values.shape[2] * min(max(round(width), least), 8)
    price = built.network.price()
    assert isinstance(price, torch.Tensor)
    torch.testing.assert_close(price, torch.tensor([2 * max(0, total / 8 / 1024 - 0.5) ** 2 for total in bits]))
    assert (price > 0).all()
    for name, quantizer in quantizers.items():
        (gradient,) = torch.autograd.grad(price.sum(), quantizer.get_parameter("width"), retain_graph=True)
        columns = built.seen[name][0].shape[2]
        expected = torch.tensor([2 * 2 * (total / 8192 - 0.5) * columns / 8192 for total in bits])
        torch.testing.assert_close(gradient, expected.view(2, 1, 1).expand_as(gradient))


def test_memory_within_the_target_is_free() -> None:
    penalty = MemoryPenalty((CONFIG, replace(CONFIG, memory_target=3.0)))
    kilobytes = torch.tensor([1.5, 1.5], requires_grad=True)
    price = penalty(kilobytes)
    (gradient,) = torch.autograd.grad(price.sum(), kilobytes)
    assert price.tolist() == [2, 0]
    assert gradient.tolist() == [4, 0]


def test_at_graph_level_the_price_is_that_of_the_mean_graph() -> None:
    task = graph_task()
    built = build(trial(replace(CONFIG, groups=5, memory_target=1e-9), arch="GIN"), task)
    built.forward()
    graphs = task.graph_ptr.numel() - 1
    kilobytes = torch.zeros(2)
    for name, quantizer in built.quantizers.items():
        if isinstance(quantizer, GroupQuantizer):
            rows = task.x.shape[0] / graphs if name != "head.input" else 1
            kilobytes += quantizer.bits() * rows * built.seen[name][0].shape[2] / 8192
    price = built.network.price()
    assert isinstance(price, torch.Tensor)
    torch.testing.assert_close(price, 2 * kilobytes.square())


def test_costs_wait_for_the_training() -> None:
    plan = blueprint(trial(CONFIG), shape_of(node_task()))
    assert set(plan.costs) == {"operations", "parameters", "extra_parameters"}
    low, high = (plan.costs_at({"layers.1.input": bits}) for bits in (2.0, 6.0))
    assert set(low) > set(plan.costs)
    assert low["average_bits"] < high["average_bits"]
    site = next(site for site in plan.ledger.sites if site.name == "layers.1.input")
    elements = sum(s.elements for s in plan.ledger.sites if s.role != "constant")
    assert high["average_bits"] - low["average_bits"] == pytest.approx(4 * site.elements / elements)


def test_unpublished_sites_count_32_bits() -> None:
    plan = blueprint(trial(CONFIG), shape_of(node_task()))
    left = {site.name for site in plan.ledger.sites if site.quantized and plan.ledger.width(site) == 32}
    assert left == {f"layers.{layer}.{local}" for layer in "01" for local in ("norm", "aggregate", "update")}


def test_members_that_start_at_different_widths_do_not_share_a_cohort() -> None:
    keys = [cohort_key(blueprint(trial(replace(CONFIG, bits=bits)), shape_of(node_task()))) for bits in (4, 5)]
    assert keys[0] != keys[1]
    plain = [cohort_key(blueprint(trial(QuantConfig(bits=bits)), shape_of(node_task()))) for bits in (4, 5)]
    assert plain[0] == plain[1]
