from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from lorap_bench.data.checksums import sha256
from lorap_bench.data.raw import Folders, RawSet, locate, present, unpack
from lorap_bench.errors import MissingResource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RAW = RawSet(name="TINY", required=("TINY_A.txt", "TINY_graph_indicator.txt"), optional=("TINY_node_labels.txt",))


@pytest.fixture
def mirror(tmp_path: Path, write_tu: Callable[..., Path]) -> Path:
    write_tu(tmp_path / "TINY" / "raw")
    return tmp_path


def _list(mirror: Path, *names: str) -> None:
    lines = [f"{sha256(mirror / name)}  {name}" for name in names]
    (mirror / "SHA256SUMS").write_text("\n".join(lines) + "\n")


def test_folders_come_from_the_environment(tmp_path: Path) -> None:
    folders = Folders.from_environment({"LORAP_BENCH_RAW": str(tmp_path), "LORAP_BENCH_CACHE": str(tmp_path / "c")})
    assert folders == Folders(tmp_path, tmp_path / "c")
    folders = Folders.from_environment({"LORAP_BENCH_RAW": ""})
    assert folders.mirror is None
    assert folders.cache.name == "lorap-bench"


def test_a_mirror_that_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(MissingResource, match=r"^LORAP_BENCH_RAW: raw-data mirror .*nowhere is no folder"):
        Folders.from_environment({"LORAP_BENCH_RAW": str(tmp_path / "nowhere")})


def test_a_whole_set_is_found_where_it_lies(mirror: Path) -> None:
    source = locate(RAW, mirror)
    assert source is not None
    assert source.path == mirror / "TINY" / "raw"
    assert sorted(source.sums) == sorted([*RAW.required, *RAW.optional])
    assert source.compared == 0
    assert not source.is_archive


def test_a_set_that_is_not_there(mirror: Path) -> None:
    other = RawSet(name="OTHER", required=())
    assert not present("OTHER", mirror)
    assert locate(other, mirror) is None


def test_listed_checksums_are_compared(mirror: Path) -> None:
    _list(mirror, "TINY/raw/TINY_A.txt", "TINY/raw/TINY_node_labels.txt")
    source = locate(RAW, mirror)
    assert source is not None
    assert source.compared == 2
    (mirror / "TINY" / "raw" / "TINY_A.txt").write_text("1, 2\n")
    with pytest.raises(
        MissingResource, match=r"^TINY: raw file .*TINY_A\.txt has the wrong checksum .* fetch it again$"
    ):
        locate(RAW, mirror)


@pytest.mark.parametrize("name", ["TINY_A.txt", "TINY_node_labels.txt"])
def test_a_missing_file_is_named(mirror: Path, name: str) -> None:
    _list(mirror, "TINY/raw/TINY_node_labels.txt")  # optional, but the mirror says it has it
    (mirror / "TINY" / "raw" / name).unlink()
    with pytest.raises(MissingResource, match=rf"^TINY: raw file .*{name} is missing; copy it there") as caught:
        locate(RAW, mirror)
    assert "\n" not in str(caught.value)


def test_known_checksums_hold_without_a_list(tmp_path: Path) -> None:
    (tmp_path / "Cora" / "raw").mkdir(parents=True)
    (tmp_path / "Cora" / "raw" / "ind.cora.x").write_bytes(b"not this")
    with pytest.raises(MissingResource, match=r"ind\.cora\.x has the wrong checksum"):
        locate(RawSet(name="Cora", required=("ind.cora.x",)), tmp_path)


def test_a_file_that_cannot_be_read(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("lorap_bench.data.raw.sha256", refuse)
    with pytest.raises(MissingResource, match=r"TINY_A\.txt cannot be read \(Permission denied\)"):
        locate(RAW, mirror)


def _archive(mirror: Path, *, without: str = "") -> Path:
    (mirror / "zips").mkdir()
    path = mirror / "zips" / "TINY.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted((mirror / "TINY" / "raw").iterdir()):
            if file.name != without:
                archive.write(file, f"TINY/{file.name}")
        archive.writestr("../../escaped_A.txt", "1, 2")
    for file in (mirror / "TINY" / "raw").iterdir():
        file.unlink()
    (mirror / "TINY" / "raw").rmdir()
    return path


def test_an_archive_is_found_and_unpacked_flat(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    archive = _archive(mirror)
    _list(mirror, "zips/TINY.zip")
    source = locate(RAW, mirror)
    assert source is not None
    assert source.is_archive
    assert (source.sums, source.compared) == ({"TINY.zip": sha256(archive)}, 1)
    folder = tmp_path_factory.mktemp("unpacked")
    unpack(RAW, archive, folder)
    assert sorted(file.name for file in folder.iterdir()) == sorted([*RAW.required, *RAW.optional])
    assert not list(folder.parent.rglob("escaped_A.txt"))


def test_a_truncated_archive(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    archive = _archive(mirror)
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(MissingResource, match=r"^TINY: archive .*TINY\.zip is truncated or damaged"):
        unpack(RAW, archive, tmp_path_factory.mktemp("unpacked"))


def test_a_damaged_member(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    archive = mirror / "TINY.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("TINY_A.txt", "1, 2\n" * 100)
    archive.write_bytes(archive.read_bytes().replace(b"1, 2\n1, 2", b"1, 3\n1, 2", 1))
    with pytest.raises(MissingResource, match=r"damaged \(Bad CRC-32"):
        unpack(RAW, archive, tmp_path_factory.mktemp("unpacked"))


def test_files_in_folders_of_an_archive(tmp_path: Path) -> None:
    archive = tmp_path / "mag.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("mag/raw/cites/edge.csv.gz", "cites")
        opened.writestr("mag/raw/writes/edge.csv.gz", "writes")
        opened.writestr("mag/raw/precites/edge.csv.gz", "precites")
    unpack(RawSet(name="X", required=("raw/cites/edge.csv.gz",)), archive, tmp_path / "out")
    found = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert found == [tmp_path / "out" / "raw" / "cites" / "edge.csv.gz"]
    assert found[0].read_text() == "cites"


def test_an_archive_without_a_file(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    archive = _archive(mirror, without="TINY_A.txt")
    with pytest.raises(MissingResource, match=r"holds no TINY_A\.txt"):
        unpack(RAW, archive, tmp_path_factory.mktemp("unpacked"))
