"""A cluster that is there already: found, shared out, used with its token, and left running."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults.cluster import three_nodes
from tests.faults.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.cluster import Nodes

pytest.importorskip("ray", reason="the ray extra is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.ray,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::FutureWarning:ray"),
]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log")


@pytest.fixture(scope="module")
def nodes(log: Path) -> Iterator[Nodes]:
    """Start two nodes with made-up GPUs and no data."""
    elsewhere = {"FAULTS_LOG": str(log), "LORAP_BENCH_RAW": "/nowhere", "LORAP_BENCH_CACHE": str(log / "no-cache")}
    with three_nodes(elsewhere, num_cpus=4, num_gpus=2) as found:
        yield found


def scene(tmp_path: Path, log: Path, trainer: str, ray: dict[str, Any], **changes: Any) -> Scene:
    made = Scene(tmp_path, trainer, ray=ray, **changes)
    made.log = log
    made.environment["FAULTS_LOG"] = str(log)
    return made


@pytest.mark.parametrize(
    ("options", "workers", "sharers", "visible"),
    [
        ({"gpus_per_trial": 0.5}, 8, "2", {"0", "1"}),
        ({"gpus_per_trial": 2.0}, 2, "1", {"0,1", "1,0"}),
        ({"cpus_per_trial": 4}, 2, "2", {""}),
    ],
    ids=["half a GPU", "two GPUs", "no GPU"],
)
def test_workers_get_their_share(
    tmp_path: Path, log: Path, nodes: Nodes, options: dict[str, Any], workers: int, sharers: str, visible: set[str]
) -> None:
    for file in log.glob("worker-*.json"):
        file.unlink()
    made = scene(tmp_path, log, "shows", {"address": nodes.address, **options}, trials=16)
    assert made.finish().sound
    seen = [json.loads(file.read_text(encoding="utf-8")) for file in log.glob("worker-*.json")]
    assert {one["visible"] for one in seen} <= visible
    assert {one["sharers"] for one in seen} == {
        {0.5: "2", 2.0: "1"}.get(options.get("gpus_per_trial", 0), str(workers))
    }
    assert {one["threads"] for one in seen} == {"1"}
    assert len(seen) <= workers
    assert nodes.alive


def test_nodes_without_the_data_have_it_from_the_driver(
    tmp_path: Path, log: Path, nodes: Nodes, raw_mirror: Path
) -> None:
    """The workers could read neither the mirror nor the cache."""
    ray = {"address": nodes.address, "workers": 2, "dataset": "Cora"}
    made = scene(
        tmp_path,
        log,
        "real",
        ray,
        space={"quant.bits": {"choices": [2, 4, 8]}},
        task={"dataset": "Cora"},
        trials=3,
        optim={"epochs": 2},
        model={"hidden": 4},
    )
    made.plan["made_up"] = False
    found = made.finish()
    assert found.statuses.keys() <= {"complete", "duplicate"}, made.output[-3000:]
    assert found.sound


def test_another_token_is_refused_in_words(tmp_path: Path, log: Path, nodes: Nodes) -> None:
    made = scene(tmp_path, log, "sound", {"address": nodes.address})
    made.environment["RAY_AUTH_TOKEN"] = "0" * 64
    assert made.run() == 1
    assert "MissingResource" in made.output
    assert "RAY_AUTH_TOKEN" in made.output
    assert made.recorded == 0
    assert nodes.alive


def test_no_token_is_named(tmp_path: Path, log: Path, nodes: Nodes) -> None:
    made = scene(tmp_path, log, "sound", {"address": nodes.address})
    made.environment |= {"RAY_AUTH_TOKEN": "", "HOME": str(tmp_path)}
    assert made.run() == 1
    assert "no token for the Ray cluster" in made.output
