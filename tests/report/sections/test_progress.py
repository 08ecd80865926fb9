"""The hypervolume over what was spent: what counts as spending."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lorap_bench.record import Status
from lorap_bench.report.document import Words
from lorap_bench.report.material import Material
from lorap_bench.report.sections.progress import history, section

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.record import TrialRecord
    from lorap_bench.study.spec import StudySpec

    MakeRecord = Callable[..., TrialRecord]
    MakeSpec = Callable[..., StudySpec]


def test_trials_that_were_not_trained_spend_no_trial(make_spec: MakeSpec, make_record: MakeRecord) -> None:
    """Half of a random search in a small space repeats itself: beside another it must not look slower for that."""
    records = [
        make_record(0, 0.7),
        make_record(1, 0.7, status=Status.DUPLICATE, duplicate_of=0, members=(), seconds=0.0),
        make_record(2, 0.7, status=Status.INVALID, members=(), seconds=0.0),
        make_record(3, 0.8),
        make_record(4, 0.8, status=Status.DIVERGED, objectives={}),
        make_record(5, 0.8, status=Status.WORKER_LOST, members=(), objectives={}),
    ]
    found = history(Material(make_spec(), records))
    assert found.spent["trials"].tolist() == [1, 1, 1, 2, 3, 3]
    assert found.spent["epochs"].tolist() == [180, 180, 180, 360, 540, 540]
    box = [accuracy * (1 - 4 / 32) * 0.99 for accuracy in (0.7, 0.7, 0.7, 0.8, 0.8, 0.8)]
    assert found.value.tolist() == pytest.approx(box)
    (words, *_) = section(Material(make_spec(), records)).blocks
    assert isinstance(words, Words)
    assert "after 3 trials of the budget" in words.text
