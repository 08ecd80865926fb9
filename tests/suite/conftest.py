from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lorap_bench.cli.wiring import catalog
from lorap_bench.suite.file import load_suite
from lorap_bench.suite.sitting import open_sitting
from tests.suite.sittings import SUITE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lorap_bench.suite.sitting import Sitting
    from lorap_bench.suite.spec import SuiteSpec


@pytest.fixture
def text() -> str:
    """Return a suite of four short cells."""
    return SUITE


@pytest.fixture
def load(tmp_path: Path) -> Callable[[str], SuiteSpec]:
    """Read a suite from text."""

    def read(content: str) -> SuiteSpec:
        path = tmp_path / "few.toml"
        path.write_text(content, encoding="utf-8")
        return load_suite(path, catalog=catalog())

    return read


@pytest.fixture
def sit(load: Callable[[str], SuiteSpec], tmp_path: Path) -> Callable[..., Sitting]:
    """Sit down at a suite given as text."""

    def open_(content: str = SUITE, *only: str) -> Sitting:
        return open_sitting(load(content), tmp_path / "runs", only)

    return open_
