"""Every architecture keeps the contract of an architecture; it meets every scheme in the schemes' contracts."""

from __future__ import annotations

from lorap_bench.testing import ConvContract


class Ours(ConvContract):
    schemes = ("QAT", "A2Q")
    prompts = ("None", "LoRAP", "GPF")


class TestGCN(Ours):
    arch = "GCN"


class TestGIN(Ours):
    arch = "GIN"


class TestGAT(Ours):
    arch = "GAT"


class TestRGCN(Ours):
    arch = "RGCN"


class TestSAGE(Ours):
    arch = "SAGE"
