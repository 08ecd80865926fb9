"""The plain values everything hands around: records, configurations, names, errors."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import lorap_bench
from lorap_bench.config import QuantConfig, TrialConfig, digest_of
from lorap_bench.errors import ConfigError, Fault, LorapBenchError, StoreError, nearest
from lorap_bench.quant import SCHEMES, Scheme
from lorap_bench.record import MemberResult, Status, TrialRecord
from lorap_bench.resolve import resolve

RECORD = TrialRecord(
    status=Status.COMPLETE,
    config=TrialConfig().to_mapping(),
    digest="0" * 16,
    number=3,
    objectives={"accuracy": 0.5},
    members=(MemberResult(seed=1, status=Status.COMPLETE, val=0.5, best_epoch=2, epochs=4),),
)


def test_a_record_survives_json() -> None:
    assert TrialRecord.from_mapping(json.loads(json.dumps(RECORD.to_mapping()))) == RECORD


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema_version": 99}, "record schema 99, this version reads 1"),
        ({"schema_version": None}, "record schema None"),
        ({"status": "fine"}, "damaged record"),
        ({"members": [{"seed": 1}]}, "damaged record"),
        ({"surprise": 1}, "damaged record"),
    ],
)
def test_a_record_of_another_kind_is_told_where_it_lies(change: dict[str, object], said: str) -> None:
    with pytest.raises(StoreError, match=f"trials/3.json: {said}"):
        TrialRecord.from_mapping(RECORD.to_mapping() | change, where="trials/3.json")


def test_a_list_is_no_record() -> None:
    with pytest.raises(StoreError, match="record schema None"):
        TrialRecord.from_mapping([])


@pytest.mark.parametrize("status", list(Status))
def test_statuses_spend_the_budget_as_documented(status: Status) -> None:
    spent = {"complete", "pruned", "diverged", "out_of_memory", "timeout", "user_error"}
    assert status.counts == (status.value in spent)
    assert status.retried == (status.value in {"worker_lost", "interrupted"})
    assert status.failed == (status.retried or (status.counts and status.value not in {"complete", "pruned"}))


def test_a_record_is_feasible_while_no_violation_is_positive() -> None:
    assert replace(RECORD, violations={"average_bits": -1.0, "overhead": 0.0}).feasible
    assert not replace(RECORD, violations={"average_bits": 0.1}).feasible


def test_a_configuration_survives_json_and_parts_may_be_absent() -> None:
    config = TrialConfig(quant=QuantConfig(bits=4, layer_bits={"0": 2}))
    mapping = json.loads(json.dumps(config.to_mapping()))
    assert TrialConfig.from_mapping(mapping) == config
    assert TrialConfig.from_mapping({"quant": mapping["quant"]}) == config


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest_of({"a": 1, "b": [2, 3]}) == digest_of({"b": [2, 3], "a": 1}) != digest_of({"a": 1, "b": [3, 2]})


def test_names_resolve_to_public_classes_and_to_strangers() -> None:
    assert resolve("QAT", SCHEMES, kind="scheme") is SCHEMES["QAT"]
    assert resolve("lorap_bench.quant.scheme:Scheme", SCHEMES, kind="scheme") is Scheme


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("qat4", "unknown scheme; got 'qat4'; allowed: A2Q, DegreeQuant, FP32, MixQ, QAT"),
        ("no_such_package:Thing", "cannot import scheme: No module named 'no_such_package'"),
        ("lorap_bench.quant:Thing", "cannot import scheme: .* has no attribute 'Thing'"),
        ("lorap_bench.quant:SCHEMES", "not a class, so no scheme"),
    ],
)
def test_names_that_resolve_to_nothing_say_why(name: str, said: str) -> None:
    with pytest.raises(ConfigError, match=rf"quant\.scheme: {said}"):
        resolve(name, SCHEMES, kind="scheme", where="quant.scheme")


def test_a_fault_says_what_where_got_allowed_and_nearest() -> None:
    fault = Fault(path="a.b", message="no such key", got="x", allowed="y, z", suggestion="y")
    assert str(fault) == "a.b: no such key; got 'x'; allowed: y, z; did you mean 'y'?"
    assert str(ConfigError([fault], where="s.toml")) == f"s.toml: 1 fault\n  {fault}"


def test_nearest_ignores_case_and_leaves_the_far_alone() -> None:
    assert nearest("lorap", ["LoRAP", "GPF"]) == "LoRAP"
    assert nearest("zzz", ["LoRAP", "GPF"]) == ""


def test_every_error_has_the_exit_code_its_command_ends_with() -> None:
    codes = {kind.__name__: kind.exit_code for kind in LorapBenchError.__subclasses__()}
    assert codes.items() >= {"ConfigError": 2, "StoreError": 2, "VerificationError": 4, "MissingResource": 5}.items()


def test_public_names_load_on_first_use() -> None:
    assert lorap_bench.TrialConfig is TrialConfig
    assert lorap_bench.__version__.count(".") == 2
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = lorap_bench.Nothing
