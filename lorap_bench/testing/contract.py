"""What schemes, prompts and architectures have in common: they train together, repeatably, alone and in company.

A contract has one *subject* (a scheme, a prompt or an architecture) and meets it with every partner. An *arm*
is one choice of all four axes; ``every_arm`` runs through the subject's full product, ``arm`` through enough
arms that the subject meets each partner once.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import pytest
import torch

from lorap_bench.config import ModelConfig, OptimConfig, PromptConfig, QuantConfig, TaskConfig, TrialConfig
from lorap_bench.kernels.backend import use
from lorap_bench.models import ARCHS, blueprint, shape_of
from lorap_bench.prompts import PROMPTS
from lorap_bench.quant import SCHEMES
from lorap_bench.record import Status
from lorap_bench.testing.comparison import assert_finite, assert_same, exact_logits, off_the_ties, some_order
from lorap_bench.testing.host import no_host_synchronisation
from lorap_bench.testing.tasks import DEGENERATE, renumbered, small_task
from lorap_bench.testing.watch import node_state
from lorap_bench.train import Cohort, Member, cohort_key, fit, run_trial
from lorap_bench.train.feed import make_feed
from lorap_bench.train.measure import measure
from lorap_bench.train.metrics import LOSSES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Arm", "Contract"]

_BASE = TrialConfig(
    task=TaskConfig(batch_size=16),
    model=ModelConfig(hidden=8, heads=4, dropout=0.2),
    quant=QuantConfig(bits=4, momentum=0.3, search_epochs=1, pretrain_epochs=1, groups=9),
    prompt=PromptConfig(count=4, rank=2, node_count=3),
    optim=OptimConfig(epochs=2, lr=0.02),
)
_SECTIONS = {"scheme": ("quant", "scheme"), "prompt": ("prompt", "kind"), "arch": ("model", "arch")}
_TYPICAL = {"scheme": "QAT", "prompt": "LoRAP", "arch": "GCN", "level": "node"}
# Other scalars for the company that a member keeps; those that change the program's shape are left out.
_COMPANY: tuple[dict[str, dict[str, Any]], ...] = (
    {"quant": {"bits": 3, "layer_bits": {"0": 8}}},
    {"quant": {"component_bits": {"weight": 8}}},
    {
        "model": {"dropout": 0.6, "head_dropout": 0.3},
        "quant": dict.fromkeys(("memory_target", "lr_bits", "lr_weight_step", "lr_row_step", "lr_scale"), 0.1)
        | {"momentum": 0.9, "percentile": 0.05, "p_max": 1.0, "memory_weight": 7.0, "bit_penalty": 1.0},
        "prompt": {"lr": 0.2, "temperature": 3.0, "weight_decay": 0.1},
        "optim": {"lr": 0.1, "weight_decay": 0.1, "plateau": 1},
    },
)


class Arm(NamedTuple):
    """One choice of all axes, by public names or ``"package.module:Class"``."""

    scheme: str
    prompt: str
    arch: str
    level: str


class Contract:
    """The tests that every subject passes; subclassed by the three contracts, not by their users.

    ``schemes``, ``prompts``, ``archs`` and ``levels`` are the partners; ``config`` changes fields of the
    subject's section of the configuration.
    """

    subject: ClassVar[str]
    config: ClassVar[Mapping[str, Any]] = {}
    schemes: ClassVar[Sequence[str]] = tuple(SCHEMES)
    prompts: ClassVar[Sequence[str]] = tuple(PROMPTS)
    archs: ClassVar[Sequence[str]] = tuple(ARCHS)
    levels: ClassVar[Sequence[str]] = ("node", "graph")

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Hand out the arms (pytest's hook)."""
        for name, arms in (("every_arm", self.product()), ("arm", self.covering())):
            if name in metafunc.fixturenames:
                metafunc.parametrize(name, arms, ids=["-".join(arm) for arm in arms])
        for name in ("arch", "level"):
            if name in metafunc.fixturenames:
                metafunc.parametrize(name, self.axis(name))

    @classmethod
    def axis(cls, name: str) -> tuple[str, ...]:
        """Return the choices on one axis: the subject alone on its own."""
        return (getattr(cls, name),) if name == cls.subject else tuple(getattr(cls, f"{name}s"))

    @classmethod
    def usual(cls, **choice: str) -> Arm:
        """Return the arm of a choice, with what is typical on the other axes."""
        chosen = {name: cls.typical(name) for name in ("scheme", "prompt", "arch", "level")} | choice
        return Arm(**chosen)

    @classmethod
    def typical(cls, name: str) -> str:
        """Return the choice that stands for an axis where another is looked at."""
        choices = cls.axis(name)
        return next((choice for choice in choices if choice == _TYPICAL[name]), choices[0])

    @classmethod
    def product(cls) -> list[Arm]:
        """Return every arm."""
        return [Arm(*choice) for choice in itertools.product(*map(cls.axis, ("scheme", "prompt", "arch", "level")))]

    @classmethod
    def covering(cls) -> list[Arm]:
        """Return arms that hold every partner once, and every architecture at every level."""
        arms = [cls.usual(arch=arch, level=level) for level in cls.axis("level") for arch in cls.axis("arch")]
        arms += [cls.usual(scheme=scheme) for scheme in cls.axis("scheme")]
        arms += [cls.usual(prompt=prompt) for prompt in cls.axis("prompt")]
        return list(dict.fromkeys(arms))

    def configure(self, arm: Arm, *changes: Mapping[str, Mapping[str, Any]]) -> TrialConfig:
        """Return a small configuration of an arm, changed by section."""
        chosen: dict[str, Mapping[str, Any]] = {
            section: {field: getattr(arm, axis)} for axis, (section, field) in _SECTIONS.items()
        }
        config = _BASE
        for change in (chosen, {_SECTIONS[self.subject][0]: self.config}, *changes):
            config = replace(
                config, **{section: replace(getattr(config, section), **fields) for section, fields in change.items()}
            )
        return config

    def test_trains_with_every_partner(self, every_arm: Arm) -> None:
        record, curves = run_trial(self.configure(every_arm), [0], task=small_task(every_arm.level))
        assert record.status is Status.COMPLETE, record.reason
        losses = [value for member in curves["train_loss"] for value in member]
        assert losses
        assert_finite(dict(enumerate(losses)), "loss")
        assert_finite(record.costs, "cost")
        assert 1 <= record.costs["average_bits"] <= 32
        assert {"accuracy", "average_bits", "overhead"} <= set(record.objectives)

    def test_learns(self, arch: str) -> None:
        arm = self.usual(arch=arch)
        task = small_task(arm.level)
        longer = {"optim": {"epochs": 40}, "model": {"hidden": 16}}
        record, curves = run_trial(self.configure(arm, longer), [0], task=task)
        assert record.objectives["accuracy"] > 1 / task.classes + 0.15, "no better than chance after 40 epochs"
        assert all(min(losses) < losses[0] for losses in curves["train_loss"]), "no training loss falls"

    def test_the_same_seeds_give_the_same_bits(self, level: str) -> None:
        members = [Member(self.configure(self.usual(level=level)), seed) for seed in (0, 1)]
        first, second = (fit(small_task(level), members) for _ in range(2))
        for position in range(2):
            assert_same(first, second, (position, position), "a second run")

    def test_a_member_keeps_its_bits_in_any_company(self, arm: Arm) -> None:
        task, members = small_task(arm.level), self._company(arm)
        together = fit(task, members)
        for position, member in enumerate(members):
            assert_same(fit(task, [member]), together, (0, position), "company")

    def test_a_member_that_leaves_disturbs_nobody(self, level: str) -> None:
        arm = self.usual(level=level)
        task, config = small_task(level), self.configure(arm)
        wild = self.configure(arm, {"optim": {"lr": math.inf}})
        fitted = fit(task, [Member(config, 0), Member(wild, 1), Member(config, 2)])
        assert [trainee.diverged for trainee in fitted.trainees] == [False, True, False]
        for position, seed in enumerate((0, 2)):
            assert_same(fit(task, [Member(config, seed)]), fitted, (0, position), "a leaving member")

    def test_evaluation_changes_no_state(self, arm: Arm) -> None:
        task = small_task(arm.level)
        cohort = fit(task, [Member(self.configure(arm), seed) for seed in (0, 1)]).cohort
        network, batch = cohort.network.eval(), make_feed(task, cohort.plan).calibration()
        before = {name: value.clone() for name, value in network.state_dict().items()}
        step, stage = cohort.draws.step, network.context.stage
        with torch.no_grad():
            first, measured = network(network.prepare(batch)), measure(network, batch)
            second, again = network(network.prepare(batch)), measure(network, batch)
        assert torch.equal(first, second), "two evaluations differ"
        assert measured == again, "two measurements differ"
        assert (step, stage) == (cohort.draws.step, network.context.stage)
        changed = [name for name, value in network.state_dict().items() if not torch.equal(value, before[name])]
        assert not changed, f"evaluation changed {changed}"

    def test_renumbering_the_nodes_renumbers_the_outputs(self, arm: Arm) -> None:
        task = small_task(arm.level)
        order = some_order(task)
        cohort = fit(task, [Member(self.configure(arm), seed) for seed in (0, 1)]).cohort
        state = off_the_ties(cohort.network.state_dict())
        moved = {
            name: value[:, order] if name in node_state(cohort.network, order.numel()) else value
            for name, value in state.items()
        }
        logits = exact_logits(cohort, task, state)
        if arm.level == "node":
            logits = logits[:, order]
        torch.testing.assert_close(exact_logits(cohort, renumbered(task, order), moved), logits, rtol=1e-6, atol=1e-9)

    def test_a_training_step_never_waits_for_the_device(self, arm: Arm) -> None:
        task = small_task(arm.level)
        cohort = Cohort(self._company(arm), shape_of(task))
        feed = make_feed(task, cohort.plan)
        cohort.network.calibrate(feed.calibration())
        for stage, _ in cohort.plan.stages:
            cohort.network.begin(stage, feed.calibration())
            network = cohort.network.train()
            for portion in feed.train(0):
                # the one backend that runs on every device
                with use("reference"), no_host_synchronisation():
                    logits = network(network.prepare(portion.batch))
                    chosen = logits if portion.rows is None else logits.index_select(1, portion.rows)
                    cohort.step(LOSSES[task.metric](chosen, portion.y) + network.price())

    @pytest.mark.parametrize("oddity", DEGENERATE)
    def test_degenerate_graphs_train_to_finite_figures(self, oddity: str, arch: str) -> None:
        task = DEGENERATE[oddity]()
        arm = self.usual(prompt=self.axis("prompt")[-1], arch=arch, level=task.level)
        record, curves = run_trial(self.configure(arm), [0, 1], task=task)
        assert record.status is Status.COMPLETE, record.reason
        lengths = {len(member) for member in curves["train_loss"]}
        assert lengths == {record.members[0].epochs}, "a loss is not finite"
        assert_finite(record.costs, "cost")

    def test_features_that_are_no_numbers_end_as_diverged(self, arch: str) -> None:
        for level in self.axis("level"):
            task = small_task(level)
            x = task.x.clone()
            x[0, 0] = math.nan
            arm = self.usual(arch=arch, level=level)
            record, _ = run_trial(self.configure(arm), [0, 1], task=replace(task, x=x))
            assert record.status is Status.DIVERGED
            assert "accuracy" not in record.objectives

    def _company(self, arm: Arm) -> list[Member]:
        """Return members that differ in scalars and may share a program, the plain one first."""
        shape, plain = shape_of(small_task(arm.level)), self.configure(arm)
        others = [self.configure(arm, change) for change in _COMPANY]
        key = cohort_key(blueprint(plain, shape))
        configs = [plain, *(other for other in others if cohort_key(blueprint(other, shape)) == key)]
        return [Member(config, seed) for seed, config in zip((3, 7, 1, 4), configs, strict=False)]
