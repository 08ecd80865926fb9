from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lorap_bench.record import MemberResult, Status, TrialRecord
from lorap_bench.suite.expand import expand
from lorap_bench.suite.forecast import Forecast, forecast
from lorap_bench.suite.plan import Plan
from lorap_bench.suite.result import CellResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.suite.cell import Cell
    from lorap_bench.suite.spec import SuiteSpec


def result(cell: Cell, *, seconds: float, epochs: int) -> CellResult:
    config: dict[str, Any] = cell.config.to_mapping()
    member = MemberResult(seed=0, status=Status.COMPLETE, val=0.5, epochs=epochs)
    record = TrialRecord(status=Status.COMPLETE, config=config, digest="", members=(member,), seconds=seconds)
    return CellResult(axes=cell.axes, records=(record,), costs=({},))


def test_epochs_times_the_pace_of_the_cells_most_alike(load: Callable[[str], SuiteSpec], text: str) -> None:
    cells = expand(load(text.replace("[axes]", '[axes]\ndataset = ["Digits", "MUTAG"]\n')))
    plan = Plan(cells=cells, epochs={cell.key: 10 for cell in cells})
    assert forecast(plan, {}) == Forecast(0, 0, 8)
    qat, qat_lorap = cells[:2]
    done = {qat.key: result(qat, seconds=4, epochs=2), qat_lorap.key: result(qat_lorap, seconds=12, epochs=2)}
    # A2Q None agrees most with QAT None (2 s an epoch), A2Q LoRAP with QAT LoRAP (6 s); of MUTAG nothing is known.
    assert forecast(plan, done) == Forecast(10 * 2 + 10 * 6, 2, 4)
    everything = {cell.key: result(cell, seconds=1, epochs=1) for cell in cells}
    assert forecast(plan, everything) == Forecast(0, 0, 0)
    untrained = {qat.key: result(qat, seconds=1, epochs=0)}
    assert forecast(plan, untrained) == Forecast(0, 0, 7)
