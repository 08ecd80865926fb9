"""A product with prompted features has the gradients of the tensor that nobody computes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lorap_bench.kernels.features import Features, make_features
from lorap_bench.kernels.prompted import Prompted


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def sparse_features() -> Features:
    x = draw(11, 80, seed=5)
    features = make_features(torch.where(x > 1.8, x, 0.0))
    assert features.pattern is not None
    return features


@pytest.mark.parametrize("features", [sparse_features(), make_features(draw(11, 6))], ids=["sparse", "dense"])
def test_it_agrees_with_the_product_of_the_dense_tensor(features: Features) -> None:
    width = features.dense().shape[2]
    inputs = draw(3, 11, 2, seed=1), draw(3, 2, width, seed=2), draw(3, width, 4, seed=3)
    found = []
    for lazy in (True, False):
        weights, vectors, weight = (each.clone().requires_grad_() for each in inputs)
        prompted = Prompted(features, weights, vectors, through=lambda x: x + (x.round() - x).detach())
        out = prompted.linear(weight) if lazy else prompted.dense() @ weight
        found.append((out, *torch.autograd.grad(out, (weights, vectors, weight), draw(3, 11, 4, seed=4))))
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_weights_that_are_constant_get_no_gradient() -> None:
    vectors, weight = draw(2, 1, 6).requires_grad_(), draw(2, 6, 3).requires_grad_()
    prompted = Prompted(make_features(draw(5, 6)), torch.ones(2, 5, 1), vectors)
    to_vectors, _ = torch.autograd.grad(prompted.linear(weight).sum(), (vectors, weight))
    torch.testing.assert_close(to_vectors, (5 * weight.sum(2)).unsqueeze(1))


def test_members_do_not_depend_on_each_other() -> None:
    features, inputs = sparse_features(), (draw(3, 11, 2, seed=1), draw(3, 2, 80, seed=2), draw(3, 80, 4, seed=3))

    def run(which: slice) -> list[Tensor]:
        weights, vectors, weight = (each[which].clone().requires_grad_() for each in inputs)
        out = Prompted(features, weights, vectors).linear(weight)
        return [out, *torch.autograd.grad(out.square().sum(), (weights, vectors, weight))]

    together = run(slice(0, 3))
    for member in range(3):
        alone = run(slice(member, member + 1))
        assert all(torch.equal(a[0], b[member]) for a, b in zip(alone, together, strict=True))
