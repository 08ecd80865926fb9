"""Weights of ranks from singular values, and what is kept of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.errors import ConfigError
from lorap_bench.search import rank_prior as module
from lorap_bench.search.rank_prior import calibrated, rank_prior, rank_weights
from lorap_bench.study.spec import StudySpec
from tests.search.synthetic import WIDE, make_spec

if TYPE_CHECKING:
    from pathlib import Path


def study(space: dict[str, Any] = WIDE, *, sampler: str = "TPE", **more: Any) -> StudySpec:
    mapping = make_spec(space, **more).to_mapping()
    mapping["search"] = {"sampler": sampler, "rank_prior": True}
    return StudySpec.from_mapping(mapping)


def shares(weights: list[tuple[int, float]]) -> list[float]:
    """Take the even part out again."""
    even = 0.25 / len(weights)
    return [(weight - even) / 0.75 for _, weight in weights]


def test_a_rank_weighs_what_it_removes_beyond_the_one_before() -> None:
    """Energies 9, 4, 4, 1, 1, 1: of 20, rank 1 removes 9, rank 2 four more, rank 4 five more; 2 are left to it."""
    weights = rank_weights([[3.0, 2.0, 2.0, 1.0, 1.0, 1.0]], [1, 2, 4])
    assert [rank for rank, _ in weights] == [1, 2, 4]
    assert shares(weights) == pytest.approx([0.45, 0.2, 0.35])
    assert sum(weight for _, weight in weights) == pytest.approx(1)


def test_layers_count_alike_whatever_the_size_of_their_errors() -> None:
    weights = rank_weights([[1.0, 0.0], [100.0, 100.0]], [1, 2])
    assert shares(weights) == pytest.approx([0.75, 0.25])


def test_an_error_of_zero_needs_no_rank_and_none_is_ruled_out() -> None:
    assert shares(rank_weights([[0.0, 0.0]], [1, 2, 8])) == pytest.approx([1, 0, 0])
    assert all(weight > 0 for _, weight in rank_weights([[1.0]], [1, 2, 8]))


def test_the_model_is_quantized_at_the_median_of_the_widths() -> None:
    spec = study({"prompt.rank": {"int": [1, 4]}, "quant.layer_bits.0": {"choices": [2, 3, 4, 8, 32]}})
    assert calibrated(spec).quant.bits == 3
    assert calibrated(study({"prompt.rank": {"int": [1, 4]}}, quant={"bits": 5})).quant.bits == 5
    assert calibrated(study({"prompt.rank": {"int": [1, 4]}}, quant={"scheme": "FP32"})).quant.scheme == "QAT"


def test_it_is_measured_once_and_kept_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[StudySpec] = []

    def measured(spec: StudySpec) -> list[list[float]]:
        calls.append(spec)
        return [[3.0, 2.0, 1.0]]

    monkeypatch.setattr(module, "_measured", measured)
    spec = study({"prompt.rank": {"choices": [4, 1, 2]}})
    found = rank_prior(spec, tmp_path)
    assert found == rank_prior(spec, tmp_path)
    assert [rank for rank, _ in found or []] == [1, 2, 4]
    assert len(calls) == 1
    assert json.loads((tmp_path / "prior.json").read_text()) == {"singular_values": [[3.0, 2.0, 1.0]]}


def test_a_study_without_it_trains_nothing(tmp_path: Path) -> None:
    assert rank_prior(make_spec(WIDE), tmp_path) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("space", "sampler", "parts"),
    [
        ({"quant.bits": {"choices": [2, 4]}}, "TPE", ["search.rank_prior: the space has no prompt.rank"]),
        (WIDE, "Random", ["goes with a sampler that begins with random draws", "'Random'", "EHVI, GP, NSGAII"]),
        ({}, "Grid", ["2 faults"]),
    ],
)
def test_a_prior_that_could_not_serve_is_refused(
    tmp_path: Path, space: dict[str, Any], sampler: str, parts: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        rank_prior(study(space, sampler=sampler), tmp_path)
    for part in parts:
        assert part in str(caught.value)
