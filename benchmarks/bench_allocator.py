"""What keeping freed memory between steps saves: CPU time of a training epoch, each turn in a process of its own.

glibc learns from what a process frees, so the two ways cannot take turns inside one.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

from benchmarks import ours
from benchmarks.environment import SETTINGS
from benchmarks.timing import report
from lorap_bench.config import QuantConfig
from lorap_bench.kernels.allocator import keep_blocks

TURNS = 3
EPOCHS = 5
CASES = (("GCN", 1), ("GCN", 5), ("GIN", 1), ("GIN", 5))
GIVEN_BACK = {"GLIBC_TUNABLES": ""}  # says nothing, but whoever sets it decides himself


def child(arch: str, members: int) -> None:
    """Train some epochs on Cora under Degree-Quant at 4 bits with LoRAP; print the CPU seconds of one."""
    keep_blocks()
    trial = ours.config(QuantConfig(scheme="DegreeQuant", bits=4, percentile=0.01), hidden=16, prompt="LoRAP")
    trial = replace(trial, model=replace(trial.model, arch=arch))
    passes = ours.cohort(ours.dataset("Cora"), trial, members)
    for epoch in range(2):
        passes.train(epoch)
    before = time.process_time()
    for epoch in range(2, 2 + EPOCHS):
        passes.train(epoch)
    print(json.dumps((time.process_time() - before) / EPOCHS))


def measured(arch: str, members: int, more: dict[str, str]) -> float:
    """Return the CPU seconds of an epoch in a fresh process."""
    environment = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    command = [sys.executable, "-m", "benchmarks.bench_allocator", "--child", arch, str(members)]
    told = subprocess.run(  # noqa: S603  # this interpreter, this module
        command, env=environment | {"OMP_NUM_THREADS": "1"} | more, check=True, stdout=subprocess.PIPE, text=True
    )
    return float(json.loads(told.stdout.splitlines()[-1]))


def rows() -> list[dict[str, Any]]:
    """Measure each case, the two ways in turns."""
    found = []
    for arch, members in CASES:
        turns = [(measured(arch, members, {}), measured(arch, members, GIVEN_BACK)) for _ in range(TURNS)]
        kept, given_back = (statistics.median(values) for values in zip(*turns, strict=True))
        found.append(
            {
                "model": f"{arch} on Cora",
                "members": members,
                "kept ms": 1e3 * kept,
                "given back ms": 1e3 * given_back,
                "ratio": given_back / kept,
            }
        )
    return found


def main() -> None:
    """Measure and report, or be one turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child", nargs=2, metavar=("ARCH", "MEMBERS"))
    options = parser.parse_args()
    if options.child:
        child(options.child[0], int(options.child[1]))
    else:
        report("allocator", rows())


if __name__ == "__main__":
    main()
