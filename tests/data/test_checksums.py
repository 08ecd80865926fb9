from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from lorap_bench.data.checksums import KNOWN, read_sums, sha256
from lorap_bench.errors import MissingResource

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_has_the_checksum_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert sha256(tmp_path / "file") == hashlib.sha256(b"abc").hexdigest()


def test_no_list_is_an_empty_list(tmp_path: Path) -> None:
    assert read_sums(tmp_path) == {}


def test_both_forms_of_a_line_and_blank_lines(tmp_path: Path) -> None:
    (tmp_path / "SHA256SUMS").write_text(f"{'a' * 64}  A/raw/x y\n\n{'b' * 64} *B/raw/z\n")
    assert read_sums(tmp_path) == {"A/raw/x y": "a" * 64, "B/raw/z": "b" * 64}


def test_a_line_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "SHA256SUMS").write_text(f"{'a' * 64}  A\n{'b' * 60}  B\n")
    with pytest.raises(MissingResource, match="SHA256SUMS:2: not a line of sha256sum"):
        read_sums(tmp_path)


def test_the_known_checksums_are_those_of_the_published_files(raw_mirror: Path) -> None:
    found = {path.name: sha256(path) for name in ("Cora", "CiteSeer") for path in (raw_mirror / name / "raw").iterdir()}
    assert found == KNOWN
