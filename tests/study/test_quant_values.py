"""Values of ``[quant]`` that a study file cannot have, wherever they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lorap_bench.errors import ConfigError
from lorap_bench.study.file import load_study

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lorap_bench.study.catalog import Catalog

    Write = Callable[..., Path]

BAD = [
    ("percentile", "0.0", "percentile", "0.0", "> 0"),
    ("percentile", "0.5", "percentile", "0.5", "< 0.5"),
    ("percentile", "-0.1", "percentile", "-0.1", "> 0"),
    ("sample", "0.0", "sample", "0.0", "> 0"),
    ("sample", "1.5", "sample", "1.5", "<= 1"),
    ("p_min", "-0.1", "p_min", "-0.1", ">= 0"),
    ("p_max", "1.1", "p_max", "1.1", "<= 1"),
    ("memory_target", "0.0", "memory_target", "0.0", "> 0"),
    ("memory_target", "-5.0", "memory_target", "-5.0", "> 0"),
    ("memory_weight", "-1.0", "memory_weight", "-1.0", ">= 0"),
    ("groups", "-1", "groups", "-1", ">= 0"),
    ("candidates", "[2, 9]", "candidates[1]", "9", "<= 8"),
    ("candidates", "[0, 4]", "candidates[0]", "0", ">= 1"),
    ("search_epochs", "0", "search_epochs", "0", ">= 1"),
    ("pretrain_epochs", "-1", "pretrain_epochs", "-1", ">= 0"),
    ("rounding", '"down"', "rounding", "'down'", "nearest"),
    ("observer", '"Median"', "observer", "'Median'", "MovingPercentile"),
    ("sites", '"some"', "sites", "'some'", "published"),
    ("step_init", '"zero"', "step_init", "'zero'", "calibrated"),
]


@pytest.mark.parametrize(("key", "value", "where", "got", "allowed"), BAD)
def test_a_bad_value_is_told_with_key_value_and_what_is_allowed(
    key: str, value: str, where: str, got: str, allowed: str, study_file: Write, catalog: Catalog
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_study(study_file(f"[quant]\n{key} = {value}\n"), catalog=catalog)
    [fault] = caught.value.faults
    assert fault.path == f"quant.{where}"
    assert f"got {got}; allowed: " in str(fault)
    assert allowed in fault.allowed


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("percentile", "{ float = [0.001, 0.6] }"),
        ("p_max", "{ float = [0.1, 2.0] }"),
        ("memory_target", "{ choices = [0.0, 1.0] }"),
        ("groups", "{ int = [-5, 10] }"),
        ("rounding", '{ choices = ["nearest", "up"] }'),
    ],
)
def test_a_space_that_holds_a_bad_value_is_refused(key: str, line: str, study_file: Write, catalog: Catalog) -> None:
    with pytest.raises(ConfigError) as caught:
        load_study(study_file(f'"quant.{key}" = {line}\n'), catalog=catalog)
    assert all(fault.path.startswith(f"space.quant.{key}") for fault in caught.value.faults)


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("percentile", "{ float = [1e-4, 0.1], log = true }"),
        ("p_min", "{ choices = [0.0, 0.1] }"),
        ("p_max", "{ float = [0.1, 0.3] }"),
        ("memory_target", "{ float = [0.5, 10.0], log = true }"),
        ("bit_penalty", "{ float = [-0.1, 1.0] }"),
        ("observer", '{ choices = ["MinMax", "MovingPercentile"] }'),
        ("rounding", '{ choices = ["nearest", "stochastic", "noise"] }'),
    ],
)
def test_what_schemes_read_can_be_searched(key: str, line: str, study_file: Write, catalog: Catalog) -> None:
    spec = load_study(study_file(f'"quant.{key}" = {line}\n'), catalog=catalog)
    assert f"quant.{key}" in {parameter.path for parameter in spec.parameters.parameters}
