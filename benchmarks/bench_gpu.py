"""On a CUDA device: epochs of whole cohorts against eager PyG, and the fused injection against three products.

Where there is none it says so and measures nothing. Times are wall times up to the device's last operation.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from benchmarks import naive, ours
from benchmarks.timing import Timing, interleave, report
from lorap_bench.config import QuantConfig
from lorap_bench.kernels.backend import kernels
from lorap_bench.kernels.device import device, exactly, placed
from lorap_bench.kernels.interface import Gate, Injection

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

COHORTS = (10, 40)
NODES, WIDTH = 169_343, 256
"""Of the injection: the nodes of ogbn-arxiv, a usual hidden width."""
EPOCHS, INJECTIONS = 20, 50
"""Repetitions before the host waits for the device."""


def main() -> None:
    """Measure and report."""
    torch.set_num_threads(1)
    where = device()
    if where.type == "cpu":
        print("no CUDA device here")
        return
    with exactly(where):
        report("gpu", [*epochs(where), *injections(where)])


def epochs(where: torch.device) -> list[dict[str, Any]]:
    """Time a training step and an evaluation on Cora, per member: recorded cohorts and the eager trainer."""
    task = ours.dataset("Cora")
    trial = ours.config(QuantConfig(bits=4), hidden=64, prompt="LoRAP")
    members = {f"ours, {count} members": count for count in COHORTS}
    eager = naive.qat_gcn(placed(task, where), trial)
    eager.model.to(where)
    contestants: dict[str, Callable[[], object]] = {
        name: ours.epoch(ours.cohort(task, trial, count)) for name, count in members.items()
    }
    contestants["naive PyG, eager"] = eager.epoch
    timings = timed(contestants, EPOCHS)
    baseline = wall(timings["naive PyG, eager"])
    return [
        row("Cora, hidden 64: one epoch a member", name, wall(timing) / members.get(name, 1), baseline)
        for name, timing in timings.items()
    ]


def injections(where: torch.device) -> list[dict[str, Any]]:
    """Time one injection without gradients: fused, as three products, and a copy, which is the memory's bound."""
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(1, *shape, generator=generator).to(where)

    x, count, rank = draw(NODES, WIDTH), ours.COUNT, ours.RANK
    down, score, mix, basis = draw(WIDTH, rank), draw(rank, count), draw(count, rank), draw(rank, WIDTH)
    bias, temperature, out = draw(count, 1), torch.ones(1, 1, 1, device=where), torch.empty_like(x)
    prompt = Injection((down, score), (mix, basis), bias, temperature, Gate.SOFTMAX)

    def products() -> Tensor:
        weights = torch.softmax((x[0] @ down[0]) @ score[0] / temperature[0] + bias[0].T, dim=1)
        return x[0] + weights @ (mix[0] @ basis[0])

    def fused() -> Tensor:
        return kernels().inject(x, prompt)

    contestants: dict[str, Callable[[], object]] = {
        "fused": fused,
        "three products": products,
        "a copy of x": partial(out.copy_, x),
    }
    torch.testing.assert_close(fused()[0], products(), rtol=1e-4, atol=1e-4)
    timings = timed(contestants, INJECTIONS)
    baseline = wall(timings["three products"])
    return [row(f"injection, {NODES} x {WIDTH}", name, wall(timing), baseline) for name, timing in timings.items()]


def timed(contestants: dict[str, Callable[[], object]], repetitions: int) -> dict[str, Timing]:
    """Time contestants in turns; a unit of work is some repetitions and the wait for the last."""

    def unit(work: Callable[[], object]) -> None:
        for _ in range(repetitions):
            work()
        torch.cuda.synchronize()

    found = interleave({name: partial(unit, work) for name, work in contestants.items()}, repeats=1)
    return {
        name: Timing(each.median, each.spread, each.rounds, wall(each) / repetitions) for name, each in found.items()
    }


def wall(timing: Timing) -> float:
    """Return the wall seconds of one repetition."""
    assert timing.wall is not None
    return timing.wall


def row(case: str, name: str, seconds: float, baseline: float) -> dict[str, Any]:
    """Return a row of the table."""
    return {"case": case, "contestant": name, "ms": 1e3 * seconds, "times the baseline": baseline / seconds}


if __name__ == "__main__":
    main()
