"""Contract tests that a scheme, a prompt or an architecture inherits, ours and a stranger's; needs pytest.

``class TestMine(SchemeContract): scheme = "their_pkg.mod:TheirScheme"`` in a test file is enough.
"""

from lorap_bench.testing.contract import Arm, Contract
from lorap_bench.testing.conv import ConvContract
from lorap_bench.testing.host import HostSynchronisation, no_host_synchronisation
from lorap_bench.testing.prompt import PromptContract
from lorap_bench.testing.scheme import SchemeContract
from lorap_bench.testing.tasks import DEGENERATE, graph_task, node_task, relational, renumbered, sparse_task, value_task

__all__ = [
    "DEGENERATE",
    "Arm",
    "Contract",
    "ConvContract",
    "HostSynchronisation",
    "PromptContract",
    "SchemeContract",
    "graph_task",
    "no_host_synchronisation",
    "node_task",
    "relational",
    "renumbered",
    "sparse_task",
    "value_task",
]
