"""Groups that fail are tried again trial by trial, and what fails alone is a record with its reason."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.config import ModelConfig, OptimConfig, QuantConfig, TrialConfig
from lorap_bench.errors import MissingResource
from lorap_bench.record import Status, TrialRecord
from lorap_bench.testing import node_task
from lorap_bench.train import Watch, loop, run_groups

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.record import Outcome

NODE = node_task()
BASE = TrialConfig(model=ModelConfig(hidden=8), quant=QuantConfig(bits=4), optim=OptimConfig(epochs=4))
REQUESTS = [(replace(BASE, optim=replace(BASE.optim, lr=rate)), (0, 1)) for rate in (0.05, 0.01, 0.1)]
ODD = 0.01
"""The learning rate of the trial that has a fault."""


def run(watch: Watch | None = None, requests: Any = REQUESTS) -> tuple[list[Outcome], list[list[int]]]:
    """Return the outcomes, and which positions came together."""
    found: dict[int, Outcome] = {}
    groups = []
    for ended in run_groups(requests, task=NODE, watch=watch):
        found.update(ended)
        groups.append(sorted(ended))
    return [found[position] for position in range(len(requests))], groups


def essence(outcome: Outcome) -> tuple[Any, ...]:
    provenance = {name: fact for name, fact in outcome.record.provenance.items() if name != "cohort"}
    return replace(outcome.record, started="", seconds=0.0, provenance=provenance), outcome.curves


def at_epoch(monkeypatch: pytest.MonkeyPatch, epoch: int, fault: Callable[[], Any]) -> list[int]:
    """Let a fault happen after ``epoch`` evaluations wherever the odd trial trains; note the sizes of cohorts."""
    true_fit, true_note = loop.fit, loop._note
    sizes: list[int] = []

    def fit(task: Any, members: Any, **arguments: Any) -> Any:
        sizes.append(len(members))
        return true_fit(task, members, **arguments)

    def note(alive: Any, *found: Any) -> None:
        true_note(alive, *found)
        if any(one.member.config.optim.lr == ODD for one in alive) and len(alive[0].val_loss) == epoch:
            fault()

    monkeypatch.setattr("lorap_bench.train.together.fit", fit)
    monkeypatch.setattr(loop, "_note", note)
    return sizes


def divide() -> None:
    raise ZeroDivisionError("cannot divide /home/someone/secret/table.npz by C:\\Users\\someone\\x.bin")


def test_one_trials_error_is_not_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [essence(outcome) for outcome in run()[0]]
    sizes = at_epoch(monkeypatch, 2, divide)
    outcomes, groups = run()
    assert sizes == [6, 2, 2, 2]
    assert groups == [[0], [1], [2]]
    assert [essence(outcomes[place]) for place in (0, 2)] == [expected[0], expected[2]]
    assert outcomes[1].record.status is Status.USER_ERROR


def test_the_record_of_an_error_names_it_and_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    at_epoch(monkeypatch, 2, divide)
    record, curves = run()[0][1]
    assert record.reason.startswith("ZeroDivisionError: cannot divide …/table.npz by …/x.bin (")
    assert f"{__name__}, line " in record.reason
    assert "someone" not in str(record.to_mapping())
    assert [(member.status, member.epochs) for member in record.members] == [(Status.USER_ERROR, 2)] * 2
    assert [len(values) for values in curves["val_metric"]] == [2, 2]
    assert "accuracy" not in record.objectives
    assert TrialRecord.from_mapping(record.to_mapping()) == record


def test_an_error_alone_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = at_epoch(monkeypatch, 1, divide)
    outcomes, _ = run(requests=REQUESTS[1:2])
    assert sizes == [2]
    assert outcomes[0].record.status is Status.USER_ERROR


def test_a_hang_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [essence(outcome) for outcome in run()[0]]
    at_epoch(monkeypatch, 3, threading.Event().wait)
    outcomes, _ = run(Watch(seconds=2.0))
    assert [outcome.record.status for outcome in outcomes] == [Status.COMPLETE, Status.TIMEOUT, Status.COMPLETE]
    assert [essence(outcomes[place]) for place in (0, 2)] == [expected[0], expected[2]]
    record = outcomes[1].record
    assert record.reason == "took longer than 2 s"
    assert [(member.status, member.epochs) for member in record.members] == [(Status.TIMEOUT, 3)] * 2
    assert record.seconds >= 2.0


def test_time_is_asked_for_at_every_epoch_outside_the_main_thread() -> None:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(run(Watch(seconds=1e-6), REQUESTS[:1])[0]))
    thread.start()
    thread.join()
    assert found[0][0].record.status is Status.TIMEOUT
    assert found[0][0].record.reason == "took longer than 1e-06 s"


def test_company_has_its_members_time_together() -> None:
    outcomes, groups = run(Watch(seconds=1000.0))
    assert {outcome.record.status for outcome in outcomes} == {Status.COMPLETE}
    assert groups == [[0, 1, 2]]


def test_expected_errors_are_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise MissingResource("gone", where="Cora")

    at_epoch(monkeypatch, 1, fail)
    with pytest.raises(MissingResource, match="gone"):
        run()


@pytest.mark.parametrize("error", [KeyError("theirs"), KeyboardInterrupt()])
def test_what_the_onlooker_raises_is_not_the_trials(error: BaseException) -> None:
    def on_epoch(epoch: int) -> None:
        if epoch == 2:
            raise error

    with pytest.raises(type(error)):
        run(Watch(on_epoch=on_epoch))


def test_what_the_judge_raises_is_not_the_trials() -> None:
    class Broken:
        def rungs(self, epochs: int) -> tuple[int, ...]:
            return (2,)

        def stops(self, epoch: int, values: Any) -> dict[int, str]:
            raise ValueError("a bug of the judge")

    with pytest.raises(ValueError, match="of the judge"):
        run(Watch(judge=Broken()))


def test_what_ended_before_its_group_failed_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory cuts the group into cohorts of one trial; the second one fails."""
    monkeypatch.setattr("lorap_bench.train.group.fits", lambda plan, task: 2)
    sizes = at_epoch(monkeypatch, 2, divide)
    outcomes, groups = run()
    assert sizes == [2, 2, 2, 2]
    assert groups == [[0], [1], [2]]
    assert [outcome.record.status for outcome in outcomes] == [Status.COMPLETE, Status.USER_ERROR, Status.COMPLETE]
