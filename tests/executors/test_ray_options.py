from __future__ import annotations

from typing import Any

import pytest

from lorap_bench.errors import ConfigError

pytest.importorskip("ray", reason="the ray extra is not installed")

from lorap_bench.executors.ray.options import RayOptions, workers_that_fit


@pytest.mark.parametrize(
    ("options", "cores", "gpus", "expected"),
    [
        ({}, 16, 0, 16),  # one a core
        ({"cpus_per_trial": 0.5}, 2, 0, 4),
        ({"cpus_per_trial": 4}, 18, 0, 4),
        ({"gpus_per_trial": 1.0}, 64, 3, 3),
        ({"gpus_per_trial": 0.25}, 64, 2, 8),
        ({"gpus_per_trial": 0.3}, 64, 3, 9),  # no worker has parts of two
        ({"gpus_per_trial": 0.1}, 64, 1, 10),
        ({"gpus_per_trial": 0.25}, 6, 2, 6),  # cores end first
        ({"gpus_per_trial": 2.0}, 64, 5, 2),
        ({"cpus_per_trial": 0, "gpus_per_trial": 0.5}, 0, 1, 2),
        ({"cpus_per_trial": 0}, 3, 0, 3),
    ],
)
def test_as_many_workers_run_as_have_room(options: Any, cores: float, gpus: float, expected: int) -> None:
    assert workers_that_fit(RayOptions(**options), cores=cores, gpus=gpus) == expected


@pytest.mark.parametrize(
    ("gpus", "workers", "expected"), [(0.0, 6, 6), (0.25, 8, 4), (0.3, 9, 3), (1.0, 3, 1), (2.0, 2, 1)]
)
def test_those_that_share_a_device_share_its_memory(gpus: float, workers: int, expected: int) -> None:
    assert RayOptions(gpus_per_trial=gpus).sharers(workers) == expected


def test_one_and_a_half_gpus_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"--gpus-per-trial: several GPUs cannot be parted.*1\.5"):
        RayOptions(gpus_per_trial=1.5)
