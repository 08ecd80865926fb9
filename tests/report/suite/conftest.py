"""Made-up cells of a suite: real shapes, figures from closed formulas, no training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from lorap_bench.config import TrialConfig, digest_of
from lorap_bench.record import MemberResult, Status, TrialRecord
from lorap_bench.report.suite.entry import Entry
from lorap_bench.report.suite.material import SuiteMaterial
from lorap_bench.study.space import overlay

EntryMaker = Callable[..., Entry]
MaterialMaker = Callable[..., SuiteMaterial]


def _entry(
    dataset: str,
    arch: str,
    scheme: str,
    prompt: str,
    tests: Sequence[float | None] = (),
    *,
    trainings: int = 0,
    bits: float = 4.0,
    status: Status = Status.DIVERGED,
    metric: str = "accuracy",
    axes: dict[str, Any] | None = None,
    skipped: str = "",
    tuning: dict[str, Any] | None = None,
) -> Entry:
    """Return a cell with a seed a test figure; None is a training that ended with ``status``."""
    named = {"dataset": dataset, "arch": arch, "scheme": scheme, "prompt": prompt, **(axes or {})}
    settings = {"task.dataset": dataset, "model.arch": arch, "quant.scheme": scheme, "prompt.kind": prompt}
    config = overlay(TrialConfig(), settings).to_mapping()
    members = tuple(
        MemberResult(
            seed=seed,
            status=Status.COMPLETE if test is not None else status,
            val=test,
            test=test,
            best_epoch=40 if test is not None else None,
            epochs=100,
        )
        for seed, test in enumerate(tests)
    )
    costs = {"average_bits": bits, "bits_mixq": bits, "overhead": 0.0 if prompt == "None" else 10.0}
    costs |= {"bit_operations": 2e6 if prompt == "None" else 3e6, "model_bytes": 1000.0}
    bad = any(test is None for test in tests)
    record = TrialRecord(
        status=status if bad else Status.COMPLETE,
        config=config,
        digest=digest_of(config),
        reason=f"{status} at /home/someone/data/x.pt" if bad else "",
        objectives={metric: 0.5},
        costs=costs,
        members=members,
        started="2026-01-01T00:00:00+00:00",
        seconds=2.0 * len(members),
        provenance={"commit": "abc", "device": "cpu"},
    )
    return Entry(
        axes=named,
        config=config,
        trainings=trainings or len(tests) or 3,
        skipped=skipped,
        records=(record,) if tests else (),
        costs=(costs,) * len(tests),
        tuning=tuning,
    )


@pytest.fixture
def make_entry() -> EntryMaker:
    """Make one cell."""
    return _entry


@pytest.fixture
def make_material() -> MaterialMaker:
    """Make a suite of cells."""

    def make(*entries: Entry, **changes: Any) -> SuiteMaterial:
        named = {"name": "made-up", "description": "Do prompts help?", "file": "made-up.toml", "text": "version = 1\n"}
        return SuiteMaterial(**{**named, **changes}, entries=entries)

    return make


SETS = ("Cora", "CiteSeer", "PubMed")
GAINS = {"None": 0.0, "GPFPlus": -0.01, "LoRAP": 0.02}


@pytest.fixture
def whole(make_entry: EntryMaker, make_material: MaterialMaker) -> SuiteMaterial:
    """Return a finished suite: in each of 3 sets and 2 models, LoRAP adds 2 points give or take, GPFPlus takes 1."""
    entries = []
    for place, dataset in enumerate(SETS):
        for arch in ("GCN", "GIN"):
            for scheme in ("QAT", "A2Q"):
                for prompt, gain in GAINS.items():
                    level = 0.7 + 0.05 * place + gain * (1 + 0.1 * place)
                    tests = [level + 0.01 * seed + (0.001 * gain * seed) for seed in range(3)]
                    bits = 4.0 if scheme == "QAT" else 3.0 + 0.1 * list(GAINS).index(prompt)
                    entries.append(make_entry(dataset, arch, scheme, prompt, tests, bits=bits))
    return make_material(*entries)
