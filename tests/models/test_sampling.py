"""How a large graph is fed: chosen by the study or by the estimate, told in the record, part of the digest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lorap_bench.config import ModelConfig, QuantConfig, TaskConfig, TrialConfig
from lorap_bench.errors import ConfigError
from lorap_bench.models import blueprint, shape_of
from lorap_bench.models.footprint import passed_bytes, trained_bytes
from lorap_bench.models.sampling import Sampling, batch_share, passes_whole
from lorap_bench.testing import graph_task, node_task

NODE, GRAPH = shape_of(node_task()), shape_of(graph_task())
BASE = TrialConfig(model=ModelConfig(hidden=8))
GIB = 2**30


def plan(shape: Any = NODE, **task: Any) -> Any:
    return blueprint(replace(BASE, task=TaskConfig(**task)), shape)


def test_auto_is_whole_up_to_what_a_member_may_take() -> None:
    needed = trained_bytes(plan()) / GIB
    assert plan(memory_gib=needed).sampling is Sampling.WHOLE
    assert plan(memory_gib=needed * 0.999).sampling is Sampling.CLUSTERS
    assert plan(GRAPH, memory_gib=1e-12).sampling is Sampling.WHOLE


def test_what_the_study_asks_for_is_honoured() -> None:
    assert plan(sampling="whole", memory_gib=1e-12).sampling is Sampling.WHOLE
    assert plan(sampling="nodes").sampling is Sampling.NODES
    assert plan(sampling="clusters").sampling is Sampling.CLUSTERS


def test_a_wider_model_is_sampled_sooner() -> None:
    limit = trained_bytes(plan()) / GIB
    wide = replace(BASE, model=ModelConfig(hidden=64), task=TaskConfig(memory_gib=limit))
    assert blueprint(wide, NODE).sampling is Sampling.CLUSTERS


def test_the_record_tells_what_decides_the_batches() -> None:
    assert "sampling" not in plan().effective
    assert plan(sampling="clusters", parts=6, joined=2).effective["sampling"] == {
        "kind": "clusters",
        "parts": 6,
        "joined": 2,
        "draw_every": 10,
    }
    told = plan(sampling="nodes", batch_size=5, fan_outs=[3, 2], draw_every=1).effective["sampling"]
    assert told == {"kind": "nodes", "batch_size": 5, "fan_outs": [3, 2], "draw_every": 1}


def test_held_out_nodes_see_the_graph_whole_where_a_pass_fits() -> None:
    needed = passed_bytes(plan(), kept=False) / GIB
    assert passes_whole(plan(sampling="clusters", memory_gib=needed))
    batched = plan(sampling="clusters", memory_gib=needed * 0.999, batch_size=7)
    assert not passes_whole(batched)
    assert batched.effective["sampling"]["held_out"] == 7
    assert passes_whole(plan(sampling="whole", memory_gib=1e-12))


@pytest.mark.parametrize(
    "task",
    [
        {"sampling": "whole"},
        {"sampling": "whole", "memory_gib": 1e-12},
        {"parts": 5, "joined": 2, "fan_outs": [1], "draw_every": 3},  # whole all the same
        {"memory_gib": 7.0},
    ],
)
def test_a_graph_fed_whole_has_the_digest_it_always_had(task: dict[str, Any]) -> None:
    assert plan(**task).digest == plan().digest


def test_digests_are_those_of_what_is_trained() -> None:
    clusters = plan(sampling="clusters")
    chosen = plan(memory_gib=0.999 * trained_bytes(plan()) / GIB)
    assert chosen.digest == clusters.digest != plan().digest
    assert plan(sampling="clusters", fan_outs=[3]).digest == clusters.digest
    assert plan(sampling="clusters", parts=16).digest != clusters.digest
    assert plan(sampling="nodes").digest != plan(sampling="nodes", fan_outs=[3]).digest
    assert plan(GRAPH, parts=7, memory_gib=1.0).digest == plan(GRAPH).digest


def test_a_batch_is_a_share_of_the_graph() -> None:
    assert batch_share(plan()) == 1
    assert batch_share(plan(sampling="clusters", parts=8, joined=2)) == 1 / 4
    # Two layers: a seed, 2 neighbours, 2 · 3 of theirs.
    assert batch_share(plan(sampling="nodes", batch_size=4, fan_outs=[2, 3])) == 4 * 9 / 60
    assert batch_share(plan(sampling="nodes", batch_size=4, fan_outs=[2])) == 4 * 7 / 60
    assert batch_share(plan(sampling="nodes", batch_size=60)) == 1


@pytest.mark.parametrize(
    ("shape", "task", "message"),
    [
        (NODE, {"sampling": "clusters", "parts": 61}, r"task\.parts.*fewer nodes.*1 to 60"),
        (NODE, {"sampling": "clusters", "parts": 3, "joined": 4}, r"task\.joined.*1 to 3"),
        (NODE, {"sampling": "nodes", "fan_outs": []}, r"task\.fan_outs"),
        (GRAPH, {"sampling": "nodes"}, r"task\.sampling.*set of graphs.*auto, whole"),
    ],
)
def test_batches_that_cannot_be_are_refused(shape: Any, task: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        plan(shape, **task)


def test_prices_and_costs_are_those_of_the_whole_graph() -> None:
    quant = QuantConfig(scheme="QAT", bits=4)
    whole, sampled = (
        blueprint(replace(BASE, quant=quant, task=TaskConfig(sampling=kind)), NODE) for kind in ("whole", "clusters")
    )
    assert sampled.costs == whole.costs
    assert sampled.ledger == whole.ledger
