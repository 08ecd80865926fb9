from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lorap_bench.errors import ConfigError, MissingResource
from lorap_bench.suite import plan as plan_module
from lorap_bench.suite.expand import expand
from lorap_bench.suite.plan import plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.suite.sitting import Sitting
    from lorap_bench.suite.spec import SuiteSpec


def test_a_cell_that_cannot_exist_is_skipped_with_its_reason(load: Callable[[str], SuiteSpec], text: str) -> None:
    cells = expand(load(text.replace("groups = 20", "groups = 0")))
    found = plan(cells)
    assert [cell.name for cell in found.cells] == ["QAT None", "QAT LoRAP"]
    assert [cell.name for cell in found.skipped] == ["A2Q None", "A2Q LoRAP"]
    assert all("A2Q meets unseen graphs" in cell.skipped for cell in found.skipped)
    assert list(found.impossible) == [cell.key for cell in cells[2:]]
    assert found.epochs == {cell.key: 4 for cell in cells[:2]}  # two epochs, two seeds


def test_where_no_cell_is_left_all_reasons_are_told(sit: Callable[..., Sitting], text: str) -> None:
    impossible = text.replace("groups = 20", "groups = 0")
    with pytest.raises(ConfigError, match=r"no cell is left to run: 1 fault\n.*A2Q meets unseen graphs"):
        sit(impossible, "scheme=A2Q")
    skipped = text + '[[skip]]\nwhen = { scheme = "A2Q" }\nreason = "too dear"\n'
    with pytest.raises(ConfigError, match=r"too dear"):
        sit(skipped, "scheme=A2Q")


def test_a_broken_download_passes_through(
    sit: Callable[..., Sitting], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(config: object) -> None:
        raise MissingResource("cannot download x (2 of 3 bytes arrived)", where="Digits")

    monkeypatch.setattr(plan_module, "load_task", broken)
    with pytest.raises(MissingResource, match=r"2 of 3 bytes"):
        sit(text)
