"""Readouts against a loop over graphs: values, ties, graphs without nodes, members, no host synchronisation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor

from lorap_bench.kernels.backend import use
from lorap_bench.kernels.csr import segments
from lorap_bench.models import build_store
from lorap_bench.models.readout import READOUTS
from lorap_bench.testing import graph_task
from lorap_bench.testing.host import no_host_synchronisation

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.models import GraphBatch

SIZES = [3, 0, 1, 5, 0]  # an empty graph inside, and one at the end
LOOPS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda rows: rows.mean(1),
    "sum": lambda rows: rows.sum(1),
    "max": lambda rows: rows.amax(1),
}


def batch() -> GraphBatch:
    """Return a batch of graphs of the sizes above; only its pooling is of use."""
    sizes = torch.tensor(SIZES)
    pointers = torch.cat([sizes.new_zeros(1), sizes.cumsum(0)]).to(torch.int32)
    owner = torch.repeat_interleave(torch.arange(len(SIZES)), sizes)
    whole = build_store(graph_task(), self_loops=False, normalized=False).whole
    return replace(whole, pool=segments(pointers, owner), sizes=sizes.unsqueeze(1).float())


def rows(members: int = 3) -> Tensor:
    """Return values of both signs; the last graph's are all negative."""
    x = torch.randn(members, sum(SIZES), 4, generator=torch.Generator().manual_seed(0))
    x[:, -5:] = -x[:, -5:].abs() - 0.1
    return x


@pytest.mark.parametrize("name", sorted(READOUTS))
def test_a_readout_is_what_a_loop_over_graphs_gives(name: str) -> None:
    x = rows()
    parts = [LOOPS[name](part) if part.shape[1] else torch.zeros(3, 4) for part in x.split(SIZES, 1)]
    torch.testing.assert_close(READOUTS[name](x, batch()), torch.stack(parts, 1), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", sorted(READOUTS))
def test_gradients_are_those_of_finite_differences(name: str) -> None:
    x = rows().double().requires_grad_()
    graph = batch()
    graph = replace(graph, sizes=graph.sizes.double())

    with use("reference"):
        assert torch.autograd.gradcheck(lambda x: READOUTS[name](x, graph), x)


def test_nodes_that_tie_share_the_gradient_evenly() -> None:
    x = torch.zeros(1, 9, 1)
    x[0, :3, 0] = torch.tensor([2.0, 2.0, 1.0])
    x.requires_grad_()
    READOUTS["max"](x, batch()).sum().backward()
    assert x.grad is not None
    assert x.grad.flatten().tolist() == pytest.approx([0.5, 0.5, 0.0, 1.0, *[0.2] * 5])


@pytest.mark.parametrize("name", sorted(READOUTS))
def test_a_value_that_is_no_number_stays_in_its_own_graph_and_member(name: str) -> None:
    x = rows()
    x[1, 1, 2] = torch.nan
    spoiled = READOUTS[name](x, batch()).isnan()
    assert spoiled.nonzero().tolist() == [[1, 0, 2]]


@pytest.mark.parametrize("name", sorted(READOUTS))
def test_members_are_pooled_as_if_alone(name: str) -> None:
    x, weight = rows().requires_grad_(), torch.randn(5, 4, generator=torch.Generator().manual_seed(1))
    pooled = READOUTS[name](x, batch())
    (gradient,) = torch.autograd.grad((pooled * weight).sum(), x)
    for member in range(3):
        alone = x[member : member + 1].detach().requires_grad_()
        single = READOUTS[name](alone, batch())
        assert torch.equal(single[0], pooled[member])
        assert torch.equal(torch.autograd.grad((single * weight).sum(), alone)[0][0], gradient[member])


@pytest.mark.parametrize("name", sorted(READOUTS))
def test_pooling_never_waits_for_the_device(name: str) -> None:

    x, graph = rows().requires_grad_(), batch()
    with use("reference"), no_host_synchronisation():
        READOUTS[name](x, graph).sum().backward()
