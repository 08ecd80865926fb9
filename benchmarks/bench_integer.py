"""A forward pass in real integers beside the fake-quantized one, with and without prompts: time and bytes.

"ms plain" is the same model without its prompts, "time %" what they add to the time, "counted %" the ledger's
``overhead``: what they add to the bit operations. Tensors in KiB. Needs Cora and PROTEINS (a raw-data mirror or the
network).
"""

from __future__ import annotations

from typing import Any

import torch

from benchmarks.timing import report
from lorap_bench.config import Bits, ModelConfig, OptimConfig, PromptConfig, QuantConfig, TaskConfig, TrialConfig
from lorap_bench.data.load import load_task
from lorap_bench.models.integer import Cost, measure
from lorap_bench.train.cohort import Member
from lorap_bench.train.feed import make_feed
from lorap_bench.train.loop import fit

REPEATS = 15
CELLS: tuple[tuple[str, str, str, Bits], ...] = (
    ("Cora", "GCN", "LoRAP", 8),
    ("Cora", "GCN", "GPFLoRAP", 8),
    ("Cora", "GIN", "LoRAP", 8),
    ("PROTEINS", "GIN", "LoRAP", 8),
    ("PROTEINS", "GIN", "LoRAP", 4),
)


def cell(dataset: str, arch: str, kind: str, bits: Bits) -> list[dict[str, Any]]:
    """Train one epoch, which settles the ranges, and measure the whole data set as one batch."""
    config = TrialConfig(
        task=TaskConfig(dataset=dataset),
        model=ModelConfig(arch=arch, hidden=64 if dataset == "PROTEINS" else 16),
        quant=QuantConfig(bits=bits),
        prompt=PromptConfig(kind=kind),
        optim=OptimConfig(epochs=1),
    )
    task = load_task(config.task)
    cohort = fit(task, [Member(config, 0)]).cohort
    store = make_feed(task, cohort.plan).store
    batch = store.whole if task.level == "node" else store.batch(torch.arange(task.graph_ptr.numel() - 1))
    costs = measure(cohort.network, batch, REPEATS)
    names = {"data set": dataset, "arch": arch, "prompt": kind, "bits": bits}
    overhead = cohort.plan.costs["overhead"]
    return [names | {"path": path} | _columns(costs, path, overhead) for path in ("integer", "fake-quantized")]


def _columns(costs: dict[str, Cost], path: str, overhead: float) -> dict[str, float | int]:
    prompted, plain = costs[path], costs[f"{path}, no prompts"]
    return {
        "ms": 1e3 * prompted.seconds,
        "spread": prompted.spread,
        "ms plain": 1e3 * plain.seconds,
        "time %": 100 * (prompted.seconds / plain.seconds - 1),
        "counted %": overhead,
        "weights": prompted.weight_bytes / 1024,
        "activations": prompted.activation_bytes / 1024,
        "prompts": prompted.prompt_bytes / 1024,
    }


def main() -> None:
    """Measure and report."""
    torch.set_num_threads(1)
    report("integer", [row for each in CELLS for row in cell(*each)])


if __name__ == "__main__":
    main()
