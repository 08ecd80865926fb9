"""The cluster that trials run on: the one of this process, an existing one, or a local one for the run."""

from __future__ import annotations

import logging
import signal
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import AuthenticationError

from lorap_bench.errors import MissingResource
from lorap_bench.executors.ray.environment import TOKEN_VARIABLE, authenticate, for_workers
from lorap_bench.executors.ray.options import workers_that_fit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorap_bench.executors.ray.options import RayOptions

__all__ = ["cluster"]

_OBJECT_STORE_BYTES = 512 * 2**20
_ANSWER_SECONDS = 10.0


@contextmanager
def cluster(options: RayOptions) -> Iterator[int]:
    """Be connected to Ray for the block; give the number of workers.

    A local cluster is shut down at the end; a user's is only left.

    Raises:
        MissingResource: there is no such cluster, it takes another token, or it has no room for a single worker.
    """
    mine = not ray.is_initialized()
    if mine:
        with _signals_kept():
            _connect(options)
    # What Tune would print, of lost workers or of its own bookkeeping, the records say better.
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    try:
        yield _workers(options)
    finally:
        if mine:
            ray.shutdown()


def _connect(options: RayOptions) -> None:
    authenticate(options.address)
    quiet = {"log_to_driver": False, "logging_level": "warning"}
    if options.address is None:
        cores = None if options.workers is None else max(1, round(options.workers * options.cpus_per_trial))
        ray.init(
            address="local",
            include_dashboard=False,
            num_cpus=cores,
            num_gpus=0 if options.gpus_per_trial == 0 else None,
            object_store_memory=_OBJECT_STORE_BYTES,
            **quiet,
        )
        return
    _reach(options.address)
    try:
        ray.init(address=options.address, runtime_env={"env_vars": for_workers()}, **quiet)
    except (ConnectionError, AuthenticationError) as error:
        refused = any(isinstance(cause, AuthenticationError) for cause in _causes(error))
        why = f"it refuses this token; set {TOKEN_VARIABLE} to the one that its nodes were started with"
        message = why if refused else f"no Ray cluster answers, or it has another token ({TOKEN_VARIABLE})"
        raise MissingResource(message, where=f"--address {options.address}") from error


def _reach(address: str) -> None:
    """Fail soon where nobody listens: Ray itself would try for minutes."""
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=_ANSWER_SECONDS).close()
    except (OSError, ValueError) as error:
        message = f"nobody answers ({error}); give the address that `ray start --head` told, host:port, or auto"
        raise MissingResource(message, where=f"--address {address}") from error


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__


def _workers(options: RayOptions) -> int:
    """Return how many workers to run.

    Raises:
        MissingResource: there is no room for one.
    """
    found: dict[str, Any] = ray.cluster_resources()
    cores, gpus = found.get("CPU", 0.0), found.get("GPU", 0.0)
    for name, needs, has in (("GPUs", options.gpus_per_trial, gpus), ("cores", options.cpus_per_trial, cores)):
        if has < needs:
            where = "this machine" if options.address is None else "the cluster"
            option = "--gpus-per-trial" if name == "GPUs" else "--cpus-per-trial"
            raise MissingResource(f"a trial needs {needs:g} {name} and {where} has {has:g}", where=option)
    return options.workers or max(1, workers_that_fit(options, cores=cores, gpus=gpus))


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Keep this process's answers to signals: Ray sets its own when it starts."""
    numbers = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
