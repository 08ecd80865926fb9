from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from lorap_bench.data.download import download
from lorap_bench.data.raw import RawSet
from lorap_bench.errors import MissingResource

if TYPE_CHECKING:
    from pathlib import Path


def test_files_are_fetched(tmp_path: Path) -> None:
    (tmp_path / "published").write_bytes(b"abc")
    (tmp_path / "raw").mkdir()
    download(RawSet(name="X", required=("published",), urls=((tmp_path / "published").as_uri(),)), tmp_path / "raw")
    assert (tmp_path / "raw" / "published").read_bytes() == b"abc"


def test_an_archive_is_unpacked_and_removed(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "X.zip", "w") as archive:
        archive.writestr("X/X_A.txt", "1, 2")
    (tmp_path / "raw").mkdir()
    download(RawSet(name="X", required=("X_A.txt",), urls=((tmp_path / "X.zip").as_uri(),)), tmp_path / "raw")
    assert [file.name for file in (tmp_path / "raw").iterdir()] == ["X_A.txt"]


def test_a_set_that_is_published_nowhere(tmp_path: Path) -> None:
    raw = RawSet(name="MNIST-75sp", required=("superpixels_75.npz",))
    with pytest.raises(MissingResource, match=r"^MNIST-75sp: not published .*LORAP_BENCH_RAW .* MNIST/superpixels_75"):
        download(raw, tmp_path)


def test_no_network(tmp_path: Path) -> None:
    # Port 0 is never served: the connection is refused at once.
    raw = RawSet(name="X", required=("x",), urls=("http://127.0.0.1:0/x",))
    with pytest.raises(MissingResource, match=r"^X: cannot download http://127\.0\.0\.1:0/x .*LORAP_BENCH_RAW"):
        download(raw, tmp_path)


def test_fewer_bytes_than_announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "published").write_bytes(b"abc")
    (tmp_path / "raw").mkdir()
    monkeypatch.setattr("shutil.copyfileobj", lambda source, sink: sink.write(source.read(2)))
    raw = RawSet(name="X", required=("published",), urls=((tmp_path / "published").as_uri(),))
    with pytest.raises(MissingResource, match="2 of 3 bytes arrived"):
        download(raw, tmp_path / "raw")
