"""Configurations that no scheme can train: each is refused with the key, the value and what is allowed."""

from __future__ import annotations

import pytest

from lorap_bench.config import QuantConfig, TrialConfig
from lorap_bench.errors import ConfigError
from lorap_bench.models.blueprint import blueprint, shape_of
from lorap_bench.testing import graph_task, node_task


@pytest.mark.parametrize(
    ("level", "quant", "said"),
    [
        (
            "node",
            QuantConfig(scheme="DegreeQuant", p_min=0.3, p_max=0.2),
            "quant.p_min: must not exceed quant.p_max; got 0.3; allowed: 0 to quant.p_max = 0.2",
        ),
        (
            "node",
            QuantConfig(scheme="MixQ", protect=True, p_min=1.0, p_max=0.5),
            "quant.p_min: must not exceed quant.p_max; got 1.0; allowed: 0 to quant.p_max = 0.5",
        ),
        (
            "node",
            QuantConfig(scheme="MixQ", candidates=[]),
            "quant.candidates: needs one or more different widths; got []; allowed: 1 to 8",
        ),
        (
            "graph",
            QuantConfig(scheme="MixQ", candidates=[4, 2, 4]),
            "quant.candidates: needs one or more different widths; got [4, 2, 4]; allowed: 1 to 8",
        ),
        (
            "graph",
            QuantConfig(scheme="A2Q", groups=0),
            (
                "quant.groups: A2Q meets unseen graphs at this task and needs groups for its "
                "nearest-neighbour strategy; got 0; allowed: 1 or more"
            ),
        ),
    ],
)
def test_the_blueprint_refuses(level: str, quant: QuantConfig, said: str) -> None:
    task = node_task() if level == "node" else graph_task()
    with pytest.raises(ConfigError) as caught:
        blueprint(TrialConfig(quant=quant), shape_of(task))
    assert [str(fault) for fault in caught.value.faults] == [said]


def test_all_faults_are_told_at_once() -> None:
    quant = QuantConfig(scheme="MixQ", candidates=[], protect=True, p_min=0.5, p_max=0.1)
    with pytest.raises(ConfigError) as caught:
        blueprint(TrialConfig(quant=quant), shape_of(node_task()))
    assert {fault.path for fault in caught.value.faults} == {"quant.p_min", "quant.candidates"}


@pytest.mark.parametrize(
    "quant",
    [
        QuantConfig(scheme="A2Q", groups=0),  # no unseen graphs at node level
        QuantConfig(scheme="MixQ", p_min=0.5, p_max=0.1),  # nothing is protected
        QuantConfig(scheme="QAT", p_min=0.5, p_max=0.1, candidates=[]),  # not read
        QuantConfig(scheme="DegreeQuant", p_min=0.1, p_max=0.1),
    ],
)
def test_what_a_scheme_does_not_need_is_no_fault(quant: QuantConfig) -> None:
    assert blueprint(TrialConfig(quant=quant), shape_of(node_task())).digest
