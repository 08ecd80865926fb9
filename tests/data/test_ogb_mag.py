from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest
import torch

from lorap_bench.config import TaskConfig
from lorap_bench.data.load import load_task
from lorap_bench.data.ogb_mag import RELATIONS, TRIPLETS, raw_set, read
from lorap_bench.errors import MissingResource
from tests.data.mag import write_mag

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lorap_bench.data.raw import Folders

NAME = "ogbn-mag-hetero"
# four papers, three authors, two institutions, two fields of study
AUTHOR, INSTITUTION, FIELD = 4, 7, 9


@pytest.fixture(autouse=True)
def forgotten(forget_counts: Callable[..., None]) -> None:
    forget_counts(NAME, "ogbn-mag")


def test_every_kind_and_relation_is_read_both_ways(environment: Folders) -> None:
    assert environment.mirror is not None
    write_mag(environment.mirror / "ogbn_mag")
    task = load_task(TaskConfig(dataset=f"OGBHetero/{NAME}"))
    assert (task.name, task.level, task.classes, task.relations) == (NAME, "node", 3, 7)
    assert task.edge_type is not None
    found = {
        (*edge, relation) for *edge, relation in zip(*task.edge_index.tolist(), task.edge_type.tolist(), strict=True)
    }
    cites = {(0, 1), (1, 0), (1, 2), (2, 1)}
    writes = {(AUTHOR, 0), (AUTHOR, 1), (AUTHOR + 1, 2)}
    affiliated = {(AUTHOR, INSTITUTION + 1), (AUTHOR + 1, INSTITUTION + 1), (AUTHOR + 2, INSTITUTION + 1)}
    topics = {(0, FIELD), (2, FIELD), (3, FIELD + 1)}
    expected = {(*edge, 0) for edge in cites}
    for relation, edges in ((1, writes), (3, affiliated), (5, topics)):
        expected |= {(s, t, relation) for s, t in edges} | {(t, s, relation + 1) for s, t in edges}
    assert found == expected
    assert task.edge_index.shape[1] == task.edge_type.numel() == len(expected)
    order = task.edge_index[1] * len(task.x) + task.edge_index[0]
    assert bool((order.diff() > 0).all())


def test_papers_alone_have_labels_and_a_split(tmp_path: Path) -> None:
    packed = read(write_mag(tmp_path), NAME)
    assert packed.y.tolist() == [0, 1, 2, 0, *[-1] * 7]
    assert {split: index.tolist() for split, index in packed.splits.items()} == {
        "train": [0, 3],
        "val": [1],
        "test": [2],
    }


def test_nodes_without_features_have_the_mean_of_their_neighbours(tmp_path: Path) -> None:
    x = read(write_mag(tmp_path), NAME).x
    assert x[:AUTHOR].tolist() == [[1.0, 0.0], [0.0, 2.0], [-1.0, 4.0], [0.5, 0.5]]
    # the first author has listed a paper twice, the third has none
    assert x[AUTHOR:INSTITUTION].tolist() == [[0.5, 1.0], [-1.0, 4.0], [0.0, 0.0]]
    assert x[INSTITUTION].tolist() == [0.0, 0.0]
    torch.testing.assert_close(x[INSTITUTION + 1], torch.tensor([-0.5 / 3, 5 / 3]))
    assert x[FIELD:].tolist() == [[0.0, 2.0], [0.5, 0.5]]


def test_the_cache_keeps_the_relations(environment: Folders, tmp_path: Path) -> None:
    assert environment.mirror is not None
    write_mag(environment.mirror / "ogbn_mag")
    first = load_task(TaskConfig(dataset=NAME))
    from lorap_bench.data.load import _task, load_packed

    _task.cache_clear()
    load_packed.cache_clear()
    again = load_task(TaskConfig(dataset=NAME))
    assert again is not first
    assert first.edge_type is not None
    assert again.edge_type is not None
    assert torch.equal(again.edge_type, first.edge_type)


def test_both_forms_come_from_one_mirror(environment: Folders) -> None:
    assert environment.mirror is not None
    write_mag(environment.mirror / "ogbn_mag")
    papers = load_task(TaskConfig(dataset="ogbn-mag"))
    assert (len(papers.x), papers.edge_type, papers.relations) == (4, None, 1)
    assert len(load_task(TaskConfig(dataset=NAME)).x) == 11


def test_the_published_archive_is_read(environment: Folders, tmp_path: Path) -> None:
    assert environment.mirror is not None
    folder = write_mag(tmp_path / "unpacked")
    (environment.mirror / "zips").mkdir()
    with zipfile.ZipFile(environment.mirror / "zips" / f"{NAME}.zip", "w") as archive:
        for file in folder.rglob("*.gz"):
            archive.write(file, f"mag/{file.relative_to(folder)}")
    assert load_task(TaskConfig(dataset=NAME)).relations == 7


WRITES, TOPICS = (
    f"raw/relations/{name}/edge.csv.gz" for name in ("author___writes___paper", "paper___has_topic___field_of_study")
)
COUNTS, FEATURES = "raw/num-node-dict.csv.gz", "raw/node-feat/paper/node-feat.csv.gz"


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (WRITES, "3,0\n", "an edge of writes names author 3; there are 3"),
        (WRITES, "0,4\n", "an edge of writes names paper 4; there are 4"),
        (WRITES, "-1,0\n", "names author -1; there are 3"),
        (WRITES, "0\n", "the edges of writes have 1 columns instead of 2"),
        (WRITES, "", "Empty CSV file"),
        (TOPICS, "0,2\n", "names field_of_study 2; there are 2"),
        (COUNTS, "author,field_of_study,institution,paper\n3,2,2,5\n", "4 labels for 5 papers"),
        (COUNTS, "author,field_of_study,institution,paper\n3,2,2\n", "shorter"),
        (FEATURES, "1.0\n2.0\n", "2 rows of features for 4 papers"),
        (FEATURES, "1.0\nnan\n2.0\n3.0\n", "a feature is not a finite number"),
        ("split/time/paper/valid.csv.gz", "4\n", "names a node that is none of the 4"),
    ],
)
def test_files_that_are_none(tmp_path: Path, file: str, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(write_mag(tmp_path, {file: text}), NAME)


def test_a_kind_that_is_not_counted(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="institution"):
        read(write_mag(tmp_path, {COUNTS: "author,field_of_study,paper\n3,2,4\n"}), NAME)


def test_a_missing_relation_is_told(environment: Folders) -> None:
    assert environment.mirror is not None
    (write_mag(environment.mirror / "ogbn_mag") / WRITES).unlink()
    with pytest.raises(MissingResource, match=r"author___writes___paper/edge\.csv\.gz is missing"):
        load_task(TaskConfig(dataset=NAME))


def test_files_are_those_of_the_benchmark() -> None:
    raw = raw_set(NAME)
    assert raw.urls[0].endswith("/mag.zip")
    assert "raw/relations/author___affiliated_with___institution/edge.csv.gz" in raw.required
    assert len(raw.required) == 10
    directed = {(triplet.source, triplet.target) for triplet in TRIPLETS}
    assert set(RELATIONS) == directed | {(target, source) for source, target in directed}
