"""A report in its forms: which files there are, that they agree, and what is refused before anything is written."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from lorap_bench.errors import ConfigError, MissingResource, StoreError
from lorap_bench.record import Status
from lorap_bench.report import images, write
from lorap_bench.report.write import FORMATS, check_formats, write_report
from tests.report.hostile import HOSTILE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Make = Callable[..., Any]

TEXTS = ("html", "csv", "json", "md", "tex")


def names(folder: Path) -> set[str]:
    """Return the files, tables as one."""
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return {re.sub(r"tables/.*", "tables/…", name) for name in found}


@pytest.fixture
def stored(make_spec: Make, make_study: Make, make_folder: Make) -> tuple[Any, Any]:
    spec = make_spec()
    return make_folder(spec, make_study(20)), spec


@pytest.mark.parametrize(
    ("formats", "files"),
    [
        ((), {"index.html", "data.csv", "data.json", "report.json", "tables/…"}),
        (("html",), {"index.html"}),
        (("csv",), {"data.csv", "tables/…"}),
        (("json",), {"data.json", "report.json"}),
        (("parquet",), {"data.parquet"}),
        (("md", "tex"), {"report.md", "report.tex"}),
    ],
)
def test_a_format_has_its_files(stored: Any, tmp_path: Path, formats: tuple[str, ...], files: set[str]) -> None:
    out = tmp_path / "deep" / "out"
    written = write_report(stored, out, formats=formats)
    assert names(out) == files | {"made-up.toml"}
    assert written == (out / "index.html" if "index.html" in files else out)


def test_every_form_has_the_same_figures(stored: Any, tmp_path: Path) -> None:
    write_report(stored, tmp_path, formats=(*TEXTS, "parquet"))
    frame = pd.read_csv(tmp_path / "data.csv")
    assert pd.read_parquet(tmp_path / "data.parquet").accuracy.tolist() == pytest.approx(
        frame.accuracy.tolist(), nan_ok=True
    )
    front = pd.read_csv(tmp_path / "tables" / "front.csv")
    assert set(front["Trial"]) == set(frame.number[frame.front])
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    tables = {block["id"]: block for section in report["sections"] for block in section["blocks"] if "rows" in block}
    assert [row[1]["mean"] for row in tables["front"]["rows"]] == front["Validation accuracy"].tolist()
    first = f"{100 * front['Validation accuracy'][0]:.1f}"
    assert f"| {front['Trial'][0]} | {first} \\[" in (tmp_path / "report.md").read_text(encoding="utf-8")
    assert f"\n{front['Trial'][0]} & {first} [" in (tmp_path / "report.tex").read_text(encoding="utf-8")


def test_the_same_study_gives_the_same_bytes(stored: Any, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for out in (one, two):
        write_report(stored, out, formats=(*TEXTS, "parquet"))
    for path in (path for path in one.rglob("*") if path.is_file()):
        assert path.read_bytes() == (two / path.relative_to(one)).read_bytes(), path.name


def test_the_page_names_what_lies_beside_it(stored: Any, tmp_path: Path) -> None:
    page = write_report(stored, tmp_path, formats=("html", "csv", "parquet")).read_text(encoding="utf-8")
    assert re.findall(r'data-file="([^"]+)"', page) == ["data.csv", "data.parquet", "made-up.toml"]
    assert page.count("(beside this page)") == 1


def test_many_trials_have_no_json_unless_it_is_asked_for(
    stored: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = (write_report(stored, tmp_path / "small").parent / "data.json").read_bytes()
    monkeypatch.setattr(write, "MANY", 19)
    told: list[str] = []
    write_report(stored, tmp_path / "many", on_note=told.append)
    assert names(tmp_path / "many") == {"index.html", "data.csv", "data.parquet", "made-up.toml", "tables/…"}
    assert len(told) == 1
    assert "report on 20 trials; `--format html,csv,json` writes them" in told[0]
    write_report(stored, tmp_path / "asked", formats=("html", "json"), on_note=told.append)
    assert len(told) == 1
    streamed = (tmp_path / "asked" / "data.json").read_bytes()
    assert streamed.replace(b"asked/", b"small/") == small


def test_files_of_an_earlier_report_are_told(stored: Any, tmp_path: Path) -> None:
    told: list[str] = []
    write_report(stored, tmp_path, formats=TEXTS, on_note=told.append)
    write_report(stored, tmp_path, formats=TEXTS, on_note=told.append)
    assert told == []
    (tmp_path / "mine.txt").touch()
    write_report(stored, tmp_path, formats=("html", "csv"), on_note=told.append)
    assert told == [f"left from an earlier report in {tmp_path}: data.json, report.json, report.md and 1 more"]


def test_studies_beside_the_first(make_spec: Make, make_study: Make, make_folder: Make, tmp_path: Path) -> None:
    spec, other = make_spec(), make_spec(name="other", search={"sampler": "Random"})
    mine, beside = make_folder(spec, make_study(20)), make_folder(other, make_study(15, seed=1))
    write_report((mine, spec), tmp_path / "out", [(beside, other)], ("md",))
    assert "- **Beside it:** other" in (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    strange = make_spec(name="strange", task={"dataset": "CiteSeer"})
    with pytest.raises(ConfigError, match="the task differ"):
        write_report((mine, spec), tmp_path / "no", [(make_folder(strange, make_study(3)), strange)])
    assert not (tmp_path / "no").exists()


def test_an_unknown_format_is_refused_with_the_nearest(stored: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"got 'jsn'; allowed: html, csv, .*; did you mean 'json'\?"):
        write_report(stored, tmp_path / "out", formats=("html", "jsn"))
    assert not (tmp_path / "out").exists()
    check_formats([name for name in FORMATS if name not in {"svg", "png"}])


@pytest.mark.parametrize(
    ("packages", "browser", "words"),
    [
        ((), None, ["lorap-bench\\[images\\]", "apt-get install chromium"]),
        ((), "/usr/bin/true", ["lorap-bench\\[images\\]"]),
        (("kaleido", "choreographer"), None, ["apt-get install chromium", "BROWSER_PATH"]),
    ],
)
def test_pictures_without_what_draws_them_write_nothing(
    stored: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    packages: tuple[str, ...],
    browser: str | None,
    words: list[str],
) -> None:
    monkeypatch.setattr(images, "find_spec", lambda name: name if name in packages else None)
    monkeypatch.setattr(images, "find_browser", lambda: browser)
    with pytest.raises(MissingResource) as raised:
        write_report(stored, tmp_path / "out", formats=("html", "csv", "svg"))
    for word in words:
        assert re.search(word, str(raised.value))
    assert ("kaleido" in str(raised.value)) == (not packages)
    assert raised.value.exit_code == 5
    assert not (tmp_path / "out").exists()


def test_a_full_disk_leaves_what_was_there(stored: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    write_report(stored, out, formats=("md",))
    before = (out / "report.md").read_bytes()
    monkeypatch.setattr(write, "markdown", lambda *_, **__: _full())
    with pytest.raises(StoreError, match="cannot write the report: No space left on device"):
        write_report(stored, out, formats=("md",))
    assert (out / "report.md").read_bytes() == before
    assert names(out) == {"report.md", "made-up.toml"}


def _full() -> Any:
    yield "half"
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_strings_reach_every_form(
    make_spec: Make, make_record: Make, make_folder: Make, tmp_path: Path, hostile: str
) -> None:
    spec = make_spec(description=hostile)
    records = [
        make_record(0, params={"prompt.kind": hostile}, overhead=1e300, provenance={"note": hostile}),
        make_record(1, status=Status.DIVERGED, reason=hostile, members=(), objectives={}),
    ]
    written = write_report((make_folder(spec, records), spec), tmp_path / "out", formats=(*TEXTS, "parquet")).parent
    report = json.loads((written / "report.json").read_text(encoding="utf-8"))
    assert report["lead"] == hostile
    assert "<script>alert" not in (written / "index.html").read_text(encoding="utf-8")
    assert "\n# heading" not in (written / "report.md").read_text(encoding="utf-8")
    assert "\\input{/etc" not in (written / "report.tex").read_text(encoding="utf-8")
