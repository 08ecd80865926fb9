"""A step recorded once as a CUDA graph and replayed: one launch where there were hundreds.

What is replayed reads and writes the memory it was recorded with, so a step may be recorded where its batch
is the same each time and everything else it reads from the host lies in tensors that are renewed in place
(``Cohort.hold``). Whoever replaces a tensor of the step forgets the recording: members that leave, a new stage.

Source: PyTorch, "CUDA semantics", the section on CUDA graphs, for the warm-up on a side stream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

__all__ = ["Replayed"]

_WARM_UP = 3


class Replayed:
    """Calls a step a few times as it is, then records and replays it.

    The step takes nothing and returns tensors, which the next call overwrites. The first calls compile kernels,
    choose algorithms and fill what is kept from call to call; they count like all others.
    """

    def __init__(self, step: Callable[[], tuple[Tensor, ...]], device: torch.device) -> None:
        self._step, self._device = step, device
        self._calls = 0
        self._graph: Any = None
        self._results: tuple[Tensor, ...] = ()

    def __call__(self) -> tuple[Tensor, ...]:
        """Take the step once."""
        self._calls += 1
        if self._calls <= _WARM_UP:
            return self._beside()
        if self._graph is None:
            self._record()
        self._graph.replay()
        return self._results

    def _record(self) -> None:
        """Record the step without taking it."""
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._results = self._step()

    def _beside(self) -> tuple[Tensor, ...]:
        """Take the step on a stream of its own: on the usual one its gradients' streams would be waited for."""
        here, beside = torch.cuda.current_stream(self._device), torch.cuda.Stream(self._device)
        beside.wait_stream(here)
        with torch.cuda.stream(beside):
            results = self._step()
        here.wait_stream(beside)
        for result in results:
            result.record_stream(here)
        return results
