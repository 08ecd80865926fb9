"""What each way to end took."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lorap_bench.record import Status, TrialRecord
from lorap_bench.report.endings import endings

if TYPE_CHECKING:
    from tests.report.conftest import RecordMaker


def ran(record: TrialRecord, epochs: int, asked: int, **quant: object) -> TrialRecord:
    config = record.config | {"optim": {"epochs": asked}, "quant": {"scheme": "QAT"} | quant}
    return replace(record, config=config, members=tuple(replace(member, epochs=epochs) for member in record.members))


def test_pruning_leaves_epochs_out(make_record: RecordMaker) -> None:
    whole = ran(make_record(0, seconds=6.0), 60, 60)
    pruned = ran(make_record(1, status=Status.PRUNED, seconds=2.0), 20, 60)
    one, two = endings([pruned, whole])
    assert (one.status, one.trials, one.seconds, one.run, one.asked) == (Status.COMPLETE, 1, 6.0, 180, 180)
    assert (two.status, two.trials, two.seconds, two.run, two.asked) == (Status.PRUNED, 1, 2.0, 60, 180)


def test_earlier_stages_count_where_a_complete_trial_had_them(make_record: RecordMaker) -> None:
    stages = {"scheme": "MixQ", "search_epochs": 50, "pretrain_epochs": 10}
    whole = ran(make_record(0), 120, 60, **stages)
    pruned = ran(make_record(1, status=Status.PRUNED), 80, 60, **stages)
    other = ran(make_record(2, status=Status.PRUNED), 20, 60)
    assert [one.asked for one in endings([whole, pruned])] == [360, 360]
    assert [one.asked for one in endings([whole, other])] == [360, 180]


def test_what_was_never_trained_was_asked_for_nothing(make_record: RecordMaker) -> None:
    duplicate = ran(make_record(0, status=Status.DUPLICATE, seconds=0.0), 60, 60)
    (one,) = endings([duplicate])
    assert (one.trials, one.run, one.asked) == (1, 0, 0)
    assert endings([]) == []
