"""What is said about one trial."""

from __future__ import annotations

import math
import shlex
import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.record import Status
from lorap_bench.report.trial import (
    command,
    confirmed_score,
    gain,
    layer_bits,
    objective,
    prompt_text,
    roles,
    score,
)
from lorap_bench.store.look import Baseline, Confirmation

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.record import TrialRecord
    from lorap_bench.study.spec import StudySpec

    Make = Callable[..., TrialRecord]
    MakeConfirmation = Callable[..., Confirmation]
    MakeSpec = Callable[..., StudySpec]


def test_accuracy_is_over_seeds(make_record: Make) -> None:
    interval = score(make_record(accuracy=0.8))
    assert interval is not None
    assert (interval.n, round(interval.mean, 12), round(interval.std or 0, 12)) == (3, 0.8, 0.01)
    assert score(make_record(members=())) is None


def test_confirmed_accuracy_is_the_test_split(make_record: Make, make_confirmation: MakeConfirmation) -> None:
    confirmation = make_confirmation(make_record(accuracy=0.8))
    interval = confirmed_score(confirmation)
    assert interval is not None
    assert (interval.n, round(interval.mean, 12)) == (10, 0.79)
    assert confirmed_score(None) is None
    assert confirmed_score(Confirmation(look=1, record=make_record())) is None


def test_gains_are_paired_by_seed(make_record: Make, make_confirmation: MakeConfirmation) -> None:
    confirmation = make_confirmation(make_record(accuracy=0.8))
    plain, full = (gain(confirmation, baseline) for baseline in (Baseline.NO_PROMPT, Baseline.FP32))
    assert plain is not None
    assert full is not None
    assert [plain.n, plain.mean, plain.low, plain.high] == pytest.approx([10, 0.02, 0.02, 0.02])
    half = 2.2621571627 * (0.001 * math.sqrt(10 / 9)) / math.sqrt(10)
    assert [full.n, full.mean, full.low, full.high] == pytest.approx([10, -0.01, -0.01 - half, -0.01 + half])


def test_there_is_no_gain_without_a_pair(make_record: Make, make_confirmation: MakeConfirmation) -> None:
    confirmation = make_confirmation(make_record())
    failed = make_record(status=Status.DIVERGED, members=())
    assert gain(None, Baseline.FP32) is None
    assert gain(Confirmation(look=1, record=confirmation.record), Baseline.FP32) is None
    diverged = Confirmation(look=1, record=confirmation.record, baselines={Baseline.FP32: failed})
    assert gain(diverged, Baseline.FP32) is None


def test_the_two_baselines_of_every_look_always_have_their_place(
    make_record: Make, make_confirmation: MakeConfirmation
) -> None:
    both = [Baseline.NO_PROMPT, Baseline.FP32]
    one = make_confirmation(make_record())
    bare = Confirmation(look=1, record=one.record)
    climbed = replace(bare, baselines={Baseline.LORAP: one.record, Baseline.GPF: one.record})
    assert roles([]) == roles([bare]) == roles([one]) == both
    assert roles([one, climbed]) == [*both, Baseline.GPF, Baseline.LORAP]


def test_a_missing_objective_is_not_a_number(make_record: Make) -> None:
    assert math.isnan(objective(make_record(objectives={}), "accuracy"))


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ({"kind": "None"}, "no prompt"),
        ({"kind": "GPF", "count": 8}, "GPF"),
        ({"kind": "GPFPlus", "node_count": 5, "count": 8}, "GPFPlus, k = 5 on nodes"),
        ({"kind": "LoRAP", "count": 8, "rank": 2}, "LoRAP, k = 8, r = 2"),
        ({"kind": "GPFLoRAP", "node_count": 5, "count": 8, "rank": 2}, "GPFLoRAP, k = 5 on nodes, k = 8, r = 2"),
    ],
)
def test_prompts_in_words(make_record: Make, prompt: dict[str, Any], text: str) -> None:
    assert prompt_text(make_record(config={"prompt": prompt})) == text


def test_a_clamped_rank_shows_what_it_came_to(make_record: Make) -> None:
    effective = {"ranks": [16, 7], "clamped": True}
    record = make_record(config={"prompt": {"kind": "LoRAP", "count": 8, "rank": 16}}, effective=effective)
    assert prompt_text(record) == "LoRAP, k = 8, r = 16 → 16, 7"


def test_bits_by_layer(make_record: Make) -> None:
    bits = {"layers.0.weight": 4, "layers.0.input": 4, "layers.1.weight": 2, "layers.1.input": 8, "head.weight": 2.5}
    assert layer_bits(make_record(effective={"bits": bits})) == {"0": "4", "1": "2–8", "head": "2.5"}
    assert layer_bits(make_record()) == {}


def test_the_command_reads_back_as_the_parameters(make_spec: MakeSpec, make_record: Make) -> None:
    params = {
        "prompt.count": 4,
        "optim.lr": 1e-05,
        "model.batch_norm": True,
        "prompt.kind": "None",
        "quant.scheme": "their pkg.mod:Class's",
        "quant.site_bits.layers.0.weight": 2,
        "model.arch": "1",
    }
    words = shlex.split(command(make_spec(), make_record(params=params)))
    assert words[:3] == ["lorap-bench", "train", "made-up.toml"]
    start = words.index("--seed")
    assert words[start::2] == ["--seed"] * 3
    assert [int(word) for word in words[start + 1 :: 2]] == [member.seed for member in make_record().members]
    pairs = [word.partition("=") for word in words[3:start] if word != "--set"]
    read = {}
    for path, _, text in pairs:
        try:
            read[path] = tomllib.loads(f"v = {text}")["v"]
        except tomllib.TOMLDecodeError:
            read[path] = text
    assert read == params


def test_a_trial_without_members_runs_with_the_studys_seeds(make_spec: MakeSpec, make_record: Make) -> None:
    spec = make_spec(replicas={"search": 7})
    assert command(spec, make_record(members=())).endswith("--seeds 7")


def test_the_command_names_the_file_it_is_given(make_spec: MakeSpec, make_record: Make) -> None:
    words = shlex.split(command(make_spec(), make_record(), "my reports/made-up.toml"))
    assert words[:3] == ["lorap-bench", "train", "my reports/made-up.toml"]
