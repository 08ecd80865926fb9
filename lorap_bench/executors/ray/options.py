"""How many workers run at once, what each of them gets, and on which cluster."""

from __future__ import annotations

from dataclasses import dataclass

from lorap_bench.errors import ConfigError, Fault

__all__ = ["RayOptions", "workers_that_fit"]

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class RayOptions:
    """What a run asks of Ray.

    Attributes:
        workers: how many run at once; None: as many as the cluster has room for, one a core by default.
        cpus_per_trial: cores of a worker, of which a part may be asked for.
        gpus_per_trial: GPUs of a worker; several share one GPU by its parts.
        address: an existing cluster, ``"auto"`` or ``host:port``; None: a local one for the run.
        datasets: the data sets that the driver reads and hands to every node; workers read others themselves.

    Raises:
        ConfigError: more than one GPU, but no whole number of them.
    """

    workers: int | None = None
    cpus_per_trial: float = 1.0
    gpus_per_trial: float = 0.0
    address: str | None = None
    datasets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.gpus_per_trial > 1 and self.gpus_per_trial % 1:
            message, allowed = "several GPUs cannot be parted", "a part of one, or a whole number"
            raise ConfigError(
                [Fault(path="--gpus-per-trial", message=message, got=self.gpus_per_trial, allowed=allowed)]
            )

    def sharers(self, workers: int) -> int:
        """Return how many of ``workers`` share one GPU, or, without GPUs, at most the memory of one machine."""
        return max(1, _in_one(self.gpus_per_trial)) if self.gpus_per_trial else workers


def workers_that_fit(options: RayOptions, *, cores: float, gpus: float) -> int:
    """Return how many workers have room at once on so many cores and GPUs."""
    share = options.gpus_per_trial
    limits = []
    if options.cpus_per_trial:
        limits.append(int(cores / options.cpus_per_trial + _ROUNDING))
    if share:
        limits.append(int(gpus / share) if share >= 1 else int(gpus) * _in_one(share))
    return min(limits, default=int(cores))


def _in_one(share: float) -> int:
    """Return how many shares one GPU has."""
    return int(1 / share + _ROUNDING)
