"""Which device is chosen, what is moved to it, and how exactly it computes."""

from __future__ import annotations

import pytest
import torch

from lorap_bench.errors import ConfigError, MissingResource
from lorap_bench.kernels.device import DEVICE_VARIABLE, device, exactly, placed
from lorap_bench.models.graph import build_store
from lorap_bench.testing import sparse_task

META = torch.device("meta")


@pytest.mark.parametrize("name", ["", "auto", "cpu"])
def test_without_a_cuda_device_it_is_the_cpu(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv(DEVICE_VARIABLE, name)
    assert device() == torch.device("cpu")


def test_with_one_it_is_taken_unless_the_cpu_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    for name, expected in {"auto": "cuda:1", "cuda": "cuda:1", "cpu": "cpu"}.items():
        monkeypatch.setenv(DEVICE_VARIABLE, name)
        assert device() == torch.device(expected)


def test_a_missing_device_and_an_unknown_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv(DEVICE_VARIABLE, "cuda")
    with pytest.raises(MissingResource, match="LORAP_BENCH_DEVICE: no CUDA device"):
        device()
    monkeypatch.setenv(DEVICE_VARIABLE, "cudda")
    with pytest.raises(
        ConfigError, match=r"LORAP_BENCH_DEVICE: .*'cudda'; allowed: auto, cpu, cuda; did you mean 'cuda'"
    ):
        device()


def test_everything_a_task_and_its_graphs_hold_is_moved_once() -> None:
    task = sparse_task()
    store = build_store(task, self_loops=True, normalized=True)
    ours, theirs = placed((task, store), META)
    assert ours.x.device == ours.splits["train"].device == META
    assert theirs.x is ours.x  # shared before, shared after
    pattern = theirs.whole.features.pattern
    assert pattern is not None
    assert {tensor.device for tensor in (pattern.col, theirs.whole.pattern.t_perm, theirs.whole.ranks)} == {META}
    assert (ours.name, ours.classes, theirs.whole.pattern.shape) == (task.name, task.classes, (60, 60))
    assert placed(store, torch.device("cpu")) is store


def test_exact_computing_is_left_as_it_was_found() -> None:
    matmul = torch.backends.cuda.matmul
    before = torch.are_deterministic_algorithms_enabled(), matmul.allow_tf32
    with exactly(torch.device("cpu")):
        assert torch.are_deterministic_algorithms_enabled() == before[0]
    with exactly(torch.device("cuda")):
        assert torch.are_deterministic_algorithms_enabled()
        assert not matmul.allow_tf32
    assert (torch.are_deterministic_algorithms_enabled(), matmul.allow_tf32) == before
