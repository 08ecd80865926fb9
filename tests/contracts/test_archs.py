"""Every architecture keeps the contract of an architecture; it meets every scheme in the schemes' contracts."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

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


class Residual(ConvContract):
    """Three layers at graph level: two sums, one of them pooled; one at node level."""

    config: ClassVar[dict[str, Any]] = {"residual": True, "layers": 3}
    schemes = ("QAT", "DegreeQuant", "A2Q", "MixQ")
    prompts = ("None", "LoRAP", "GPFPlus")


@pytest.mark.slow
class TestResidualGCN(Residual):
    arch = "GCN"


@pytest.mark.slow
class TestResidualGIN(Residual):
    arch = "GIN"


@pytest.mark.slow
class TestResidualGAT(Residual):
    arch = "GAT"


@pytest.mark.slow
class TestResidualSAGE(Residual):
    arch = "SAGE"
