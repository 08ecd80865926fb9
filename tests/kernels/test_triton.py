"""The Triton kernels against the reference: the same numbers, and the same bits whoever else is in the cohort.

On a CUDA device the kernels are compiled (and the tests marked ``gpu``); elsewhere Triton interprets them.
"""

from __future__ import annotations

import itertools
import math
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor

from lorap_bench.config import ModelConfig, OptimConfig, PromptConfig, QuantConfig, TrialConfig
from lorap_bench.errors import ConfigError
from lorap_bench.kernels import CodeRange, Csr, Dither, Kernels, counter_keys, csr_from_coo, drop_threshold
from lorap_bench.kernels.backend import use
from lorap_bench.kernels.device import placed
from lorap_bench.kernels.interface import Gate, Injection, KnownRange
from lorap_bench.kernels.reference import Reference
from lorap_bench.models import shape_of
from lorap_bench.quant.context import Stage
from lorap_bench.testing import node_task
from lorap_bench.train import Cohort, Member
from lorap_bench.train.feed import make_feed
from lorap_bench.train.loop import Passes

pytest.importorskip("triton", reason="the triton backend needs triton")

from lorap_bench.kernels.triton import Triton, functions, linear

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Operation = Callable[..., Tensor]

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
REFERENCE, TRITON = Reference(), Triton()
SEEDS = (5, 11, 2)
pytestmark = [pytest.mark.gpu] if DEVICE.type == "cuda" else []
# The interpreter computes with NumPy, which says so where a result is not finite.
unfinite = pytest.mark.filterwarnings("ignore:(invalid value|overflow) encountered:RuntimeWarning")


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).to(DEVICE)


def run(backend: Kernels, operation: Operation, inputs: tuple[Tensor, ...]) -> list[Tensor]:
    """Return what an operation makes of its inputs, and the gradient to each."""
    leaves = [each.detach().clone().requires_grad_() for each in inputs]
    out = operation(backend, *leaves)
    incoming = torch.stack([draw(*out.shape[1:], seed=seed) for seed in range(out.shape[0])])
    return [out, *torch.autograd.grad(out, leaves, incoming)]


def agree(operation: Operation, *inputs: Tensor, exact: bool = False) -> list[Tensor]:
    """Check an operation and its gradients; return Triton's, since to interpret them takes a while."""
    found = run(TRITON, operation, inputs)
    for number, (ours, theirs) in enumerate(zip(found, run(REFERENCE, operation, inputs), strict=True)):
        assert ours.shape == theirs.shape
        tolerance = 0.0 if exact else 1e-4
        assert torch.allclose(ours, theirs, rtol=tolerance, atol=tolerance, equal_nan=True), f"result {number} differs"
    return found


def alone(together: list[Tensor], operation: Operation, *inputs: Tensor) -> None:
    """Check that the first member's bits are the same without the others."""
    single = run(TRITON, operation, tuple(each[:1] for each in inputs))
    assert all(torch.equal(one[0], all_[0]) for one, all_ in zip(single, together, strict=True))


def codes(members: int, *, symmetric: bool) -> CodeRange:
    bits = torch.tensor([4.0, 2.0, 8.0][:members], device=DEVICE)
    low = -torch.exp2(bits - 1).round() if symmetric else torch.zeros_like(bits)
    high = (torch.exp2(bits - 1) if symmetric else torch.exp2(bits)).round() - 1
    return CodeRange(low, high, symmetric)


def keys(members: int) -> Tensor:
    return counter_keys(SEEDS[:members], "place", 4).to(DEVICE)


@pytest.mark.parametrize("shape", [(3, 37, 5), (3, 1, 1), (1, 37, 5), (2, 170, 7), (3, 11)], ids=str)
@pytest.mark.parametrize("symmetric", [True, False])
def test_fake_quantize_gives_the_same_bits(shape: tuple[int, ...], symmetric: bool) -> None:
    x, members = 3 * draw(*shape), shape[0]
    x.view(-1)[::7] = 0
    hidden = (draw(*shape[:2], seed=1) > 0.5) if len(shape) > 2 else None
    noises = (None, Dither(keys(members), rounds=True), Dither(keys(members), rounds=False))
    for channels, clipped, dither, protected in itertools.product(
        (False, True)[: len(shape) - 1], (False, True), noises, {None, hidden}
    ):
        low, high = (0.7 * limit for limit in REFERENCE.value_range(x, channels=channels))

        def operation(backend: Kernels, x: Tensor) -> Tensor:
            return backend.fake_quantize(
                x,
                (low, high),  # noqa: B023  # called within the turn
                codes(members, symmetric=symmetric),
                clipped=clipped,  # noqa: B023  # as above
                dither=dither,  # noqa: B023  # as above
                protected=protected,  # noqa: B023  # as above
            )

        agree(operation, x, exact=True)


@unfinite
def test_what_is_not_finite_passes_through() -> None:
    x = torch.tensor([[[1.0, math.nan, math.inf, -math.inf, 0.4]]], device=DEVICE)
    for low, high in ((-1.0, 2.0), (math.nan, 2.0), (-1.0, math.nan), (-math.inf, 1.0), (0.0, 0.0)):
        limits = tuple(torch.tensor([limit], device=DEVICE) for limit in (low, high))
        for symmetric in (True, False):

            def operation(backend: Kernels, x: Tensor) -> Tensor:
                chosen = codes(1, symmetric=symmetric)  # noqa: B023  # called within the turn
                return backend.fake_quantize(x, limits, chosen, clipped=True)  # type: ignore[arg-type]  # noqa: B023  # as above

            agree(operation, x, exact=True)
    agree(lambda backend, x: backend.drop(x, drop_threshold([0.0]).to(DEVICE), keys(1), relu=False), x, exact=True)


@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize("shape", [(3, 37, 5), (2, 1, 1), (1, 2100), (3, 4, 5, 6)], ids=str)
def test_drop_gives_the_same_bits(shape: tuple[int, ...], relu: bool) -> None:
    members = shape[0]
    thresholds = drop_threshold([0.5, 0.1, 0.0][:members]).to(DEVICE)
    agree(lambda backend, x: backend.drop(x, thresholds, keys(members), relu=relu), draw(*shape), exact=True)


def injected(gate: Gate, factors: int, then: KnownRange | None = None) -> Operation:
    def operation(backend: Kernels, x: Tensor, bias: Tensor, *pairs: Tensor) -> Tensor:
        temperature = torch.tensor([0.7, 2.0, 1.0], device=DEVICE)[: x.shape[0]].view(-1, 1, 1)
        return backend.inject(x, Injection(pairs[:factors], pairs[factors:], bias, temperature, gate), then)

    return operation


def prompt(members: int, width: int, count: int, rank: int) -> tuple[Tensor, ...]:
    """Return bias, W and V of a prompt, both as two factors where there is a rank."""
    shapes = [(width, rank), (rank, count), (count, rank), (rank, width)] if rank else [(width, count), (count, width)]
    return draw(members, count, 1, seed=9), *(draw(members, *shape, seed=seed) / 2 for seed, shape in enumerate(shapes))


@pytest.mark.parametrize("gate", list(Gate))
@pytest.mark.parametrize(
    "sizes",
    [(3, 37, 5, 3, 2), (3, 1, 5, 3, 0), (2, 37, 1, 1, 1), pytest.param((2, 70, 300, 17, 0), marks=pytest.mark.slow)],
    ids=str,
)
def test_injection(gate: Gate, sizes: tuple[int, int, int, int, int]) -> None:
    members, nodes, width, count, rank = sizes
    operation = injected(gate, 2 if rank else 1)
    inputs = draw(members, nodes, width, seed=4) / math.sqrt(width), *prompt(members, width, count, rank)
    alone(agree(operation, *inputs), operation, *inputs)


@pytest.mark.parametrize("gate", list(Gate))
@pytest.mark.parametrize(
    "sizes", [(3, 37, 5, 3, 2), (3, 1, 5, 3, 0), pytest.param((2, 70, 300, 17, 0), marks=pytest.mark.slow)], ids=str
)
@pytest.mark.parametrize("symmetric", [True, False])
def test_what_is_injected_is_quantized_before_it_is_written(
    gate: Gate, sizes: tuple[int, int, int, int, int], symmetric: bool
) -> None:
    clipped = not symmetric
    members, nodes, width, count, rank = sizes
    inputs = draw(members, nodes, width, seed=4) / math.sqrt(width), *prompt(members, width, count, rank)
    plain = injected(gate, 2 if rank else 1)
    low, high = (0.7 * limit for limit in REFERENCE.value_range(inputs[0]))
    then = KnownRange((low, high), codes(members, symmetric=symmetric), clipped)

    def fused(backend: Kernels, *inputs: Tensor) -> Tensor:
        own = KnownRange(
            (low[: len(inputs[0])], high[: len(inputs[0])]), codes(len(inputs[0]), symmetric=symmetric), clipped
        )
        return injected(gate, 2 if rank else 1, own)(backend, *inputs)

    def composed(backend: Kernels, *inputs: Tensor) -> Tensor:
        return backend.fake_quantize(plain(backend, *inputs), then.limits, then.codes, clipped=clipped)

    found = run(TRITON, fused, inputs)
    assert all(map(torch.equal, found, run(TRITON, composed, inputs)))
    alone(found, fused, *inputs)
    with torch.no_grad():
        assert torch.equal(fused(TRITON, *inputs), composed(TRITON, *inputs))
        quantized = fused(REFERENCE, *inputs)
    assert torch.equal(quantized, composed(REFERENCE, *inputs))


def test_long_sums_are_cut_in_parts_that_do_not_depend_on_the_cohort(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "PARTS", 2)
    monkeypatch.setattr(linear, "PARTS", 2)
    inputs = draw(2, 150, 3, seed=4), *prompt(2, 3, 2, 1)
    operation = injected(Gate.SOFTMAX, 2)
    alone(agree(operation, *inputs), operation, *inputs)


@unfinite
@pytest.mark.parametrize("gate", list(Gate))
def test_one_bad_row_stays_one(gate: Gate) -> None:
    x = draw(2, 37, 5)
    x[0, 3, 2] = math.nan
    out = injected(gate, 1)(TRITON, x, *prompt(2, 5, 3, 0))
    assert out[0, 3].isnan().all()
    assert out.isnan().sum() == 5


def graph(rows: int, columns: int, entries: int) -> Csr:
    generator = torch.Generator().manual_seed(3)
    places = torch.randperm(rows * columns, generator=generator)[:entries]
    return placed(csr_from_coo(places // columns, places % columns, (rows, columns))[0], DEVICE)


@pytest.mark.parametrize(
    ("rows", "columns", "entries", "width"), [(17, 37, 60, 5), (2, 50, 70, 1), (1, 1, 1, 1), (9, 7, 0, 3)]
)
def test_propagation(rows: int, columns: int, entries: int, width: int) -> None:
    pattern, members = graph(rows, columns, entries), 3
    x, shared = draw(members, columns, width), draw(1, entries, seed=5)
    own, heads = draw(members, entries, seed=6), draw(members, entries, 2, seed=7)
    wide = draw(members, columns, 2 * width, seed=8)

    def weighted(backend: Kernels, weight: Tensor, x: Tensor) -> Tensor:
        return backend.propagate(pattern, weight, x)

    agree(lambda backend, x: backend.propagate(pattern, None, x), x)
    agree(lambda backend, x: backend.propagate(pattern, shared, x), x)
    for inputs in ((own, x), (heads, wide)):
        alone(agree(weighted, *inputs), weighted, *inputs)


@pytest.mark.parametrize("members", [1, 3])
def test_sparse_linear(members: int) -> None:
    pattern = graph(37, 11, 90)
    shared, own, weight = draw(1, 90), draw(members, 90), draw(members, 11, 5)
    agree(lambda backend, weight: backend.sparse_linear(pattern, shared, weight), weight)
    agree(lambda backend, values, weight: backend.sparse_linear(pattern, values, weight), own, weight)


def test_segment_softmax() -> None:
    pattern = graph(17, 37, 120)
    logits = 20 * draw(3, 120, 2)

    def operation(backend: Kernels, logits: Tensor) -> Tensor:
        return backend.segment_softmax(pattern, logits)

    alone(agree(operation, logits), operation, logits)


@pytest.mark.parametrize(("rows", "inner", "columns"), [(37, 5, 3), (1, 1, 1), (7, 600, 6), (70, 6, 66), (3, 0, 2)])
def test_products(rows: int, inner: int, columns: int) -> None:
    a, b = draw(3, rows, inner) / max(inner, 1) ** 0.5, draw(3, inner, columns, seed=1)

    def product(backend: Kernels, a: Tensor, b: Tensor) -> Tensor:
        return backend.matmul(a, b)

    alone(agree(product, a, b), product, a, b)
    agree(lambda backend, b: backend.matmul(a[:1], b), b)
    agree(lambda backend, a, b: backend.matmul(a.mT, b.mT), b, a)
    base = draw(1, rows, columns, seed=2)
    agree(lambda backend, a, b: backend.add_product(base, a, b), a, b)


def test_other_types_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"backend triton: .*this type; got 'torch.float64'; allowed: torch.float32"):
        TRITON.matmul(draw(1, 2, 2).double(), draw(1, 2, 2))


@pytest.mark.skipif(DEVICE.type == "cuda", reason="the tensors lie where they should")
def test_other_devices_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lorap_bench.kernels.triton.backend.INTERPRETED", False)
    with pytest.raises(ConfigError, match=r"backend triton: .*this device; got 'cpu'; allowed: cuda"):
        TRITON.matmul(draw(1, 2, 2), draw(1, 2, 2))


@pytest.mark.slow
def test_the_kernels_compile_and_none_is_inexact(project_root: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.kernels.triton_compiler"],
        check=False,
        capture_output=True,
        text=True,
        cwd=project_root,
        env=environment | {"TRITON_CACHE_DIR": str(tmp_path)},
    )
    assert (done.stdout, done.returncode) == ("", 0), done.stderr


def test_a_step_trains_as_the_reference_does() -> None:
    config = TrialConfig(
        model=ModelConfig(arch="GAT", hidden=4, heads=2),
        quant=QuantConfig(scheme="DegreeQuant", bits=4),
        prompt=PromptConfig(kind="LoRAP", count=3, rank=2),
        optim=OptimConfig(),
    )
    task, found = node_task(nodes=12, features=3), []
    for name in ("triton", "reference"):
        with use(name):
            cohort = Cohort([Member(config, seed) for seed in (3, 7)], shape_of(task), DEVICE)
            passes = Passes(cohort, make_feed(task, cohort.plan, DEVICE))
            passes.begin(Stage.QUANTIZED, 0)
            losses = passes.train(0), *passes.evaluate("val")
            found.append([*losses, *(flat.values for flat in cohort._flats)])
    for ours, theirs in zip(*found, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-3, atol=1e-4)
