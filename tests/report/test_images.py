"""Figures as pictures, by the browser of this machine.

Skipped where kaleido or a Chromium is missing. A browser is never downloaded.
"""

from __future__ import annotations

import os
import re
import struct
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import plotly.graph_objects as go
import pytest

from lorap_bench.errors import MissingResource
from lorap_bench.report import images
from lorap_bench.report.assemble import assemble
from lorap_bench.report.document import Column, Figure, Table
from lorap_bench.report.figures import base_figure
from lorap_bench.report.images import WIDTH, find_browser, pictures, require_images
from lorap_bench.report.material import Material
from lorap_bench.report.palette import LIGHT
from lorap_bench.report.raw import figures
from lorap_bench.report.write import write_report
from tests.report.hostile import HOSTILE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Make = Callable[..., Any]

LACKING = [
    name for name, found in (("kaleido", find_spec("kaleido")), ("Chrome or Chromium", find_browser())) if found is None
]
drawing = pytest.mark.skipif(bool(LACKING), reason=f"not on this machine: {', '.join(LACKING)}")
TABLE = Table(id="t", caption="", columns=(Column("A"),), rows=[(1,)])
PNG = b"\x89PNG\r\n\x1a\n"


def figure(name: str, title: str = "x") -> Figure:
    plot = base_figure(title, "accuracy", height=300)
    plot.add_trace(go.Scatter(x=[1, 2], y=[3, 4], name=title, mode="lines+markers"))
    plot.add_trace(go.Scatter(x=[1, 2], y=[4, 3], name="other"))
    return Figure(id=name, label=title, plot=plot, table=TABLE)


def size(png: bytes) -> tuple[int, int]:
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@pytest.mark.browser
@drawing
@pytest.mark.slow
def test_every_figure_of_a_study_is_drawn_the_same_each_time(make_spec: Make, make_study: Make) -> None:
    found = figures(assemble(Material(make_spec(), make_study(20))))
    drawn = pictures(found, ("svg", "png"))
    assert set(drawn) == {f"{one.id}.{kind}" for one in found for kind in ("svg", "png")}
    for one in found:
        svg, png = drawn[f"{one.id}.svg"], drawn[f"{one.id}.png"]
        root = ET.fromstring(svg)
        assert (root.get("width"), root.get("height")) == (str(WIDTH), str(one.plot.layout.height))
        assert png.startswith(PNG)
        assert size(png) == (2 * WIDTH, 2 * one.plot.layout.height)
    assert LIGHT.background.encode() in drawn["pareto.svg"] or b"rgb(255, 255, 255)" in drawn["pareto.svg"]
    again = pictures(found, ("svg",))
    assert {name: data for name, data in drawn.items() if name.endswith(".svg")} == again


@pytest.mark.browser
@drawing
def test_hostile_names_stay_text_and_reach_no_network() -> None:
    drawn = pictures([figure(f"f{place}", text[:500]) for place, text in enumerate(HOSTILE)], ("svg",))
    assert len(drawn) == len(HOSTILE)
    for data in drawn.values():
        tags = {element.tag.rpartition("}")[2] for element in ET.fromstring(data).iter()}
        assert not tags & {"script", "foreignObject", "iframe"}
        assert not re.search(rb'(?:href|src)="https?:', data)


@pytest.mark.browser
@drawing
def test_pictures_lie_beside_markdown_which_shows_them(
    make_spec: Make, make_study: Make, make_folder: Make, tmp_path: Path
) -> None:
    spec = make_spec()
    out = write_report((make_folder(spec, make_study(20)), spec), tmp_path / "out", formats=("md", "png"))
    shown = re.findall(r"!\[[^\n]*\]\((figures/[\w-]+\.png)\)", (out / "report.md").read_text(encoding="utf-8"))
    assert "figures/pareto.png" in shown
    assert sorted(shown) == sorted(path.relative_to(out).as_posix() for path in (out / "figures").iterdir())


@drawing
def test_a_browser_that_does_not_start_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "browser"
    broken.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    broken.chmod(0o755)
    monkeypatch.setattr("choreographer.browsers.chromium.Chromium.find_browser", lambda **_: str(broken))
    with pytest.raises(MissingResource, match=f"{re.escape(str(broken))}: the browser does not start"):
        pictures([figure("one")], ("svg",))


def test_a_browser_that_is_named_but_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(os.environ, "BROWSER_PATH", str(tmp_path / "none"))
    monkeypatch.setitem(os.environ, "PATH", str(tmp_path))
    monkeypatch.setattr(images, "find_spec", lambda name: None if name == "choreographer" else name)
    with pytest.raises(
        MissingResource, match=r"pictures need a Chrome or Chromium .*BROWSER_PATH.*nothing was written"
    ):
        require_images()
