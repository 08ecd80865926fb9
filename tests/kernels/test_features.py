"""Raw features: sparse where cheap, the same numbers either way."""

from __future__ import annotations

import torch

from lorap_bench.kernels.features import Features, make_features


def wide(fill: float) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(50, 100, generator=generator)
    return torch.where(torch.rand(50, 100, generator=generator) < fill, x, 0.0)


def test_wide_and_mostly_empty_features_are_sparse() -> None:
    assert make_features(wide(0.02)).pattern is not None
    assert make_features(wide(0.5)).pattern is None
    assert make_features(torch.zeros(10, 3)).pattern is None
    assert make_features(torch.zeros(10, 200)).pattern is None  # nothing stored would leave nothing to observe


def test_dense_and_linear_agree_between_the_forms() -> None:
    x = wide(0.05)
    weight = torch.randn(3, 100, 4, generator=torch.Generator().manual_seed(1))
    sparse = make_features(x)
    assert torch.equal(sparse.dense()[0], x)
    for features in (sparse, Features(x.unsqueeze(0)), Features(x.expand(3, 50, 100))):
        torch.testing.assert_close(features.linear(weight), x @ weight)
