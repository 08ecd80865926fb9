"""The settings that Ray and Tune read from the environment. Importing this module sets those that are not set.

Token authentication is on. A local cluster gets a fresh token, which is never written to disk; for an existing one
the user's counts: ``RAY_AUTH_TOKEN``, the file that ``RAY_AUTH_TOKEN_PATH`` names, or ``~/.ray/auth_token``.
"""

from __future__ import annotations

import os
import secrets
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lorap_bench.errors import MissingResource

__all__ = ["TOKEN_VARIABLE", "authenticate", "for_workers"]

TOKEN_VARIABLE = "RAY_AUTH_TOKEN"  # noqa: S105  # a variable's name
_TOKEN_FILE_VARIABLE = "RAY_AUTH_TOKEN_PATH"  # noqa: S105  # as above
_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",  # a trial without a GPU sees none
    "RAY_AIR_NEW_OUTPUT": "0",  # the new one prints however quiet it is asked to be
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # our record is the log
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Ctrl-C is ours
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",  # nothing is ever restored from Tune's own state
    "OMP_NUM_THREADS": "1",  # one thread a worker: two that contend are far slower
}
# What the workers of an existing cluster, whose processes are not this one's children, must be told.
_TOLD = ("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "OMP_NUM_THREADS", "LORAP_BENCH_BACKEND", "LORAP_BENCH_DEVICE")

if find_spec("ray") is None:
    raise MissingResource("Ray is not installed; python -m pip install 'lorap-bench[ray]'", where="ray")
for _name, _value in _SETTINGS.items():
    os.environ.setdefault(_name, _value)


def authenticate(address: str | None) -> None:
    """See to a token: the user's for the cluster at ``address``, else a fresh one.

    Raises:
        MissingResource: there is no token for an existing cluster.
    """
    raylet: Any = import_module("ray._raylet")
    raylet.Config.initialize("")  # Ray reads its settings when it is imported, and somebody may have done so before
    named = os.environ.get(TOKEN_VARIABLE) or os.environ.get(_TOKEN_FILE_VARIABLE)
    if address is None:
        if not named:
            os.environ[TOKEN_VARIABLE] = secrets.token_hex(32)
    elif os.environ["RAY_AUTH_MODE"] == "token" and not named and not (Path.home() / ".ray" / "auth_token").is_file():
        message = f"no token for the Ray cluster; set {TOKEN_VARIABLE} to the one that its nodes were started with"
        raise MissingResource(message, where=f"--address {address}")


def for_workers() -> dict[str, str]:
    """Return the variables that the workers of an existing cluster need."""
    return {name: os.environ[name] for name in _TOLD if name in os.environ}
