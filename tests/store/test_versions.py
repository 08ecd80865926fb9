from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from lorap_bench.errors import StoreError
from lorap_bench.store.folder import StudyFolder
from lorap_bench.store.manifest import Manifest
from lorap_bench.store.versions import begin, left_over, mend, old_name, put

if TYPE_CHECKING:
    from pathlib import Path


class Killed(BaseException):
    """The process died here."""


def study(root: Path, identity: str) -> None:
    StudyFolder.make(root, Manifest(identity=identity, spec={"name": "one", "budget": {"trials": 1}}))


def identity(runs: Path, name: str) -> str:
    return StudyFolder.open(runs, name).manifest.identity


def test_a_new_version_takes_the_place_and_the_old_one_stays(tmp_path: Path) -> None:
    for number in range(3):
        study(begin(tmp_path, "one"), str(number))
        assert put(tmp_path, "one") == ("" if number == 0 else f"one.v{number}")
    assert [identity(tmp_path, name) for name in ("one", "one.v1", "one.v2")] == ["2", "0", "1"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "one.v1", "one.v2"]
    assert old_name(tmp_path, "one") == "one.v3"


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(3))
def test_killed_at_any_rename_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool, after: bool, at: int
) -> None:
    if there:
        study(tmp_path / "one", "old")
    study(begin(tmp_path, "one"), "new")
    true_rename, steps = type(tmp_path).rename, iter(range(9))

    def rename(self: Path, target: Path) -> Path:
        hit = next(steps) == at
        if hit and not after:
            raise Killed
        renamed = true_rename(self, target)
        if hit:
            raise Killed
        return renamed

    renames = 3 if there else 2
    with monkeypatch.context() as patch:
        patch.setattr(type(tmp_path), "rename", rename)
        if at < renames:
            with pytest.raises(Killed):
                put(tmp_path, "one")
        else:
            put(tmp_path, "one")

    begun = at > 0 or after  # the new version was whole and named so
    if not there:
        assert StudyFolder.known(tmp_path, "one") == begun
        if begun:
            assert identity(tmp_path, "one") == "new"
        return
    swapped = at > 1 or (at == 1 and after)
    assert identity(tmp_path, "one") == ("new" if swapped else "old")
    if swapped:
        assert identity(tmp_path, "one.v1") == "old"
        assert left_over(tmp_path, "one") == []
    else:
        assert len(left_over(tmp_path, "one")) == 1
        study(begin(tmp_path, "one"), "newer")  # the same command again
        assert put(tmp_path, "one") == "one.v1"
        assert identity(tmp_path, "one") == "newer"
        assert left_over(tmp_path, "one") == []


def test_a_reader_between_the_renames_finishes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study(tmp_path / "one", "old")
    study(begin(tmp_path, "one"), "new")
    true_rename, seen = type(tmp_path).rename, list[str]()

    def rename(self: Path, target: Path) -> Path:
        renamed = true_rename(self, target)
        if target.name == "one.v1":
            seen.append(identity(tmp_path, "one"))
        return renamed

    with monkeypatch.context() as patch:
        patch.setattr(type(tmp_path), "rename", rename)
        assert put(tmp_path, "one") == "one.v1"
    assert seen == ["new"]
    assert identity(tmp_path, "one") == "new"


def test_of_two_readers_one_mends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study(tmp_path / ".one.new", "new")
    true_rename = type(tmp_path).rename

    def rename(self: Path, target: Path) -> Path:
        true_rename(self, target)  # the other reader
        return true_rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(type(tmp_path), "rename", rename)
        assert not mend(tmp_path, "one")
    assert identity(tmp_path, "one") == "new"
    assert not mend(tmp_path, "one")


def test_copies_are_no_studies(tmp_path: Path) -> None:
    study(begin(tmp_path, "onee"), "half")
    with pytest.raises(StoreError, match=r"no study called 'one' here$"):
        StudyFolder.open(tmp_path, "one")
    shutil.rmtree(tmp_path / ".onee.building")
    assert left_over(tmp_path, "onee") == []
