from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from lorap_bench.config import TrialConfig
from lorap_bench.errors import ConfigError, MissingResource
from lorap_bench.executors.worker import pack_jobs, run_packed, unpack_outcomes
from lorap_bench.search.loop import Job
from tests.search.synthetic import train

TRAINERS = "tests.executors.ray_trainers"
CONFIG = TrialConfig()
JOB = Job(number=3, attempt=0, params={}, config=CONFIG, seeds=(1, 2))


def test_a_job_and_its_outcome_survive_the_journey() -> None:
    other = replace(CONFIG, quant=replace(CONFIG.quant, bits=2))
    jobs = [JOB, Job(number=4, attempt=0, params={}, config=other, seeds=(3,))]
    there_and_back = unpack_outcomes(run_packed(f"{TRAINERS}:plain", pack_jobs(jobs)))
    assert there_and_back == [train(CONFIG, (1, 2)), train(other, (3,))]


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
        unpack_outcomes(run_packed(f"{TRAINERS}:{trainer}", pack_jobs([JOB])))


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
