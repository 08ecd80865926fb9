from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from lorap_bench.data.checksums import sha256
from lorap_bench.data.inventory import DatasetSummary, Verification, list_datasets, prepare, verify
from lorap_bench.errors import ConfigError, MissingResource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lorap_bench.data.raw import Folders


def _places() -> dict[str, str]:
    return {info.name: info.place for info in list_datasets()}


def test_where_sets_come_from(
    environment: Folders, monkeypatch: pytest.MonkeyPatch, write_planetoid: Callable[..., Path]
) -> None:
    assert environment.mirror is not None
    write_planetoid(environment.mirror / "PubMed" / "raw")
    assert _places()["Digits"] == "embedded"
    assert (_places()["PubMed"], _places()["Cora"]) == ("mirror", "missing")
    prepare(["PubMed"])
    monkeypatch.delenv("LORAP_BENCH_RAW")
    assert (_places()["PubMed"], _places()["Cora"]) == ("cache", "download")
    assert [info.level for info in list_datasets()][:4] == ["graph", "node", "node", "node"]
    assert _places()["MNIST-75sp"] == "missing"  # published nowhere


def test_sets_in_folders_of_other_names(environment: Folders) -> None:
    assert environment.mirror is not None
    for folder in ("cornell/raw", "roman_empire/raw", "ogbn_arxiv/split", "CIFAR10/raw"):
        (environment.mirror / folder).mkdir(parents=True)
    (environment.mirror / "MNIST").mkdir()
    (environment.mirror / "MNIST" / "superpixels_75.npz").touch()
    found = {name for name, place in _places().items() if place == "mirror"}
    assert found == {"Cornell", "Roman-empire", "ogbn-arxiv", "CIFAR10", "MNIST-75sp"}
    families = {info.name: info.family for info in list_datasets()}
    assert families["Cornell"] == "GeomGCN"
    (cornell,) = verify(["Cornell"])
    assert "cornell/raw/out1_node_feature_label.txt is missing" in cornell.problem


def test_prepare_gives_the_figures(environment: Folders, write_tu: Callable[..., Path]) -> None:
    assert environment.mirror is not None
    write_tu(environment.mirror / "TINY" / "raw")
    assert prepare(["TUDataset/TINY"]) == (
        DatasetSummary(name="TINY", level="graph", graphs=20, nodes=60, edges=120, features=3, classes=2),
    )


def test_prepare_raises(environment: Folders) -> None:
    with pytest.raises(MissingResource):
        prepare(["Cora"])
    with pytest.raises(ConfigError):
        prepare(["Coral"])


def test_verify_tells(
    environment: Folders, monkeypatch: pytest.MonkeyPatch, write_planetoid: Callable[..., Path]
) -> None:
    assert environment.mirror is not None
    folder = write_planetoid(environment.mirror / "PubMed" / "raw")
    digits, pubmed, cora = verify(["Digits", "PubMed", "Cora"])
    assert digits == Verification(name="Digits", files=0)
    assert pubmed == Verification(name="PubMed", files=8)
    assert cora.problem.startswith("not in the raw-data mirror")
    prepare(["PubMed"])
    (folder / "ind.pubmed.tx").unlink()
    assert "ind.pubmed.tx is missing" in verify(["Planetoid/PubMed"])[0].problem
    monkeypatch.delenv("LORAP_BENCH_RAW")
    assert verify(["PubMed", "Cora"]) == (
        Verification(name="PubMed", files=1),
        Verification(name="Cora", files=0, problem="not in the cache; prepare it"),
    )


def test_the_real_mirror_is_whole(raw_mirror: Path) -> None:
    [cora] = verify(["Cora"])
    assert cora == Verification(name="Cora", files=8, compared=8)
    assert cora.state == "whole"


def test_listed_files_of_the_real_mirror_are_whole(raw_mirror: Path) -> None:
    found = verify(["Cornell", "Photo", "Tolokers", "MNIST-75sp"])
    assert [(item.files, item.state) for item in found] == [(12, "whole"), (1, "whole"), (1, "whole"), (1, "whole")]


def test_verify_says_whole_only_of_what_it_compared(environment: Folders, write_tu: Callable[..., Path]) -> None:
    assert environment.mirror is not None
    folder = write_tu(environment.mirror / "TINY" / "raw")
    (digits, tiny) = verify(["Digits", "TUDataset/TINY"])
    assert (digits.state, tiny.state) == ("embedded", "unchecked")
    lines = [f"{sha256(file)}  TINY/raw/{file.name}" for file in sorted(folder.iterdir())]
    for count, state in ((1, "partly checked"), (len(lines), "whole")):
        (environment.mirror / "SHA256SUMS").write_text("\n".join(lines[:count]) + "\n")
        assert verify(["TUDataset/TINY"])[0].state == state


def test_verify_opens_an_archive(environment: Folders, write_tu: Callable[..., Path], tmp_path: Path) -> None:
    assert environment.mirror is not None
    archive = environment.mirror / "zips" / "TINY.zip"
    archive.parent.mkdir()
    archive.write_bytes(b"PK\x05\x06" + bytes(18))  # an archive of nothing
    (environment.mirror / "SHA256SUMS").write_text(f"{sha256(archive)}  zips/TINY.zip\n")
    [stub] = verify(["TUDataset/TINY"])
    assert stub.state == "damaged"
    assert "holds no TINY_A.txt" in stub.problem
    with zipfile.ZipFile(archive, "w") as opened:
        for file in write_tu(tmp_path / "whole").iterdir():
            opened.write(file, f"TINY/{file.name}")
    (environment.mirror / "SHA256SUMS").write_text(f"{sha256(archive)}  zips/TINY.zip\n")
    assert verify(["TUDataset/TINY"])[0].state == "whole"
