"""Prompts: formulas and clamped ranks; what all prompts keep is in tests/contracts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import pytest
import torch

from lorap_bench.config import PromptConfig
from lorap_bench.kernels.features import Features, make_features
from lorap_bench.prompts import GPF, GPFLoRAP, GPFPlus, LoRAP, NoPrompt, Prompt

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.kernels import MemberModule

CONFIG = PromptConfig(count=6, rank=3, node_count=4)


def fill(module: MemberModule, seed: int = 0) -> MemberModule:
    """Give every parameter random values."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in module.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
    return module


def rows(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(7))


@pytest.mark.parametrize("gate", ["softmax", "linear", "sigmoid"])
@pytest.mark.parametrize("factorize", [True, False])
def test_lorap_follows_its_formula(gate: Literal["softmax", "linear", "sigmoid"], factorize: bool) -> None:
    config = replace(CONFIG, gate=gate, factorize=factorize, temperature=2.0)
    module = LoRAP((config, config)).aggregate(5)
    assert module is not None
    fill(module)
    x = rows(2, 11, 5)
    p = dict(module.named_parameters())
    functions: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
        "softmax": lambda z: z.softmax(-1),
        "linear": lambda z: z,
        "sigmoid": torch.sigmoid,
    }
    for s in range(2):
        scorer = p["down"][s] @ p["score"][s] if factorize else p["score"][s]
        basis = p["mix"][s] @ p["basis"][s] if factorize else p["basis"][s]
        a = functions[gate](x[s] @ scorer / 2.0 + p["bias"][s].T)
        torch.testing.assert_close(module(x)[s], x[s] + a @ basis)


def test_a_full_scorer_with_as_many_vectors_is_the_factorized_form_with_an_identity_mix() -> None:
    width, k = 5, 3
    plain = LoRAP((replace(CONFIG, factorize=False, count=k),)).aggregate(width)
    factorized = LoRAP((replace(CONFIG, count=k, rank=k),)).aggregate(width)
    assert plain is not None
    assert factorized is not None
    fill(plain)
    ours, theirs = dict(factorized.named_parameters()), dict(plain.named_parameters())
    q, r = torch.linalg.qr(theirs["score"][0])
    for name, value in (("down", q), ("score", r), ("mix", torch.eye(k)), ("basis", theirs["basis"][0])):
        ours[name].data = value.unsqueeze(0)
    ours["bias"].data = theirs["bias"].data
    x = rows(1, 9, width)
    torch.testing.assert_close(factorized(x), plain(x))


@pytest.mark.parametrize(
    ("count", "rank", "width", "expected"), [(8, 4, 16, 4), (8, 32, 7, 7), (2, 16, 16, 2), (1, 1, 1, 1)]
)
def test_rank_is_clamped_to_count_and_width(count: int, rank: int, width: int, expected: int) -> None:
    assert LoRAP((PromptConfig(count=count, rank=rank),)).rank(width) == expected


def test_gpf_adds_one_vector_to_every_node() -> None:
    module = GPF((CONFIG, CONFIG)).node(5)
    fill(module)
    x = rows(9, 5)
    added = module(Features(x.unsqueeze(0))) - x
    torch.testing.assert_close(added, module.get_parameter("vector").expand(2, 9, 5))


def test_gpf_plus_mixes_by_softmax_and_reads_sparse_features() -> None:
    module = GPFPlus((CONFIG,)).node(100)
    fill(module)
    x = torch.where(rows(20, 100) > 1.8, rows(20, 100), 0.0)
    sparse = make_features(x)
    assert sparse.pattern is not None
    a = torch.softmax(x @ module.get_parameter("scorer")[0] + module.get_parameter("bias")[0], 1)
    expected = x + a @ module.get_parameter("basis")[0]
    torch.testing.assert_close(module(sparse)[0], expected)
    torch.testing.assert_close(module(Features(x.unsqueeze(0)))[0], expected)


def test_no_prompt_is_nothing() -> None:
    prompt: Prompt = NoPrompt((CONFIG,))
    parts = (prompt.node(4), prompt.aggregate(4), prompt.node_cost(1, 4), prompt.aggregate_cost(1, 4))
    assert parts == (None, None, None, None)
    assert prompt.rank(4) == 0


def test_gpf_lorap_is_both() -> None:
    both = GPFLoRAP((CONFIG,))
    assert both.node_cost(3, 10) == GPFPlus((CONFIG,)).node_cost(3, 10)
    assert both.aggregate_cost(3, 10) == LoRAP((CONFIG,)).aggregate_cost(3, 10)
    assert both.rank(2) == 2
