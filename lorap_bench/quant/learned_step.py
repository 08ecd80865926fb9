"""Quantizers with a learned step: a column's or a head's at a fixed width, a row's with a learned width.

The step is ``|s|``, kept above the smallest positive scale. With width b the codes are
``-(2^(b-1) - 1) … 2^(b-1) - 1``, or ``0 … 2^b - 1`` for tensors without negative values: b is what is
stored, for both. (The reference code keeps b + 1 for the latter and reports b.) A learned width is a real
number, used rounded within 1 … 8 (2 … 8 with negative values), with the straight-through gradient.

Source: A²Q (Zhu et al. 2023), sections 3.1 to 3.3.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple, final

import torch
from torch import Tensor

from lorap_bench.kernels.backend import kernels
from lorap_bench.kernels.members import Group, Init
from lorap_bench.quant.quantizer import Quantizer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.cost.site import Site
    from lorap_bench.kernels.csr import Csr
    from lorap_bench.quant.context import Context

__all__ = ["ColumnQuantizer", "GroupQuantizer", "RowQuantizer", "Start", "nearest_group"]

_SMALLEST_STEP = torch.finfo(torch.float32).eps
_WIDEST = 8


class Start(NamedTuple):
    """First values of the steps: ``|N(mean, std)|``, or where ``calibrated`` from the first tensor seen.

    Formula: calibrated ``s = 2 mean|x| / sqrt(Q)`` over the values that share it (Esser et al. 2020, section 2.1).
    """

    mean: float
    std: float
    calibrated: bool

    @property
    def init(self) -> Init:
        """The distribution as a parameter's initial one."""
        return partial(_absolute_normal, self.mean, self.std)


class LearnedStep(Quantizer):
    """What all share: the site, whether its values have a sign, when to calibrate."""

    live: ClassVar[bool] = True

    local: bool
    """Whether gradients are those of the tensor's own error, averaged over the values that share a step."""

    def __init__(self, members: int, site: Site, context: Context, start: Start) -> None:
        super().__init__(members)
        self.site, self.context, self.start = site, context, start
        self.signed = not site.nonnegative

    def calibrate(self, x: Tensor) -> None:
        """Do nothing: the step is learned."""

    @property
    def _calibrating(self) -> bool:
        return self.context.calibrating and self.start.calibrated

    def _steps(self) -> Tensor:
        return self._present("step").abs().clamp(min=_SMALLEST_STEP)

    def _present(self, name: str) -> Tensor:
        """Return a parameter as the rows at hand read it."""
        return self.get_parameter(name)

    def _by_entry(self, shared: Tensor, owner: Tensor, count: int) -> Tensor:
        """Return each stored entry's value of ``shared`` ``[S, n]``; ``count`` entries, zeros included, share one.

        Local gradients are averaged over them all: the zeros that are not stored have no error.
        """
        if self.local:
            shared = shared.detach() + (shared - shared.detach()) / count
        return shared.index_select(1, owner)

    def _top(self, bits: Tensor) -> Tensor:
        """Return the largest code of (real) widths, with the gradient ``2^b ln 2`` (``2^(b-1) ln 2`` signed)."""
        # A width that is not a number makes no integer; it reaches the result through the last term.
        whole = bits.detach().nan_to_num().clamp(1 + self.signed, _WIDEST).round()
        used = whole.long() - int(self.signed)
        power = torch.bitwise_left_shift(torch.ones_like(used), used).to(bits.dtype)
        return (power - 1) + power * math.log(2) * (bits - bits.detach())

    def _used(self, bits: Tensor) -> Tensor:
        """Return the widths as used: rounded and clamped, the gradient passing straight through."""
        return bits.detach().clamp(1 + self.signed, _WIDEST).round() + (bits - bits.detach())


@final
class ColumnQuantizer(LearnedStep):
    """One step for each of ``steps`` equal blocks of columns (``steps`` = columns: one each), at a fixed width."""

    def __init__(  # noqa: PLR0913  # what tells one site's quantizer from another's
        self,
        widths: Sequence[int],
        site: Site,
        context: Context,
        start: Start,
        *,
        steps: int,
        group: Group,
        local: bool,
    ) -> None:
        super().__init__(len(widths), site, context, start)
        self.declare("step", (1, steps), start.init, group)
        self.block, self.local = site.columns // steps, local
        top = [2.0 ** (width - self.signed) - 1 for width in widths]
        self.register_buffer("top", torch.tensor(top).view(-1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() == 2:  # one value a row: edge weights
            return self.forward(x.unsqueeze(2)).squeeze(2)
        if self._calibrating:
            mean = x.abs().mean(1, keepdim=True).unflatten(2, (-1, self.block)).mean(3)
            self.get_parameter("step").data.copy_(2 * mean / self.get_buffer("top").sqrt())
        step = self._steps().repeat_interleave(self.block, 2)
        return kernels().step_quantize(x, step, self.get_buffer("top"), local=self.local)

    def sparse(self, values: Tensor, pattern: Csr) -> Tensor:
        place = pattern.col // self.block
        if self._calibrating:
            mean = _mean_stored(values, place, self.get_parameter("step").shape[2]).unsqueeze(1)
            self.get_parameter("step").data.copy_(2 * mean / self.get_buffer("top").sqrt())
        step = self._by_entry(self._steps().squeeze(1), place, pattern.shape[0])
        return kernels().step_quantize(values, step, self.get_buffer("top").squeeze(2), local=self.local)


@final
class RowQuantizer(LearnedStep):
    """One step and one width for each row: the nodes of the one graph that there is.

    A batch of some of its nodes reads and learns theirs alone; the mean width is that of all nodes.
    """

    def __init__(self, starts: Sequence[int], site: Site, context: Context, start: Start, *, local: bool) -> None:
        super().__init__(len(starts), site, context, start)
        rows = round(site.elements / site.columns)
        self.declare("step", (rows, 1), start.init, Group.ROW_STEP, by_node=True)
        self.declare("width", (rows, 1), _constant(starts[0]), Group.BITS, by_node=True)
        self.local = local

    def forward(self, x: Tensor) -> Tensor:
        top = self._top(self._present("width"))
        if self._calibrating:
            self._start(2 * x.abs().mean(2, keepdim=True) / top.sqrt())
        return kernels().step_quantize(x, self._steps(), top, local=self.local)

    def sparse(self, values: Tensor, pattern: Csr) -> Tensor:
        top = self._top(self._present("width"))
        if self._calibrating:
            mean = _mean_stored(values, pattern.row, pattern.shape[0]).unsqueeze(2)
            self._start(2 * mean / top.sqrt())
        step, top = (
            self._by_entry(shared.squeeze(2), pattern.row, pattern.shape[1]) for shared in (self._steps(), top)
        )
        return kernels().step_quantize(values, step, top, local=self.local)

    def bits(self) -> Tensor:
        return self._used(self.get_parameter("width")).mean((1, 2))

    def row_bits(self) -> Tensor:
        return self._used(self.get_parameter("width")).detach().squeeze(2)

    def _present(self, name: str) -> Tensor:
        parameter, nodes = self.get_parameter(name), self.context.nodes
        return parameter if nodes is None else parameter.index_select(1, nodes)

    def _start(self, steps: Tensor) -> None:
        """Give the rows at hand their first steps."""
        table, nodes = self.get_parameter("step").data, self.context.nodes
        if nodes is None:
            table.copy_(steps)
        else:
            table.index_copy_(1, nodes, steps)


@final
class GroupQuantizer(LearnedStep):
    """The nearest-neighbour strategy: m pairs of step and width, each row taking the one that fits it best.

    Formula: row i takes ``argmin_k | max_j |x_ij| - s_k Q_k |``, Q_k the largest code at width b_k.

    Source: A²Q (Zhu et al. 2023), section 3.3 and algorithm 1; here in O((N + m) log m) by sorting.
    """

    def __init__(self, starts: Sequence[int], site: Site, context: Context, start: Start, *, groups: int) -> None:
        super().__init__(len(starts), site, context, start)
        self.declare("step", (groups, 1), start.init, Group.ROW_STEP)
        self.declare("width", (groups, 1), _constant(starts[0]), Group.BITS)
        self.local = False
        self._mean: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        step, top = (part.unsqueeze(2) for part in self._assigned(x.detach().abs().amax(2)))
        return kernels().step_quantize(x, step, top, local=False)

    def sparse(self, values: Tensor, pattern: Csr) -> Tensor:
        row = pattern.row.expand_as(values)
        peaks = values.new_zeros(values.shape[0], pattern.shape[0])
        peaks = peaks.scatter_reduce(1, row, values.detach().abs(), "amax")
        step, top = (part.gather(1, row) for part in self._assigned(peaks))
        return kernels().step_quantize(values, step, top, local=False)

    def _assigned(self, peaks: Tensor) -> tuple[Tensor, Tensor]:
        """Return step and largest code of the group that each row takes by its peak: ``[S, N]`` → two of ``[S, N]``."""
        width = self.get_parameter("width")
        top = self._top(width)
        if self._calibrating:
            self.get_parameter("step").data.copy_(_spread(peaks, top.shape[1]).unsqueeze(2) / top)
        step = self._steps()
        chosen = nearest_group(peaks, (step * top).detach().squeeze(2)).unsqueeze(2)
        self._mean = self._used(width).gather(1, chosen).mean((1, 2))
        return step.gather(1, chosen).squeeze(2), top.gather(1, chosen).squeeze(2)

    def bits(self) -> Tensor:
        """Return the mean width over the rows of the last pass."""
        assert self._mean is not None
        return self._mean

    def row_bits(self) -> Tensor:
        """Return the width of each group: ``[S, m]``."""
        return self._used(self.get_parameter("width")).detach().squeeze(2)


def nearest_group(peaks: Tensor, reach: Tensor) -> Tensor:
    """Return the group whose reach is nearest to each peak; the one of smaller reach at equal distance.

    Shape: peaks ``[S, N]``, reach ``[S, m]`` → ``[S, N]`` int64.
    """
    ordered, order = reach.sort(dim=1, stable=True)
    middles = (ordered[:, 1:] + ordered[:, :-1]) / 2
    place = torch.searchsorted(middles.contiguous(), peaks.contiguous())
    return order.gather(1, place)


def _spread(peaks: Tensor, count: int) -> Tensor:
    """Return ``count`` evenly spaced order statistics of each member's peaks: ``[S, N]`` → ``[S, count]``."""
    ordered = peaks.sort(dim=1).values
    place = torch.linspace(0, peaks.shape[1] - 1, count, dtype=torch.float64, device=peaks.device).round().long()
    return ordered.index_select(1, place)


def _mean_stored(values: Tensor, owner: Tensor, size: int) -> Tensor:
    """Return the mean magnitude of each owner's stored entries: ``[S, E]`` → ``[S, size]``; 0 where it has none."""
    total = values.new_zeros(values.shape[0], size).index_add(1, owner, values.abs())
    return total / torch.bincount(owner, minlength=size).clamp(min=1)


def _absolute_normal(mean: float, std: float, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.empty(shape).normal_(mean, std, generator=generator).abs()


def _constant(value: float) -> Init:
    return lambda shape, _: torch.full(shape, float(value))
