"""The verb ``report``: its formats, several studies, and what it refuses."""

from __future__ import annotations

import json
import shutil
import webbrowser
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.report import images, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., Any]


def test_a_report_lies_in_the_study_and_its_page_is_named(lorap_bench: Command, finished: Path) -> None:
    ended = lorap_bench("report", finished)
    page = finished / "report" / "index.html"
    assert (ended.code, ended.out, ended.err) == (0, f"{page}\n", "")
    assert {path.name for path in page.parent.iterdir()} == {
        "data.csv",
        "data.json",
        "index.html",
        "report.json",
        "tables",
        "tiny.toml",
    }


def test_formats_in_lists_and_given_again(lorap_bench: Command, finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ended = lorap_bench("report", finished, "--format", "md, TEX", "--format", "parquet,md", "--out", out)
    assert (ended.code, ended.out) == (0, f"{out}\n")
    assert {path.name for path in out.iterdir()} == {"report.md", "report.tex", "data.parquet", "tiny.toml"}


@pytest.mark.parametrize(
    ("formats", "told"),
    [
        ("html,parkuet", ["got 'parkuet'", "allowed: html, csv, json, md, tex, parquet, svg, png", "'parquet'?"]),
        (",", ["--format: names no format"]),
    ],
)
def test_formats_that_do_not_exist(
    lorap_bench: Command, finished: Path, tmp_path: Path, formats: str, told: list[str]
) -> None:
    ended = lorap_bench("report", finished, "--format", formats, "--out", tmp_path / "out")
    assert (ended.code, ended.out) == (2, "")
    for words in told:
        assert words in ended.err
    assert not (tmp_path / "out").exists()


def test_pictures_that_cannot_be_drawn(
    lorap_bench: Command, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "find_spec", lambda _: None)
    monkeypatch.setattr(images, "find_browser", lambda: None)
    ended = lorap_bench("report", finished, "--format", "html,png", "--out", tmp_path / "out")
    assert (ended.code, ended.out) == (5, "")
    assert "pip install 'lorap-bench[images]'" in ended.err
    assert "apt-get install chromium" in ended.err
    assert not (tmp_path / "out").exists()


def test_studies_beside_the_first(lorap_bench: Command, tiny: Path, finished: Path, tmp_path: Path) -> None:
    runs = finished.parent
    call = ("run", tiny, "--runs", runs, "--no-report", "--quiet", "--set", "name=again", "--set", "seed=1")
    assert lorap_bench(*call).code == 0
    out = tmp_path / "out"
    assert lorap_bench("report", tiny, "again", "--runs", runs, "--format", "json", "--out", out).code == 0
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert (report["title"], report["facts"]["Beside it"]) == ("tiny", "again")
    settings = ("--set", "name=other", "--set", 'objectives=["accuracy"]')
    assert lorap_bench("run", tiny, "--runs", runs, "--no-report", "--quiet", *settings).code == 0
    ended = lorap_bench("report", "tiny", "other", "--runs", runs)
    assert ended.code == 2
    assert "other: the objectives differ from those of tiny" in ended.err


def test_a_study_does_not_stand_beside_itself(lorap_bench: Command, tiny: Path, finished: Path) -> None:
    ended = lorap_bench("report", tiny, finished, "tiny", "--runs", finished.parent)
    assert (ended.code, ended.out) == (2, "")
    assert f"{finished}: the same study as {tiny}: it would stand beside itself" in ended.err
    assert f"tiny: the same study as {tiny}" in ended.err
    assert not (finished / "report").exists()


def test_the_page_is_shown_only_when_asked(
    lorap_bench: Command, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(webbrowser, "open", shown.append)
    assert lorap_bench("report", finished).code == 0
    assert shown == []
    assert lorap_bench("report", finished, "--open").code == 0
    assert shown == [(finished / "report" / "index.html").as_uri()]
    ended = lorap_bench("report", finished, "--open", "--format", "md")
    assert ended.code == 2
    assert "--open: there is no page to show; got 'md'; allowed: html among the formats" in ended.err


def test_many_trials_say_what_is_left_out(
    lorap_bench: Command, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write, "MANY", 2)
    ended = lorap_bench("report", finished, "--out", tmp_path / "out")
    assert ended.code == 0
    assert "data.json and report.json are left out of a report on 3 trials" in ended.err
    assert (tmp_path / "out" / "data.parquet").is_file()


def test_a_study_without_trials(lorap_bench: Command, finished: Path) -> None:
    shutil.rmtree(finished / "trials")
    ended = lorap_bench("report", finished, "--format", "md")
    assert (ended.code, ended.out) == (2, "")
    assert "no trials yet" in ended.err
