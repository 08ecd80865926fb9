"""Three nodes of Ray on this machine: a head without workers, and two nodes that can be killed or frozen."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Nodes", "three_nodes"]

# A node that does not answer is given up after seconds, not the usual minute.
_IMPATIENT = {
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 4,
}
_STORE_BYTES = 100 * 2**20


class Nodes:
    """The cluster's address and its nodes."""

    def __init__(self, cluster: Any, nodes: list[Any]) -> None:
        self.address: str = cluster.address
        self._cluster, self._nodes = cluster, nodes
        self._frozen: list[int] = []

    @property
    def alive(self) -> bool:
        """Whether the head still runs."""
        return bool(self._cluster.head_node.live_processes())

    def kill(self, place: int) -> None:
        """Kill a node with all its workers, as a power cut does."""
        for pid in self._family(place):
            _send(pid, signal.SIGKILL)

    def freeze(self, place: int) -> None:
        """Stop a node and all its workers: connections stay, nobody answers."""
        self._frozen = self._family(place)
        for pid in self._frozen:
            _send(pid, signal.SIGSTOP)

    def workers(self, place: int) -> list[int]:
        """Return the processes of a node's workers that serve an actor."""
        return [pid for pid in self._family(place) if "ray::" in _command(pid)]

    def shutdown(self) -> None:
        """End all nodes, the frozen ones too."""
        for pid in self._frozen:
            _send(pid, signal.SIGKILL)
        self._cluster.shutdown()

    def _family(self, place: int) -> list[int]:
        """Return a node's raylet and everything it started."""
        found = [self._nodes[place].all_processes["raylet"][0].process.pid]
        parents = _parents()
        for pid in found:  # grows
            found.extend(child for child, parent in parents.items() if parent == pid)
        return found


@contextmanager
def three_nodes(environment: dict[str, str], **resources: Any) -> Iterator[Nodes]:
    """Start a head and two nodes, each with ``resources``, whose processes have ``environment`` besides ours."""
    from lorap_bench.executors.ray.environment import authenticate  # before Ray itself, which reads what it sets

    authenticate(None)  # drivers of this process's children have the token, too
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "object_store_memory": _STORE_BYTES, "_system_config": _IMPATIENT}
    each = {"num_cpus": 1, "object_store_memory": _STORE_BYTES, **resources}
    with patch.dict(os.environ, environment):
        cluster = Cluster(initialize_head=True, head_node_args=head)
        nodes = Nodes(cluster, [cluster.add_node(wait=False, **each) for _ in range(2)])
    try:
        yield nodes
    finally:
        nodes.shutdown()


def _parents() -> dict[int, int]:
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            found[int(path.parent.name)] = int(path.read_text(encoding="utf-8").rpartition(")")[2].split()[1])
        except OSError:  # it has just ended
            continue
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
    except OSError:
        return ""


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
