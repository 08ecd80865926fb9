"""Every scheme keeps the contract of a scheme."""

from __future__ import annotations

from typing import ClassVar

from lorap_bench.testing import SchemeContract


class TestFP32(SchemeContract):
    scheme = "FP32"


class TestQAT(SchemeContract):
    scheme = "QAT"


class TestDegreeQuant(SchemeContract):
    scheme = "DegreeQuant"
    config: ClassVar = {"p_min": 0.1, "p_max": 0.6}


class TestA2Q(SchemeContract):
    scheme = "A2Q"


class TestMixQ(SchemeContract):
    scheme = "MixQ"
