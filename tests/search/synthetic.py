"""A stand-in for models and training: figures are formulas of the configuration and the seeds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, Any

from lorap_bench.config import TrialConfig, digest_of
from lorap_bench.errors import ConfigError, Fault
from lorap_bench.record import MemberResult, Outcome, Status, TrialRecord
from lorap_bench.study.spec import StudySpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lorap_bench.store.folder import StudyFolder

WIDE: dict[str, Any] = {
    "prompt.kind": {"choices": ["None", "LoRAP"]},
    "prompt.rank": {"int": [1, 16], "log": True, "when": {"prompt.kind": ["LoRAP"]}},
    "prompt.gate": {"choices": ["softmax", "linear"], "when": {"prompt.kind": ["LoRAP"]}},
    "quant.bits": {"choices": [2, 4, 8, 32]},
    "model.hidden": {"int": [4, 64], "step": 4},
    "optim.lr": {"float": [0.001, 0.1], "log": True},
}
SMALL: dict[str, Any] = {"quant.bits": {"choices": [2, 4, 8]}, "prompt.rank": {"int": [1, 4]}}


def make_spec(
    space: dict[str, Any] | None = None,
    *,
    trials: int = 12,
    sampler: str = "Random",
    arguments: dict[str, Any] | None = None,
    together: int | str = "auto",
    **more: Any,
) -> StudySpec:
    mapping: dict[str, Any] = {
        "version": 1,
        "name": "synthetic",
        "objectives": ["accuracy", "average_bits", "overhead"],
        "space": WIDE if space is None else space,
        "search": {"sampler": sampler, "arguments": arguments or {}, "together": together},
        "replicas": {"search": 2},
        "budget": {"trials": trials},
        "prompt": {"kind": "LoRAP"},
        "optim": {"epochs": 3},
    }
    return StudySpec.from_mapping({**mapping, **more})


@dataclass(frozen=True)
class Sketch:
    """A blueprint without models. Ranks above 8 are clamped, so several points train alike."""

    trial: TrialConfig

    @property
    def config(self) -> dict[str, Any]:
        rank = min(self.trial.prompt.rank, 8)
        return replace(self.trial, prompt=replace(self.trial.prompt, rank=rank)).to_mapping()

    @property
    def digest(self) -> str:
        return digest_of(self.config)

    @property
    def effective(self) -> dict[str, Any]:
        return {"ranks": [self.config["prompt"]["rank"]]}

    @property
    def epochs(self) -> int:
        return self.trial.optim.epochs

    @property
    def costs(self) -> dict[str, float]:
        prompted = self.trial.prompt.kind == "LoRAP"
        bits, hidden = float(self.trial.quant.bits), self.trial.model.hidden
        overhead = float(self.config["prompt"]["rank"]) if prompted else 0.0
        size = bits * hidden / 8
        return {"average_bits": bits, "overhead": overhead, "model_bytes": size, "bit_operations": bits * hidden}


def sketch(config: TrialConfig) -> Sketch:
    """Refuse widths that are no multiple of the heads, as an attention layer would."""
    if config.model.hidden % config.model.heads and config.model.arch == "GAT":
        message = "heads do not divide the width"
        raise ConfigError([Fault(path="model.heads", message=message, got=config.model.heads)])
    return Sketch(config)


def accuracy_of(config: TrialConfig, seed: int) -> float:
    """Better with more bits and rank and a rate near 0.01, with noise that the seed decides."""
    noise = int.from_bytes(hashlib.sha256(f"{seed}".encode()).digest()[:4], "big") / 2**32
    rank = config.prompt.rank if config.prompt.kind == "LoRAP" else 0
    return 0.5 + 0.01 * min(config.quant.bits, 8) + 0.005 * min(rank, 8) - abs(config.optim.lr - 0.01) + 0.05 * noise


def train(config: TrialConfig, seeds: Sequence[int], **arguments: Any) -> Outcome:
    """Train in no time. ``split="test"`` fills the members' test figures."""
    watch, split = arguments.get("watch"), arguments.get("split", "val")
    on_epoch = arguments.get("on_epoch") if watch is None else watch.on_epoch
    for epoch in range(config.optim.epochs):
        if on_epoch is not None:
            on_epoch(epoch)
    figures = [accuracy_of(config, seed) for seed in seeds]
    plan = Sketch(config)
    record = TrialRecord(
        status=Status.COMPLETE,
        config=plan.config,
        digest=plan.digest,
        objectives={"accuracy": sum(figures) / len(figures), **_static(plan)},
        costs=plan.costs,
        members=tuple(
            MemberResult(
                seed=seed,
                status=Status.COMPLETE,
                val=figure,
                test=figure if split == "test" else None,
                epochs=config.optim.epochs,
            )
            for seed, figure in zip(seeds, figures, strict=True)
        ),
        seconds=1.5,
    )
    return Outcome(record, {"val_metric": [[figure] for figure in figures]})


def each(train_one: Callable[..., Outcome]) -> Callable[..., Iterator[dict[int, Outcome]]]:
    """Return a trainer of packs that trains one after another."""

    @wraps(train_one)
    def train_all(requests: Sequence[tuple[TrialConfig, Sequence[int]]], **arguments: Any) -> Any:
        for position, (config, seeds) in enumerate(requests):
            yield {position: train_one(config, seeds, **arguments)}

    return train_all


def fail(config: TrialConfig, seeds: Sequence[int], *, status: Status = Status.DIVERGED, reason: str = "") -> Outcome:
    plan = Sketch(config)
    return Outcome(TrialRecord(status=status, config=plan.config, digest=plan.digest, reason=reason), {})


def story(folder: StudyFolder) -> list[tuple[Any, ...]]:
    """Return what a study came to, times and attempts aside."""
    return [
        (
            record.number,
            record.status,
            record.digest,
            tuple(sorted(record.params.items())),
            tuple(member.seed for member in record.members),
            tuple(sorted(record.objectives.items())),
            tuple(sorted(record.violations.items())),
            record.duplicate_of,
        )
        for record in folder.records()
    ]


def _static(plan: Sketch) -> dict[str, float]:
    return {name: plan.costs[name] for name in ("average_bits", "overhead")}
