"""One epoch (training step and evaluation) of QAT with LoRAP on Cora, for one and for ten members.

Beside it, in the same rounds: the straightforward PyG trainer of the same model, and PyG's own
full-precision GCN. Needs Cora (a raw-data mirror or the network).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from benchmarks.naive import fp32_epoch, naive_epoch
from benchmarks.timing import as_row, interleave, report
from lorap_bench.config import Bits, ModelConfig, OptimConfig, PromptConfig, QuantConfig, TaskConfig, TrialConfig
from lorap_bench.data.load import load_task
from lorap_bench.models.blueprint import shape_of
from lorap_bench.train.cohort import Cohort, Member
from lorap_bench.train.feed import make_feed
from lorap_bench.train.loop import Passes

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.data.task import GraphTask

COUNT, RANK = 8, 4
BITS: Bits = 4


def cohort_epoch(task: GraphTask, *, hidden: int, members: int) -> Callable[[], None]:
    """Return one epoch of a cohort of ours."""
    config = TrialConfig(
        task=TaskConfig(dataset="Cora"),
        model=ModelConfig(hidden=hidden),
        quant=QuantConfig(bits=BITS),
        prompt=PromptConfig(kind="LoRAP", count=COUNT, rank=RANK),
        optim=OptimConfig(),
    )
    cohort = Cohort([Member(config, seed) for seed in range(members)], shape_of(task))
    passes = Passes(cohort, make_feed(task, cohort.plan))

    def run() -> None:
        passes.train(0)
        passes.evaluate("val")

    return run


def main() -> None:
    """Measure and report."""
    torch.set_num_threads(1)
    task = load_task(TaskConfig(dataset="Cora"))
    rows: list[dict[str, Any]] = []
    for hidden in (16, 64):
        members = {"ours, 1 member": 1, "ours, 10 members": 10}
        contestants = {name: cohort_epoch(task, hidden=hidden, members=count) for name, count in members.items()}
        contestants["naive PyG QAT + LoRAP"] = naive_epoch(task, hidden=hidden, bits=BITS, prompt=(COUNT, RANK))
        contestants["PyG full precision"] = fp32_epoch(task, hidden=hidden)
        timings = interleave(contestants)
        naive = timings["naive PyG QAT + LoRAP"].median
        for name, timing in timings.items():
            each = timing.median / members.get(name, 1)
            ratios = {"ms a member": 1e3 * each, "times naive": naive / each}
            rows.append({"hidden": hidden, "contestant": name} | as_row(timing) | ratios)
    report("epoch", rows)


if __name__ == "__main__":
    main()
