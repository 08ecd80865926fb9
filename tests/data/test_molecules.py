"""ZINC: molecules from pickles that hold nothing but tensors, the published split, a value each."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest
import torch

from lorap_bench.config import TaskConfig
from lorap_bench.data.load import load_task, raw_set_of
from lorap_bench.data.molecules import ATOMS, read
from lorap_bench.errors import MissingResource
from lorap_bench.metric import Metric

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lorap_bench.data.raw import Folders

PARTS = {"train": 5, "val": 3, "test": 2}


def _molecule(number: int, atoms: int = 3) -> dict[str, Any]:
    """Return a chain of atoms of types 0, 1, …, joined by bonds of type 1."""
    bonds = torch.diag(torch.ones(atoms - 1, dtype=torch.long), 1)
    return {
        "num_atom": atoms,
        "atom_type": torch.arange(atoms),
        "bond_type": (bonds + bonds.T) * (1 + number % 3),
        "logP_SA_cycle_normalized": torch.tensor([number / 2 - 1]),
    }


def _write(folder: Path, **changed: Any) -> Path:
    """Write 5 + 3 + 2 molecules as the benchmark does; its train index leaves the second out."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, count in PARTS.items():
        molecules = [_molecule(number, 2 + number) for number in range(count)]
        (folder / f"{split}.pickle").write_bytes(pickle.dumps(changed.get(split, molecules)))
        chosen = [number for number in range(count) if (split, number) != ("train", 1)]
        (folder / f"{split}.index").write_text(",".join(map(str, chosen)) + "\n")
    return folder


def test_molecules_become_graphs(environment: Folders, forget_counts: Callable[..., None]) -> None:
    forget_counts("ZINC")
    assert environment.mirror is not None
    _write(environment.mirror / "ZINC" / "raw")
    task = load_task(TaskConfig(dataset="Molecules/ZINC"))
    assert (task.name, task.level, task.classes, task.metric) == ("ZINC", "graph", 1, Metric.MAE)
    assert task.graph_ptr.diff().tolist() == [2, 4, 5, 6, 2, 3, 4, 2, 3]
    assert task.y.dtype == torch.float32
    assert task.y.tolist() == [-1.0, 0.0, 0.5, 1.0, -1.0, -0.5, 0.0, -1.0, -0.5]
    assert torch.equal(task.x[2:6], torch.eye(4, ATOMS))  # atoms of types 0 to 3, one-hot
    assert task.edge_index[:, :8].tolist() == [[1, 0, 3, 2, 4, 3, 5, 4], [0, 1, 2, 3, 3, 4, 4, 5]]
    splits = {name: index.tolist() for name, index in task.splits.items()}
    assert splits == {"train": [0, 1, 2, 3], "val": [4, 5, 6], "test": [7, 8]}


def test_a_set_of_another_size_is_told(environment: Folders) -> None:
    assert environment.mirror is not None
    _write(environment.mirror / "ZINC" / "raw")
    with pytest.raises(MissingResource, match=r"^ZINC: .* \(9 graphs instead of 12,000, 31 nodes instead of 277,864"):
        load_task(TaskConfig(dataset="ZINC"))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"atom_type": torch.tensor([0, ATOMS])}, "a type of atom that is not one of the 28"),
        ({"bond_type": torch.zeros(3, 3)}, r"bonds \[3, 3\] among 2 atoms"),
        ({"logP_SA_cycle_normalized": torch.tensor([torch.nan])}, "a value is not a finite number"),
    ],
)
def test_molecules_that_do_not_fit(tmp_path: Path, change: dict[str, Any], fault: str) -> None:
    folder = _write(tmp_path, test=[_molecule(0, 2) | change, _molecule(1)])
    with pytest.raises(ValueError, match=fault):
        read(folder, "ZINC")


def test_an_index_beyond_the_molecules(tmp_path: Path) -> None:
    _write(tmp_path)
    (tmp_path / "val.index").write_text("0,-1\n")
    with pytest.raises(ValueError, match=r"val\.index is no list of numbers"):
        read(tmp_path, "ZINC")
    (tmp_path / "val.index").write_text("0,3\n")
    with pytest.raises(IndexError):
        read(tmp_path, "ZINC")


def test_a_file_that_asks_for_more_than_tensors_is_not_run(tmp_path: Path) -> None:
    with pytest.raises(pickle.UnpicklingError, match=r"asks for builtins\.eval, which is no part of a tensor"):
        read(_write(tmp_path, val=[eval]), "ZINC")


def test_the_indices_come_before_the_archive_that_lacks_them() -> None:
    from torch_geometric.datasets import ZINC

    urls = raw_set_of("ZINC").urls
    assert urls[-1] == ZINC.url
    assert [url.rpartition("/")[2] for url in urls[:-1]] == ["train.index", "val.index", "test.index"]


@pytest.mark.slow
def test_the_real_molecules(raw_mirror: Path, environment: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (raw_mirror / "ZINC").is_dir():
        pytest.skip("the mirror has no ZINC")
    monkeypatch.setenv("LORAP_BENCH_RAW", str(raw_mirror))
    task = load_task(TaskConfig(dataset="ZINC"))  # compared with its published counts on reading
    assert {name: len(index) for name, index in task.splits.items()} == {"train": 10_000, "val": 1_000, "test": 1_000}
    assert torch.equal(task.x.sum(1), torch.ones(len(task.x)))
    assert float(task.x[:, 0].mean()) > 0.7  # carbon
    assert float(task.y.std()) == pytest.approx(2.03, abs=0.01)
    median = task.y[task.splits["train"]].median()
    assert float((task.y[task.splits["val"]] - median).abs().mean()) == pytest.approx(1.4325, abs=1e-3)
