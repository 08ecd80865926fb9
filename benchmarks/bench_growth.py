"""How the time of an epoch grows: with the graph, and with the members of a cohort.

QAT with LoRAP at 4 bits, hidden 16. Graphs: power laws (degree exponent 3) of five edges a node and 64 dense
features, one member, beside the straightforward trainer. Members: Cora. Stored as ``results/growth.json`` and drawn
in ``results/growth.svg``. Needs Cora (a raw-data mirror or the network).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from benchmarks import naive, ours
from benchmarks.bench_memory import peak
from benchmarks.chart import Chart, svg
from benchmarks.environment import start_again_with_settings
from benchmarks.timing import RESULTS, interleave, report
from lorap_bench.config import QuantConfig
from lorap_bench.data.edges import canonical_edges
from lorap_bench.data.task import GraphTask

if TYPE_CHECKING:
    from torch import Tensor

EDGES = (1_000, 10_000, 100_000, 1_000_000)
MEMBERS = (1, 2, 4, 8, 16, 32, 64)
EDGES_A_NODE, FEATURES, CLASSES, HIDDEN, ROUNDS = 5, 64, 7, 16, 5


def power_law_task(edges: int, seed: int = 0) -> GraphTask:
    """Return a random graph whose degrees follow a power law of exponent 3: node i is drawn as (i + 1)^-1/2.

    Source: Chung & Lu 2002, for graphs of given expected degrees.
    """
    generator = torch.Generator().manual_seed(seed)
    nodes = edges // EDGES_A_NODE
    pairs = _pairs(edges // 2, nodes, generator)
    order = torch.randperm(nodes, generator=generator)
    return GraphTask(
        name=f"power law {edges}",
        level="node",
        x=torch.randn(nodes, FEATURES, generator=generator),
        edge_index=canonical_edges(pairs, nodes),
        graph_ptr=torch.tensor([0, nodes]),
        y=torch.randint(CLASSES, (nodes,), generator=generator),
        splits={"train": order[: nodes // 2].sort().values, "val": order[nodes // 2 :].sort().values},
        classes=CLASSES,
    )


def _pairs(count: int, nodes: int, generator: torch.Generator) -> Tensor:
    """Return different pairs of different nodes: ``[2, count]``, the smaller node first."""
    reach = (torch.arange(nodes) + 1.0).double().rsqrt().cumsum(0)
    found = torch.zeros(0, dtype=torch.int64)
    while found.numel() < count:
        drawn = torch.rand(2, 2 * count, generator=generator, dtype=torch.float64) * reach[-1]
        ends = torch.searchsorted(reach, drawn).clamp(max=nodes - 1).sort(dim=0).values
        ends = ends[:, ends[0] < ends[1]]
        found = torch.cat([found, ends[0] * nodes + ends[1]]).unique()
    found = found[torch.randperm(found.numel(), generator=generator)[:count]]
    return torch.stack([found // nodes, found % nodes])


def by_graph() -> list[dict[str, Any]]:
    """Measure an epoch by the size of the graph, and the peak memory of all so far, both contestants alive."""
    rows = []
    trial = ours.config(QuantConfig(bits=4), hidden=HIDDEN, prompt="LoRAP")
    for edges in EDGES:
        task = power_law_task(edges)
        contestants = {
            "ours": ours.epoch(ours.cohort(task, trial, members=1)),
            "naive": naive.qat_gcn(task, trial).epoch,
        }
        timings = interleave(contestants, rounds=ROUNDS, repeats=1)
        sizes = {"nodes": task.x.shape[0], "edges": task.edge_index.shape[1]}
        seconds = {f"{name} s": timing.median for name, timing in timings.items()}
        rows.append({"growth": "graph", **sizes, "members": 1} | seconds | {"peak MiB": peak()})
    return rows


def by_members() -> list[dict[str, Any]]:
    """Measure an epoch on Cora by the number of members; the straightforward trainer takes as often as many."""
    task = ours.dataset("Cora")
    trial = ours.config(QuantConfig(bits=4), hidden=HIDDEN, prompt="LoRAP")
    contestants = {f"{count}": ours.epoch(ours.cohort(task, trial, members=count)) for count in MEMBERS}
    contestants["naive"] = naive.qat_gcn(task, trial).epoch
    timings = interleave(contestants, rounds=ROUNDS, repeats=1)
    sizes = {"nodes": task.x.shape[0], "edges": task.edge_index.shape[1]}
    return [
        {"growth": "members", **sizes, "members": count}
        | {"ours s": timings[f"{count}"].median, "naive s": count * timings["naive"].median, "peak MiB": "–"}
        for count in MEMBERS
    ]


def main() -> None:
    """Measure, report and draw."""
    start_again_with_settings("benchmarks.bench_growth")
    torch.set_num_threads(1)
    graphs, members = by_graph(), by_members()
    report("growth", [*graphs, *members])
    names = {"ours": "ours s", "straightforward PyG": "naive s"}
    charts = [
        Chart(
            title,
            x_label,
            "CPU seconds an epoch",
            {name: [(row[axis], row[column]) for row in rows] for name, column in names.items()},
        )
        for title, x_label, axis, rows in (
            ("One member by graph", "edges (nodes = edges / 5)", "edges", graphs),
            ("Cora by members", "members of the cohort", "members", members),
        )
    ]
    (RESULTS / "growth.svg").write_text(svg(charts), encoding="utf-8")


if __name__ == "__main__":
    main()
