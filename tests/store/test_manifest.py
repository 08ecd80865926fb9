from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.errors import StoreError
from lorap_bench.store.folder import StudyFolder
from lorap_bench.store.manifest import Manifest, Origin
from lorap_bench.study.extension import Extension

if TYPE_CHECKING:
    from pathlib import Path

SPEC: dict[str, Any] = {"name": "a-study", "budget": {"trials": 5}}


def test_an_extension_stays_when_the_file_changes_what_it_may(tmp_path: Path) -> None:
    folder = StudyFolder.create(tmp_path, SPEC, "id")
    folder.extend(Extension(trials=100), "now")
    folder.extend(Extension(trials=10, epochs=3), "later")
    again = StudyFolder.create(tmp_path, {**SPEC, "budget": {"trials": 7}}, "id")
    assert again.manifest.extension == Extension(trials=110, epochs=3)
    assert again.manifest.extensions[1] == {"when": "later", "trials": 10, "epochs": 3}
    assert again.spec_mapping()["budget"] == {"trials": 7}


def test_extensions_of_many_at_once_all_count(tmp_path: Path) -> None:
    folder = StudyFolder.create(tmp_path, SPEC, "id")
    threads = [threading.Thread(target=folder.extend, args=(Extension(trials=1), "now")) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert folder.manifest.extension == Extension(trials=16)


def test_origins_come_back_and_their_looks_count(tmp_path: Path) -> None:
    origins = (
        Origin(name="a", identity="x", looks=2, first=0, trials=(3, 5), left={"outside": 1}),
        Origin(name="b", identity="y", looks=1, first=2, trials=(0,), left={}),
    )
    wanted = Manifest(identity="id", spec=SPEC, origins=origins)
    folder = StudyFolder.make(tmp_path / "a-study", wanted)
    assert folder.manifest == wanted
    assert folder.looks.earlier == 3
    assert folder.looks.next_number == 4


@pytest.mark.parametrize(
    "change",
    [{"spec": None}, {"extensions": [{"when": "now", "trails": 3}]}, {"extensions": [3]}, {"origins": [{"name": "a"}]}],
)
def test_a_damaged_manifest_is_told(tmp_path: Path, change: dict[str, Any]) -> None:
    folder = StudyFolder.create(tmp_path, SPEC, "id")
    path = folder.root / "study.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(StoreError, match=r"study\.json: damaged"):
        StudyFolder.open(tmp_path, "a-study")
