"""The architectures by the names that a configuration gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.models.gat import GAT
from lorap_bench.models.gcn import GCN
from lorap_bench.models.gin import GIN
from lorap_bench.models.rgcn import RGCN
from lorap_bench.models.sage import SAGE

if TYPE_CHECKING:
    from lorap_bench.models.hooks import Conv

__all__ = ["ARCHS"]

ARCHS: dict[str, type[Conv]] = {arch.__name__: arch for arch in (GCN, GIN, GAT, SAGE, RGCN)}
