"""What the broker costs a trial: ask, record, tell, no training; beside a bare Optuna study on such a storage."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from benchmarks.timing import Timing, report, timing
from lorap_bench.cost.shape import TaskShape
from lorap_bench.models.blueprint import blueprint
from lorap_bench.record import MemberResult, Outcome, Status, TrialRecord
from lorap_bench.search.loop import Broker, Job
from lorap_bench.store.folder import StudyFolder
from lorap_bench.study.spec import StudySpec

TRIALS, ROUNDS = 100, 5
SHAPE = TaskShape(name="Cora", level="node", nodes=2708, edges=10556, features=1433, classes=7, binary=True)


def spec(sampler: str) -> StudySpec:
    """Return a study over prompts and bits that is never trained."""
    widths = {"choices": [2, 3, 4, 8]}
    layers = {f"quant.site_bits.layers.{layer}.{site}": widths for layer in "01" for site in ("weight", "feature")}
    mapping: dict[str, Any] = {
        "version": 1,
        "name": "broker",
        "objectives": ["accuracy", "average_bits", "overhead"],
        "prompt": {"kind": "LoRAP"},
        "space": {"prompt.count": {"int": [1, 32]}, "prompt.rank": {"int": [1, 16]}, **layers},
        "search": {"sampler": sampler},
        "budget": {"trials": TRIALS},
    }
    return StudySpec.from_mapping(mapping)


def answer(job: Job) -> Outcome:
    """Return the outcome a trainer would, at once: a made-up accuracy that nothing reports."""
    plan = blueprint(job.config, SHAPE)
    members = tuple(MemberResult(seed=seed, status=Status.COMPLETE, val=0.5) for seed in job.seeds)
    objectives = {"accuracy": 1 / (1 + job.number), **{name: plan.costs[name] for name in ("average_bits", "overhead")}}
    record = TrialRecord(
        status=Status.COMPLETE, config=plan.config, digest=plan.digest, objectives=objectives, costs=plan.costs
    )
    return Outcome(replace(record, members=members), {"val_metric": [[0.5] * 200] * len(job.seeds)})


def ours(sampler: str) -> tuple[float, float]:
    """Return CPU and wall seconds a trial of a whole study."""
    study = spec(sampler)
    with tempfile.TemporaryDirectory() as runs:
        folder = StudyFolder.create(Path(runs), study.to_mapping(), study.identity)
        with Broker(study, folder, SHAPE) as broker:
            cpu, wall = time.process_time(), time.perf_counter()
            while (job := broker.ask()) is not None:
                broker.tell(job, answer(job))
            return (time.process_time() - cpu) / TRIALS, (time.perf_counter() - wall) / TRIALS


def bare(sampler: str) -> tuple[float, float]:
    """Return the same for Optuna alone: ask, suggest, tell on a journal file."""
    kinds: dict[str, Any] = {"TPE": optuna.samplers.TPESampler, "NSGAII": optuna.samplers.NSGAIISampler}
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with tempfile.TemporaryDirectory() as runs:
        storage = JournalStorage(JournalFileBackend(f"{runs}/journal"))
        study = optuna.create_study(
            storage=storage, directions=["maximize", "minimize", "minimize"], sampler=kinds[sampler](seed=0)
        )
        cpu, wall = time.process_time(), time.perf_counter()
        for number in range(TRIALS):
            trial = study.ask()
            count, rank = trial.suggest_int("count", 1, 32), trial.suggest_int("rank", 1, 16)
            bits = [trial.suggest_categorical(f"bits{site}", [2, 3, 4, 8]) for site in range(4)]
            study.tell(trial, [1 / (1 + number), sum(bits) / 4, count * rank])
        return (time.process_time() - cpu) / TRIALS, (time.perf_counter() - wall) / TRIALS


def main() -> None:
    """Measure and report."""
    rows: list[dict[str, Any]] = []
    for sampler in ("TPE", "NSGAII"):
        samples: dict[str, list[tuple[float, float]]] = {"broker": [], "bare Optuna": []}
        for _ in range(ROUNDS):
            samples["broker"].append(ours(sampler))
            samples["bare Optuna"].append(bare(sampler))
        for name, values in samples.items():
            cpu, wall = (timing([value[clock] for value in values]) for clock in (0, 1))
            rows.append({"sampler": sampler, "contestant": name, "trials": TRIALS} | _columns(cpu, wall))
    report("broker", rows)


def _columns(cpu: Timing, wall: Timing) -> dict[str, float | int]:
    return {
        "CPU ms a trial": 1e3 * cpu.median,
        "CPU spread": cpu.spread,
        "wall ms a trial": 1e3 * wall.median,
        "wall spread": wall.spread,
        "rounds": cpu.rounds,
    }


if __name__ == "__main__":
    main()
