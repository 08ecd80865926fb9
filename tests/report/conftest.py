"""Made-up records for the report's tests: real shapes, figures from closed formulas, no training."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.config import TrialConfig, digest_of
from lorap_bench.record import MemberResult, Outcome, Status, TrialRecord
from lorap_bench.store.folder import StudyFolder
from lorap_bench.store.look import Baseline, Confirmation, Look, Subject
from lorap_bench.study.space import overlay
from lorap_bench.study.spec import StudySpec

if TYPE_CHECKING:
    from pathlib import Path

SpecMaker = Callable[..., StudySpec]
RecordMaker = Callable[..., TrialRecord]
ConfirmationMaker = Callable[..., Confirmation]
StudyMaker = Callable[..., list[TrialRecord]]


def _spec(**changes: Any) -> StudySpec:
    mapping: dict[str, Any] = {
        "version": 1,
        "name": "made-up",
        "description": "How many prompts, of which rank, at which width?",
        "objectives": ["accuracy", "average_bits", "overhead"],
        "task": {"dataset": "Cora"},
        "model": {"hidden": 64},
        "prompt": {"kind": "LoRAP"},
        "space": {
            "prompt.count": {"choices": [1, 2, 4, 8, 16]},
            "prompt.rank": {"int": [1, 16], "log": True},
            "optim.lr": {"float": [1e-3, 1e-1], "log": True},
            "quant.layer_bits.0": {"choices": [2, 4, 8]},
            "quant.layer_bits.1": {"choices": [2, 4, 8]},
        },
        "constraints": {"average_bits": "<= 7"},
        "replicas": {"search": 3},
        "budget": {"trials": 30},
    }
    return StudySpec.from_mapping(mapping | changes)


def _members(values: list[float], *, first: int = 0, test: bool = False) -> tuple[MemberResult, ...]:
    return tuple(
        MemberResult(
            seed=first + place,
            status=Status.COMPLETE,
            val=value,
            test=value - 0.01 if test else None,
            best_epoch=40,
            epochs=60,
        )
        for place, value in enumerate(values)
    )


def _record(
    number: int = 0, accuracy: float = 0.8, bits: float = 4.0, overhead: float = 1.0, **changes: Any
) -> TrialRecord:
    """Return a complete trial whose three seeds lie 0.01 below, on and above its accuracy."""
    params = changes.pop("params", {"prompt.count": 4, "prompt.rank": 2})
    config = overlay(_spec().base, params).to_mapping()
    values: dict[str, Any] = {
        "status": Status.COMPLETE,
        "number": number,
        "config": config,
        "digest": digest_of({"config": config, "number": number}),
        "params": params,
        "objectives": {"accuracy": accuracy, "average_bits": bits, "overhead": overhead},
        "costs": {"average_bits": bits, "overhead": overhead, "model_bytes": 1000.0},
        "members": _members([accuracy - 0.01, accuracy, accuracy + 0.01]),
        "seconds": 2.5,
        "started": f"2026-01-01T00:{number % 60:02d}:00+00:00",
        "provenance": {"commit": "0123abc", "device": "cpu", "versions": {"torch": "2.13.0"}},
    }
    return TrialRecord(**(values | changes))


def _study(count: int = 40, *, seed: int = 0) -> list[TrialRecord]:
    """Return trials of a plausible search: complete, infeasible, failed, invalid and duplicate ones."""
    rng = random.Random(seed)
    return [_drawn(number, rng) for number in range(count)]


def _drawn(number: int, rng: random.Random) -> TrialRecord:
    params: dict[str, Any] = {
        "prompt.count": rng.choice([1, 2, 4, 8, 16]),
        "prompt.rank": rng.choice([1, 2, 3, 4, 6, 8, 12, 16]),
        "optim.lr": round(10 ** rng.uniform(-3, -1), 6),
        "quant.layer_bits.0": rng.choice([2, 4, 8]),
        "quant.layer_bits.1": rng.choice([2, 4, 8]),
    }
    first, second = params["quant.layer_bits.0"], params["quant.layer_bits.1"]
    bits = 0.8 * first + 0.2 * second
    overhead = 0.08 * params["prompt.count"] * params["prompt.rank"] ** 0.6
    mean = 0.83 - 0.35 / bits**1.2 + 0.02 * min(overhead, 2) ** 0.5 + rng.gauss(0, 0.012)
    spread = [mean + rng.gauss(0, 0.008) for _ in range(3)]
    sites = {f"layers.{layer}.{part}": (first, second)[layer] for layer in (0, 1) for part in ("input", "weight")}
    changes: dict[str, Any] = {
        "params": params,
        "members": _members(spread),
        "violations": {"average_bits": bits - 7},
        "effective": {"bits": sites, "ranks": [params["prompt.rank"], min(params["prompt.rank"], 7)]},
    }
    changes["effective"]["clamped"] = params["prompt.rank"] > 7
    if number % 11 == 7:
        reason = "loss is not finite in epoch 12 of seed 2, see /home/someone/runs/log.txt"
        changes |= {"status": Status.DIVERGED, "reason": reason, "members": (), "objectives": {}}
    if number % 13 == 9:
        changes |= {"status": Status.DUPLICATE, "duplicate_of": 3, "seconds": 0.0}
    if number % 17 == 5:
        changes |= {"status": Status.INVALID, "reason": "average_bits <= 7", "members": (), "seconds": 0.0}
    return _record(number, sum(spread) / 3, bits, overhead, **changes)


def _confirmation(record: TrialRecord, *, look: int = 1) -> Confirmation:
    """Return a trial on ten fresh seeds, 0.02 above no prompt whatever the seed, and about 0.01 below FP32."""
    values = [record.objectives["accuracy"] + 0.004 * (place - 4.5) / 3 for place in range(10)]
    plain = [value - 0.02 for value in values]
    best = [value + 0.01 + 0.001 * (-1) ** place for place, value in enumerate(values)]
    changes: dict[str, Any] = {name: getattr(record, name) for name in ("params", "digest", "config")}

    def looked(figures: list[float], **own: Any) -> TrialRecord:
        members = _members(figures, first=100, test=True)
        return _record(record.number, record.objectives["accuracy"], **(changes | own | {"members": members}))

    baselines = {
        role: looked(figures, digest=digest_of({"of": record.digest, "role": role}))
        for role, figures in ((Baseline.NO_PROMPT, plain), (Baseline.FP32, best))
    }
    return Confirmation(look=look, record=looked(values), baselines=baselines)


def _look_of(confirmed: list[Confirmation]) -> Look:
    def subject(one: Confirmation) -> Subject:
        digests = {role: record.digest for role, record in one.baselines.items()}
        return Subject(number=one.record.number, digest=one.record.digest, baselines=digests)

    seeds = tuple(range(100, 110))
    return Look(number=1, seeds=seeds, subjects=tuple(map(subject, confirmed)), started="2026-01-02T00:00:00+00:00")


@pytest.fixture
def make_spec() -> SpecMaker:
    return _spec


@pytest.fixture
def make_record() -> RecordMaker:
    return _record


@pytest.fixture
def make_study() -> StudyMaker:
    return _study


@pytest.fixture
def make_confirmation() -> ConfirmationMaker:
    return _confirmation


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., StudyFolder]:
    def make(spec: StudySpec, records: list[TrialRecord], confirmed: list[Confirmation] | None = None) -> StudyFolder:
        folder = StudyFolder.create(tmp_path / "runs", spec.to_mapping(), spec.identity)
        for record in records:
            folder.write(Outcome(record, {}))
        if confirmed:
            look = _look_of(confirmed)
            folder.looks.begin(look)
            for record in (found for one in confirmed for found in (one.record, *one.baselines.values())):
                folder.looks.write(look, record.digest, record)
            folder.looks.finish(look, "2026-01-03T00:00:00+00:00")
        return folder

    return make


@pytest.fixture
def base_config() -> TrialConfig:
    return _spec().base
