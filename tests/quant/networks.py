"""Networks of a scheme on a small task, with parameters drawn, and what passes through their quantizers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lorap_bench.config import ModelConfig, OptimConfig, PromptConfig, QuantConfig, TrialConfig
from lorap_bench.models.blueprint import shape_of
from lorap_bench.models.graph import GraphBatch, build_store
from lorap_bench.quant import Quantizer, Stage
from lorap_bench.train.cohort import Cohort, Member

if TYPE_CHECKING:
    from torch import Tensor

    from lorap_bench.data.task import GraphTask
    from lorap_bench.models.network import Network

__all__ = ["Built", "build", "trial"]


def trial(
    quant: QuantConfig, *, arch: str = "GCN", layers: int = 2, prompt: str = "None", epochs: int = 3
) -> TrialConfig:
    """Return a configuration without dropout."""
    return TrialConfig(
        model=ModelConfig(arch=arch, layers=layers, dropout=0.0),
        quant=quant,
        prompt=PromptConfig(kind=prompt),
        optim=OptimConfig(epochs=epochs),
    )


@dataclass
class Built:
    """A cohort with its graph; ``seen`` maps each site to what its quantizer got and gave last."""

    cohort: Cohort
    batch: GraphBatch
    seen: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict)

    @property
    def network(self) -> Network:
        return self.cohort.network

    @property
    def quantizers(self) -> dict[str, Quantizer]:
        return dict(self.network._quantizers())

    def forward(self) -> Tensor:
        logits: Tensor = self.network(self.network.prepare(self.batch))
        return logits


def build(
    config: TrialConfig, task: GraphTask, *, seeds: tuple[int, ...] = (1, 2), stage: Stage = Stage.QUANTIZED
) -> Built:
    """Return a network at the beginning of a stage, calibrated on the task's whole graph."""
    cohort = Cohort([Member(config, seed) for seed in seeds], shape_of(task))
    conv = cohort.plan.conv
    store = build_store(task, self_loops=conv.self_loops, normalized=conv.normalized, relational=conv.relational)
    built = Built(cohort, store.whole)
    for name, quantizer in built.quantizers.items():
        quantizer.register_forward_hook(lambda _, given, out, name=name: built.seen.update({name: (given[0], out)}))
    cohort.network.calibrate(built.batch)
    cohort.network.begin(stage, built.batch)
    return built
