"""No prompt: the arm every other is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from lorap_bench.prompts.prompt import Prompt

__all__ = ["NoPrompt"]


@final
@dataclass(frozen=True, slots=True)
class NoPrompt(Prompt):
    """Adds nothing anywhere."""

    def node_cost(self, nodes: float, width: int) -> None:
        return None

    def aggregate_cost(self, nodes: float, width: int) -> None:
        return None
