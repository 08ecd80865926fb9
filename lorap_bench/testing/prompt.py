"""The contract of a prompt: its rank, its start and its price are what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from lorap_bench.config import PromptConfig
from lorap_bench.kernels import Group, MemberModule, stream_generator
from lorap_bench.kernels.features import Features
from lorap_bench.models import blueprint, shape_of
from lorap_bench.prompts import PROMPTS
from lorap_bench.quant import SCHEMES
from lorap_bench.resolve import resolve
from lorap_bench.testing.contract import Arm, Contract
from lorap_bench.testing.tasks import small_task
from lorap_bench.train import Member, fit

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from lorap_bench.prompts import Prompt

__all__ = ["PromptContract"]

_WIDTH = 7


class PromptContract(Contract):
    """Tests of a prompt with every scheme and architecture; ``config`` changes fields of ``PromptConfig``.

    ``starts_silent`` says that the part at the aggregate adds nothing before training, so that training begins
    as the unprompted model.
    """

    subject = "prompt"
    prompt: ClassVar[str]
    starts_silent: ClassVar[bool] = True

    def build(self, members: int = 2) -> Prompt:
        """Return the prompt for some members of equal configuration."""
        kind = resolve(self.prompt, PROMPTS, kind="prompt")
        fields = {"count": 4, "rank": 2, "node_count": 3} | dict(self.config)
        built: Prompt = kind((PromptConfig(kind=self.prompt, **fields),) * members)
        return built

    def test_costs_count_the_parameters_that_are_there(self) -> None:
        prompt = self.build(1)
        pairs = (
            (prompt.node(_WIDTH), prompt.node_cost(100, _WIDTH)),
            (prompt.aggregate(_WIDTH), prompt.aggregate_cost(100, _WIDTH)),
        )
        for module, cost in pairs:
            assert (module is None) == (cost is None), "a part has a cost, and a cost has its part"
            if module is not None and cost is not None:
                assert sum(p.numel() for p in module.parameters()) == cost.parameters
                assert set(module.groups.values()) <= {Group.PROMPT}, "a prompt's parameters are of Group.PROMPT"
                assert cost.operations > 0

    def test_overhead_is_there_where_the_prompt_is(self, arm: Arm) -> None:
        costs = blueprint(self.configure(arm), shape_of(small_task(arm.level))).costs
        prompt = self.build()
        present = any(cost is not None for cost in (prompt.node_cost(1, 1), prompt.aggregate_cost(1, 1)))
        assert (costs["extra_parameters"] > 0) == present

    def test_the_aggregate_part_has_at_most_its_rank(self) -> None:
        prompt = self.build(2)
        module = prompt.aggregate(_WIDTH)
        if module is None:
            assert prompt.rank(_WIDTH) == 0
            return
        x = _rows(2, 40, _WIDTH)
        values = torch.linalg.svdvals(_filled(module)(x) - x)
        found = (values > 1e-9 * values.amax(1, keepdim=True)).sum(1)
        assert (found <= prompt.rank(_WIDTH)).all(), f"rank {found.tolist()}, says {prompt.rank(_WIDTH)}"
        assert prompt.rank(_WIDTH) <= _WIDTH

    def test_parts_keep_shape_member_and_node_apart(self) -> None:
        order = torch.randperm(11, generator=torch.Generator().manual_seed(1))
        for _, part in self._parts():
            x = _rows(11, _WIDTH)
            out = part(x)
            assert out.shape == (2, 11, _WIDTH)
            torch.testing.assert_close(part(x[order]), out[:, order])

    def test_a_mixture_is_what_the_node_part_returns(self) -> None:
        module = self.build().node(_WIDTH)
        if module is None:
            return
        _filled(module)
        features = Features(_rows(11, _WIDTH).unsqueeze(0))
        mixture = module.mixture(features)
        if mixture is not None:
            torch.testing.assert_close(mixture.dense(), module(features))

    def test_every_parameter_learns(self) -> None:
        for module, part in self._parts():
            part(_rows(11, _WIDTH)).square().sum().backward()
            idle = [name for name, p in module.named_parameters() if p.grad is None or not p.grad.count_nonzero()]
            assert not idle, f"no gradient reaches {idle}"

    def test_the_aggregate_part_starts_silent(self) -> None:
        module = self.build().aggregate(_WIDTH)
        if module is None or not self.starts_silent:
            return
        for name, init in module.initial.items():
            parameter = module.get_parameter(name)
            for member in range(2):
                parameter.data[member] = init(tuple(parameter.shape[1:]), stream_generator(member, name))
        x = torch.randn(2, 9, _WIDTH, generator=stream_generator(0, "x"))
        assert torch.equal(module(x), x), "starts_silent, but the first prompted aggregate is not the plain one"

    def test_an_untrained_silent_prompt_is_no_prompt(self, arm: Arm) -> None:
        prompt = self.build()
        scheme = resolve(arm.scheme, SCHEMES, kind="scheme")
        # A scheme of learned steps counts on the sign of plain sums, and not on that of prompted ones.
        if prompt.node(_WIDTH) is not None or not self.starts_silent or scheme.learns_bits:
            return
        task, frozen = small_task(arm.level), {"prompt": {"lr": 0.0, "weight_decay": 0.0}}
        configs = [self.configure(arm, frozen), self.configure(arm._replace(prompt="None"))]
        ours, theirs = (fit(task, [Member(config, seed) for seed in (0, 1)]) for config in configs)
        for one, other in zip(ours.trainees, theirs.trainees, strict=True):
            assert (one.train_loss, one.val_loss) == (other.train_loss, other.val_loss)

    def _parts(self) -> list[tuple[MemberModule, Callable[[Tensor], Tensor]]]:
        """Return the parts that are there, with other values a member, as functions of rows ``[N, F]``."""
        parts: list[tuple[MemberModule, Callable[[Tensor], Tensor]]] = []
        node, aggregate = self.build().node(_WIDTH), self.build().aggregate(_WIDTH)
        if node is not None:
            parts.append((_filled(node), lambda x: node(Features(x.unsqueeze(0)))))
        if aggregate is not None:
            parts.append((_filled(aggregate), lambda x: aggregate(x.expand(2, *x.shape))))
        return parts


def _rows(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=stream_generator(0, "rows"), dtype=torch.float64)


def _filled(module: MemberModule) -> MemberModule:
    """Give every parameter random values, in double precision."""
    module.double()
    for name, parameter in module.named_parameters():
        parameter.data = torch.randn(parameter.shape, generator=stream_generator(0, name), dtype=torch.float64)
    return module
