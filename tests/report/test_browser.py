"""The page in a real browser, opened from disk: nothing leaves it, everything in it works.

Skipped where there is no Chromium. A browser is never downloaded.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from lorap_bench.report.palette import DARK, LIGHT
from lorap_bench.report.table import front_records
from lorap_bench.report.write import write_report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Page

    from lorap_bench.record import TrialRecord
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.store.look import Confirmation
    from lorap_bench.study.spec import StudySpec

pytestmark = pytest.mark.browser

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECTIONS = (
    "verdict",
    "pareto",
    "progress",
    "attainment",
    "importance",
    "prompts",
    "bits",
    "parallel",
    "curves",
    "ladder",
    "published",
    "timeline",
    "trials",
    "reproduce",
)


def executable() -> str | None:
    """Return the system's Chromium, if any."""
    if Path("/usr/bin/chromium").exists():
        return "/usr/bin/chromium"
    return next((found for name in NAMES if (found := shutil.which(name))), None)


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


_PAGE: list[Path] = []


@pytest.fixture
def report(
    make_spec: Callable[..., StudySpec],
    make_study: Callable[..., list[TrialRecord]],
    make_folder: Callable[..., StudyFolder],
    make_confirmation: Callable[..., Confirmation],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Return a page on its own, written once: the data files beside it are gone."""
    if _PAGE:
        return _PAGE[0]
    spec, records = make_spec(), make_study(40)
    confirmed = [make_confirmation(record) for record in front_records(spec, records)[:-1]]
    page = write_report((make_folder(spec, records, confirmed), spec), tmp_path / "out")
    _PAGE.append(page.rename(tmp_path_factory.mktemp("alone") / "index.html"))
    return _PAGE[0]


class Visit:
    """An open page that keeps every request and every complaint."""

    def __init__(self, browser: Browser, path: Path, *, width: int = 1280, scheme: str = "light") -> None:
        options: Any = {"color_scheme": scheme}
        self.context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        self.page: Page = self.context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._hear)
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-ready=true]", state="attached")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def _hear(self, message: ConsoleMessage) -> None:
        """Keep what the page says; the software that draws 3-D here remarks on its own speed."""
        if not re.search("GL Driver Message|Canvas2D: Multiple readback", message.text):
            self.complaints.append(message.text)

    def background(self) -> list[str]:
        """Return the colours of the page and of the Pareto figure."""
        script = """() => [getComputedStyle(document.body).backgroundColor,
          getComputedStyle(document.querySelector('#figure-pareto .main-svg')).backgroundColor]"""
        found: list[str] = self.page.evaluate(script)
        return found

    def point(self, place: int = 0) -> tuple[float, float]:
        """Scroll a front point into view and return where its middle is."""
        point = self.page.locator("#figure-pareto .scatterlayer .trace").last.locator(".point").nth(place)
        point.scroll_into_view_if_needed()
        box = point.bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def rgb(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"


def test_nothing_leaves_the_page_and_every_section_renders(browser: Browser, report: Path) -> None:
    with Visit(browser, report) as visit:
        for section in SECTIONS:
            assert visit.page.locator(f"section#{section} h2").is_visible()
        for figure in visit.page.locator("[data-figure]").all():
            assert figure.locator(".main-svg").first.is_visible()
        assert visit.page.locator("#figure-pareto .point").count() > 20
        assert visit.page.locator("#figure-space canvas").count() > 0
        visit.page.locator("#figure-pareto").hover()
        titles = visit.page.eval_on_selector_all(".modebar-btn", "all => all.map(e => e.dataset.title || '')")
        assert titles
        assert not any(re.search(r"share|cloud|edit|chart studio", title, re.IGNORECASE) for title in titles)
        assert visit.page.locator(".modebar-btn.plotlyjsicon").count() == 0
        assert visit.complaints == []
        assert all(url.startswith(("file:", "data:", "blob:")) for url in visit.requests)


def test_the_page_forbids_itself_the_network(browser: Browser, report: Path) -> None:
    with Visit(browser, report) as visit:
        script = "() => fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')"
        assert visit.page.evaluate(script) == "refused"
        assert any("Content Security Policy" in complaint for complaint in visit.complaints)


def test_hover_shows_the_configuration_and_the_command(browser: Browser, report: Path) -> None:
    with Visit(browser, report) as visit:
        visit.page.mouse.move(*visit.point())
        label = visit.page.locator("#figure-pareto .hovertext")
        label.wait_for()
        text = label.text_content() or ""
        assert "lorap-bench train made-up.toml" in text
        assert "--set prompt.count=" in text
        assert "kind=LoRAP" in text
        assert "(n = 3)" in text


def test_every_front_point_answers_the_pointer(browser: Browser, report: Path) -> None:
    with Visit(browser, report) as visit:
        targets = visit.page.locator("#figure-pareto .scatterlayer .trace").last.locator(".point")
        numbers = visit.page.evaluate("() => document.getElementById('figure-pareto').data.at(-1).customdata")
        assert targets.count() == len(numbers) > 3
        for place, number in list(enumerate(numbers))[::3]:
            visit.page.mouse.click(*visit.point(place))
            title = visit.page.locator("#card h2").text_content() or ""
            assert title.startswith(f"Trial {number} ")
            visit.page.keyboard.press("Escape")


def test_a_click_opens_the_card_of_the_trial(browser: Browser, report: Path) -> None:
    with Visit(browser, report) as visit:
        visit.page.mouse.click(*visit.point())
        card = visit.page.locator("#card")
        card.wait_for()
        command = card.locator("code").first.text_content() or ""
        assert re.fullmatch(r"lorap-bench train made-up\.toml( --set [\w.]+=[\w.-]+){5}( --seed \d+){3}", command)
        number = visit.page.locator("#table-front tr.chosen").get_attribute("data-trial")
        assert (card.locator("h2").text_content() or "").startswith(f"Trial {number} ")
        assert card.locator("table tbody tr").count() == 3 + 10  # replicas of the search and of the confirmation
        text = card.inner_text()
        for expected in ("layers.0.weight", "prompt.kind = LoRAP", "model bytes", "validation accuracy"):
            assert expected in text
        card.press("Escape")
        assert card.is_hidden()


def test_the_tables_reach_every_card_by_keyboard(browser: Browser, report: Path) -> None:
    with Visit(browser, report) as visit:
        button = visit.page.locator("#table-front [data-pick]").nth(2)
        button.press("Enter")
        expected = f"Trial {button.get_attribute('data-pick')} "
        assert (visit.page.locator("#card h2").text_content() or "").startswith(expected)
        assert visit.page.evaluate("() => document.activeElement.id") == "card"
        visit.page.keyboard.press("Escape")
        assert visit.page.evaluate("() => document.activeElement.dataset.pick") == button.get_attribute("data-pick")


def test_a_box_in_the_plane_selects_in_every_figure_and_table(browser: Browser, report: Path) -> None:
    with Visit(browser, report) as visit:
        plot = visit.page.locator("#figure-pareto .nsewdrag").first
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        assert box is not None
        rows = visit.page.locator("#table-front tbody tr")
        before = rows.count()
        visit.page.mouse.move(box["x"] + 2, box["y"] + 2)
        visit.page.mouse.down()
        visit.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 2, steps=4)
        visit.page.mouse.up()
        visit.page.locator("#selection").wait_for()
        count = selected(visit)
        assert 0 < count < visit.page.evaluate("() => document.querySelectorAll('.parallel polyline').length")
        assert 0 < rows.filter(visible=True).count() < before
        drawn = "() => document.getElementById('figure-space').data.flatMap((trace) => trace.customdata ?? []).length"
        assert visit.page.evaluate(drawn) == count
        visit.page.locator("#clear").click()
        assert rows.filter(visible=True).count() == before
        assert visit.page.locator("#selection").is_hidden()
        assert visit.complaints == []


def test_brushing_an_axis_filters_and_a_click_on_it_ends_that(browser: Browser, report: Path) -> None:
    with Visit(browser, report) as visit:
        lines = visit.page.locator(".parallel polyline")
        count = lines.count()
        handle = visit.page.locator(".parallel .handle").nth(1)
        handle.scroll_into_view_if_needed()
        box = handle.bounding_box()
        assert box is not None
        x, top, height = box["x"] + box["width"] / 2, box["y"], box["height"]
        visit.page.mouse.move(x, top + 9)
        visit.page.mouse.down()
        visit.page.mouse.move(x, top + height / 3, steps=3)
        visit.page.mouse.up()
        visit.page.locator("#selection").wait_for()
        assert visit.page.locator(".parallel .brush").count() == 1
        chosen = selected(visit)
        assert 0 < chosen < count
        kept = visit.page.locator('.parallel polyline[stroke^="rgb"]')
        assert kept.count() == chosen
        visit.page.mouse.click(x, top + height / 2)
        assert visit.page.locator("#selection").is_hidden()
        assert kept.count() == count


def test_the_filters_brush_by_keyboard(browser: Browser, report: Path) -> None:
    with Visit(browser, report) as visit:
        visit.page.locator(".filters summary").press("Enter")
        visit.page.locator(".filters select").first.select_option(index=1)
        before = selected(visit)
        visit.page.locator(".filters select").nth(1).select_option(index=1)
        assert 0 <= selected(visit) <= before
        visit.page.locator("#clear").press("Enter")
        assert visit.page.locator(".filters select").first.input_value() == ""
        assert visit.page.locator("#selection").is_hidden()


def selected(visit: Visit) -> int:
    """Return how many trials the page says are selected."""
    found = re.match(r"\d+", visit.page.locator("#selection-text").inner_text())
    assert found is not None
    return int(found[0])


def test_headings_sort_the_table_gaps_last(browser: Browser, report: Path) -> None:
    with Visit(browser, report) as visit:
        cells = "all => all.map(e => e.dataset.value)"
        for column, name in ((2, "Validation accuracy"), (3, "Test accuracy")):
            button = visit.page.locator("#table-front thead button", has_text=name)
            for direction in ("ascending", "descending"):
                button.press("Enter")
                shown = visit.page.eval_on_selector_all(f"#table-front tbody tr > :nth-child({column})", cells)
                numbers = [float(value) for value in shown if value]
                assert numbers == sorted(numbers, reverse=direction == "descending")
                assert "" not in shown[: len(numbers)]
                assert visit.page.locator(f"#table-front th[aria-sort={direction}]").count() == 1


def test_copy_puts_the_command_on_the_clipboard(browser: Browser, report: Path) -> None:
    with Visit(browser, report) as visit:
        visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
        button = visit.page.locator("#table-front .copy").first
        button.click()
        visit.page.locator("#table-front .copy", has_text="Copied").wait_for()
        command = visit.page.locator("#table-front code").first.text_content()
        assert command
        assert visit.page.evaluate("() => navigator.clipboard.readText()") == command


def test_dark_follows_the_system_and_the_toggle(browser: Browser, report: Path) -> None:
    with Visit(browser, report, scheme="dark") as visit:
        assert visit.background() == [rgb(DARK.background)] * 2
        visit.page.locator("#theme").press("Enter")
        assert visit.background() == [rgb(LIGHT.background)] * 2
        visit.page.locator("#theme").press("Enter")
        assert visit.background() == [rgb(DARK.background)] * 2
        assert visit.complaints == []


@pytest.mark.parametrize("width", [390, 1280])
def test_no_sideways_scrolling(browser: Browser, report: Path, width: int) -> None:
    with Visit(browser, report, width=width) as visit:
        assert visit.page.evaluate("() => document.documentElement.scrollWidth") <= width
        for card in visit.page.locator(".card, .checks li, .figure").all():
            box = card.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
        assert visit.complaints == []


def test_paper_is_light_and_holds_the_figures(browser: Browser, report: Path) -> None:
    with Visit(browser, report, scheme="dark") as visit:
        visit.page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
        visit.page.emulate_media(media="print")
        assert visit.background() == [rgb(LIGHT.background)] * 2
        assert visit.page.locator(".top").is_hidden()
        assert visit.page.locator("#figure-pareto .main-svg").first.is_visible()
        assert visit.page.pdf(format="A4").startswith(b"%PDF")


def test_data_comes_out_of_the_page_alone(browser: Browser, report: Path) -> None:
    with Visit(browser, report) as visit:
        for name, head in (("data.csv", "number,status"), ("data.json", "{"), ("made-up.toml", "version = 1")):
            with visit.page.expect_download() as waiting:
                visit.page.locator(f".downloads a[download='{name}']").click()
            assert waiting.value.suggested_filename == name
            assert Path(waiting.value.path()).read_text(encoding="utf-8").startswith(head)


def test_every_table_can_be_saved(browser: Browser, report: Path) -> None:
    with Visit(browser, report) as visit:
        with visit.page.expect_download() as waiting:
            visit.page.locator("[data-csv=table-front]").click()
        assert waiting.value.suggested_filename == "front.csv"
        head, first, *rest = Path(waiting.value.path()).read_text(encoding="utf-8").splitlines()
        assert head.startswith("Trial,Validation accuracy,Validation accuracy std,Validation accuracy low,")
        assert re.match(r"\d+,0\.\d+,0\.\d+,0\.\d+,0\.\d+,3,", first)
        assert all(len(row.split(",")) >= len(head.split(",")) for row in rest)
