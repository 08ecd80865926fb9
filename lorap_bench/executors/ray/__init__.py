"""Run trials on Ray Tune: workers as reused actors, the broker as its search algorithm.

Tune schedules and places; it decides nothing and remembers nothing. Its own state lies in a temporary folder and is
thrown away: the study folder is the truth, and a fresh Tuner goes on from there. What Tune calls a trial is a pack of
ours. A pack whose worker dies comes back to the broker at once, which queues its trials anew, each by itself.

`environment` is imported first: Ray reads some of its settings when it is imported itself.
"""

from __future__ import annotations

from lorap_bench.executors.ray import environment  # isort: split

from lorap_bench.executors.ray.options import RayOptions
from lorap_bench.executors.ray.run import run_ray

__all__ = ["RayOptions", "environment", "run_ray"]
