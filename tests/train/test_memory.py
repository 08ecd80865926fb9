"""The estimate of a member's memory, and of what is free."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from lorap_bench.config import ModelConfig, PromptConfig, QuantConfig, TaskConfig, TrialConfig
from lorap_bench.data.load import load_task
from lorap_bench.errors import MissingResource
from lorap_bench.models import blueprint, shape_of
from lorap_bench.testing import graph_task, node_task, sparse_task
from lorap_bench.train import memory
from lorap_bench.train.free_memory import free_bytes
from lorap_bench.train.memory import SHARERS_VARIABLE, fits, member_bytes

CPU = torch.device("cpu")
NODE, GRAPH = node_task(), graph_task()
BASE = TrialConfig(prompt=PromptConfig(kind="LoRAP", count=4, rank=2))
MIB = 2**20


def configure(**sections: dict[str, Any]) -> TrialConfig:
    return replace(BASE, **{name: replace(getattr(BASE, name), **fields) for name, fields in sections.items()})


def bytes_of(graphs: Any = NODE, /, **sections: dict[str, Any]) -> int:
    return member_bytes(blueprint(configure(**sections), shape_of(graphs)), graphs)


def test_the_estimate_is_the_formula() -> None:
    """One layer of GCN in full precision: three activations, the input and the edge weights as constants."""
    plan = blueprint(configure(model={"layers": 1}, quant={"scheme": "FP32"}, prompt={"kind": "None"}), shape_of(NODE))
    edges = NODE.edge_index.shape[1] + 60
    activations, parameters, constants = 3 * 60 * 3, 12 * 3 + 3, 60 * 12 + edges
    assert member_bytes(plan, NODE) == 4 * (4 * activations + 12 * parameters + 3 * constants)


@pytest.mark.parametrize("scheme", ["FP32", "QAT", "DegreeQuant", "A2Q", "MixQ"])
@pytest.mark.parametrize("task", [NODE, GRAPH], ids=["node", "graph"])
def test_the_estimate_grows_with_every_size(task: Any, scheme: str) -> None:
    quant = {"scheme": scheme}
    by_width = [bytes_of(task, quant=quant, model={"hidden": hidden}) for hidden in (8, 16, 64)]
    by_depth = [bytes_of(task, quant=quant, model={"layers": layers}) for layers in (1, 2, 5)]
    assert by_width == sorted(set(by_width))
    assert by_depth == sorted(set(by_depth))


def test_what_costs_memory_costs_in_the_estimate() -> None:
    assert bytes_of(quant={"scheme": "FP32"}) < bytes_of() < bytes_of(quant={"scheme": "A2Q"})
    assert bytes_of() < bytes_of(quant={"scheme": "MixQ", "candidates": [2, 4, 8]})
    assert bytes_of(quant={"messages": True}) > bytes_of()
    assert bytes_of(GRAPH, task={"batch_size": 24}) > bytes_of(GRAPH, task={"batch_size": 4})


def test_a_large_set_of_graphs_takes_what_its_passes_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the training graphs take no more once a pass reads but so many of them."""
    half = replace(GRAPH, splits={**GRAPH.splits, "train": GRAPH.splits["train"][:12]})
    task = {"batch_size": 4}
    assert bytes_of(half, task=task) < bytes_of(GRAPH, task=task)
    for name, most in (("EVAL_BATCH", 6), ("START_NODES", 60), ("SHOWN_NODES", 60)):
        monkeypatch.setattr(memory, name, most)
    assert bytes_of(half, task=task) == bytes_of(GRAPH, task=task)


def test_sparse_features_count_by_what_is_stored() -> None:
    sparse = sparse_task()
    assert bytes_of(sparse) < bytes_of(replace(sparse, x=torch.ones_like(sparse.x)))


def test_members_fit_half_of_this_process_s_share(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = blueprint(BASE, shape_of(NODE))
    each = member_bytes(plan, NODE)
    monkeypatch.setattr(memory, "free_bytes", lambda where: 40 * each)
    monkeypatch.delenv(SHARERS_VARIABLE, raising=False)
    assert fits(plan, NODE) == 20
    monkeypatch.setenv(SHARERS_VARIABLE, "4")
    assert fits(plan, NODE) == 5
    monkeypatch.setattr(memory, "free_bytes", lambda where: 0)
    assert fits(plan, NODE) == 1
    monkeypatch.setattr(memory, "free_bytes", lambda where: None)
    assert fits(plan, NODE) == 64


def system(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


MEMINFO = "MemTotal:       24000 kB\nMemAvailable:   8000 kB\n"


def test_this_machine_tells_what_is_free() -> None:
    free = free_bytes(CPU)
    assert free is None or free > 0


def test_free_is_what_the_machine_and_its_control_group_leave(tmp_path: Path) -> None:
    root = system(tmp_path, {"proc/meminfo": MEMINFO, "proc/self/cgroup": "0::/job/step\n"})
    assert free_bytes(CPU, root=root) == 8000 * 1024
    group = {"memory.max": "5000000\n", "memory.current": "4000000\n", "memory.stat": "anon 1\ninactive_file 500000\n"}
    system(tmp_path, {f"sys/fs/cgroup/job/{name}": text for name, text in group.items()})
    assert free_bytes(CPU, root=root) == 1_500_000  # a step's bound is that of its job
    system(tmp_path, {"sys/fs/cgroup/job/memory.max": "max\n"})
    assert free_bytes(CPU, root=root) == 8000 * 1024


def test_control_groups_of_version_1_are_known(tmp_path: Path) -> None:
    group = {"memory.limit_in_bytes": "3000000", "memory.usage_in_bytes": "4000000"}
    files = {"proc/meminfo": MEMINFO, "proc/self/cgroup": "3:cpu:/\n5:memory,hugetlb:/docker/1\n"}
    root = system(tmp_path, files | {f"sys/fs/cgroup/memory/{name}": text for name, text in group.items()})
    assert free_bytes(CPU, root=root) == 0


def test_a_system_that_tells_nothing_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.sysconf")
    assert free_bytes(CPU, root=tmp_path) is None


def test_a_gpu_tells_itself_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda where: (1000, 5000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda where: 300)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda where: 100)
    assert free_bytes(torch.device("cuda", 0)) == 1200


_PEAK = """
import json, sys
from lorap_bench.config import TrialConfig
from lorap_bench.data.load import load_task
from lorap_bench.models import blueprint, shape_of
from lorap_bench.testing import node_task
from lorap_bench.train import Member, fit
from lorap_bench.train.feed import make_feed

def status(name):
    line = next(line for line in open("/proc/self/status") if line.startswith(name))
    return int(line.split()[1]) * 1024

config, members = TrialConfig.from_mapping(json.loads(sys.argv[1])), int(sys.argv[2])
task = load_task(config.task).without_test()
fit(node_task(), [Member(config, 0)])
make_feed(task, blueprint(config, shape_of(task)))
before = status("VmRSS")
open("/proc/self/clear_refs", "w").write("5")
fit(task, [Member(config, seed) for seed in range(members)])
print(status("VmHWM") - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peak memory is measured on Linux")
@pytest.mark.parametrize("scheme", ["QAT", "DegreeQuant", "A2Q", "MixQ"])
def test_the_estimate_holds_measured_peaks_and_not_thrice_as_much(scheme: str) -> None:
    """One member may find its memory among what preparing the task left behind, so only many bound from below."""
    config = TrialConfig(
        task=TaskConfig(dataset="Cora"),
        model=ModelConfig(hidden=64),
        quant=QuantConfig(scheme=scheme, bits=4, search_epochs=2, pretrain_epochs=1),
        prompt=PromptConfig(kind="LoRAP"),
    )
    config = replace(config, optim=replace(config.optim, epochs=4))
    try:
        task = load_task(config.task)
    except MissingResource as error:
        pytest.skip(str(error))
    each = member_bytes(blueprint(config, shape_of(task)), task)
    for members in (1, 10, 20):
        command = [sys.executable, "-W", "ignore", "-c", _PEAK, json.dumps(config.to_mapping()), str(members)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        peak = int(done.stdout)
        assert peak <= members * each + 16 * MIB
        assert members == 1 or members * each <= 3 * peak
