"""What a training step spends its time on, for the goals whose floor is not reached.

PyTorch's profiler over ten steps of a cohort of ten: the operations that take most of the time themselves. A native
loop counts where it is called: ``_Affine`` is fake quantization, ``_AddProduct`` a node prompt, and so on.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.environment import start_again_with_settings
from benchmarks.ours import MEMBERS, cohort, config, dataset, step
from benchmarks.timing import report
from lorap_bench.config import QuantConfig

STEPS, SHOWN = 10, 8
CASES = {
    "QAT + LoRAP, hidden 16": (QuantConfig(bits=4), 16, "LoRAP"),
    "QAT + LoRAP, hidden 64": (QuantConfig(bits=4), 64, "LoRAP"),
    "QAT + GPFLoRAP, hidden 16": (QuantConfig(bits=4), 16, "GPFLoRAP"),
    "A²Q, hidden 16": (QuantConfig(scheme="A2Q", bits=4), 16, "None"),
}


def shares(quant: QuantConfig, hidden: int, prompt: str) -> list[dict[str, Any]]:
    """Return the operations of one case with their share of the time, the largest first."""
    run = step(cohort(dataset("Cora"), config(quant, hidden=hidden, prompt=prompt)))
    for _ in range(3):
        run()
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        for _ in range(STEPS):
            run()
    events = sorted(profiled.key_averages(), key=lambda event: event.self_cpu_time_total, reverse=True)
    total = sum(event.self_cpu_time_total for event in events)
    return [
        {
            "operation": event.key,
            "share": event.self_cpu_time_total / total,
            "ms a member": event.self_cpu_time_total / 1e3 / STEPS / MEMBERS,
            "calls a step": event.count / STEPS,
        }
        for event in events[:SHOWN]
    ]


def main() -> None:
    """Profile every case and report."""
    start_again_with_settings("benchmarks.bench_profile")
    torch.set_num_threads(1)
    report("profile", [{"case": name} | row for name, case in CASES.items() for row in shares(*case)])


if __name__ == "__main__":
    main()
