"""The faults: each a function that does something to a study in an empty folder, and takes stock.

All run with real processes. The tests run them one by one; ``report`` runs them all and makes a table.
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.faults.cluster import three_nodes
from tests.faults.scene import PATIENCE_SECONDS, Scene
from tests.faults.trainers import NAP, NAP_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.account import Account
    from tests.faults.cluster import Nodes

__all__ = ["CASES"]

_LOCAL_KILLS, _PACK_KILLS, _RAY_KILLS = 20, 8, 3
_EATEN_SHARE = 0.15
"""Of the machine's memory: more than the workers take, less than the trial that eats."""


def driver_killed(root: Path) -> Account:
    """Driver killed (-9) at 20 random moments, local executor."""
    scene = Scene(root, trials=60)
    _kill_again_and_again(scene, _LOCAL_KILLS)
    return scene.finish()


def packs_killed(root: Path) -> Account:
    """Driver killed (-9) at 8 random moments, packs of 3."""
    scene = Scene(root, trials=40, together=3)
    _kill_again_and_again(scene, _PACK_KILLS)
    return scene.finish()


def ray_driver_killed(root: Path) -> Account:
    """Driver killed (-9) at 3 random moments, two Ray workers."""
    scene = Scene(root, ray={"workers": 2})
    _kill_again_and_again(scene, _RAY_KILLS)
    return scene.finish()


def interrupted(root: Path) -> Account:
    """Ctrl-C to driver and workers while trials run on Ray: what runs is finished, the rest comes later."""
    scene = Scene(root, ray={"workers": 2})
    with scene.start() as process:
        scene.until(lambda: scene.recorded >= 4, process)
        os.killpg(process.pid, signal.SIGINT)
        code = process.wait()
    scene.remember()
    assert code == 75, scene.output[-3000:]
    first = scene.account(continued=True)
    assert not first.retried
    return scene.finish()


def workers_killed(root: Path) -> Account:
    """Workers killed (-9) in the middle of a trial, three times."""
    scene = Scene(root, "kills_worker", ray={"workers": 2})
    found = scene.finish()
    assert found.retried == 3, found
    return found


def worker_in_company_killed(root: Path) -> Account:
    """Workers killed (-9) in the middle of a pack of 4: its trials come back one by one."""
    scene = Scene(root, "kills_worker", ray={"workers": 2}, together=4)
    found = scene.finish()
    assert found.retried >= 3, found
    return found


def node_killed(root: Path) -> Account:
    """One of three nodes killed (-9) in the middle of a trial."""
    return _without_node(root, lambda nodes: nodes.kill(0))


def node_frozen(root: Path) -> Account:
    """One of three nodes frozen (SIGSTOP) in the middle of a trial."""
    return _without_node(root, lambda nodes: nodes.freeze(0))


def sick_trials(root: Path) -> Account:
    """Exceptions, out-of-memory, hangs, NaN and inf inside real trials, local executor."""
    return _sick(Scene(root, "sick", **_REAL))


def sick_trials_on_ray(root: Path) -> Account:
    """Exceptions, out-of-memory, hangs, NaN and inf inside real trials, two Ray workers."""
    return _sick(Scene(root, "sick", ray={"workers": 2}, **_REAL))


def hang_in_c(root: Path) -> Account:
    """A hang in C code that holds the interpreter's lock: its worker is ended, the trial tried once more and failed."""
    budget = {"trials": 8, "trial_seconds": 1.0, "retries": 1}
    scene = Scene(root, "hangs", ray={"workers": 2}, budget=budget)
    found = scene.finish()
    assert (found.retried, found.statuses) == (1, {"complete": 7, "timeout": 1}), found
    return found


def worker_out_of_memory(root: Path) -> Account:
    """A worker killed because its node's memory ran low: the trial is tried once more and failed."""
    scene = Scene(root, "eats", ray={"workers": 2}, budget={"trials": 8, "retries": 1})
    scene.environment |= {
        "RAY_memory_usage_threshold": f"{_memory_used() + _EATEN_SHARE:.3f}",
        "RAY_memory_monitor_refresh_ms": "100",
    }
    found = scene.finish()
    assert found.retried, found
    assert found.statuses.keys() == {"complete", "out_of_memory"}, found  # Ray may kill a neighbour, too
    return found


def disk_full(root: Path) -> Account:
    """The disk refuses the sampler's journal in the middle of a line."""
    scene = Scene(root)
    scene.plan["file_bytes"] = 9_999
    assert scene.run() not in {0, 75}
    assert "File too large" in scene.output
    scene.remember()
    assert 0 < scene.recorded < scene.spec.budget.trials
    scene.plan["file_bytes"] = None
    return scene.account(continued=scene.run() == 0)


_REAL: dict[str, Any] = {
    "space": {"quant.bits": {"choices": [2, 3, 4, 5, 6, 8]}, "optim.lr": {"choices": [0.01, 0.02]}},
    "task": {"dataset": "Digits"},
    "model": {"hidden": 4},
    "optim": {"epochs": 1},
    "search": {"sampler": "Random", "arguments": {}, "together": 1},
    "budget": {"trials": 12, "trial_seconds": 10.0},
}


def _without_node(root: Path, harm: Callable[[Nodes], None]) -> Account:
    """Harm the first of two nodes with workers; the driver goes on with the second."""
    scene = Scene(root, trials=16)
    with three_nodes(scene.environment | {NAP_VARIABLE: "1"}) as nodes:
        scene.plan["ray"] = {"address": nodes.address}
        with scene.start() as process:
            scene.until(lambda: scene.recorded >= 4 and scene.busy(nodes.workers(0)), process)
            harm(nodes)
            scene.remember()
            code = process.wait(PATIENCE_SECONDS)
        assert nodes.alive  # a cluster that is not ours is not shut down
    found = scene.account(continued=code == 0)
    assert found.retried == 1, (found, scene.output[-3000:])
    return found


def _memory_used() -> float:
    lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return 1 - kilobytes["MemAvailable"] / kilobytes["MemTotal"]


def _sick(scene: Scene) -> Account:
    """Each kind of fault twice, once a learning rate, and two sound trials."""
    scene.plan["made_up"] = False
    found = scene.finish()
    told = {name: count for name, count in found.statuses.items() if name != "duplicate"}
    assert told == {"user_error": 2, "out_of_memory": 2, "timeout": 2, "diverged": 4, "complete": 2}, told
    return found


def _kill_again_and_again(scene: Scene, times: int) -> None:
    """Let a trial or more be recorded, then kill at a random moment of the next ones."""
    moments = random.Random(7)
    for _ in range(times):
        done = scene.recorded
        with scene.start() as process:
            scene.until(lambda: scene.recorded > done, process)  # noqa: B023  # called in this turn
            time.sleep(moments.uniform(0, 2 * NAP))
            scene.kill(process)


CASES: dict[str, Callable[[Path], Account]] = {
    case.__name__: case
    for case in (
        driver_killed,
        packs_killed,
        ray_driver_killed,
        interrupted,
        workers_killed,
        worker_in_company_killed,
        node_killed,
        node_frozen,
        sick_trials,
        sick_trials_on_ray,
        hang_in_c,
        worker_out_of_memory,
        disk_full,
    )
}
