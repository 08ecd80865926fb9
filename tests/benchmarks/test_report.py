"""The made-up studies, and what is measured on them."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from benchmarks.bench_report import cost, measured
from benchmarks.made_up_study import made_up_records, made_up_spec, make_up
from lorap_bench.report.table import front_records

if TYPE_CHECKING:
    from pathlib import Path

    from lorap_bench.record import TrialRecord


def as_stored(record: TrialRecord) -> str:
    return json.dumps(record.to_mapping())


def test_a_made_up_study_is_a_plausible_one(tmp_path: Path) -> None:
    folder = make_up(tmp_path, 400)
    records, spec = folder.records(), made_up_spec(400)
    assert list(map(as_stored, records)) == list(map(as_stored, made_up_records(spec)))
    assert (folder.root.name, folder.manifest.identity, len(spec.space)) == ("made-up-400", spec.identity, 8)
    states = Counter(record.status.value for record in records)
    assert 0.03 * 400 < states["diverged"] + states["out_of_memory"] + states["timeout"] < 0.09 * 400
    assert min(states[name] for name in ("pruned", "invalid", "duplicate")) > 0
    assert any(not record.feasible for record in records if record.status == "complete")
    front = front_records(spec, records)
    confirmed = folder.confirmations()
    assert sorted(confirmed) == [record.number for record in front][:40]
    assert {len(one.record.members) for one in confirmed.values()} == {10}
    assert {len(one.baselines) for one in confirmed.values()} == {2}
    assert len(folder.curves(front[0].number)["val_metric"]) == 3


@pytest.mark.slow
def test_each_command_is_measured_in_a_process_of_its_own(tmp_path: Path) -> None:
    rows = measured(20, tmp_path, rounds=1)
    assert [row["command"] for row in rows] == ["report", "export csv", "export json", "export parquet"]
    for row in rows:
        assert (row["trials"], row["rounds"], row["spread"]) == (20, 1, 0.0)
        assert min(row["wall s"], row["CPU s"], row["peak MiB"], row["bytes"]) > 0


def test_a_command_that_fails_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ended with 2"):
        cost(["report", "nowhere", "--runs", str(tmp_path)])
