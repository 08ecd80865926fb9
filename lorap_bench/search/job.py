"""A trial to run, as executors see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from lorap_bench.config import TrialConfig

__all__ = ["Job"]


@dataclass(frozen=True, slots=True)
class Job:
    """Everything a trainer needs, and the key and attempt that the result comes back with.

    ``costs`` are the figures known before training. ``judged`` says whether the trial may be stopped early: the rest
    of a screened one may not. ``split`` says what its chosen epochs are looked at on besides validation: in a search
    that is always nothing else, ``"val"``.
    """

    number: int
    attempt: int
    params: dict[str, Any]
    config: TrialConfig
    seeds: tuple[int, ...]
    costs: dict[str, float]
    judged: bool = True
    split: Literal["val", "test"] = "val"
