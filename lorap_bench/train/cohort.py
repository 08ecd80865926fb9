"""A cohort: members of equal shapes as one program, their parameters in one flat buffer a group.

Members may differ in their seed and in every scalar (learning rates, weight decay, bits, dropout,
momentum, percentile, temperature). None depends on another, so any may leave at any time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from lorap_bench.cost.ledger import FULL_PRECISION
from lorap_bench.kernels.backend import kernels
from lorap_bench.kernels.device import device
from lorap_bench.kernels.interface import ADAM_BETAS, AdamState
from lorap_bench.kernels.members import Group, MemberModule
from lorap_bench.kernels.random import Draws, stream_generator
from lorap_bench.models.batch_norm import BatchNorm
from lorap_bench.models.blueprint import Blueprint, blueprint
from lorap_bench.models.network import Network
from lorap_bench.quant.scheme import ALLOCATION
from lorap_bench.train.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lorap_bench.config import TrialConfig
    from lorap_bench.cost.shape import TaskShape

__all__ = ["Cohort", "Member", "Visit", "cohort_key"]

# Scalars that members of one cohort may differ in; everything else shapes the program.
_SCALARS = {
    "model": ("dropout", "head_dropout"),
    "quant": (
        *("bits", "layer_bits", "component_bits", "site_bits", "momentum", "percentile", "p_min", "p_max"),
        *("memory_target", "memory_weight", "lr_bits", "lr_weight_step", "lr_feature_step", "lr_row_step"),
        *("bit_penalty", "lr_choice", "lr_scale"),
    ),
    "prompt": ("lr", "weight_decay", "temperature", "rank"),
    "optim": ("lr", "weight_decay", "plateau"),
}


@dataclass(frozen=True, slots=True)
class Member:
    """One seed of one configuration."""

    config: TrialConfig
    seed: int


def cohort_key(plan: Blueprint) -> dict[str, Any]:
    """Return what must be equal for two configurations to train in one cohort."""
    key = plan.trial.to_mapping()
    for section, names in _SCALARS.items():
        for name in names:
            del key[section][name]
    key["quantized"] = sorted(name for name, bits in plan.ledger.bits.items() if bits < FULL_PRECISION)
    key["ranks"] = plan.effective["ranks"]
    if plan.scheme.learns_bits:  # the allocation is where parameters start, or what there is to choose from
        key["allocation"] = {name: getattr(plan.trial.quant, name) for name in sorted(ALLOCATION)}
    return key


class Visit(NamedTuple):
    """A training step on some nodes ``[n]`` of the one graph, and which visit of theirs it counts as.

    That is the epoch of the stage, from 1: their own number of visits where each comes once an epoch.
    """

    nodes: Tensor
    number: int


@dataclass(slots=True)
class _Flat:
    """One group of parameters: their values ``[S, P]``, Adam's moments, learning rate and decay ``[S, 1]``.

    ``by_node`` marks the parameters that hold one number a node.
    """

    group: Group
    parameters: list[torch.nn.Parameter]
    by_node: list[bool]
    values: Tensor
    adam: AdamState
    rate: Tensor
    decay: Tensor


class Cohort:
    """The network of some members, its optimizer, and the best state each has reached.

    ``pace`` is for whoever trains it to read and to tell. First values are drawn on the CPU, so that they are the same
    on every device.
    """

    def __init__(self, members: Sequence[Member], shape: TaskShape, where: torch.device | None = None) -> None:
        plans = [blueprint(config, shape) for config in _distinct(members)]
        assert all(cohort_key(plan) == cohort_key(plans[0]) for plan in plans), "members of a cohort agree in shape"
        self.plan = plans[0]
        self.draws = Draws([member.seed for member in members])
        self.network = Network(self.plan, [member.config for member in members], self.draws)
        self.device = where or device()
        self.pace = Pace([member.config.optim for member in members], self.device)
        self._initialise(Group)
        if self.device.type != "cpu":
            self.network.to(self.device)
        self._flats = [self._flatten(group, members) for group in Group if self._parameters(group)]
        self._corrections: Tensor | None = None
        self._best = [tensor.clone() for tensor in self._state()]
        if self.device.type != "cpu":
            self.hold()

    def hold(self) -> None:
        """Keep what a step reads from the host in tensors that stay where they are, so that it can be recorded."""
        self.draws.hold(self.device)
        self._corrections = torch.ones(2, device=self.device)
        for flat in self._flats:
            flat.adam.corrections = self._corrections
        self._correct()

    def step(self, loss: Tensor, pace: float | Tensor = 1.0) -> None:
        """Take one training step and go on to the next: ``update``, then ``advance``."""
        self.update(loss, pace)
        self.advance()

    def update(self, loss: Tensor, pace: float | Tensor = 1.0, visit: Visit | None = None) -> None:
        """Back-propagate each member's loss ``[S]`` and take one Adam step, at ``pace`` times every learning rate.

        Of what is learned for each node, a step on some nodes moves theirs alone: the values and moments of the others
        stay, whatever gradient the price of memory has for them, and are corrected for the number of the visit.
        """
        parameters = [parameter for flat in self._flats for parameter in flat.parameters]
        # What a stage does not use (the scales of a float stage) has a gradient of zero.
        gradients = iter(torch.autograd.grad(loss.sum(), parameters, allow_unused=True, materialize_grads=True))
        with torch.no_grad():
            for flat in self._flats:
                gradient = torch.cat([next(gradients).flatten(1) for _ in flat.parameters], dim=1)
                scalars = flat.rate * pace, flat.decay
                if visit is None or not any(flat.by_node):
                    kernels().adam(flat.values, gradient, flat.adam, scalars)
                else:
                    _visit(flat, gradient, scalars, visit)

    def advance(self) -> None:
        """Count the step: what the next one reads from the host is there afterwards."""
        self.draws.advance()
        if self._corrections is not None:
            for flat in self._flats:
                flat.adam.steps += 1
            self._correct()

    @torch.no_grad()
    def restart(self, *, afresh: bool) -> None:
        """Forget Adam's moments and the best state; with ``afresh`` also what weights and prompts have learned."""
        if afresh:
            self._initialise((Group.BACKBONE, Group.PROMPT))
            for module in self.network.modules():
                if isinstance(module, BatchNorm):
                    module.reset()
        for flat in self._flats:
            zeros = torch.zeros_like(flat.values)
            flat.adam = AdamState(zeros, zeros.clone(), corrections=self._corrections)
        self._correct()
        self._best = [tensor.clone() for tensor in self._state()]

    @torch.no_grad()
    def keep_best(self, improved: Tensor) -> None:
        """Remember the present state of the members marked ``[S]``."""
        if not improved.any():
            return
        improved = improved.to(self.device)
        for best, tensor in zip(self._best, self._state(), strict=True):
            best.copy_(torch.where(improved.view(-1, *(1,) * (tensor.dim() - 1)), tensor, best))

    @torch.no_grad()
    def restore_best(self) -> None:
        """Return every member to its remembered state."""
        for best, tensor in zip(self._best, self._state(), strict=True):
            tensor.copy_(best)

    @torch.no_grad()
    def select(self, keep: Tensor) -> None:
        """Keep only the members at these positions: ``[K]`` int64."""
        self.draws.keep(keep.tolist())
        self.pace.select(keep.tolist())
        keep = keep.to(self.device)
        best = [tensor[keep] for tensor in self._best]
        for module in self.network.modules():
            for name, buffer in list(module.named_buffers(recurse=False)):
                setattr(module, name, buffer[keep])
            if isinstance(module, MemberModule):
                module.members = keep.numel()
                for name in module.groups:
                    # A graph that something still holds remembers the old ones' shapes.
                    setattr(module, name, torch.nn.Parameter(module.get_parameter(name).data))
        for flat in self._flats:
            flat.values = flat.values[keep]
            flat.adam.first, flat.adam.second = flat.adam.first[keep], flat.adam.second[keep]
            flat.rate, flat.decay = flat.rate[keep], flat.decay[keep]
            flat.parameters = self._parameters(flat.group)
            _point(flat)
        self._best = best

    def _initialise(self, groups: Iterable[Group]) -> None:
        for prefix, module in self.network.named_modules():
            if not isinstance(module, MemberModule):
                continue
            for name, init in module.initial.items():
                if module.groups[name] not in groups:
                    continue
                parameter = module.get_parameter(name)
                stream = f"{prefix}.{name}"
                for position, seed in enumerate(self.draws.seeds):
                    value = init(tuple(parameter.shape[1:]), stream_generator(seed, stream))
                    parameter.data[position].copy_(value)

    def _flatten(self, group: Group, members: Sequence[Member]) -> _Flat:
        owned = list(self._owned(group))
        parameters = [module.get_parameter(name) for module, name in owned]
        values = torch.cat([parameter.detach().flatten(1) for parameter in parameters], dim=1)
        rates = [_rates(group, member.config) for member in members]
        flat = _Flat(
            group=group,
            parameters=parameters,
            by_node=[name in module.by_node for module, name in owned],
            values=values,
            adam=AdamState(torch.zeros_like(values), torch.zeros_like(values)),
            rate=torch.tensor([[rate] for rate, _ in rates]).to(self.device),
            decay=torch.tensor([[decay] for _, decay in rates]).to(self.device),
        )
        _point(flat)
        return flat

    def _correct(self) -> None:
        """Write Adam's bias corrections of the coming step where it is recorded; all groups count alike."""
        if self._corrections is not None:
            coming = self._flats[0].adam.steps + 1
            for place, beta in zip(self._corrections, ADAM_BETAS, strict=True):
                place.fill_(1 - beta**coming)

    def _parameters(self, group: Group) -> list[torch.nn.Parameter]:
        return [module.get_parameter(name) for module, name in self._owned(group)]

    def _owned(self, group: Group) -> Iterator[tuple[MemberModule, str]]:
        """Yield the parameters of a group: whose each is, and its name there."""
        for module in self.network.modules():
            if isinstance(module, MemberModule):
                yield from ((module, name) for name, owner in module.groups.items() if owner is group)

    def _state(self) -> list[Tensor]:
        return [flat.values for flat in self._flats] + list(self.network.buffers())


def _rates(group: Group, config: TrialConfig) -> tuple[float, float]:
    """Return a group's learning rate and weight decay; a quantizer's own parameters do not decay."""
    if group is Group.BACKBONE:
        return config.optim.lr, config.optim.weight_decay
    if group is Group.PROMPT:
        return config.prompt.lr, config.prompt.weight_decay
    return getattr(config.quant, f"lr_{group}"), 0.0


def _distinct(members: Sequence[Member]) -> list[TrialConfig]:
    return list({id(member.config): member.config for member in members}.values())


def _visit(flat: _Flat, gradient: Tensor, scalars: tuple[Tensor, Tensor], visit: Visit) -> None:
    """Take one Adam step for the numbers of the visited nodes, and for whatever is not by node."""
    pieces, start = [], 0
    for parameter, by_node in zip(flat.parameters, flat.by_node, strict=True):
        size = parameter[0].numel()
        pieces.append(start + (visit.nodes if by_node else torch.arange(size, device=gradient.device)))
        start += size
    places = torch.cat(pieces)
    tables = flat.values, flat.adam.first, flat.adam.second
    values, first, second = (table.index_select(1, places) for table in tables)
    kernels().adam(values, gradient.index_select(1, places), AdamState(first, second, visit.number - 1), scalars)
    for table, part in zip(tables, (values, first, second), strict=True):
        table.index_copy_(1, places, part)


def _point(flat: _Flat) -> None:
    """Make the group's parameters views into its flat buffer."""
    start, members = 0, flat.values.shape[0]
    for parameter in flat.parameters:
        shape = parameter.shape[1:]
        stop = start + shape.numel()
        parameter.data = flat.values[:, start:stop].view(members, *shape)
        start = stop
