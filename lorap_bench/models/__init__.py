"""Graph networks with hook points where quantizers and prompts meet."""

from lorap_bench.models.archs import ARCHS
from lorap_bench.models.blueprint import Blueprint, blueprint, shape_of
from lorap_bench.models.gat import GAT
from lorap_bench.models.gcn import GCN
from lorap_bench.models.gin import GIN
from lorap_bench.models.graph import GraphBatch, GraphStore, build_store
from lorap_bench.models.hooks import Conv
from lorap_bench.models.network import Network
from lorap_bench.models.rgcn import RGCN
from lorap_bench.models.sage import SAGE

__all__ = [
    "ARCHS",
    "GAT",
    "GCN",
    "GIN",
    "RGCN",
    "SAGE",
    "Blueprint",
    "Conv",
    "GraphBatch",
    "GraphStore",
    "Network",
    "blueprint",
    "build_store",
    "shape_of",
]
