from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from tests.faults.cases import CASES

if TYPE_CHECKING:
    from pathlib import Path

HERE = {"driver_killed", "packs_killed", "sick_trials", "disk_full"}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # Ray's cluster leaves its nodes' processes to the system
@pytest.mark.parametrize("name", CASES)
def test_a_study_survives(tmp_path: Path, name: str) -> None:
    if name not in HERE and find_spec("ray") is None:
        pytest.skip("the ray extra is not installed")
    found = CASES[name](tmp_path)
    assert found.sound, found
