from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lorap_bench.errors import StoreError
from lorap_bench.store import storage_id as module
from lorap_bench.store.storage_id import storage_id

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folder_has_one_name_and_another_folder_another(tmp_path: Path) -> None:
    one, other = tmp_path / "a" / "study", tmp_path / "b" / "study"
    for root in (one, other):
        root.mkdir(parents=True)
    assert storage_id(one) == storage_id(one)
    assert storage_id(one).startswith("study-")
    assert storage_id(one) != storage_id(other)
    assert [path.name for path in one.iterdir()] == ["storage.json"]


def test_of_two_that_name_it_at_once_the_first_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, "exists", lambda path: False)
        names = {storage_id(tmp_path) for _ in range(3)}
    assert names == {storage_id(tmp_path)}


@pytest.mark.parametrize("text", ["[]", '{"id": 3}', "{"])
def test_damage_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "storage.json").write_text(text)
    with pytest.raises(StoreError, match=r"storage\.json: damaged"):
        storage_id(tmp_path)
