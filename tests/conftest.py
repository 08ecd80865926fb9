"""What every test stands on: one thread, a quiet Ray, a cache of its own, and the raw-data mirror if there is one.

The environment is set before anything imports torch, Triton or Ray, and child processes inherit it.
"""

from __future__ import annotations

import os
import secrets
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent

ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",  # two threads under contention are many times slower than one
    "LORAP_BENCH_DEVICE": "cpu",  # also where there is a CUDA device: only tests marked gpu use it
    "NO_COLOR": "1",
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),  # one a session, so that nothing is written to $HOME
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
}
os.environ.update(ENVIRONMENT)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # of a run in the background; processes of tests would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

import torch  # noqa: E402  # reads the environment

if not torch.cuda.is_available():  # Triton decides at its import, and more than its own tests import it
    os.environ["TRITON_INTERPRET"] = "1"


def _mirror() -> Path | None:
    """Return the raw-data mirror: what the environment names, else a ``shared/data`` beside the checkout."""
    named = os.environ.get("LORAP_BENCH_RAW")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    return folder.resolve() if folder.is_dir() else None


MIRROR = _mirror()
os.environ.pop("LORAP_BENCH_RAW", None)
if MIRROR is not None:
    os.environ["LORAP_BENCH_RAW"] = str(MIRROR)

# These files take tens of seconds each and go first, so that processes that share the files end together.
LONGEST = (
    "contracts/test_schemes.py",
    "search/test_crash.py",
    "executors/test_ray.py",
    "kernels/test_triton.py",
    "report/test_browser.py",
    "train/test_cora.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first."""
    places = {ROOT / "tests" / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(LONGEST)))


# Examples are few by default and many in the property session; shared machines make deadlines meaningless.
settings.register_profile("few", max_examples=25, deadline=None, derandomize=True)
settings.register_profile(
    "many", max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "few"))


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give the session a data cache of its own: the user's is neither trusted nor filled."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LORAP_BENCH_CACHE", str(folder))
        yield folder


@pytest.fixture
def on_cuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Train on the CUDA device, or skip."""
    import torch

    from lorap_bench.kernels import backend

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    monkeypatch.setenv("LORAP_BENCH_DEVICE", "cuda")
    backend._backend.cache_clear()
    yield
    backend._backend.cache_clear()


@pytest.fixture(scope="session")
def raw_mirror() -> Path:
    """Return the folder of raw data sets, or skip: a user's machine has none."""
    if MIRROR is None:
        pytest.skip("no raw-data mirror: set LORAP_BENCH_RAW to a folder of raw data sets")
    return MIRROR


@pytest.fixture(scope="session")
def project_root() -> Path:
    """Return the root of the checkout."""
    return ROOT
