"""Which backend is chosen, and what is said when it cannot be."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest
import torch

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
        with pytest.warns(RuntimeWarning, match="needs numba .*pip install numba; computing with the slower"):
            assert backend._backend("auto").name == "reference"
        with use("auto") as chosen:  # said once
            assert chosen.name == "reference"
        with pytest.raises(MissingResource, match="needs numba"), use("native"):
            pass
    finally:
        backend._backend.cache_clear()


def test_without_triton(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("lorap_bench.kernels.triton")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "triton", None)
    monkeypatch.setattr(backend, "device", lambda: torch.device("cuda", 0))
    backend._backend.cache_clear()
    try:
        with pytest.warns(RuntimeWarning, match="needs triton .*CUDA on Linux bring.*computing with the slower"):
            assert backend._backend("auto").name == "reference"
        with pytest.raises(MissingResource, match="pip install triton"), use("triton"):
            pass
        with pytest.raises(ConfigError, match="native backend does not compute on this device; got 'cuda'"):
            backend._backend("native")
    finally:
        backend._backend.cache_clear()


def test_triton_asks_for_a_cuda_device(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("triton", reason="the triton backend needs triton")
    monkeypatch.setattr("lorap_bench.kernels.triton.compiled.INTERPRETED", False)
    backend._backend.cache_clear()
    with pytest.raises(ConfigError, match="triton backend does not compute on this device; got 'cpu'; allowed: cuda"):
        backend._backend("triton")


def test_numba_is_loaded_when_something_is_computed() -> None:
    code = "import sys, lorap_bench.kernels; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
