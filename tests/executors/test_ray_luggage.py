from __future__ import annotations

import pytest
import torch

from lorap_bench.config import TaskConfig
from lorap_bench.data import load
from lorap_bench.data.packed import Packed

pytest.importorskip("ray", reason="the ray extra is not installed")

from lorap_bench.executors.ray import luggage


def test_relations_travel_with_their_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = Packed(
        x=torch.ones(3, 2),
        edge_index=torch.tensor([[1, 0], [0, 1]]),
        graph_ptr=torch.tensor([0, 3]),
        y=torch.tensor([0, 1, -1]),
        splits={"train": torch.tensor([0]), "val": torch.tensor([1]), "test": torch.tensor([1])},
        edge_type=torch.tensor([0, 1], dtype=torch.int8),
    )
    monkeypatch.setattr(luggage, "load_packed", lambda name, folders: packed)
    monkeypatch.setattr("ray.put", lambda value: value)
    monkeypatch.setattr(load, "_provided", {})
    luggage.unpack_luggage(*luggage.pack_luggage(["ogbn-mag-hetero"]))
    task = load.load_task(TaskConfig(dataset="ogbn-mag-hetero"))
    load._task.cache_clear()
    assert (task.relations, task.classes) == (2, 2)
