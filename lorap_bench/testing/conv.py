"""The contract of an architecture: the tensors it declares are the tensors it computes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

import torch

from lorap_bench.cost.ledger import FULL_PRECISION
from lorap_bench.cost.site import Role
from lorap_bench.kernels import Group
from lorap_bench.kernels.members import MemberModule
from lorap_bench.models import blueprint, shape_of
from lorap_bench.quant.quantizer import Identity
from lorap_bench.record import Status
from lorap_bench.testing.contract import Arm, Contract
from lorap_bench.testing.tasks import DEGENERATE, small_task
from lorap_bench.testing.watch import quantizers, watched
from lorap_bench.train import Cohort, Member, run_trial
from lorap_bench.train.feed import make_feed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from lorap_bench.models import Conv, GraphBatch

__all__ = ["ConvContract"]


class ConvContract(Contract):
    """Tests of an architecture with every scheme and prompt; ``config`` changes fields of ``ModelConfig``."""

    subject = "arch"
    arch: ClassVar[str]

    def test_sites_are_the_tensors_that_pass_their_quantizers(self, arm: Arm) -> None:
        for messages in (False, True):
            cohort, batch = self._built(arm, {"quant": {"messages": messages}})
            network, ledger = cohort.network.eval(), cohort.plan.ledger
            with torch.no_grad(), watched(network) as seen:
                network(network.prepare(batch))
            graphs = batch.sizes.numel() if arm.level == "graph" else 1
            rows = {"node": batch.ranks.numel(), "edge": None, "graph": batch.sizes.numel(), "none": None}
            sites = {site.name: site for site in ledger.sites if site.quantized}
            assert set(quantizers(network)) == set(sites)
            for name, passes in seen.items():
                site = sites[name]
                if not passes and isinstance(quantizers(network)[name], Identity):
                    continue  # a constant that nothing quantizes
                assert len(passes) == 1, f"{name} is quantized {len(passes)} times a pass"
                x = passes[0].given
                share = site.elements * (1 if site.role is Role.WEIGHT else graphs)
                assert x[0].numel() == round(share), f"{name} has {x[0].numel()} elements, says {share}"
                assert site.role is Role.CONSTANT or x.shape[-1] == site.columns, f"{name} has other columns"
                assert rows[site.rows] in {None, x.shape[1]}, f"{name} has no row a {site.rows}"
                assert not site.nonnegative or x.min() >= 0, f"{name} has negative values"

    def test_weights_are_the_parameters_that_are_there(self, arm: Arm) -> None:
        cohort, _ = self._built(arm, {"model": {"batch_norm": True}})
        for part in cohort.network.parts:
            sites = [site for site in cohort.plan.ledger.sites if site.name.startswith(part.prefix)]
            stated = sum(s.elements for s in sites if s.role is Role.WEIGHT and not s.name.endswith(".batch_norm"))
            held = sum(part.get_parameter(name)[0].numel() for name in part.initial)
            assert stated == held, f"{part.prefix} holds {held} parameters, says {stated}"
        parameters = sum(
            module.get_parameter(name)[0].numel()
            for module in cohort.network.modules()
            if isinstance(module, MemberModule)
            for name, group in module.groups.items()
            if group in {Group.BACKBONE, Group.PROMPT}
        )
        assert cohort.plan.costs["parameters"] == parameters

    def test_operations_are_between_sites_that_exist(self, arm: Arm) -> None:
        ledger = blueprint(self.configure(arm), shape_of(small_task(arm.level))).ledger
        names = [site.name for site in ledger.sites]
        assert len(set(names)) == len(names), "two sites of one name"
        for operation in ledger.operations:
            assert operation.count > 0, f"{operation.name} costs nothing"
            assert set(operation.sites) <= set(names), f"{operation.name} is between unknown sites"

    def test_the_prompt_meets_the_aggregate(self, arm: Arm) -> None:
        cohort, batch = self._built(arm)
        network = cohort.network.eval()
        trace: list[tuple[Tensor, Tensor]] = []
        network.context.trace = trace
        with torch.no_grad():
            network(network.prepare(batch))
        network.context.trace = None
        widths = [cohort.plan.conv.aggregate_width(layer) for layer in cohort.plan.layers]
        assert [plain.shape[2] for plain, _ in trace] == widths, "one aggregate a layer, of the width it says"
        for conv, (plain, _) in zip(network.convs, trace, strict=True):
            assert cast("Conv", conv).prompt is None or plain.shape[:2] == (2, batch.ranks.numel())

    def test_materialised_messages_in_full_precision_change_nothing(self) -> None:
        arm = Arm("QAT", "None", self.arch, self.levels[0])
        outputs = []
        for messages in (False, True):
            quant = {"bits": FULL_PRECISION, "messages": messages}
            cohort, batch = self._built(arm, {"quant": quant})
            assert any(name.endswith(".message") for name in quantizers(cohort.network)) == messages
            network = cohort.network.eval()
            with torch.no_grad():
                outputs.append(network(network.prepare(batch)))
        torch.testing.assert_close(*outputs, rtol=1e-4, atol=1e-4)

    def test_a_graph_without_edges_has_no_messages_to_quantize(self) -> None:
        for scheme in ("QAT", "DegreeQuant"):
            config = self.configure(Arm(scheme, "None", self.arch, "node"), {"quant": {"messages": True}})
            record, _ = run_trial(config, [0, 1], task=DEGENERATE["no edge"]())
            assert record.status is Status.COMPLETE, record.reason

    def test_two_valued_and_binary_inputs_are_marked(self) -> None:
        arm = Arm("QAT", "None", self.arch, self.levels[0])
        task = small_task(arm.level)
        for x, marks in ((task.x, (False, False)), ((task.x > 0.9).float() / 2, (False, True))):
            plan = blueprint(self.configure(arm), shape_of(replace(task, x=x)))
            marked = {site.name for site in plan.ledger.sites if site.two_valued}
            assert marked == ({"layers.0.input"} if marks[1] else set())
            assert not any(site.binary for site in plan.ledger.sites)

    def _built(self, arm: Arm, *changes: Mapping[str, Mapping[str, Any]]) -> tuple[Cohort, GraphBatch]:
        """Return a cohort ready for its last stage, and the batch it is ready for."""
        task = small_task(arm.level)
        config = self.configure(arm, *changes)
        cohort = Cohort([Member(config, seed) for seed in (0, 1)], shape_of(task))
        batch = make_feed(task, cohort.plan).store.whole
        cohort.network.calibrate(batch)
        cohort.network.begin(cohort.plan.stages[-1][0], batch)
        return cohort, batch
