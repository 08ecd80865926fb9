"""One epoch (training step and evaluation) of QAT with LoRAP on Cora, for one and for ten members.

Beside it, in the same rounds: the straightforward PyG trainer of the same model, and PyG's own
full-precision GCN. Needs Cora (a raw-data mirror or the network).
"""

from __future__ import annotations

from typing import Any

import torch

from benchmarks import naive, ours
from benchmarks.timing import as_row, interleave, report
from lorap_bench.config import QuantConfig


def main() -> None:
    """Measure and report."""
    torch.set_num_threads(1)
    task = ours.dataset("Cora")
    rows: list[dict[str, Any]] = []
    for hidden in (16, 64):
        trial = ours.config(QuantConfig(bits=4), hidden=hidden, prompt="LoRAP")
        members = {"ours, 1 member": 1, "ours, 10 members": 10}
        contestants = {name: ours.epoch(ours.cohort(task, trial, count)) for name, count in members.items()}
        contestants["naive PyG QAT + LoRAP"] = naive.qat_gcn(task, trial).epoch
        contestants["PyG full precision"] = naive.fp32_gcn(task, trial).epoch
        timings = interleave(contestants)
        baseline = timings["naive PyG QAT + LoRAP"].median
        for name, timing in timings.items():
            each = timing.median / members.get(name, 1)
            ratios = {"ms a member": 1e3 * each, "times naive": baseline / each}
            rows.append({"hidden": hidden, "contestant": name} | as_row(timing) | ratios)
    report("epoch", rows)


if __name__ == "__main__":
    main()
