from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lorap_bench.data.arrays import arrays_of

if TYPE_CHECKING:
    from pathlib import Path


def test_arrays_are_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.arange(3))
    with arrays_of(tmp_path / "a.npz") as arrays:
        assert arrays["x"].tolist() == [0, 1, 2]
        with pytest.raises(KeyError):
            arrays["y"]


def test_a_damaged_archive_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, x=np.arange(300))
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(zipfile.BadZipFile), arrays_of(path):
        pass


def test_one_array_is_no_archive(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(3))
    with pytest.raises(ValueError, match=r"a\.npy is no archive of arrays"), arrays_of(tmp_path / "a.npy"):
        pass


def test_objects_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle=False"), arrays_of(tmp_path / "a.npz") as arrays:
        arrays["x"]
