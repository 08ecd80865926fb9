"""Which backend is chosen, and what is said when it cannot be."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from lorap_bench.errors import ConfigError, MissingResource
from lorap_bench.kernels import backend
from lorap_bench.kernels.backend import BACKEND_VARIABLE, kernels, use

BEST = "native" if importlib.util.find_spec("numba") else "reference"


def test_the_fastest_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(BACKEND_VARIABLE, raising=False)
    assert kernels().name == BEST
    monkeypatch.setenv(BACKEND_VARIABLE, "")
    assert kernels().name == BEST


def test_the_environment_chooses_and_a_block_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BACKEND_VARIABLE, "reference")
    assert kernels().name == "reference"
    with use("auto") as chosen:
        assert kernels() is chosen
        assert chosen.name == BEST
        with use("reference"):
            assert kernels().name == "reference"
        assert kernels() is chosen
    assert kernels().name == "reference"


def test_an_unknown_name_says_what_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BACKEND_VARIABLE, "natve")
    with pytest.raises(ConfigError, match=r"LORAP_BENCH_BACKEND: .*'natve'; allowed: auto, native.*mean 'native'"):
        kernels()
    with pytest.raises(ConfigError), use("cuda"):
        pass


def test_without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("lorap_bench.kernels.native")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "numba", None)
    backend._backend.cache_clear()
    try:
        with use("auto") as chosen:
            assert chosen.name == "reference"
        with pytest.raises(MissingResource, match="needs numba"), use("native"):
            pass
    finally:
        backend._backend.cache_clear()


def test_numba_is_loaded_when_something_is_computed() -> None:
    code = "import sys, lorap_bench.kernels; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
