"""What trains a pack of trials, wherever that happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lorap_bench.config import TrialConfig
    from lorap_bench.record import Outcome
    from lorap_bench.train.watch import Watch

__all__ = ["Trainer"]


class Trainer(Protocol):
    """Train configurations, each on some seeds, while ``watch`` looks on."""

    def __call__(
        self,
        requests: Sequence[tuple[TrialConfig, Sequence[int]]],
        *,
        split: Literal["val", "test"],
        watch: Watch,
    ) -> Iterable[dict[int, Outcome]]:
        """Yield outcomes by position, of those that trained together, as they end."""
        ...
