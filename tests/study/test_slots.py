from __future__ import annotations

import pytest

from lorap_bench.config import TrialConfig
from lorap_bench.errors import ConfigError
from lorap_bench.study.slots import Slot, is_table, lookup, slot_of


def test_a_path_names_a_field() -> None:
    assert slot_of("prompt.rank") == Slot("prompt", "rank")


def test_in_a_table_the_rest_is_the_key_with_its_dots() -> None:
    slot = slot_of("quant.site_bits.layers.0.weight")
    assert slot == Slot("quant", "site_bits", "layers.0.weight")
    assert slot.path == "quant.site_bits.layers.0.weight"


@pytest.mark.parametrize(
    ("path", "message", "suggestion"),
    [
        ("prompt.rnak", "unknown configuration path", "prompt.rank"),
        ("promt.rank", "unknown configuration path", "prompt.rank"),
        ("prompt.rank.0", "unknown configuration path", "prompt.rank"),
        ("rank", "unknown configuration path", ""),
        ("quant.layer_bits", "names a table, not a value", ""),
    ],
)
def test_a_path_that_names_nothing_is_refused(path: str, message: str, suggestion: str) -> None:
    with pytest.raises(ConfigError) as caught:
        slot_of(path, where="space.it")
    (fault,) = caught.value.faults
    assert (fault.path, fault.message, fault.suggestion) == ("space.it", message, suggestion)


def test_a_field_accepts_its_own_type() -> None:
    assert slot_of("prompt.rank").accept(3) == 3
    assert slot_of("quant.layer_bits.head").accept(4) == 4
    assert slot_of("model.batch_norm").accept(True) is True


def test_a_whole_number_becomes_a_float_in_a_float_field() -> None:
    accepted = slot_of("optim.lr").accept(1)
    assert isinstance(accepted, float)
    assert accepted == 1.0


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("prompt.rank", 0),
        ("prompt.rank", 2.0),
        ("prompt.rank", True),
        ("quant.bits", 9),
        ("quant.bits", 1),
        ("quant.layer_bits.0", 16),
        ("optim.lr", 0.0),
        ("model.dropout", 1.0),
        ("prompt.gate", "softmx"),
        ("task.dataset", 3),
    ],
)
def test_a_value_outside_the_field_is_refused(path: str, value: object) -> None:
    with pytest.raises(ConfigError) as caught:
        slot_of(path).accept(value)
    assert caught.value.faults[0].path == path
    assert caught.value.faults[0].got == value


def test_lookup_reads_fields_table_entries_and_absence() -> None:
    mapping = TrialConfig().to_mapping()
    mapping["quant"]["site_bits"] = {"layers.0.weight": 4}
    assert lookup(mapping, "prompt.kind") == "None"
    assert lookup(mapping, "quant.site_bits.layers.0.weight") == 4
    assert lookup(mapping, "quant.site_bits.layers.1.weight") is None
    assert lookup(mapping, "nowhere.at_all") is None


def test_only_tables_are_tables() -> None:
    assert is_table("quant", "site_bits")
    assert not is_table("quant", "bits")
    assert not is_table("space", "anything")
