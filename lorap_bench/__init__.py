"""lorap_bench: hyperparameter search and benchmarking for quantized graph neural networks with LoRAP prompts.

The public names load on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lorap_bench.config import TrialConfig
    from lorap_bench.data.load import load_task
    from lorap_bench.models.blueprint import blueprint
    from lorap_bench.record import TrialRecord
    from lorap_bench.study.spec import StudySpec
    from lorap_bench.train.trial import run_trial

__all__ = ["StudySpec", "TrialConfig", "TrialRecord", "__version__", "blueprint", "load_task", "run_trial"]

__version__ = version("lorap-bench")

_HOMES = {
    "StudySpec": "lorap_bench.study.spec",
    "TrialConfig": "lorap_bench.config",
    "TrialRecord": "lorap_bench.record",
    "blueprint": "lorap_bench.models.blueprint",
    "load_task": "lorap_bench.data.load",
    "run_trial": "lorap_bench.train.trial",
}


def __getattr__(name: str) -> Any:  # a module's attributes have any type
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
