"""The width of each site."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lorap_bench.report.site_bits import site_bits, site_parts, sites

if TYPE_CHECKING:
    from tests.report.conftest import RecordMaker


def test_a_learned_width_is_the_mean_over_members(make_record: RecordMaker) -> None:
    record = make_record(0, effective={"bits": {"layers.0.weight": 4, "layers.1.input": 8}})
    learned = zip(record.members, (3.0, 4.0, 5.0), strict=True)
    members = tuple(replace(member, bits={"layers.1.input": bits}) for member, bits in learned)
    assert site_bits(replace(record, members=members)) == {"layers.0.weight": 4.0, "layers.1.input": 4.0}


def test_a_record_without_sites_has_none(make_record: RecordMaker) -> None:
    assert site_bits(make_record(0)) == {}
    assert sites([make_record(0)]) == []


def test_sites_of_different_schemes_stand_in_the_order_of_the_network(make_record: RecordMaker) -> None:
    few = make_record(0, effective={"bits": {"layers.0.input": 8, "layers.0.weight": 8, "layers.1.input": 8}})
    more = make_record(1, effective={"bits": {"layers.0.input": 4, "layers.0.norm": 4, "layers.0.weight": 4}})
    other = make_record(2, effective={"bits": {"layers.0.weight": 4, "layers.0.update": 4, "layers.1.input": 4}})
    expected = ["layers.0.input", "layers.0.norm", "layers.0.weight", "layers.0.update", "layers.1.input"]
    assert sites([few, more, other]) == expected


@pytest.mark.parametrize(
    ("site", "parts"),
    [
        ("layers.0.mlp.1.weight", ("layer 0", "mlp.1.weight")),
        ("head.0.input", ("head", "0.input")),
        ("weight", ("", "weight")),
        ("layers.3", ("layer 3", "3")),
    ],
)
def test_a_site_is_in_a_part_of_the_network(site: str, parts: tuple[str, str]) -> None:
    assert site_parts(site) == parts
