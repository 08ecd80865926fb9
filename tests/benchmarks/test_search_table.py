"""The table of trained configurations, and what the search benchmarks make of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.search.quality import study, summary
from benchmarks.search.results import table as as_text
from benchmarks.search.table import Table

if TYPE_CHECKING:
    from pathlib import Path

CURVES = [[0.1, 0.3, 0.502], [0.2, 0.2, 0.7]]


def entry(digest: str, bits: float) -> dict[str, object]:
    costs = {"average_bits": bits, "overhead": 1.5}
    return {"digest": digest, "params": {"quant.bits": 4}, "costs": costs, "curves": CURVES, "seconds": 1.0}


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    for number, digest in enumerate(("b", "a")):
        (tmp_path / f"{number}.json").write_text(json.dumps([entry(digest, 4.0 + number)]))
    return tmp_path


def test_small_files_are_read_by_digest(raw: Path) -> None:
    found = Table.raw(raw)
    assert list(found.rows) == ["a", "b"]
    assert len(found) == 2
    assert "a" in found
    assert "c" not in found
    assert found["a"].accuracy == pytest.approx(0.601)
    assert found["a"].marks.shape == (2, 3)
    assert found.values().tolist() == [[pytest.approx(0.601), 5.0, 1.5], [pytest.approx(0.601), 4.0, 1.5]]


def test_the_packed_table_says_the_same(raw: Path, tmp_path: Path) -> None:
    points = [{name: entry("a", 4.0)[name] for name in ("digest", "params", "costs")}]
    path = tmp_path / "table.npz"
    np.savez_compressed(
        path,
        marks=np.rint(np.array([CURVES]) * 500).astype(np.uint16),
        points=np.frombuffer(json.dumps(points).encode(), np.uint8),
        facts=json.dumps({"epochs": 200, "every": 5, "validation": 500}),
    )
    packed = Table.packed(path)
    assert (packed.epochs, packed.every) == (200, 5)
    assert packed["a"].marks.tolist() == Table.raw(raw)["a"].marks.tolist()


def test_a_row_tells_medians_bands_and_trials_needed() -> None:
    histories = [[0.1 * seed + 0.001 * trial for trial in range(200)] for seed in range(3)]
    row = summary("X", histories, goal=0.25)
    assert row["after 50"] == "0.1490 (0.0690 to 0.2290)"
    assert row["trials to Optuna TPE's 200"] == "151"
    assert summary("X", histories, goal=0.5)["trials to Optuna TPE's 200"] == "more"
    assert as_text([{"a": 1, "b": 0.25}]) == "| a | b |\n| --- | --- |\n| 1 | 0.25 |"


def test_contestants_differ_in_nothing_but_sampler_and_seed() -> None:
    one, other = (study({"sampler": name}, seed, 7).to_mapping() for name, seed in (("TPE", 1), ("Random", 2)))
    assert {name for name in one if one[name] != other[name]} == {"search", "seed"}
