from __future__ import annotations

import gzip
import zipfile
from typing import TYPE_CHECKING

import pytest
import torch

from lorap_bench.config import TaskConfig
from lorap_bench.data.load import load_task
from lorap_bench.data.ogb import LAYOUTS, raw_set, read
from lorap_bench.errors import MissingResource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lorap_bench.data.raw import Folders

NODES = 6
TABLES = {
    "edges": "0,1\n1,0\n1,2\n4,4\n5,3\n",
    "features": "".join(f"{node}.25,-{node},1e-3\n" for node in range(NODES)),
    "labels": "".join(f"{node % 3}\n" for node in range(NODES)),
    "nodes": f"{NODES}\n",
    "train": "3\n0\n",
    "valid": "4\n",
    "test": "5\n1\n",
}


def _write(folder: Path, name: str = "ogbn-arxiv", **changed: str) -> Path:
    """Write six nodes in exactly the files and folders of OGB, for ogbn-mag beside other kinds of nodes and edges."""
    layout = LAYOUTS[name]
    tables = dict(TABLES)
    if name == "ogbn-mag":
        tables["nodes"] = f"author,field_of_study,institution,paper\n9,2,1,{NODES}\n"
        _compress(folder / "raw/relations/author___writes___paper/edge.csv.gz", "8,0\n")
    tables |= changed
    for part in ("edges", "features", "labels", "nodes"):
        _compress(folder / getattr(layout, part), tables[part])
    for part in ("train", "valid", "test"):
        _compress(folder / layout.split / f"{part}.csv.gz", tables[part])
    return folder


def _compress(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()))


@pytest.fixture(autouse=True)
def forgotten(forget_counts: Callable[..., None]) -> None:
    forget_counts(*LAYOUTS)


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_is_read(environment: Folders, name: str) -> None:
    assert environment.mirror is not None
    _write(environment.mirror / name.replace("-", "_"), name)
    task = load_task(TaskConfig(dataset=name))
    assert (task.name, task.level, task.classes) == (name, "node", 3)
    assert task.edge_index.tolist() == [[1, 0, 2, 1, 5, 3], [0, 1, 1, 2, 3, 5]]
    assert torch.equal(task.x[2], torch.tensor([2.25, -2.0, 1e-3]))
    assert task.y.tolist() == [0, 1, 2, 0, 1, 2]
    assert {split: index.tolist() for split, index in task.splits.items()} == {
        "train": [0, 3],
        "val": [4],
        "test": [1, 5],
    }


@pytest.mark.parametrize("name", ["ogbn-arxiv", "ogbn-mag"])
def test_the_published_archive_is_read(environment: Folders, tmp_path: Path, name: str) -> None:
    assert environment.mirror is not None
    folder = _write(tmp_path / "unpacked", name)
    (environment.mirror / "zips").mkdir()
    with zipfile.ZipFile(environment.mirror / "zips" / f"{name}.zip", "w") as archive:
        for file in folder.rglob("*.gz"):
            archive.write(file, f"{name.removeprefix('ogbn-')}/{file.relative_to(folder)}")
    assert load_task(TaskConfig(dataset=f"OGB/{name}")).edge_index.shape == (2, 6)


def test_a_download_takes_the_published_archive(
    environment: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torch_geometric.datasets import OGB_MAG

    folder = _write(tmp_path / "unpacked", "ogbn-products")
    with zipfile.ZipFile(tmp_path / "products.zip", "w") as archive:
        for file in folder.rglob("*.gz"):
            archive.write(file, f"products/{file.relative_to(folder)}")
    monkeypatch.delenv("LORAP_BENCH_RAW")
    monkeypatch.setattr(OGB_MAG, "url", (tmp_path / "mag.zip").as_uri())
    assert len(load_task(TaskConfig(dataset="ogbn-products")).x) == NODES


@pytest.mark.parametrize(
    ("part", "text", "message"),
    [
        ("edges", "0,1\n2\n", "Expected 2 columns, got 1"),
        ("edges", "0,6\n", "not between two of the 6 nodes"),
        ("edges", "0,x\n", "conversion error to int64"),
        ("edges", "", "Empty CSV file"),
        ("features", "1.0\n2.0\n", r"the labels are \[6\] int64 for 2 nodes"),
        ("features", "1.0\n\n2.0,\n3.0\n", "Expected 1 columns, got 2"),
        ("features", "1.0\nnan\n2.0\n3.0\n4.0\n5.0\n", "a feature is not a finite number"),
        ("labels", "0\n1\n", "2 labels for 6 nodes"),
        ("labels", "0\n1\n2.5\n", "conversion error to int64"),
        ("nodes", "7\n", "6 labels for 7 nodes"),
        ("train", "6\n", "names a node that is none of the 6"),
        ("train", "-1\n", "names a node that is none of the 6"),
        ("train", "4\n", "names a node twice"),
    ],
)
def test_files_that_are_none(tmp_path: Path, part: str, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(_write(tmp_path, **{part: text}), "ogbn-arxiv")


def test_papers_that_are_not_counted(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="6 labels for 5 nodes"):
        read(_write(tmp_path, "ogbn-mag", nodes="author,paper\n1,5\n"), "ogbn-mag")
    with pytest.raises(KeyError, match="paper"):
        read(_write(tmp_path, "ogbn-mag", nodes="author\n1\n"), "ogbn-mag")


@pytest.mark.parametrize("content", [b"0,1\n", gzip.compress(b"0,1\n" * 4000)[:30], b""], ids=["plain", "cut", "empty"])
def test_a_damaged_file_is_told(environment: Folders, content: bytes) -> None:
    assert environment.mirror is not None
    folder = _write(environment.mirror / "ogbn_arxiv")
    (folder / "raw" / "edge.csv.gz").write_bytes(content)
    with pytest.raises(MissingResource, match=r"^ogbn-arxiv: raw files of .* are damaged \(.+\); fetch them again"):
        load_task(TaskConfig(dataset="ogbn-arxiv"))


def test_files_are_those_of_the_benchmark() -> None:
    raw = raw_set("ogbn-mag")
    assert "raw/relations/paper___cites___paper/edge.csv.gz" in raw.required
    assert "split/time/paper/valid.csv.gz" in raw.required
    assert raw.urls[0].endswith("/mag.zip")
    assert "split/sales_ranking/train.csv.gz" in raw_set("ogbn-products").required
