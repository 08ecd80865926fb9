"""A suite's report in its forms."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from lorap_bench.errors import ConfigError
from lorap_bench.report.suite.assemble import assemble
from lorap_bench.report.suite.write import write_suite_report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lorap_bench.report.suite.entry import Entry
    from lorap_bench.report.suite.material import SuiteMaterial

    Make = Callable[..., Entry]
    MakeMaterial = Callable[..., SuiteMaterial]

ROWS = pd.DataFrame({"dataset": ["Cora"], "test": pd.array([0.1 + 0.2], dtype="Float64"), "val": pd.array([None])})
FORMATS = ("html", "csv", "json", "md", "tex", "parquet")


def test_all_text_forms_say_the_same(whole: SuiteMaterial, tmp_path: Path) -> None:
    page = write_suite_report(whole, ROWS, tmp_path, FORMATS)
    assert page == tmp_path / "index.html"
    assert {path.name for path in tmp_path.iterdir()} == {
        "data.csv",
        "data.json",
        "data.parquet",
        "index.html",
        "made-up.toml",
        "report.json",
        "report.md",
        "report.tex",
        "tables",
    }
    stored = json.loads((tmp_path / "data.json").read_text(encoding="utf-8"))
    assert stored == {
        "schema_version": 1,
        "name": "made-up",
        "trainings": [{"dataset": "Cora", "test": 0.1 + 0.2, "val": None}],
    }
    html, md, tex = (
        (tmp_path / name).read_text(encoding="utf-8") for name in ("index.html", "report.md", "report.tex")
    )
    assert '<td class="result best" data-value="0.73002" data-rest="0.01002' in html
    assert '<table class="sortable pinned" id="table-main-cora-gcn"' in html
    assert "**73.0** [70.5, 75.5] n = 3, 4 bits" in md.replace("\\", "")
    assert "\\textbf{73.0} [70.5, 75.5] n = 3, 4 bits" in tex
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert [section["id"] for section in report["sections"]] == [
        "verdict",
        "tables",
        "gains",
        "ranks",
        "bits",
        "costs",
        "published",
        "failures",
        "reproduce",
    ]
    main = next(block for block in report["sections"][1]["blocks"] if block.get("id") == "main-cora-gcn")
    assert main["rows"][0][3]["standing"] == "best"
    assert main["rows"][0][3]["test"]["n"] == 3


def test_the_csv_of_a_main_table_has_every_part(whole: SuiteMaterial, tmp_path: Path) -> None:
    write_suite_report(whole, ROWS, tmp_path, ("csv",))
    text = (tmp_path / "tables" / "main-cora-gcn.csv").read_text(encoding="utf-8")
    first = next(csv.DictReader(io.StringIO(text)))
    assert float(first["LoRAP"]) == pytest.approx(0.73002)
    assert (first["LoRAP n"], first["LoRAP average bits"], first["LoRAP standing"]) == ("3", "4.0", "best")
    assert (first["No prompt standing"], first["No prompt note"]) == ("", "")


def test_the_same_suite_gives_the_same_bytes(whole: SuiteMaterial, tmp_path: Path) -> None:
    for name in ("one", "other"):
        write_suite_report(whole, ROWS, tmp_path / name)
    files = [path for path in (tmp_path / "one").rglob("*") if path.is_file()]
    assert len(files) > 10
    for path in files:
        assert path.read_bytes() == (tmp_path / "other" / path.relative_to(tmp_path / "one")).read_bytes()


def test_what_is_missing_is_marked_in_every_form(make_entry: Make, make_material: MakeMaterial, tmp_path: Path) -> None:
    material = make_material(
        make_entry("Cora", "GCN", "QAT", "None", [0.5, None]),
        make_entry("Cora", "GCN", "QAT", "LoRAP"),
        make_entry("Cora", "GCN", "A2Q", "None", [None, None]),
    )
    write_suite_report(material, ROWS, tmp_path, FORMATS)
    html, md, tex = (
        (tmp_path / name).read_text(encoding="utf-8") for name in ("index.html", "report.md", "report.tex")
    )
    for text in (md, tex):
        assert "50.0 n = 1, 4 bits, 1 of 2 failed: diverged" in text
        assert "2 of 2 failed: diverged" in text
        assert "left" in text
    assert "1 of 2 failed: diverged</small>" in html
    rows = list(csv.reader((tmp_path / "tables" / "main-cora-gcn.csv").read_text(encoding="utf-8").splitlines()))
    assert rows[1][1:8] == ["0.5", "", "", "", "1", "4.0", ""]
    assert rows[2][-8:] == [""] * 8  # A2Q with LoRAP is no cell of the suite


def test_errors_keep_their_unit(make_entry: Make, make_material: MakeMaterial, tmp_path: Path) -> None:
    entries = [
        make_entry(dataset, "GCN", "QAT", prompt, [level, level + 0.02, level + 0.01], metric="mae")
        for dataset in ("ZINC", "ZINC-2")
        for prompt, level in (("None", 0.5), ("LoRAP", 0.4))
    ]
    write_suite_report(make_material(*entries), ROWS, tmp_path, FORMATS)
    md = (tmp_path / "report.md").read_text(encoding="utf-8").replace("\\", "")
    assert "**0.410** [0.385, 0.435] n = 3, 4 bits" in md
    assert "+0.100 [+0.100, +0.100] (n = 3)" in md
    assert "Test MAE on ZINC with GCN" in md
    html = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "<b>0.410</b>" in html
    assert "<b>+0.100</b>" in html


def test_formats_that_do_not_exist(whole: SuiteMaterial, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown format"):
        write_suite_report(whole, ROWS, tmp_path / "out", ("htm",))
    assert not (tmp_path / "out").exists()


def test_the_document_tells_the_suite_in_a_handful_of_words(whole: SuiteMaterial) -> None:
    document = assemble(whole)
    assert (document.title, document.lead, document.trials) == ("made-up", "Do prompts help?", {})
    assert dict(document.facts) == {
        "Data sets": "Cora, CiteSeer, PubMed",
        "Architectures": "GCN, GIN",
        "Schemes": "QAT, A2Q",
        "Prompts": "none, GPFPlus, LoRAP",
        "Metric": "test accuracy",
        "Cells": "36 of 36 done",
        "Trainings": "108",
        "Compute": "3 min 36 s",
    }
