"""Full-precision convolutions against PyG's own, with the same weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
import torch
from torch import nn
from torch_geometric.nn import GATConv, GCNConv, GINConv, RGCNConv, SAGEConv

from lorap_bench.config import ModelConfig, QuantConfig, TrialConfig
from lorap_bench.kernels import Draws, stream_generator
from lorap_bench.kernels.features import Features
from lorap_bench.models import ARCHS, blueprint, build_store, shape_of
from lorap_bench.models.network import Network
from lorap_bench.testing import node_task

if TYPE_CHECKING:
    from torch import Tensor

    from lorap_bench.models.hooks import Conv

TASK = node_task()


def network(arch: str) -> Network:
    config = TrialConfig(model=ModelConfig(arch=arch, hidden=8, heads=4, dropout=0.0), quant=QuantConfig(scheme="FP32"))
    plan = blueprint(config, shape_of(TASK))
    built = Network(plan, [config, config], Draws([0, 1]))
    generator = stream_generator(0, "test")
    for parameter in built.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
    return built


def peer(conv: Conv, arch: str, member: int) -> nn.Module:
    p = {name: value.detach()[member] for name, value in conv.named_parameters()}
    if arch == "GCN":
        gcn = GCNConv(12, 8)
        gcn.lin.weight.data, gcn.bias.data = p["weight"].T, p["bias"][0]
        return cast("nn.Module", gcn)
    if arch == "GAT":
        gat = GATConv(12, 2, heads=4)
        gat.lin.weight.data, gat.bias.data = p["weight"].T, p["bias"][0]
        gat.att_src.data, gat.att_dst.data = p["attention"][0].view(1, 4, 2), p["attention"][1].view(1, 4, 2)
        return cast("nn.Module", gat)
    if arch == "SAGE":
        sage = SAGEConv(12, 8)
        sage.lin_l.weight.data, sage.lin_l.bias.data = p["weight"].T, p["bias"][0]
        sage.lin_r.weight.data = p["root_weight"].T
        return cast("nn.Module", sage)
    if arch == "RGCN":
        return relational_peer(p, relations=1)
    first, second = nn.Linear(12, 8), nn.Linear(8, 8)
    gin = GINConv(nn.Sequential(first, nn.ReLU(), second))  # draws its weights anew
    first.weight.data, first.bias.data = p["weight0"].T, p["bias0"][0]
    second.weight.data, second.bias.data = p["weight1"].T, p["bias1"][0]
    return cast("nn.Module", gin)


def relational_peer(p: dict[str, Tensor], relations: int) -> nn.Module:
    rgcn = RGCNConv(12, 8, relations)
    rgcn.weight.data = torch.stack([p[f"weight{relation}"] for relation in range(relations)])
    rgcn.root.data, rgcn.bias.data = p["root_weight"], p["bias"][0]
    return cast("nn.Module", rgcn)


@pytest.mark.parametrize("arch", sorted(ARCHS))
def test_a_convolution_equals_pygs(arch: str) -> None:
    conv: Conv = network(arch).eval().convs[0]  # type: ignore[assignment]  # ModuleList forgets its items' type
    store = build_store(TASK, self_loops=conv.self_loops, normalized=conv.normalized, relational=conv.relational)
    out = conv(Features(TASK.x.unsqueeze(0)), store.whole)
    types = (torch.zeros(TASK.edge_index.shape[1], dtype=torch.int64),) * conv.relational
    for member in range(2):
        expected = peer(conv, arch, member)(TASK.x, TASK.edge_index, *types)
        torch.testing.assert_close(out[member], expected, rtol=1e-4, atol=1e-4)
