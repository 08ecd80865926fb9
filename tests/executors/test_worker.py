from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from lorap_bench.config import TrialConfig
from lorap_bench.errors import ConfigError, MissingResource
from lorap_bench.executors.worker import Duty, pack_jobs, run_packed, unpack_outcomes
from lorap_bench.record import Status
from lorap_bench.search.job import Job
from tests.search.synthetic import train

TRAINERS = "tests.executors.ray_trainers"
CONFIG = TrialConfig()
JOB = Job(number=3, attempt=0, params={}, config=CONFIG, seeds=(1, 2), costs={"average_bits": 4.0})


def test_a_job_and_its_outcome_survive_the_journey() -> None:
    other = replace(CONFIG, quant=replace(CONFIG.quant, bits=2))
    jobs = [JOB, Job(number=4, attempt=0, params={}, config=other, seeds=(3,), costs={}, judged=False)]
    there_and_back = unpack_outcomes(run_packed(Duty(f"{TRAINERS}:plain"), pack_jobs(jobs)))
    assert there_and_back == [train(CONFIG, (1, 2)), train(other, (3,))]


class Bench:
    """Stops every trial it is asked about, at the first of two rungs."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def rungs(self, epochs: int) -> tuple[int, ...]:
        return (1, 2)

    def judge(self, epoch: int, values: Any, costs: Any) -> dict[int, str]:
        self.asked.append((epoch, values, costs))
        return dict.fromkeys(values, "enough")


def test_trials_are_judged_under_their_own_numbers() -> None:
    rest = replace(JOB, number=5, judged=False)
    bench = Bench()
    outcomes = unpack_outcomes(run_packed(Duty(f"{TRAINERS}:judged"), pack_jobs([JOB, rest]), bench))
    assert [outcome.record.status for outcome in outcomes] == [Status.PRUNED, Status.COMPLETE]
    assert outcomes[0].record.reason == "enough"
    assert bench.asked == [(1, {3: [0.5, 0.5]}, {3: {"average_bits": 4.0}}), (2, {}, {})]


def test_gpus_are_in_the_record_and_the_deadline_reaches_the_trainer() -> None:
    duty = Duty(f"{TRAINERS}:timed", seconds=7.5, gpus=0.25)
    (outcome,) = unpack_outcomes(run_packed(duty, pack_jobs([JOB])))
    assert outcome.record.provenance["gpus"] == 0.25
    assert outcome.record.reason == "7.5"


@pytest.mark.parametrize(
    ("trainer", "kind", "message"),
    [
        ("buggy", RuntimeError, "a worker failed:\nTraceback.*the trainer has a bug"),
        ("without_data", MissingResource, "Cora: no such file"),
        ("impossible", ConfigError, "model.heads: do not divide"),
    ],
)
def test_errors_travel_as_values(trainer: str, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=f"(?s){message}"):
        unpack_outcomes(run_packed(Duty(f"{TRAINERS}:{trainer}"), pack_jobs([JOB])))


def test_an_error_of_an_unknown_class_is_still_ours() -> None:
    text = json.dumps({"error": "Stranger", "message": "odd"})
    with pytest.raises(Exception, match="odd") as caught:
        unpack_outcomes(text)
    assert type(caught.value).__name__ == "LorapBenchError"


def test_numbers_that_json_does_not_know_survive() -> None:
    outcome = train(CONFIG, (1,))
    text = json.dumps([{"record": outcome.record.to_mapping(), "curves": {"loss": [[math.nan, math.inf]]}}])
    curves: dict[str, Any] = unpack_outcomes(text)[0].curves
    assert math.isnan(curves["loss"][0][0])
    assert curves["loss"][0][1] == math.inf
