"""What one more Ray worker takes: its memory with the package imported, and with a data set in one of three ways.

A worker reads the set for itself, maps the cache's file, or looks at the driver's copy in the object store, as ``run``
does. Figures are PSS: a page that several processes share is counted by its share.
"""

from __future__ import annotations

import functools
import statistics
from pathlib import Path
from typing import Any, final
from unittest.mock import patch

import ray
import torch

from benchmarks.timing import report
from lorap_bench.config import TaskConfig
from lorap_bench.data.load import load_task
from lorap_bench.executors.ray.environment import authenticate
from lorap_bench.executors.ray.luggage import pack_luggage, unpack_luggage

DATASETS, WORKERS = ("Cora", "DD"), 3
WAYS = ("reads it", "maps its file", "object store")


@final
class Holder:
    """A worker that holds a data set."""

    def __init__(self) -> None:
        import lorap_bench.train.trial  # noqa: F401  # what every worker imports

        self.task: Any = None

    def hold(self, way: str, dataset: str, references: list[Any]) -> None:
        """Load the set and touch it all."""
        if way == "object store":
            unpack_luggage(ray.get(references[0]))
        mapped = functools.partial(torch.load, mmap=True) if way == "maps its file" else torch.load
        with patch("torch.load", mapped):
            self.task = load_task(TaskConfig(dataset=dataset))
        for tensor in (self.task.x, self.task.edge_index, self.task.y):
            tensor.sum()

    def megabytes(self) -> float:
        """Return this process's PSS."""
        lines = Path("/proc/self/smaps_rollup").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def measure(dataset: str, way: str) -> dict[str, Any]:
    """Return the memory of a worker without and with a data set, the mean of several on one node."""
    reference = pack_luggage(dataset)
    holders = [ray.remote(Holder).options(num_cpus=0).remote() for _ in range(WORKERS)]
    empty = statistics.mean(ray.get([holder.megabytes.remote() for holder in holders]))
    ray.get([holder.hold.remote(way, dataset, [reference]) for holder in holders])
    full = statistics.mean(ray.get([holder.megabytes.remote() for holder in holders]))
    for holder in holders:
        ray.kill(holder)
    return {"data set": dataset, "worker": way, "workers": WORKERS, "MB without": empty, "MB with": full}


def main() -> None:
    """Measure and report."""
    authenticate(None)
    ray.init(address="local", include_dashboard=False, num_cpus=1, num_gpus=0, log_to_driver=False)
    report("ray_memory", [measure(dataset, way) for dataset in DATASETS for way in WAYS])
    ray.shutdown()


if __name__ == "__main__":
    main()
