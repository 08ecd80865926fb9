"""The report of a suite that was really trained, whole and in part."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from lorap_bench.cli.wiring import catalog
from lorap_bench.errors import StoreError
from lorap_bench.suite.check import State
from lorap_bench.suite.file import load_suite
from lorap_bench.suite.folder import SuiteFolder
from lorap_bench.suite.report import report_suite
from lorap_bench.suite.sitting import open_sitting
from lorap_bench.suite.stored import stored_suite
from lorap_bench.suite.verify import verify_suite
from tests.suite.sittings import SUITE, run

if TYPE_CHECKING:
    from pathlib import Path

TEXT = (
    SUITE
    + """
[[skip]]
when = { scheme = "A2Q", prompt = "LoRAP" }
reason = "we know"
"""
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished suite's folder, which no test may change."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "few.toml").write_text(TEXT, encoding="utf-8")
    sitting = open_sitting(load_suite(folder / "few.toml", catalog=catalog()), folder, ())
    assert run(sitting)
    return sitting.folder.root


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> SuiteFolder:
    """Return a copy of it."""
    return SuiteFolder(shutil.copytree(trained, tmp_path / "few"))


def test_the_report_of_a_finished_suite(folder: SuiteFolder) -> None:
    page = report_suite(folder, folder.root / "report", ("html", "csv", "json"))
    assert page == folder.root / "report" / "index.html"
    report = json.loads((page.parent / "report.json").read_text(encoding="utf-8"))
    assert report["facts"]["Cells"] == "3 of 4 done"
    rows = next(block for block in report["sections"][1]["blocks"] if block.get("id") == "main-digits-gcn")["rows"]
    table = pd.read_parquet(folder.root / "table.parquet")
    bare = table[(table.scheme == "QAT") & (table.prompt == "None")]
    assert rows[0][1]["test"]["mean"] == pytest.approx(bare.test.mean())
    assert rows[0][1]["average bits"] == pytest.approx(bare.average_bits.mean())
    assert rows[1][2]["note"] == "skipped"
    assert (page.parent / "data.csv").read_bytes() == (folder.root / "table.csv").read_bytes()


def test_the_suite_beside_the_report_is_the_one_that_was_run(folder: SuiteFolder) -> None:
    report_suite(folder, folder.root / "report", ("md",))
    again = load_suite(folder.root / "report" / "few.toml", catalog=catalog())
    spec, _ = stored_suite(folder)
    assert again == spec


def test_a_report_in_the_folder_is_no_fault_of_it(folder: SuiteFolder) -> None:
    report_suite(folder, folder.root / "report")
    assert [check.name for check in verify_suite(folder) if check.state is State.WRONG] == []


def test_a_suite_that_is_not_finished_has_a_sound_report(folder: SuiteFolder) -> None:
    spec, _ = stored_suite(folder)
    for path in sorted((folder.root / "cells").iterdir())[:2]:
        path.unlink()
    page = report_suite(folder, folder.root / "report", ("json",), unverified=True)
    report = json.loads((page / "report.json").read_text(encoding="utf-8"))
    assert report["facts"]["Cells"] == "1 of 4 done"
    assert "**" not in report["sections"][0]["blocks"][0]["text"]
    assert "Of 4 cells 1 are done, 2 are left, 1 are skipped." in report["sections"][0]["blocks"][0]["text"]
    assert spec.name == report["title"]


def test_a_cell_that_cannot_exist_keeps_its_reason(folder: SuiteFolder) -> None:
    stored = json.loads((folder.root / "suite.json").read_text(encoding="utf-8"))
    gone = min((folder.root / "cells").iterdir())
    gone.unlink()
    stored["impossible"][gone.stem] = "no configuration makes it"
    (folder.root / "suite.json").write_text(json.dumps(stored), encoding="utf-8")
    page = report_suite(folder, folder.root / "report", ("json",))
    assert "no configuration makes it" in (page / "report.json").read_text(encoding="utf-8")


def test_a_cell_that_was_changed_stops_the_report(folder: SuiteFolder) -> None:
    path = min((folder.root / "cells").iterdir())
    path.write_text(path.read_text(encoding="utf-8").replace('"seed": 0', '"seed": 7'), encoding="utf-8")
    with pytest.raises(StoreError, match="was changed after it was written"):
        report_suite(folder, folder.root / "report")
    assert not (folder.root / "report").exists()
