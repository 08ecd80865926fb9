"""The contracts see what breaks them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from lorap_bench.testing import (
    ConvContract,
    HostSynchronisation,
    PromptContract,
    SchemeContract,
    no_host_synchronisation,
)
from tests.contracts.broken import reads_in_the_backward_pass

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.testing import Arm


def scheme(name: str) -> tuple[SchemeContract, Arm]:
    class Broken(SchemeContract):
        scheme = f"tests.contracts.broken:{name}"

    return Broken(), Broken.usual(prompt="None")


def test_few_bits_that_are_many() -> None:
    contract, arm = scheme("Boasting")
    with pytest.raises(AssertionError, match=r"layers\.0\.input needs .* bits, says \[2\.0, 2\.0\]"):
        contract.test_tensors_hold_no_more_values_than_their_bits_allow(arm, 2)


def test_a_look_at_a_value_in_a_step() -> None:
    contract, arm = scheme("Peeking")
    with pytest.raises(HostSynchronisation, match="makes the host wait"):
        contract.test_a_training_step_never_waits_for_the_device(arm)


def test_members_that_see_each_other() -> None:
    contract, arm = scheme("Sociable")
    with pytest.raises(AssertionError, match="company changes"):
        contract.test_a_member_keeps_its_bits_in_any_company(arm)
    with pytest.raises(AssertionError):
        contract.test_a_member_that_leaves_disturbs_nobody(arm.level)


def test_state_that_evaluation_changes() -> None:
    contract, arm = scheme("Counting")
    with pytest.raises(AssertionError, match=r"evaluation changed \['convs\.0\.quantizers\.at_input\.passes'"):
        contract.test_evaluation_changes_no_state(arm)


def test_rows_treated_by_their_place() -> None:
    contract, arm = scheme("Placed")
    with pytest.raises(AssertionError, match="not close"):
        contract.test_renumbering_the_nodes_renumbers_the_outputs(arm)


def test_full_precision_that_is_none() -> None:
    contract, _ = scheme("Sociable")
    with pytest.raises(AssertionError, match="do not compute what full precision does"):
        contract.test_an_allocation_of_32_bits_is_full_precision("GCN", "node", "None")


def test_a_prompt_that_hides_its_price() -> None:
    class Broken(PromptContract):
        prompt = "tests.contracts.broken:Cheap"

    with pytest.raises(AssertionError):
        Broken().test_costs_count_the_parameters_that_are_there()


def test_an_architecture_that_declares_other_tensors() -> None:
    class Broken(ConvContract):
        arch = "tests.contracts.broken:Shrinking"

    arm = Broken.usual(prompt="None")
    with pytest.raises(AssertionError, match=r"layers\.0\.(weight|aggregate) has .* elements, says"):
        Broken().test_sites_are_the_tensors_that_pass_their_quantizers(arm)
    with pytest.raises(AssertionError, match=r"layers\.0\. holds 96 parameters, says 48"):
        Broken().test_weights_are_the_parameters_that_are_there(arm)
    with pytest.raises(AssertionError, match="costs nothing"):
        Broken().test_operations_are_between_sites_that_exist(arm)


@pytest.mark.parametrize(
    "look",
    [
        lambda x: x.tolist(),
        lambda x: x.nonzero(),
        lambda x: x[x > 0],
        lambda x: bool(x.sum() > 0),
        lambda x: torch.repeat_interleave(x, x.detach().long()),
        lambda x: reads_in_the_backward_pass(x).sum().backward(),
    ],
)
def test_what_makes_the_host_wait(look: Callable[[torch.Tensor], object]) -> None:
    x = torch.arange(3.0, requires_grad=True)
    with no_host_synchronisation():
        x.exp().sum().backward()
        with pytest.raises(HostSynchronisation):
            look(x)
