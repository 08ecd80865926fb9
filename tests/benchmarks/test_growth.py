"""The synthetic graphs of the growth benchmark, and its charts."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
import torch

from benchmarks.bench_growth import power_law_task
from benchmarks.chart import Chart, svg


def test_power_law_graph_is_a_valid_task() -> None:
    task = power_law_task(10_000)
    source, target = task.edge_index
    assert task.edge_index.shape == (2, 10_000)
    assert task.x.shape == (2_000, 64)
    assert not (source == target).any()
    keys = target * 2_000 + source
    assert (keys.diff() > 0).all()
    assert torch.equal((source * 2_000 + target).sort().values, keys)
    assert task.splits["train"].numel() + task.splits["val"].numel() == 2_000
    assert torch.equal(power_law_task(10_000).edge_index, task.edge_index)


def test_degrees_fall_as_a_power() -> None:
    degree = torch.bincount(power_law_task(100_000).edge_index[1], minlength=20_000).double()
    # Expected degree of node i is about (i + 1)^-1/2: a hundred times further down, a tenth.
    near, far = degree[50:150].mean(), degree[5_000:15_000].mean()
    assert near / far == pytest.approx(10, rel=0.15)


def test_chart_places_points_on_logarithmic_axes() -> None:
    line = [(1.0, 0.01), (10.0, 0.1), (100.0, 1.0)]
    root = ET.fromstring(svg([Chart("title", "x & y", "seconds", {"one": line, "two": line[:2]})]))
    ns = {"svg": "http://www.w3.org/2000/svg"}
    lines = root.findall(".//svg:polyline", ns)
    assert len(lines) == 2
    places = [tuple(float(value) for value in point.split(",")) for point in lines[0].attrib["points"].split()]
    (x0, y0), (x1, y1), (x2, y2) = places
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)
    assert y0 - y1 == pytest.approx(y1 - y2, abs=0.2)
    assert y0 > y1
    assert "x & y" in [text.text for text in root.findall(".//svg:text", ns)]
