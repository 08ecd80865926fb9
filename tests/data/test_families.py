from __future__ import annotations

from importlib import import_module

import pytest

from lorap_bench.data.families import BY_NAME, EMBEDDED, TABLE, in_collection, known_family, mirror_folder


@pytest.mark.parametrize("name", BY_NAME)
def test_every_set_has_a_reader_and_files(name: str) -> None:
    family = BY_NAME[name]
    reader = import_module(f"lorap_bench.data.{family.reader}")
    raw = reader.raw_set(name)
    assert raw.name == name
    assert raw.required
    assert callable(reader.read)
    assert bool(raw.urls) is family.downloads


def test_names_and_folders_are_not_shared() -> None:
    names = [name for family in TABLE for name in family.sets]
    assert len({EMBEDDED, *names}) == len(names) + 1
    assert mirror_folder("ogbn-mag-hetero") == mirror_folder("ogbn-mag")  # two readings of the same files
    assert len({mirror_folder(name) for name in names}) == len(names) - 1


def test_a_name_becomes_part_of_a_path() -> None:
    assert in_collection("COX2")
    assert in_collection("MUTAG")
    assert not any(in_collection(name) for name in ("", "../x", "a/b", "Photo", EMBEDDED))
    assert known_family("COX2").name == "TUDataset"
    assert mirror_folder("COX2") == "COX2/raw"
