"""Many records read at once."""

from __future__ import annotations

import gc
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from lorap_bench.errors import StoreError
from lorap_bench.record import MemberResult, Status, TrialRecord
from lorap_bench.store.atomic import write_json
from lorap_bench.store.collector import collector_rests
from lorap_bench.store.numbered import numbered, place, read_records

if TYPE_CHECKING:
    from pathlib import Path


def record(number: int) -> TrialRecord:
    member = MemberResult(
        seed=number, status=Status.COMPLETE, val=0.5, bits={"layers.0": 2.5}, aggregation_error=[(1.0, 2.0)]
    )
    config = {"quant": {"bits": 4}}
    return TrialRecord(status=Status.COMPLETE, config=config, digest=str(number), number=number, members=(member,))


def test_records_come_in_order_and_share_their_keys(tmp_path: Path) -> None:
    for number in (10, 2, 1_000_000):
        write_json(place(tmp_path, number), record(number).to_mapping())
    found = read_records(numbered(tmp_path))
    assert [each.number for each in found] == [2, 10, 1_000_000]
    assert found[0].members[0].bits == {"layers.0": 2.5}
    assert len({id(next(iter(each.config["quant"]))) for each in found}) == 1


def test_a_damaged_record_among_many_is_named(tmp_path: Path) -> None:
    for number in range(3):
        write_json(place(tmp_path, number), record(number).to_mapping())
    place(tmp_path, 1).write_bytes(b'{"schema_version": 1, "reason": "\xff"}')
    with pytest.raises(StoreError, match=r"000001\.json: damaged"):
        read_records(numbered(tmp_path))
    assert gc.isenabled()


def test_plain_values_of_a_record_are_all_its_fields() -> None:
    one = record(3)
    assert one.to_mapping() == asdict(one)
    assert list(one.to_mapping()) == list(asdict(one))


def test_the_collector_goes_on_as_it_was() -> None:
    with collector_rests():
        assert not gc.isenabled()
        with collector_rests():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
