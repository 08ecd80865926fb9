from __future__ import annotations

import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
import torch

from lorap_bench.data import tudataset
from lorap_bench.data.cache import cached
from lorap_bench.data.published import PUBLISHED, Counts
from lorap_bench.data.raw import Folders, RawSet, processed_path
from lorap_bench.errors import MissingResource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lorap_bench.data.packed import Packed

NAMES = ("TINY_A.txt", "TINY_graph_indicator.txt", "TINY_graph_labels.txt")
RAW = RawSet(name="TINY", required=NAMES, optional=("TINY_node_labels.txt",), urls=("file:///nowhere/TINY.zip",))


@pytest.fixture
def raw_folder(folders: Folders, write_tu: Callable[..., Path]) -> Path:
    assert folders.mirror is not None
    return write_tu(folders.mirror / "TINY" / "raw")


def _get(folders: Folders, raw: RawSet = RAW) -> Packed:
    return cached(raw, tudataset.read, folders)


def _never(folder: Path, name: str) -> Packed:
    raise AssertionError(f"{name} was read again")


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def _stored(folders: Folders) -> list[str]:
    """Return what the cache holds but the lock files."""
    return [name for name in _files(folders.cache) if not name.endswith(".lock")]


def test_a_set_is_read_once_and_the_mirror_left_alone(folders: Folders, raw_folder: Path) -> None:
    assert folders.mirror is not None
    before = {name: (folders.mirror / name).stat().st_mtime_ns for name in _files(folders.mirror)}
    first = _get(folders)
    again = cached(RAW, _never, folders)
    assert torch.equal(first.x, again.x)
    assert torch.equal(first.edge_index, again.edge_index)
    assert {name: (folders.mirror / name).stat().st_mtime_ns for name in _files(folders.mirror)} == before
    assert _stored(folders) == [str(processed_path("TINY", folders).relative_to(folders.cache))]


def test_the_file_opens_with_the_safe_default(folders: Folders, raw_folder: Path) -> None:
    _get(folders)
    stored = torch.load(processed_path("TINY", folders), weights_only=True)
    assert sorted(stored) == ["packed", "sums"]


def test_other_raw_files_make_another_set(folders: Folders, raw_folder: Path) -> None:
    _get(folders)
    (raw_folder / "TINY_node_labels.txt").unlink()
    (raw_folder / "TINY_A.txt").write_text("1, 2\n")
    assert _get(folders).edge_index.tolist() == [[1, 0], [0, 1]]


def test_the_cache_serves_without_a_mirror(folders: Folders, raw_folder: Path) -> None:
    first = _get(folders)
    assert torch.equal(_get(Folders(None, folders.cache)).x, first.x)


def test_a_missing_raw_file_is_told_whatever_the_cache_holds(folders: Folders, raw_folder: Path) -> None:
    _get(folders)
    (raw_folder / "TINY_A.txt").unlink()
    with pytest.raises(MissingResource, match=r"TINY_A\.txt is missing"):
        _get(folders)
    assert _files(raw_folder) == sorted(["TINY_node_labels.txt", *NAMES[1:]])


def test_a_set_the_mirror_lacks(folders: Folders) -> None:
    with pytest.raises(
        MissingResource, match=r"^TINY: not in the raw-data mirror .*TINY/raw, or unset LORAP_BENCH_RAW"
    ):
        _get(folders)
    assert not folders.cache.exists()


def test_damaged_raw_files_leave_nothing_behind(folders: Folders, raw_folder: Path) -> None:
    (raw_folder / "TINY_A.txt").write_text("1, 2\n3, \n")
    with pytest.raises(
        MissingResource, match=r"^TINY: raw files of .* are damaged \(.*\); fetch them again$"
    ) as caught:
        _get(folders)
    assert "\n" not in str(caught.value)
    assert _stored(folders) == []


def test_a_truncated_file_of_a_known_set_is_refused(
    folders: Folders, raw_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _get(folders)  # kept before the counts were known
    monkeypatch.setitem(PUBLISHED, "TINY", Counts(20, 60, 122, 3, 2))
    with pytest.raises(
        MissingResource, match=r"^TINY: raw files of .* are damaged \(120 edges instead of 122\); fetch them again$"
    ):
        _get(folders)
    monkeypatch.setitem(PUBLISHED, "TINY", Counts(20, 60, 120, 3, 2))
    assert cached(RAW, _never, folders).edge_index.shape == (2, 120)


def test_a_known_set_that_does_not_come_to_its_counts_is_not_kept(
    folders: Folders, raw_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PUBLISHED, "TINY", Counts(20, 60, 120, 3, 2))
    whole = (raw_folder / "TINY_A.txt").read_text()
    (raw_folder / "TINY_A.txt").write_text("".join(whole.splitlines(keepends=True)[:30]))
    with pytest.raises(MissingResource, match=r"\(60 edges instead of 120\)"):
        _get(folders)
    assert _stored(folders) == []


def test_a_damaged_processed_file_is_made_again(folders: Folders, raw_folder: Path) -> None:
    first = _get(folders)
    path = processed_path("TINY", folders)
    path.write_bytes(path.read_bytes()[:200])
    assert torch.equal(_get(folders).x, first.x)
    assert path.stat().st_size > 200


def test_an_archive_of_the_mirror(folders: Folders, raw_folder: Path) -> None:
    assert folders.mirror is not None
    (folders.mirror / "zips").mkdir()
    with zipfile.ZipFile(folders.mirror / "zips" / "TINY.zip", "w") as archive:
        for file in sorted(raw_folder.iterdir()):
            archive.write(file, f"TINY/{file.name}")
    expected = _get(folders)
    raw_folder.rename(folders.mirror / "elsewhere")
    assert torch.equal(_get(folders).x, expected.x)
    assert len(_stored(folders)) == 1


def test_a_truncated_archive_leaves_nothing_behind(folders: Folders) -> None:
    assert folders.mirror is not None
    (folders.mirror / "zips").mkdir()
    (folders.mirror / "zips" / "TINY.zip").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(MissingResource, match=r"TINY\.zip is truncated or damaged"):
        _get(folders)
    assert _stored(folders) == []


def test_a_download(folders: Folders, raw_folder: Path) -> None:
    urls = tuple((raw_folder / name).as_uri() for name in NAMES)
    raw = RawSet(name="TINY", required=NAMES, urls=urls)
    packed = _get(Folders(None, folders.cache), raw)
    assert packed.x.shape == (60, 3)  # without labels: the degree
    assert len(_stored(folders)) == 1


def test_a_download_that_fails_leaves_nothing_behind(folders: Folders, raw_folder: Path) -> None:
    urls = ((raw_folder / NAMES[0]).as_uri(), (raw_folder / "nowhere").as_uri())
    with pytest.raises(MissingResource, match=r"^TINY: cannot download .*nowhere"):
        _get(Folders(None, folders.cache), RawSet(name="TINY", required=NAMES, urls=urls))
    assert _stored(folders) == []


def test_a_download_of_something_else_leaves_nothing_behind(folders: Folders, tmp_path: Path) -> None:
    (tmp_path / "ind.cora.x").write_text("<html>")
    raw = RawSet(name="Cora", required=("ind.cora.x",), urls=((tmp_path / "ind.cora.x").as_uri(),))
    with pytest.raises(MissingResource, match=r"ind\.cora\.x has the wrong checksum"):
        _get(Folders(None, folders.cache), raw)
    assert _stored(folders) == []


def test_what_a_killed_process_left_is_cleared(folders: Folders, raw_folder: Path) -> None:
    shelf = processed_path("TINY", folders).parent.parent
    (shelf / ".TINY.abc.tmp").mkdir(parents=True)
    (shelf / ".TINY.abc.tmp" / "v1.pt").write_bytes(b"half")
    _get(folders)
    assert len(_stored(folders)) == 1


def test_a_cache_that_cannot_be_written(folders: Folders, raw_folder: Path) -> None:
    folders.cache.write_text("a file where the folder should be")
    with pytest.raises(MissingResource, match=r"cannot write the data cache .*LORAP_BENCH_CACHE"):
        _get(folders)


WORKER = """
import sys
from pathlib import Path
from lorap_bench.data import tudataset
from lorap_bench.data.cache import cached
from lorap_bench.data.raw import Folders, RawSet

mirror, cache, log = map(Path, sys.argv[1:4])

def read(folder, name):
    with log.open("a") as stream:
        stream.write("read\\n")
    return tudataset.read(folder, name)

names = ("TINY_A.txt", "TINY_graph_indicator.txt", "TINY_graph_labels.txt")
sys.stdin.read()
print(len(cached(RawSet(name="TINY", required=names), read, Folders(mirror, cache)).x))
"""


def test_processes_at_once_read_the_set_once(folders: Folders, raw_folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-c", WORKER, str(folders.mirror), str(folders.cache), str(log)]
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for worker in workers:  # all wait at the gate with their imports done, more or less
        assert worker.stdin is not None
        worker.stdin.close()
        worker.stdin = None
    answers = [worker.communicate(timeout=120) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0, 0], answers
    assert [out.strip() for out, _ in answers] == ["60"] * 3
    assert log.read_text() == "read\n"
    assert len(_stored(folders)) == 1
