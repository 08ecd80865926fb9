"""Whether training several trials together pays: CPU time a member's epoch for one, two and four trials of three seeds.

The bound in ``search/pack.py`` above which trials are asked for one by one on a CPU rests on this.
"""

from __future__ import annotations

from typing import Any

import torch

from benchmarks.environment import start_again_with_settings
from benchmarks.ours import cohort, config, dataset, epoch
from benchmarks.timing import as_row, interleave, report
from lorap_bench.config import QuantConfig

SEEDS, TRIALS, WIDTHS = 3, (1, 2, 4), (16, 32, 64)
SCHEMES = ("QAT", "DegreeQuant")


def main() -> None:
    """Measure and report."""
    start_again_with_settings("benchmarks.bench_cohorts")
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = []
    for scheme in SCHEMES:
        for hidden in WIDTHS:
            trial = config(QuantConfig(scheme=scheme, bits=4), hidden=hidden, prompt="LoRAP")
            contestants = {str(n): epoch(cohort(dataset("Cora"), trial, n * SEEDS)) for n in TRIALS}
            timings = interleave(contestants, rounds=5)
            alone = timings["1"].median / SEEDS
            for count in TRIALS:
                each = timings[str(count)].median / (count * SEEDS)
                of = {"scheme": scheme, "hidden": hidden, "trials": count}
                rows.append(of | as_row(timings[str(count)]) | {"ms a member": 1e3 * each, "times one": alone / each})
    report("cohorts", rows)


if __name__ == "__main__":
    main()
