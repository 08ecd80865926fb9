"""What quantizers may know of the forward pass under way beside their own tensor."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from lorap_bench.kernels.random import Draws

if TYPE_CHECKING:
    from torch import Tensor

    from lorap_bench.cost.site import Rows

__all__ = ["Context", "Stage"]


class Stage(StrEnum):
    """What quantizers do while a model trains: search their widths, nothing, or quantize."""

    SEARCH = "search"
    FLOAT = "float"
    QUANTIZED = "quantized"


@dataclass(slots=True, eq=False)
class Context:
    """The state of the network that its quantizers read; the network alone writes it.

    ``calibrating`` is set during the one pass in which learned quantizers take their first values from
    the data. ``protected`` are the node rows that stay in full precision in this pass, ``[S, N]`` bool;
    ``source`` is the node each edge starts from, ``[E]``. ``nodes`` are the graph's nodes that the rows are, ``[N]``,
    None where they are all of them. ``bare`` leaves all prompts out. Where ``trace`` is a
    list, every layer appends its aggregated features without and with its prompt.
    """

    draws: Draws = field(default_factory=lambda: Draws([]))
    stage: Stage = Stage.QUANTIZED
    calibrating: bool = False
    protected: Tensor | None = None
    source: Tensor | None = None
    nodes: Tensor | None = None
    bare: bool = False
    trace: list[tuple[Tensor, Tensor]] | None = None

    def protected_rows(self, rows: Rows) -> Tensor | None:
        """Return which rows of a tensor stay in full precision; an edge follows its source node."""
        if self.protected is None or rows not in {"node", "edge"}:
            return None
        if rows == "node":
            return self.protected
        assert self.source is not None
        return self.protected.index_select(1, self.source)

    def protected_senders(self, columns: int) -> Tensor | None:
        """Return which columns of what is summed over neighbours stay in full precision: those of protected nodes.

        A node has one column, or one for each relation along which it sends, next to each other: → ``[S, columns]``.
        """
        if self.protected is None or columns == self.protected.shape[1]:
            return self.protected
        return self.protected.repeat_interleave(columns // self.protected.shape[1], 1)
