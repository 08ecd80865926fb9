"""A training step is a fixed list of tensor operations on fixed memory: recorded once, it replays to the same bits."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

from lorap_bench.config import ModelConfig, OptimConfig, PromptConfig, QuantConfig, TrialConfig
from lorap_bench.kernels.backend import use
from lorap_bench.models import shape_of
from lorap_bench.quant.context import Stage
from lorap_bench.testing import node_task, sparse_task
from lorap_bench.train import Cohort, Member, fit, loop
from lorap_bench.train.capture import Replayed
from lorap_bench.train.early import Early
from lorap_bench.train.feed import make_feed
from lorap_bench.train.loop import Passes

TASKS = {"dense": node_task(), "sparse": sparse_task()}
BASE = TrialConfig(
    model=ModelConfig(hidden=8, heads=2, batch_norm=True),
    quant=QuantConfig(bits=4, rounding="stochastic"),
    prompt=PromptConfig(kind="LoRAP", count=4, rank=2),
    optim=OptimConfig(epochs=12, halve_every=2),
)


def configure(**sections: dict[str, Any]) -> TrialConfig:
    return replace(BASE, **{name: replace(getattr(BASE, name), **fields) for name, fields in sections.items()})


class Tape(TorchDispatchMode):
    """Records every operation of a step, and repeats it as a CUDA graph would: nothing of Python runs again."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves the mode's constructor untyped
        self.calls: list[tuple[Any, Any, Any, list[Any]]] = []
        self.now: dict[int, Any] = {}
        self._alive: list[Any] = []  # so that no two tensors ever share an identity

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        # On a device a tensor made of Python's numbers is a copy from the host, which no graph can hold.
        assert "lift_fresh" not in func.name(), f"a step makes a tensor of host values: {args}"
        assert func.name() not in {"aten::_local_scalar_dense", "aten::nonzero"}, f"{func} waits for the device"
        out = func(*args, **(kwargs or {}))
        self.calls.append((func, args, kwargs or {}, tree_flatten(out)[0]))
        self._alive += [args, kwargs, out]
        return out

    def replay(self) -> None:
        """Take the step again; ``now`` holds what stands for each tensor that the recording made."""
        now = self.now = {}
        with torch._C._AutoDispatchBelowAutograd():
            for func, args, kwargs, made in self.calls:
                found = func(*self._now(args, now), **self._now(kwargs, now))
                now |= {id(old): new for old, new in zip(made, tree_flatten(found)[0], strict=True)}

    @staticmethod
    def _now(values: Any, now: dict[int, Any]) -> Any:
        return tree_map(lambda each: now.get(id(each), each), values)


def passes(config: TrialConfig, task: str) -> Passes:
    cohort = Cohort([Member(config, seed) for seed in (3, 7)], shape_of(TASKS[task]))
    cohort.hold()
    return Passes(cohort, make_feed(TASKS[task], cohort.plan))


def state(run: Passes) -> list[torch.Tensor]:
    return [tensor.clone() for tensor in run.cohort._state()]


def turn(run: Passes, epoch: int) -> None:
    """Renew what a step reads from the host."""
    run.cohort.advance()
    run.cohort.pace.values.fill_(0.5 ** (epoch // 2))


SCHEMES: dict[str, dict[str, Any]] = {
    "FP32": {"scheme": "FP32"},
    "QAT": {"scheme": "QAT", "messages": True},
    "DegreeQuant": {"scheme": "DegreeQuant", "sample": 0.5},
    "A2Q": {"scheme": "A2Q", "sites": "all"},
    "MixQ": {"scheme": "MixQ", "protect": True, "search_epochs": 3, "pretrain_epochs": 1},
}


@pytest.mark.parametrize(
    ("arch", "task"), [("GCN", "dense"), ("GCN", "sparse"), ("GIN", "sparse"), ("SAGE", "dense"), ("GAT", "sparse")]
)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_replayed_step_trains_as_the_step_itself(scheme: str, arch: str, task: str) -> None:
    config = configure(quant=SCHEMES[scheme], model={"arch": arch})
    with use("reference"):
        eager, taped = passes(config, task), passes(config, task)
        for stage, _ in eager.cohort.plan.stages:
            compare(stage, eager, taped)


def compare(stage: Stage, eager: Passes, taped: Passes) -> None:
    steps = {}
    for run in (eager, taped):
        run.begin(stage, 0)
        run.cohort.network.train()
        (portion,) = run.feed.train(0)
        steps[run] = partial(run._learn, portion)
        steps[run]()  # the first step fills what is kept
        turn(run, 0)
    with Tape() as tape:
        (recorded,) = steps[taped]()
    steps[eager]()
    for epoch in range(1, 4):
        for run in (eager, taped):
            turn(run, epoch)
        before = state(taped)
        (loss,) = steps[eager]()
        tape.replay()
        assert torch.equal(tape.now[id(recorded)], loss)
        assert all(map(torch.equal, state(taped), state(eager)))
        assert not all(map(torch.equal, state(taped), before))


def test_counting_steps_in_tensors_changes_no_bit() -> None:
    config = configure(optim={"epochs": 6})
    ways = []
    for held in (False, True):
        cohort = Cohort([Member(config, seed) for seed in (3, 7, 1)], shape_of(TASKS["dense"]))
        if held:
            cohort.hold()
        run = Passes(cohort, make_feed(TASKS["dense"], cohort.plan))
        run.begin(Stage.QUANTIZED, 0)
        with use("reference"):
            losses = [run.train(epoch) for epoch in range(4)]
            cohort.select(torch.tensor([2, 0]))
            run._forget()
            losses += [run.train(epoch) for epoch in range(4, 6)]
        ways.append((state(run), losses))
    assert all(map(torch.equal, *(values for values, _ in ways)))
    assert all(map(torch.equal, *(losses for _, losses in ways)))
    with use("reference"):
        alone = fit(TASKS["dense"], [Member(config, 3)])
    assert [loss[0].item() for loss in ways[0][1][:4]] == alone.trainees[0].train_loss[:4]


class Taped(Replayed):
    """Records on a tape where there is no CUDA device."""

    made: ClassVar[list[Taped]] = []

    def __init__(self, step: Any, device: torch.device) -> None:
        super().__init__(step, device)
        self.made.append(self)

    def _beside(self) -> tuple[torch.Tensor, ...]:
        return self._step()

    def _record(self) -> None:
        before = [tensor.clone() for tensor in self._memory()]
        with Tape() as tape:
            self._results = self._step()
        for tensor, value in zip(self._memory(), before, strict=True):
            tensor.copy_(value)
        self._graph = tape

    def _memory(self) -> list[torch.Tensor]:
        """Return what a step changes: recording it on a device would not."""
        cohort = self._step.func.__self__.cohort  # type: ignore[attr-defined]  # a partial of a method of Passes
        moments = [moment for flat in cohort._flats for moment in (flat.adam.first, flat.adam.second)]
        return [*cohort._state(), *moments]

    def __call__(self) -> tuple[torch.Tensor, ...]:
        results = super().__call__()
        return results if self._graph is None else tuple(self._graph.now[id(result)] for result in results)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_whole_trainings_from_recordings(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = configure(quant=SCHEMES[scheme] | {"search_epochs": 6}, optim={"epochs": 8, "eval_every": 2})
    whole_training([Member(config, seed) for seed in (3, 7)], monkeypatch)


def test_a_member_that_leaves_ends_the_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    config = configure(optim={"epochs": 16})
    trainees = whole_training([Member(config, seed) for seed in (3, 7, 5)], monkeypatch, spoil=9)
    assert [len(trainee.train_loss) for trainee in trainees] == [16, 10, 16]


def whole_training(
    members: list[Member], monkeypatch: pytest.MonkeyPatch, *, spoil: int | None = None
) -> list[loop.Trainee]:
    """Train eagerly and from recordings; check that all came to the same bits.

    At epoch ``spoil`` the second member's weights are lost.
    """
    task, found = TASKS["sparse"], []
    for recorded in (False, True):
        monkeypatch.setattr("lorap_bench.train.loop.Replayed", Taped)
        monkeypatch.setattr(Passes, "_recordable", lambda _, portion, yes=recorded: yes and portion.fixed)
        cohort = Cohort(members, shape_of(task))
        if recorded:
            cohort.hold()

        def lose(epoch: int, cohort: Cohort = cohort) -> None:
            if epoch == spoil:
                cohort._flats[0].values[1].fill_(math.nan)

        Taped.made.clear()
        with use("reference"):
            found.append(
                loop._fit(Passes(cohort, make_feed(task, cohort.plan)), members, "test", lose, Early((), (), None))
            )
    eager, taped = found
    assert sum(each._graph is not None for each in Taped.made) >= len(taped.cohort.plan.stages)
    assert repr(taped.trainees) == repr(eager.trainees)  # a NaN is not equal to itself
    for mine, other in zip(taped.cohort._state(), eager.cohort._state(), strict=True):
        assert torch.equal(mine, other)
    return taped.trainees


@pytest.mark.gpu
@pytest.mark.parametrize("arch", ["GCN", "GIN", "SAGE", "GAT", "RGCN"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_recorded_cohort_trains_as_an_eager_one(
    scheme: str, arch: str, monkeypatch: pytest.MonkeyPatch, on_cuda: None
) -> None:
    config = configure(quant=SCHEMES[scheme], model={"arch": arch})
    members = [Member(config, seed) for seed in (3, 7, 1)]
    recorded = fit(TASKS["dense"], members)
    monkeypatch.setattr("lorap_bench.train.capture._WARM_UP", 10**9)
    eager = fit(TASKS["dense"], members)
    alone = fit(TASKS["dense"], members[1:2])
    for ours, theirs in ((recorded.trainees, eager.trainees), (eager.trainees[1:2], alone.trainees)):
        for one, other in zip(ours, theirs, strict=True):
            assert (one.train_loss, one.val_loss, one.val_metric) == (
                other.train_loss,
                other.val_loss,
                other.val_metric,
            )
