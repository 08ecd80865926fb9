"""Every prompt keeps the contract of a prompt; it meets every scheme in the schemes' contracts."""

from __future__ import annotations

from typing import ClassVar

from lorap_bench.testing import PromptContract


class Ours(PromptContract):
    schemes = ("QAT",)
    archs = ("GCN",)


class TestNone(Ours):
    prompt = "None"


class TestGPF(Ours):
    prompt = "GPF"


class TestGPFPlus(Ours):
    prompt = "GPFPlus"


class TestLoRAP(Ours):
    prompt = "LoRAP"


class TestLoRAPWithAFullScorer(Ours):
    prompt = "LoRAP"
    config: ClassVar = {"factorize": False, "gate": "linear"}


class TestGPFLoRAP(Ours):
    prompt = "GPFLoRAP"
