from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import torch

from lorap_bench.config import TaskConfig
from lorap_bench.data.load import DATASETS, FAMILIES, canonical_name, family_of, load_task, splits_of
from lorap_bench.errors import ConfigError, MissingResource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lorap_bench.data.raw import Folders


def test_names() -> None:
    assert DATASETS[0] == TaskConfig().dataset == "Digits"
    assert {"TUDataset", "Planetoid", "Amazon", "OGB"} < set(FAMILIES)
    assert [family_of(name) for name in ("Digits", "PubMed", "DD", "COX2", "CS")] == [
        "",
        "Planetoid",
        "TUDataset",
        "TUDataset",
        "Coauthor",
    ]
    assert [splits_of(name) for name in ("Digits", "PubMed", "DD", "Photo", "WikiCS")] == [1, 1, 10, 10, 20]
    assert canonical_name("OGB/ogbn-arxiv") == "ogbn-arxiv"
    assert [canonical_name(name) for name in ("Cora", "Planetoid/Cora", "TUDataset/NCI1", "TUDataset/COX2")] == [
        "Cora",
        "Cora",
        "NCI1",
        "COX2",
    ]


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("cora", "Cora"),
        ("Planetoid/Corra", "Cora"),
        ("TUDataset/../x", ""),
        ("TUDataset/Cora", "Cora"),
        ("TUDataset/Photo", "Photo"),
        ("TUDataset/Digits", "Digits"),
        ("Amazon/Cora", "Cora"),
        ("ogbn-arxive", "ogbn-arxiv"),
        ("TUDataset/", ""),
        ("", ""),
    ],
)
def test_an_unknown_name(name: str, suggestion: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_task(TaskConfig(dataset=name))
    [fault] = caught.value.faults
    assert (fault.path, fault.got) == ("task.dataset", name)
    assert "REDDIT-BINARY" in fault.allowed
    if suggestion:
        assert fault.suggestion == suggestion


@pytest.mark.parametrize("name", ["Digits", "Cora"])
def test_a_fold_of_a_fixed_split(name: str) -> None:
    with pytest.raises(ConfigError, match=r"task\.fold: .* has one fixed split; got 3; allowed: 0"):
        load_task(TaskConfig(dataset=name, fold=3))


@pytest.mark.parametrize(("name", "splits"), [("Photo", 10), ("MUTAG", 10)])
def test_a_fold_beyond_the_splits(name: str, splits: int) -> None:
    with pytest.raises(ConfigError, match=rf"task\.fold: {name} has {splits} splits; got 10; allowed: 0 … 9"):
        load_task(TaskConfig(dataset=name, fold=10))


def test_the_default_needs_nothing_and_is_loaded_once() -> None:
    task = load_task(TaskConfig())
    assert task.name == "Digits"
    assert load_task(TaskConfig(batch_size=1)) is task


def test_the_default_loads_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORAP_BENCH_RAW", "/nowhere")
    assert load_task(TaskConfig()).name == "Digits"


def test_rows_are_normalised() -> None:
    raw = load_task(TaskConfig())
    task = load_task(TaskConfig(features="row_normalized"))
    assert torch.allclose(task.x.sum(dim=1), torch.ones(len(task.x)))
    assert torch.allclose(task.x * raw.x.sum(dim=1, keepdim=True), raw.x)
    assert torch.equal(task.y, raw.y)


def test_a_row_of_zeros_stays(environment: Folders, write_tu: Callable[..., Path]) -> None:
    assert environment.mirror is not None
    write_tu(environment.mirror / "TINY" / "raw", labels=False, attributes=True)
    task = load_task(TaskConfig(dataset="TUDataset/TINY", features="row_normalized"))
    assert task.x[0].tolist() == [0.0, 0.0]
    assert torch.allclose(task.x[1:].abs().sum(dim=1), torch.ones(59))


def test_a_set_of_the_tu_collection(environment: Folders, write_tu: Callable[..., Path]) -> None:
    assert environment.mirror is not None
    write_tu(environment.mirror / "TINY" / "raw")
    task = load_task(TaskConfig(dataset="TUDataset/TINY"))
    assert (task.name, task.level, task.classes, task.metric) == ("TINY", "graph", 2, "accuracy")
    assert {name: len(index) for name, index in task.splits.items()} == {"train": 16, "val": 2, "test": 2}
    other = load_task(TaskConfig(dataset="TUDataset/TINY", fold=9))
    assert torch.equal(other.splits["val"], task.splits["test"])
    assert other.x is task.x
    assert set(task.without_test().splits) == {"train", "val"}


def test_a_citation_graph(environment: Folders, write_planetoid: Callable[..., Path]) -> None:
    assert environment.mirror is not None
    write_planetoid(environment.mirror / "PubMed" / "raw")
    task = load_task(TaskConfig(dataset="PubMed"))
    assert (task.name, task.level, task.classes) == ("PubMed", "node", 3)
    assert load_task(TaskConfig(dataset="Planetoid/PubMed")) is task


def test_no_download_beside_a_mirror(environment: Folders) -> None:
    with pytest.raises(MissingResource, match="PubMed: not in the raw-data mirror"):
        load_task(TaskConfig(dataset="PubMed"))


def test_a_download_uses_the_published_addresses(
    environment: Folders, monkeypatch: pytest.MonkeyPatch, write_planetoid: Callable[..., Path], tmp_path: Path
) -> None:
    from torch_geometric.datasets import Planetoid

    monkeypatch.delenv("LORAP_BENCH_RAW")
    monkeypatch.setattr(Planetoid, "url", write_planetoid(tmp_path / "published").as_uri())
    assert len(load_task(TaskConfig(dataset="PubMed")).x) == 600


def test_the_door_itself_loads_no_torch() -> None:
    code = "import sys, lorap_bench.data.load; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", ["Cora", "MUTAG", "IMDB-BINARY", "Photo", "Cornell", "Actor", "Tolokers"])
def test_real_tasks_keep_the_contract(raw_mirror: Path, name: str) -> None:
    task = load_task(TaskConfig(dataset=name))
    nodes = len(task.x)
    source, target = task.edge_index
    keys = target * nodes + source
    assert bool((keys.diff() > 0).all())
    assert bool((source != target).all())
    assert torch.equal((source * nodes + target).sort().values, keys)
    assert (int(task.graph_ptr[0]), int(task.graph_ptr[-1])) == (0, nodes)
    assert task.x.dtype == torch.float32
    items = nodes if task.level == "node" else len(task.graph_ptr) - 1
    assert len(task.y) == items
    together = torch.cat(list(task.splits.values()))
    assert len(together.unique()) == len(together) <= items


@pytest.mark.parametrize("name", ["Photo", "Cornell"])
def test_real_sets_train(raw_mirror: Path, name: str) -> None:
    from lorap_bench.config import ModelConfig, OptimConfig, TrialConfig
    from lorap_bench.record import Status
    from lorap_bench.train.trial import run_trial

    config = TrialConfig(
        task=TaskConfig(dataset=name, fold=3), model=ModelConfig(hidden=8), optim=OptimConfig(epochs=3)
    )
    record = run_trial(config, [0]).record
    (member,) = record.members
    assert member.status is Status.COMPLETE
    assert member.val is not None
    assert 0 < member.val <= 1


def test_an_archive_of_the_real_mirror(raw_mirror: Path) -> None:
    if not (raw_mirror / "zips" / "DD.zip").is_file():
        pytest.skip("the mirror has no zips/DD.zip")
    task = load_task(TaskConfig(dataset="DD"))
    assert (len(task.y), *task.x.shape, task.edge_index.shape[1]) == (1178, 334925, 89, 1686092)
