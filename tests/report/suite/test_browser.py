"""A suite's page in a real browser, opened from disk; skipped where there is no Chromium."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from lorap_bench.report.suite.write import write_suite_report
from tests.report.test_browser import ARGUMENTS, Visit, executable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from lorap_bench.report.suite.material import SuiteMaterial

pytestmark = pytest.mark.browser

_PAGE: list[Path] = []


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = executable()
    if found is None:
        pytest.skip("no Chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def page(whole: SuiteMaterial, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a page with its tables beside it, written once."""
    if not _PAGE:
        _PAGE.append(write_suite_report(whole, pd.DataFrame({"dataset": ["Cora"]}), tmp_path_factory.mktemp("page")))
    return _PAGE[0]


def whole_and_quiet(visit: Visit, width: int) -> None:
    assert visit.page.evaluate("() => document.documentElement.scrollWidth") <= width
    for figure in visit.page.locator("[data-figure]").all():
        assert figure.locator(".main-svg").first.is_visible()
    assert visit.complaints == []
    assert all(url.startswith(("file:", "data:", "blob:")) for url in visit.requests)


def test_on_a_small_screen_the_names_of_rows_stay_while_a_table_is_scrolled(browser: Browser, page: Path) -> None:
    with Visit(browser, page, width=390, scheme="dark") as visit:
        whole_and_quiet(visit, 390)
        left = """() => {
            const table = document.getElementById("table-main-cora-gcn");
            table.parentElement.scrollLeft = 200;
            return table.tBodies[0].rows[0].cells[0].getBoundingClientRect().left;
        }"""
        assert visit.page.evaluate(left) == pytest.approx(16, abs=1)


def test_the_button_saves_what_the_file_beside_the_page_holds(browser: Browser, page: Path) -> None:
    with Visit(browser, page) as visit:
        whole_and_quiet(visit, 1280)
        for name in ("main-cora-gcn", "gains-over-sets"):
            with visit.page.expect_download() as waiting:
                visit.page.locator(f"[data-csv=table-{name}]").click()
            saved = _rows(Path(waiting.value.path()))
            beside = _rows(page.parent / "tables" / f"{name}.csv")
            assert saved == beside


def _rows(path: Path) -> list[list[str]]:
    return [[_seven(cell) for cell in row] for row in csv.reader(path.read_text(encoding="utf-8").splitlines())]


def _seven(cell: str) -> str:
    """Return a number with the digits that a page keeps."""
    try:
        return f"{float(cell):.5g}"
    except ValueError:
        return cell
