"""Integer inference beside fake quantization: the same codes but for rounding ties, the same classes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lorap_bench.config import ModelConfig, OptimConfig, QuantConfig, TrialConfig
from lorap_bench.data.load import load_task
from lorap_bench.errors import ConfigError, LorapBenchError
from lorap_bench.kernels.csr import csr_from_coo, segments
from lorap_bench.kernels.features import Features, make_features
from lorap_bench.models import shape_of
from lorap_bench.models.integer import Coded, Coder, arithmetic, integer_model, measure
from lorap_bench.models.integer.layers import largest
from lorap_bench.testing import graph_task, node_task
from lorap_bench.train import Cohort, Member, fit
from lorap_bench.train.feed import make_feed
from tests.models.fake_codes import fake_codes

if TYPE_CHECKING:
    from lorap_bench.data.task import GraphTask
    from lorap_bench.models.graph import GraphBatch
    from lorap_bench.models.network import Network

WIDE = node_task(features=80, binary=True)
SPARSE = replace(WIDE, x=WIDE.x * (torch.arange(WIDE.x.numel()).view_as(WIDE.x) % 3 > 0))
TASKS = {"node": node_task(), "sparse": SPARSE, "graph": graph_task()}
BASE = TrialConfig(model=ModelConfig(hidden=8), quant=QuantConfig(bits=4), optim=OptimConfig(epochs=4, eval_every=4))
LORAP: dict[str, Any] = {"kind": "LoRAP", "lr": 0.1, "count": 4, "rank": 2}


def configure(**sections: dict[str, Any]) -> TrialConfig:
    return replace(BASE, **{name: replace(getattr(BASE, name), **fields) for name, fields in sections.items()})


def trained(task: GraphTask, config: TrialConfig, members: int = 1) -> tuple[Network, GraphBatch]:
    cohort = fit(task, [Member(config, seed) for seed in range(members)]).cohort
    store = make_feed(task, cohort.plan).store
    graphs = torch.arange(task.graph_ptr.numel() - 1)
    return cohort.network.eval(), store.batch(graphs) if task.level == "graph" else store.whole


def assert_every_site_agrees(network: Network, batch: GraphBatch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every site the fake-quantized codes of the sites before it, and compare its own."""
    fake, _ = fake_codes(network, batch, 0)
    code, seen = Coder.code, []

    def forced(self: Coder, x: Tensor) -> Coded:
        own, theirs = code(self, x), fake[self.site]
        seen.append(self.site)
        assert own.codes.dtype in {torch.int8, torch.uint8}
        gap = (own.codes.int() - theirs.codes).abs()
        assert gap.max() <= 1, self.site
        near = (theirs.places - theirs.places.floor() - 0.5).abs()
        assert (near[gap > 0] <= 1e-3).all(), self.site
        return replace(own, codes=theirs.codes.to(own.codes.dtype))

    with monkeypatch.context() as patch:
        patch.setattr(Coder, "code", forced)
        integer_model(network).forward(batch)
    assert set(seen) == set(fake)


def agreement(network: Network, batch: GraphBatch) -> float:
    """Return on which share of nodes or graphs both models choose the same class; few codes of any site differ."""
    fake, logits = fake_codes(network, batch, 0)
    model = integer_model(network)
    for site, coded in model.codes(batch).items():
        assert (coded.codes.int() != fake[site].codes).double().mean() <= 1e-3, site
    return float((model.forward(batch).argmax(1) == logits.argmax(1)).double().mean())


@pytest.mark.parametrize("bits", [8, 4, 2])
@pytest.mark.parametrize("prompt", [{}, LORAP, LORAP | {"inject": "post_requant"}], ids=["none", "pre", "post"])
@pytest.mark.parametrize("task", sorted(TASKS))
@pytest.mark.parametrize("arch", ["GCN", "GIN"])
def test_every_site_has_the_fake_quantized_codes_but_for_ties(
    arch: str, task: str, prompt: dict[str, Any], bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheme = "DegreeQuant" if bits == 4 else "QAT"
    config = configure(model={"arch": arch}, quant={"bits": bits, "scheme": scheme}, prompt=prompt)
    network, batch = trained(TASKS[task], config)
    assert_every_site_agrees(network, batch, monkeypatch)


@pytest.mark.parametrize("task", ["node", "graph"])
@pytest.mark.parametrize("arch", ["GCN", "GIN"])
@pytest.mark.parametrize(
    "change",
    [
        {"quant": {"messages": True}},
        {"quant": {"activation_symmetric": True}},
        {"quant": {"weight_symmetric": False, "weight_per_channel": True}},
        {"model": {"batch_norm": True, "readout": "sum"}},
        {"model": {"batch_norm": True, "readout": "max"}},
        {"model": {"head": "mlp", "head_dropout": 0.5, "readout": "max"}},
        {"model": {"layers": 4, "residual": True}},
        {"model": {"layers": 3, "residual": True, "batch_norm": True}},
        {"prompt": {"kind": "GPF"}},
        {"prompt": LORAP | {"kind": "GPFLoRAP", "gate": "linear"}},
        {"quant": {"component_bits": {"aggregate": 32, "update": 32}}},
        {"quant": {"messages": True, "component_bits": {"message": 32}}},
    ],
    ids=str,
)
def test_every_option_has_an_integer_form(
    change: dict[str, Any], arch: str, task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = {"arch": arch} | change.get("model", {})
    network, batch = trained(TASKS[task], configure(**change | {"model": model}))
    assert_every_site_agrees(network, batch, monkeypatch)


def test_any_member_can_be_chosen() -> None:
    network, batch = trained(TASKS["node"], configure(prompt=LORAP), members=3)
    for member in range(3):
        torch.testing.assert_close(integer_model(network, member).forward(batch), fake_codes(network, batch, member)[1])


CASES = [("Cora", "GCN", 8), ("Cora", "GCN", 4), ("Cora", "GCN", 2), ("Cora", "GIN", 4), ("PROTEINS", "GIN", 8)]
SLOW = [(dataset, arch, bits) for dataset in ("Cora", "PROTEINS") for arch in ("GCN", "GIN") for bits in (8, 4, 2)]


@pytest.mark.parametrize("prompt", [{}, LORAP], ids=["none", "LoRAP"])
@pytest.mark.parametrize(("dataset", "arch", "bits"), CASES)
def test_classes_agree_on_real_graphs(dataset: str, arch: str, bits: int, prompt: Any, raw_mirror: object) -> None:
    assert real_agreement((dataset, arch, bits), prompt, epochs=20 if arch == "GCN" else 2) >= 0.999


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("scheme", "prompt"), [("QAT", {}), ("DegreeQuant", LORAP)], ids=["QAT-none", "DegreeQuant-LoRAP"]
)
@pytest.mark.parametrize(("dataset", "arch", "bits"), SLOW)
def test_classes_agree_after_a_hundred_epochs(
    dataset: str, arch: str, bits: int, scheme: str, prompt: Any, raw_mirror: object
) -> None:
    assert real_agreement((dataset, arch, bits), prompt, epochs=100, scheme=scheme) >= 0.999


def real_agreement(case: tuple[str, str, int], prompt: dict[str, Any], *, epochs: int, scheme: str = "QAT") -> float:
    dataset, arch, bits = case
    features = "row_normalized" if dataset == "Cora" and arch == "GCN" else "raw"
    config = configure(
        task={"dataset": dataset, "features": features},
        model={"arch": arch, "hidden": 16, "batch_norm": dataset == "PROTEINS"},
        quant={"bits": bits, "scheme": scheme},
        prompt=prompt,
        optim={"epochs": epochs, "eval_every": epochs},
    )
    return agreement(*trained(load_task(config.task), config))


# ---------------------------------------------------------------------------------- arithmetic


def coded(draw: Any, shape: tuple[int, ...], *, per_channel: bool = False) -> Coded:
    signed = draw(st.booleans())
    low, high = (-128, 127) if signed else (0, 255)
    size = int(torch.Size(shape).numel())
    values = draw(st.lists(st.integers(low, high), min_size=size, max_size=size))
    zeros = draw(st.lists(st.integers(low, high), min_size=shape[-1], max_size=shape[-1]))
    zero = torch.tensor([zeros]) if per_channel else torch.tensor(zeros[0] if zeros else 0)
    codes = torch.tensor(values, dtype=torch.int8 if signed else torch.uint8).view(shape)
    return Coded(codes, torch.tensor(0.5), zero.to(torch.int32))


def values(x: Coded) -> Tensor:
    """Codes without their zero point, int64."""
    return x.codes.long() - x.zero


EXTENT = st.integers(1, 6)


@pytest.mark.property
@given(data=st.data(), n=EXTENT, k=EXTENT, m=EXTENT, per_channel=st.booleans())
def test_a_dense_product_is_exact(data: Any, n: int, k: int, m: int, per_channel: bool) -> None:
    a, b = coded(data.draw, (n, k)), coded(data.draw, (k, m), per_channel=per_channel)
    product = arithmetic.dense_product(a, b, "here")
    assert product.sums.dtype == torch.int32
    assert torch.equal(product.sums.long(), values(a) @ values(b))
    torch.testing.assert_close(product.real().double(), a.real().double() @ b.real().double(), rtol=0, atol=0)


@pytest.mark.property
@given(data=st.data(), n=EXTENT, k=EXTENT, m=EXTENT, weighted=st.booleans(), per_channel=st.booleans())
def test_message_passing_is_the_identity_of_its_integers(
    data: Any, n: int, k: int, m: int, weighted: bool, per_channel: bool
) -> None:
    cells = data.draw(st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, k - 1))))
    where = torch.tensor(sorted(cells), dtype=torch.int64).view(-1, 2)
    pattern, _ = csr_from_coo(where[:, 0], where[:, 1], (n, k))
    a = coded(data.draw, (len(cells),)) if weighted else None
    b = coded(data.draw, (k, m), per_channel=per_channel)
    dense = torch.zeros(n, k, dtype=torch.int64)
    dense[pattern.row, pattern.col.long()] = 1 if a is None else values(a)
    product = arithmetic.sparse_product(pattern, a, b, "here")
    assert product.sums.dtype == torch.int32
    assert torch.equal(product.sums.long(), dense @ values(b))
    edges = arithmetic.edge_product(pattern, a, b)
    summed = torch.zeros(n, m, dtype=torch.int64).index_add(0, pattern.row, edges.sums.long())
    assert torch.equal(summed, dense @ values(b))


@pytest.mark.parametrize("int8", [True, False])
def test_extreme_codes_do_not_saturate(int8: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if int8 and not arithmetic._int8_is_exact():
        pytest.skip("this processor's int8 products saturate: they are never used")
    monkeypatch.setattr(arithmetic, "_int8_is_exact", lambda: int8)
    a, b = torch.full((3, 2000), 255, dtype=torch.uint8), torch.full((2000, 5), -128, dtype=torch.int8)
    one, none = torch.tensor(1.0), torch.tensor(0, dtype=torch.int32)
    product = arithmetic.dense_product(Coded(a, one, none), Coded(b, one, none), "here")
    assert (product.sums == 255 * -128 * 2000).all()


def test_sums_that_may_not_fit_are_refused() -> None:
    one, zero = torch.tensor(1.0), torch.tensor(255, dtype=torch.int32)
    wide = Coded(torch.full((1, 150_000), 255, dtype=torch.uint8), one, zero)
    with pytest.raises(ConfigError, match=r"layers\.0\.feature: its sums may not fit"):
        arithmetic.dense_product(wide, replace(wide, codes=wide.codes.T), "layers.0.feature")
    index = torch.arange(20_000)
    pattern, _ = csr_from_coo(torch.zeros_like(index), index, (1, 20_000))
    hub = replace(wide, codes=wide.codes[0, :20_000])
    with pytest.raises(ConfigError, match="32-bit accumulators"):
        arithmetic.sparse_product(pattern, hub, replace(hub, codes=hub.codes.unsqueeze(1)), "layers.0.aggregate")


# -------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": {"arch": "GAT", "heads": 4}}, "model.arch: has no integer form; got 'GAT'; allowed: GCN, GIN"),
        ({"quant": {"scheme": "A2Q"}}, "quant.scheme: .* fixed affine grid"),
        ({"quant": {"scheme": "MixQ"}}, "quant.scheme: .* fixed affine grid"),
        ({"quant": {"site_bits": {"layers.1.weight": 32}}}, r"layers\.1\.weight: .* needs codes; got 32"),
        ({"quant": {"scheme": "FP32"}}, "8 faults"),
    ],
    ids=str,
)
def test_what_has_no_integer_form_is_refused(change: dict[str, Any], message: str) -> None:
    cohort = Cohort([Member(configure(**change), 0)], shape_of(TASKS["node"]))
    with pytest.raises(ConfigError, match=message):
        integer_model(cohort.network)


def test_an_untrained_network_is_refused() -> None:
    cohort = Cohort([Member(BASE, 0)], shape_of(TASKS["node"]))
    with pytest.raises(LorapBenchError, match="has seen no values yet"):
        integer_model(cohort.network)


def test_a_diverged_network_and_features_without_a_value_are_refused() -> None:
    network, batch = trained(TASKS["node"], BASE)
    model = integer_model(network)
    spoiled = batch.features.values.clone()
    spoiled[0, 0, 0] = torch.nan
    with pytest.raises(LorapBenchError, match="NaN"):
        model.forward(replace(batch, features=Features(spoiled)))
    network.get_parameter("convs.1.weight").data.fill_(torch.nan)
    with pytest.raises(LorapBenchError, match=r"convs\.1\.weight: is not finite"):
        integer_model(network)


# ---------------------------------------------------------------------------------- what it takes


def test_the_head_of_two_maps_is_stored_in_integers_and_needs_codes_for_its_factors() -> None:
    model = {"head": "mlp", "readout": "max"}
    network, batch = trained(TASKS["graph"], configure(model=model), members=2)
    assert agreement(network, batch) == 1.0
    assert integer_model(network, 1).bytes.stored == 4 * 8 + 8 * 8 + 8 * 8 + 8 * 2
    wide = configure(model=model, quant={"site_bits": {"head.1.input": 32}})
    with pytest.raises(ConfigError, match=r"head\.1\.input: .* needs codes; got 32"):
        integer_model(Cohort([Member(wide, 0)], shape_of(TASKS["graph"])).network)


def test_a_graph_without_nodes_has_the_integer_maximum_zero() -> None:
    batch = make_feed(TASKS["graph"], Cohort([Member(BASE, 0)], shape_of(TASKS["graph"])).plan).store.whole
    codes = Coded(torch.tensor([[3, 200], [9, 7], [0, 1]], dtype=torch.uint8), torch.tensor(0.5), torch.tensor(4))
    pointers, owner = torch.tensor([0, 2, 2, 3], dtype=torch.int32), torch.tensor([0, 0, 2])
    pooled = largest(codes, replace(batch, pool=segments(pointers, owner)))
    assert pooled.tolist() == [[2.5, 98.0], [0.0, 0.0], [-2.0, -1.5]]


def test_bytes_are_those_of_the_stored_integers() -> None:
    quant = {"bits": 4, "site_bits": {"layers.1.weight": 3}}
    network, _ = trained(TASKS["node"], configure(quant=quant, prompt=LORAP))
    stored = integer_model(network).bytes
    assert stored.stored == 12 * 8 + 8 * 3
    assert stored.packed == 12 * 8 // 2 + 8 * 3 * 3 // 8
    assert stored.full == 4 * stored.stored
    assert stored.parameters == 4 * (8 + 3)
    assert stored.prompts == 4 * sum(2 * width * 2 + 2 * 2 * 4 + 4 for width in (8, 3))


@pytest.mark.parametrize("kind", ["None", "GPFLoRAP"])
def test_measuring_tells_integers_and_prompts_apart(kind: str) -> None:
    network, batch = trained(TASKS["sparse"], configure(prompt=LORAP | {"kind": kind}))
    costs = measure(network, batch, repeats=2)
    names = {"integer", "fake-quantized"}
    assert set(costs) == (names if kind == "None" else names | {f"{name}, no prompts" for name in names})
    assert all(cost.seconds > 0 for cost in costs.values())
    assert 4 * costs["integer"].activation_bytes == costs["fake-quantized"].activation_bytes
    if kind != "None":
        assert costs["integer"].prompt_bytes > costs["integer, no prompts"].prompt_bytes == 0


def test_the_sparse_task_is_sparse() -> None:
    assert make_features(TASKS["sparse"].x).pattern is not None
