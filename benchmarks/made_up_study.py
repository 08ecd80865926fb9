"""A stored study of any size, made up: files as a search writes them, figures from closed formulas, no training.

```
python -m benchmarks.made_up_study 10000 --runs runs    # writes runs/made-up-10000
```
About 5 % of the trials fail, 10 % are stopped early, 3 % repeat another, 5 % break a constraint before their training
and a few after it. The front has curves, and its first forty trials are confirmed on ten seeds beside their baselines.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorap_bench.config import digest_of
from lorap_bench.record import Curves, MemberResult, Status, TrialRecord
from lorap_bench.report.table import front_records
from lorap_bench.store.folder import StudyFolder
from lorap_bench.store.look import Baseline, Look, Subject
from lorap_bench.store.numbered import place
from lorap_bench.study.space import overlay
from lorap_bench.study.spec import StudySpec

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["made_up_records", "made_up_spec", "make_up"]

EPOCHS, SEEDS, LAYERS = 60, 3, 2
CONFIRMED, CONFIRM_SEEDS = 40, 10
_MOST_OVERHEAD, _LEAST_ACCURACY = 5.0, 0.66
_PARTS = ("input", "weight", "feature", "norm", "aggregate", "update")
_ENDS = (
    (0.02, Status.DIVERGED, "1 of 3 members diverged, first at epoch 12"),
    (0.02, Status.OUT_OF_MEMORY, "not enough memory: you tried to allocate 3221225472 bytes"),
    (0.01, Status.TIMEOUT, "took longer than 60 s"),
    (0.10, Status.PRUNED, "stopped after 20 epochs: behind the best third at epoch 20"),
    (0.03, Status.DUPLICATE, ""),
)


def made_up_spec(trials: int) -> StudySpec:
    """Return a study over eight parameters."""
    widths = {"choices": [2, 3, 4, 6, 8]}
    mapping: dict[str, Any] = {
        "version": 1,
        "name": f"made-up-{trials}",
        "description": "A made-up study: how long does its report take?",
        "objectives": ["accuracy", "average_bits", "overhead"],
        "task": {"dataset": "Cora"},
        "model": {"hidden": 64, "layers": LAYERS},
        "prompt": {"kind": "LoRAP"},
        "optim": {"epochs": EPOCHS},
        "space": {
            "prompt.count": {"int": [1, 32], "log": True},
            "prompt.rank": {"int": [1, 16], "log": True},
            "prompt.lr": {"float": [1e-4, 1e-1], "log": True},
            "optim.lr": {"float": [1e-3, 1e-1], "log": True},
            "optim.weight_decay": {"float": [1e-5, 1e-2], "log": True},
            "model.dropout": {"choices": [0.0, 0.2, 0.4, 0.5, 0.6]},
            "quant.layer_bits.0": widths,
            "quant.layer_bits.1": widths,
        },
        "constraints": {"overhead": f"<= {_MOST_OVERHEAD:g}", "accuracy": f">= {_LEAST_ACCURACY:g}"},
        "replicas": {"search": SEEDS, "confirm": CONFIRM_SEEDS},
        "budget": {"trials": trials},
    }
    return StudySpec.from_mapping(mapping)


def made_up_records(spec: StudySpec, seed: int = 0) -> list[TrialRecord]:
    """Return as many trials as the study's budget asks for."""
    rng = random.Random(seed)  # noqa: S311  # figures, no secret
    space, base = spec.parameters, spec.base
    mapping = base.to_mapping()
    records: list[TrialRecord] = []
    for number in range(spec.budget.trials):
        params = space.sample(mapping, rng)
        record = _complete(number, params, overlay(base, params).to_mapping(), rng)
        records.append(_ended(record, records, rng))
    return records


def make_up(runs: Path, trials: int, seed: int = 0) -> StudyFolder:
    """Write a study of so many trials under ``runs``, its front confirmed, and return its folder.

    The files are what a search writes, without its waits for the disk.
    """
    spec = made_up_spec(trials)
    folder = StudyFolder.create(runs, spec.to_mapping(), spec.identity)
    records, rng = made_up_records(spec, seed), random.Random(seed + 1)  # noqa: S311
    for record in records:
        _write(place(folder.root / "trials", record.number), record.to_mapping())
    front = front_records(spec, records)
    for record in front:
        _write(place(folder.root / "curves", record.number), _curves(record, rng))
    _confirm(folder, front[:CONFIRMED], rng)
    return folder


def _complete(number: int, params: dict[str, Any], config: dict[str, Any], rng: random.Random) -> TrialRecord:
    widths = [params[f"quant.layer_bits.{layer}"] for layer in range(LAYERS)]
    costs = _costs(widths, params["prompt.count"], params["prompt.rank"])
    mean = 0.82 - 0.4 / costs["average_bits"] ** 1.3 + 0.02 * math.sqrt(min(costs["overhead"], 4.0))
    mean -= 0.03 * abs(math.log10(params["optim.lr"]) + 2) + rng.gauss(0, 0.01) ** 2
    members = tuple(_member(rng.getrandbits(31), mean, rng) for _ in range(SEEDS))
    accuracy = math.fsum(member.val or 0.0 for member in members) / SEEDS
    ranks = [min(params["prompt.rank"], params["prompt.count"])] * LAYERS
    sites = {f"layers.{layer}.{part}": width for layer, width in enumerate(widths) for part in _PARTS}
    return TrialRecord(
        status=Status.COMPLETE,
        config=config,
        digest=digest_of(config),
        number=number,
        params=params,
        objectives={"accuracy": accuracy, **{name: costs[name] for name in ("average_bits", "overhead")}},
        violations={"overhead": costs["overhead"] - _MOST_OVERHEAD, "accuracy": _LEAST_ACCURACY - accuracy},
        costs=costs,
        effective={"bits": sites, "ranks": ranks, "clamped": ranks[0] < params["prompt.rank"]},
        members=members,
        started=f"2026-01-{1 + number // 86400 % 28:02d}T{_clock(number)}+00:00",
        seconds=round(rng.uniform(2, 4), 6),
        provenance={
            "commit": "0123456789ab",
            "versions": {"python": "3.11.7", "lorap-bench": "0.1.0", "torch": "2.13.0", "numpy": "2.4.6"},
            "backend": "native",
            "device": "cpu",
            "machine": "x86_64",
            "cohort": 48,
        },
    )


def _ended(record: TrialRecord, earlier: list[TrialRecord], rng: random.Random) -> TrialRecord:
    """Return the trial as it came to end."""
    if record.violations["overhead"] > 0:
        reason = f"overhead is {record.costs['overhead']:.4g}, allowed: <= {_MOST_OVERHEAD:g}"
        changes: dict[str, Any] = {"objectives": {}, "members": (), "reason": reason, "seconds": 0.0}
        return replace(record, status=Status.INVALID, **changes)
    drawn = rng.random()
    for share, status, reason in _ENDS:
        drawn -= share
        if drawn < 0:
            return _badly(record, status, reason, earlier)
    return record


def _badly(record: TrialRecord, status: Status, reason: str, earlier: list[TrialRecord]) -> TrialRecord:
    if status is Status.DUPLICATE:
        first = next((each for each in reversed(earlier) if each.status is Status.COMPLETE), None)
        if first is None:
            return record
        names = ("params", "config", "digest", "objectives", "costs", "members")
        same = {name: getattr(first, name) for name in names}
        return replace(record, status=status, duplicate_of=first.number, seconds=0.0, **same)
    members = tuple(
        replace(member, status=status, epochs=20, bits={}, aggregation_error=[]) for member in record.members
    )
    objectives = dict(record.objectives)
    if status is not Status.PRUNED:
        members = tuple(replace(member, val=None, best_epoch=None) for member in members)
        del objectives["accuracy"]
    return replace(record, status=status, reason=reason, objectives=objectives, members=members)


def _costs(widths: list[int], count: int, rank: int) -> dict[str, float]:
    first, second = widths
    bits = 0.95 * first + 0.05 * second
    overhead = 0.15 * count**0.8 * rank**0.6
    return {
        "average_bits": bits,
        "average_bits_with_input": 0.5 + 0.5 * bits,
        "bits_a2q": float(first + second) / 2,
        "bits_mixq": float(first + second) / 2,
        "operations": 64_916_468.0,
        "bit_operations": 64_916_468.0 * bits,
        "model_bytes": 11_503 * bits,
        "feature_bytes": 7_193.0 * (first + second),
        "parameters": 92_231,
        "overhead": overhead,
        "extra_parameters": 0.1 * count * rank**0.5,
    }


def _member(seed: int, mean: float, rng: random.Random) -> MemberResult:
    return MemberResult(
        seed=seed,
        status=Status.COMPLETE,
        val=round(mean + rng.gauss(0, 0.008), 3),
        best_epoch=rng.randrange(20, EPOCHS),
        epochs=EPOCHS,
        aggregation_error=[(rng.uniform(0.1, 0.2), rng.uniform(0.05, 0.1)) for _ in range(LAYERS)],
    )


def _clock(seconds: int) -> str:
    return f"{seconds // 3600 % 24:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _curves(record: TrialRecord, rng: random.Random) -> Curves:
    def fall(start: float, end: float) -> list[float]:
        return [end + (start - end) * math.exp(-epoch / 12) + rng.gauss(0, 0.003) for epoch in range(EPOCHS)]

    return {
        "train_loss": [fall(1.9, 0.3) for _ in record.members],
        "val_loss": [fall(1.9, 0.8) for _ in record.members],
        "val_metric": [fall(0.2, member.val or 0.0) for member in record.members],
    }


def _confirm(folder: StudyFolder, front: list[TrialRecord], rng: random.Random) -> None:
    """Write a look at the test split: each trial, the same without its prompt, and in full precision."""
    roles = {Baseline.NO_PROMPT: 0.015, Baseline.FP32: -0.01}
    digests = {record.digest: {role: digest_of({role: record.digest}) for role in roles} for record in front}
    look = Look(
        number=1,
        seeds=tuple(range(1000, 1000 + CONFIRM_SEEDS)),
        subjects=tuple(Subject(number=one.number, digest=one.digest, baselines=digests[one.digest]) for one in front),
        started="2026-02-01T00:00:00+00:00",
    )
    folder.looks.begin(look)
    confirmed = folder.root / "confirmed" / f"{look.number:06d}"
    for record in front:
        lifts = {record.digest: 0.0, **{digests[record.digest][role]: lift for role, lift in roles.items()}}
        for digest, lift in lifts.items():
            mean = record.objectives["accuracy"] - lift
            members = tuple(_tested(_member(seed, mean, rng)) for seed in look.seeds)
            _write(confirmed / f"{digest}.json", replace(record, digest=digest, members=members).to_mapping())
    folder.looks.finish(look, "2026-02-01T01:00:00+00:00")


def _tested(member: MemberResult) -> MemberResult:
    return replace(member, test=round((member.val or 0.0) - 0.01, 3))


def _write(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, allow_nan=False), encoding="utf-8")


def main() -> None:
    """Write a study of the size that the command line asks for."""
    parser = argparse.ArgumentParser(description="Write a made-up study.")
    parser.add_argument("trials", type=int)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    chosen = parser.parse_args()
    print(make_up(chosen.runs, chosen.trials).root)


if __name__ == "__main__":
    main()
