"""``compare``: two studies, on the screen, for programs and as a page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., Any]


@pytest.fixture
def both(finish: Callable[..., Path], runs: Path) -> Path:
    """Return where the tiny study lies, and the same with another seed."""
    finish()
    finish("name=other", "seed=1")
    return runs


def test_by_file_name_and_folder(lorap_bench: Command, tiny: Path, both: Path) -> None:
    told = [lorap_bench("compare", one, "other", "--runs", both, "--json") for one in (tiny, "tiny", both / "tiny")]
    assert {ended.code for ended in told} == {0}
    assert told[0].json == told[1].json == told[2].json
    assert [told[0].json[side]["name"] for side in ("first", "second")] == ["tiny", "other"]
    assert told[0].json["first"]["trials"] == 3


def test_on_the_screen(lorap_bench: Command, both: Path) -> None:
    ended = lorap_bench("compare", "tiny", "other", "--runs", both)
    assert ended.code == 0
    assert "A: tiny" in ended.out
    assert "hypervolume" in ended.out
    assert "A − B, points" in ended.out
    assert "any" in ended.out
    assert "validation accuracy chose these trials" in ended.err


def test_as_a_page(lorap_bench: Command, both: Path, tmp_path: Path) -> None:
    ended = lorap_bench("compare", "tiny", "other", "--runs", both, "--out", tmp_path / "page", "--json")
    page = tmp_path / "page" / "index.html"
    assert ended.code == 0
    assert "tiny against other" in page.read_text(encoding="utf-8")
    assert json.loads((tmp_path / "page" / "compare.json").read_text()) == ended.json
    shown = lorap_bench("compare", "tiny", "other", "--runs", both, "--out", tmp_path / "page")
    assert shown.out.endswith(f"{page}\n")


def test_what_does_not_compare(lorap_bench: Command, tiny: Path, both: Path) -> None:
    settings = ["--set", "name=third", "--set", 'objectives=["accuracy"]']
    assert lorap_bench("run", tiny, "--runs", both, "--no-report", "--quiet", *settings).code == 0
    ended = lorap_bench("compare", "tiny", "third", "--runs", both)
    assert (ended.code, ended.out) == (2, "")
    assert "objectives differ" in ended.err
    ended = lorap_bench("compare", "tiny", tiny, "--runs", both)
    assert ended.code == 2
    assert "the same study" in ended.err
    ended = lorap_bench("compare", "tiny", "nowhere", "--runs", both)
    assert ended.code == 2
    assert "no study called 'nowhere'" in ended.err


def test_studies_without_a_feasible_trial(lorap_bench: Command, tiny: Path, runs: Path) -> None:
    for name in ("tiny", "other"):
        rule = ["--set", f"name={name}", "--set", 'constraints.accuracy=">= 1.1"']
        lorap_bench("run", tiny, "--runs", runs, "--no-report", "--quiet", *rule)
    ended = lorap_bench("compare", "tiny", "other", "--runs", runs)
    assert ended.code == 0
    assert "neither study has a feasible complete one" in ended.err
