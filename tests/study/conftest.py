from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from lorap_bench.study.catalog import Catalog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MINIMAL = """
version = 1
name = "tiny"
objectives = ["accuracy", "average_bits"]
[budget]
trials = 3
[space]
"prompt.count" = { choices = [1, 2, 4] }
"""


@dataclass(frozen=True)
class WholeNumber:
    def takes(self, value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)

    def __str__(self) -> str:
        return "a whole number"


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return Catalog(
        datasets=("Cora", "Digits"),
        archs=("GCN", "GIN"),
        schemes=("FP32", "QAT"),
        prompts=("None", "GPF", "LoRAP"),
        samplers=("TPE", "Random"),
        components=("weight", "aggregate"),
        families=("TUDataset",),
        sampler_arguments={"TPE": {"n_startup_trials": WholeNumber()}, "Random": {}},
    )


@pytest.fixture
def study_file(tmp_path: Path) -> Callable[..., Path]:
    """Write a study file: the minimal one plus ``extra``, or the whole ``text``."""

    def write(extra: str = "", *, text: str = MINIMAL, name: str = "tiny.toml") -> Path:
        path = tmp_path / name
        path.write_text(text + extra, encoding="utf-8")
        return path

    return write
