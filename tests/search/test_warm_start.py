"""The points that a warm start gives."""

from __future__ import annotations

from typing import Any

import pytest

from lorap_bench.errors import ConfigError
from lorap_bench.search.candidates import Candidates
from lorap_bench.search.warm_start import check_warm_start, warm_points
from lorap_bench.study.spec import StudySpec
from tests.search.synthetic import WIDE, make_spec, sketch


def warm(space: dict[str, Any], *, trials: int = 100, **more: Any) -> list[dict[str, Any]]:
    spec = make_spec(space, trials=trials, **more)
    return warm_points(spec, Candidates(spec, sketch, 0))


def test_full_precision_comes_first_where_the_scheme_is_searched() -> None:
    space = {
        "quant.scheme": {"choices": ["QAT", "FP32", "A2Q"]},
        "quant.bits": {"choices": [2, 4, 8], "when": {"quant.scheme": ["QAT", "A2Q"]}},
        "prompt.kind": {"choices": ["LoRAP", "None"]},
    }
    found = warm(space)
    assert found[0] == {"quant.scheme": "FP32", "prompt.kind": "None"}
    assert {"quant.scheme": "A2Q", "quant.bits": 4, "prompt.kind": "None"} in found
    uniform = [point["quant.bits"] for point in found[1:] if point["quant.scheme"] == "QAT"]
    assert uniform[:3] == [8, 4, 4]


def test_every_width_of_the_space_takes_the_nearest_value() -> None:
    space = {
        "quant.layer_bits.0": {"choices": [2, 3, 8]},
        "quant.component_bits.weight": {"choices": [4, 8]},
        "optim.lr": {"float": [0.001, 0.1], "log": True},
    }
    found = warm(space, prompt={"kind": "None"})
    assert [(point["quant.layer_bits.0"], point["quant.component_bits.weight"]) for point in found] == [
        (8, 8),
        (3, 4),
        (2, 4),
    ]
    assert {point["optim.lr"] for point in found} == {0.01}


def test_every_point_is_of_the_space_feasible_and_trains_like_no_other() -> None:
    spec = make_spec(WIDE, trials=100, constraints={"average_bits": "<= 4"})
    candidates = Candidates(spec, sketch, 0)
    found = warm_points(spec, candidates)
    assert len(found) >= 4
    assert len({candidates.identity(point) for point in found}) == len(found)
    for point in found:
        inside = {p.path: p.distribution for p in spec.parameters.parameters}
        assert all(value in inside[path] for path, value in point.items())
        assert point["quant.bits"] <= 4
        assert ("prompt.rank" in point) == (point["prompt.kind"] == "LoRAP")


@pytest.mark.parametrize(("trials", "most"), [(3, 0), (4, 1), (12, 3), (1000, 9)])
def test_no_more_than_the_budget_bears(trials: int, most: int) -> None:
    assert 0 <= len(warm(WIDE, trials=trials)) <= most


def test_a_grid_takes_no_warm_start() -> None:
    mapping = make_spec(WIDE).to_mapping()
    mapping["search"] = {"sampler": "Grid", "warm_start": True}
    with pytest.raises(ConfigError, match=r"search\.warm_start"):
        check_warm_start(StudySpec.from_mapping(mapping))
