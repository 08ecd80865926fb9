"""The contract of a scheme: what it says about bits is what it does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import pytest
import torch

from lorap_bench.cost.ledger import FULL_PRECISION
from lorap_bench.kernels.backend import use
from lorap_bench.kernels.features import Features
from lorap_bench.models import blueprint, shape_of
from lorap_bench.testing.comparison import exact_network
from lorap_bench.testing.contract import Arm, Contract
from lorap_bench.testing.tasks import small_task, sparse_task
from lorap_bench.testing.watch import watched
from lorap_bench.train import Cohort, Member, fit, run_trial
from lorap_bench.train.feed import make_feed

if TYPE_CHECKING:
    from torch import Tensor

    from lorap_bench.models import GraphBatch, Network

__all__ = ["SchemeContract"]


class SchemeContract(Contract):
    """Tests of a scheme with every prompt and architecture; ``config`` changes fields of ``QuantConfig``."""

    subject = "scheme"
    scheme: ClassVar[str]

    def test_widths_name_sites_that_exist(self, arm: Arm) -> None:
        task = small_task(arm.level)
        plan = blueprint(self.configure(arm), shape_of(task))
        sites = {site.name for site in plan.ledger.sites if site.quantized}
        assert set(plan.ledger.bits) <= sites, f"no such site: {set(plan.ledger.bits) - sites}"
        assert all(1 <= width <= FULL_PRECISION for width in plan.ledger.bits.values())
        learned = run_trial(self.configure(arm), [0], task=task).record.members[0].bits
        assert set(learned) <= set(plan.ledger.bits), "a site learns its width but has none before training"
        assert all(1 <= width <= FULL_PRECISION for width in learned.values())
        assert bool(learned) <= plan.scheme.learns_bits, "learns_bits must say that widths are learned"

    @pytest.mark.parametrize("bits", [2, 4])
    def test_tensors_hold_no_more_values_than_their_bits_allow(self, arm: Arm, bits: int) -> None:
        widths = {"quant": {"bits": bits, "candidates": [bits]}}
        task = small_task(arm.level)
        cohort = fit(task, [Member(self.configure(arm, widths), seed) for seed in (0, 1)]).cohort
        network, batch = cohort.network.eval(), make_feed(task, cohort.plan).calibration()
        with torch.no_grad(), watched(network) as seen:
            network(network.prepare(batch))
        stated = {site: torch.full((2,), float(width)) for site, width in cohort.plan.ledger.bits.items()}
        stated |= network.bits()
        unseen = [site for site, width in stated.items() if width.min() < FULL_PRECISION and not seen[site]]
        assert not unseen, f"nothing passed through the quantizers of {unseen}"
        for site, width in stated.items():
            for passed in seen[site]:
                needed = _needed_bits(passed.made)
                assert (needed <= width + 1e-5).all(), f"{site} needs {needed.tolist()} bits, says {width.tolist()}"

    @pytest.mark.parametrize("prompt", ["None", "LoRAP"])
    def test_an_allocation_of_32_bits_is_full_precision(self, arch: str, level: str, prompt: str) -> None:
        task, full = small_task(level), {"quant": {"bits": FULL_PRECISION}}
        configs = [self.configure(Arm(scheme, prompt, arch, level), full) for scheme in (self.scheme, "FP32")]
        cohorts = [Cohort([Member(config, seed) for seed in (0, 1)], shape_of(task)) for config in configs]
        batch = make_feed(task, cohorts[0].plan).calibration()
        for training in (True, False):
            outputs = [_outputs(cohort.network, batch, training=training) for cohort in cohorts]
            assert torch.equal(*outputs), "32 bits everywhere do not compute what full precision does"
        fitted = [fit(task, [Member(config, 0)]).trainees[0] for config in configs]
        if cohorts[0].plan.stages == cohorts[1].plan.stages:
            curves = [(trainee.train_loss, trainee.val_loss, trainee.val_metric) for trainee in fitted]
            assert curves[0] == curves[1], "32 bits everywhere do not train as full precision does"
        assert not any(trainee.diverged for trainee in fitted)
        record, _ = run_trial(configs[0], [0], task=task)
        assert record.costs["average_bits"] == FULL_PRECISION

    def test_sparse_raw_features_are_read_as_dense_ones(self, arch: str) -> None:
        task = replace(sparse_task(), x=sparse_task().x.double())
        config = self.configure(Arm(self.scheme, "None", arch, "node"))
        cohort = Cohort([Member(config, seed) for seed in (0, 1)], shape_of(task))
        sparse = make_feed(task, cohort.plan).store.whole
        assert sparse.features.pattern is not None
        outputs = []
        for batch in (sparse, replace(sparse, features=Features(task.x.unsqueeze(0)))):
            with use("reference"):
                network = exact_network(cohort, task, batch)
                outputs.append([_outputs(network, batch, training=training) for training in (True, False)])
        for ours, theirs in zip(*outputs, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-9)


@torch.no_grad()
def _outputs(network: Network, batch: GraphBatch, *, training: bool) -> Tensor:
    """Return the logits of a batch, in training (of the step at hand) or in evaluation."""
    logits: Tensor = network.train(training)(network.prepare(batch))
    return logits


def _needed_bits(x: Tensor) -> Tensor:
    """Return the bits that a tensor's values need if each row, or each column, has codes of its own: ``[S]``.

    Formula: ``min over rows, columns of mean log2 #distinct``.
    """
    rows = x.unsqueeze(1) if x.dim() == 2 else x.flatten(1, -2)
    needed = []
    for groups in (rows, rows.mT):
        ordered = groups.sort(dim=2).values
        distinct = 1 + (ordered[..., 1:] != ordered[..., :-1]).sum(2)
        needed.append(distinct.float().log2().mean(1))
    return torch.minimum(*needed)
