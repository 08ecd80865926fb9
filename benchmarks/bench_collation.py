"""What drawing and packing batches costs, as a share of a training epoch: packed graphs, clusters, neighbourhoods."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from benchmarks import ours
from benchmarks.environment import start_again_with_settings
from benchmarks.timing import interleave, report
from lorap_bench.config import ModelConfig, QuantConfig, TaskConfig
from lorap_bench.errors import MissingResource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorap_bench.train.loop import Passes

CLUSTERS, NODES = {"sampling": "clusters"}, {"sampling": "nodes"}
CASES: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("PROTEINS", {}, "GIN"),
    ("Photo", CLUSTERS, "GCN"),
    ("Photo", NODES, "GCN"),
    ("CS", CLUSTERS, "GCN"),
    ("CS", NODES, "GCN"),
)
HIDDEN = 64
EPOCHS = TaskConfig().draw_every
"""What one drawing of sampled batches serves."""
_starts = count(step=EPOCHS)


def passes(name: str, sampling: dict[str, Any], arch: str, members: int) -> Passes:
    """Return the passes of a cohort under QAT at 4 bits with LoRAP."""
    trial = replace(
        ours.config(QuantConfig(bits=4), hidden=HIDDEN, prompt="LoRAP"),
        task=TaskConfig(dataset=name, **sampling),
        model=ModelConfig(arch=arch, hidden=HIDDEN, layers=2),
    )
    return ours.cohort(ours.dataset(name), trial, members)


def rows() -> Iterator[dict[str, Any]]:
    """Measure each case with one member and with ten; data sets that are not here are left out."""
    for name, sampling, arch in CASES:
        for members in (1, 10):
            try:
                run = passes(name, sampling, arch, members)
            except MissingResource as error:
                print(error)
                break
            found = interleave(
                {"collation": partial(_collate, run), "epoch": partial(_train, run)},
                rounds=3,
                repeats=1,
            )
            seconds = {part: timing.median / EPOCHS for part, timing in found.items()}
            yield {
                "data set": name,
                "batches": sampling.get("sampling", "graphs"),
                "members": members,
                "collation ms": 1e3 * seconds["collation"],
                "epoch ms": 1e3 * seconds["epoch"],
                "share %": 100 * seconds["collation"] / seconds["epoch"],
            }


def _collate(run: Passes) -> None:
    for epoch in _fresh():
        deque(run.feed.train(epoch), maxlen=0)


def _train(run: Passes) -> None:
    for epoch in _fresh():
        run.train(epoch)


def _fresh() -> range:
    """Return the epochs of a drawing that was not there before."""
    start = next(_starts)
    return range(start, start + EPOCHS)


def main() -> None:
    """Measure and report."""
    start_again_with_settings("benchmarks.bench_collation")
    report("collation", list(rows()))


if __name__ == "__main__":
    main()
