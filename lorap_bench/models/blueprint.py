"""The blueprint of a trial: its tensors, operations, costs and identity, from shapes alone, before any training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from lorap_bench.config import digest_of
from lorap_bench.cost.ledger import FIXED_COSTS, Ledger
from lorap_bench.cost.shape import TaskShape
from lorap_bench.errors import ConfigError, Fault
from lorap_bench.models.archs import ARCHS
from lorap_bench.models.digest import canonical
from lorap_bench.models.head import HeadShape
from lorap_bench.models.hooks import Conv, LayerShape
from lorap_bench.models.residual import ResidualShape
from lorap_bench.models.sampling import Sampling, sampling_faults, sampling_of, settings_of
from lorap_bench.prompts import PROMPTS, Prompt
from lorap_bench.quant import SCHEMES, Scheme
from lorap_bench.resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lorap_bench.config import TrialConfig
    from lorap_bench.cost.site import Operation, Site
    from lorap_bench.data.task import GraphTask
    from lorap_bench.quant.context import Stage

__all__ = ["Blueprint", "blueprint", "shape_of"]


@dataclass(frozen=True)
class Blueprint:
    """A trial's configuration, resolved against the shapes of its task."""

    trial: TrialConfig
    shape: TaskShape
    layers: tuple[LayerShape, ...]
    conv: type[Conv]
    scheme: type[Scheme]
    prompt: type[Prompt]

    @cached_property
    def ledger(self) -> Ledger:
        """Every tensor and operation, with the widths the scheme gives before training."""
        sites: list[Site] = []
        operations: list[Operation] = []
        prompt = self.prompt((self.trial.prompt,))
        residuals = {shape.layer.layer: shape for shape in self.residuals}
        for layer in self.layers:
            sites.extend(self.conv.sites(layer))
            operations.extend(self.conv.operations(layer))
            if layer.layer in residuals:
                sites.append(residuals[layer.layer].site)
                operations.append(residuals[layer.layer].operation)
        for extra_sites, extra_operations in (self._prompts(prompt), self._between()):
            sites.extend(extra_sites)
            operations.extend(extra_operations)
        if self.head is not None:
            sites.extend(self.head.sites)
            operations.extend(self.head.operations)
        bits = self.scheme((self.trial.quant,), tuple(sites), self.shape.level).widths(self.trial.quant)
        return Ledger(sites=tuple(sites), operations=tuple(operations), bits=bits)

    @property
    def head(self) -> HeadShape | None:
        """The sizes of what classifies pooled graphs; None at node level."""
        if self.shape.level == "node":
            return None
        last, model = self.layers[-1], self.trial.model
        pooled = self._held(len(self.layers) - 1)
        return HeadShape(
            kind=model.head, nodes=self.shape.nodes, width=last.d_out, classes=self.shape.classes, pooled=pooled
        )

    @cached_property
    def sampling(self) -> Sampling:
        """How the task is fed in training."""
        return sampling_of(self)

    @property
    def residuals(self) -> tuple[ResidualShape, ...]:
        """The residual connections: of all hidden layers but the first, which enters with another width."""
        if not self.trial.model.residual:
            return ()
        found = []
        for index, layer in enumerate(self._hidden[1:], start=1):
            before = self._held(index - 1)
            terms = () if self._norm or before is None else (f"layers.{index}.update", before)
            found.append(ResidualShape(layer=layer, terms=terms))
        return tuple(found)

    @property
    def stages(self) -> tuple[tuple[Stage, int], ...]:
        """What the scheme trains for how many epochs, in order."""
        kind = self.scheme((self.trial.quant,), self.ledger.sites, self.shape.level)
        return kind.stages(self.trial.quant, self.trial.optim.epochs)

    @property
    def epochs(self) -> int:
        """The epochs of all stages together."""
        return sum(epochs for _, epochs in self.stages)

    @property
    def costs(self) -> dict[str, float]:
        """The costs known before training, by name (``cost.Ledger.costs``): without bits where they are learned."""
        costs = self.ledger.costs()
        return {name: costs[name] for name in FIXED_COSTS} if self.scheme.learns_bits else costs

    def costs_at(self, learned: Mapping[str, float]) -> dict[str, float]:
        """Return all costs with the widths that came out of training for some sites."""
        return replace(self.ledger, bits={**self.ledger.bits, **learned}).costs()

    @property
    def config(self) -> dict[str, Any]:
        """The trial's configuration as plain values."""
        return self.trial.to_mapping()

    @cached_property
    def effective(self) -> dict[str, Any]:
        """What the configuration comes to: bits per site, ranks per layer, a clamped rank, how a graph is sampled."""
        prompt, batches = self.prompt((self.trial.prompt,)), settings_of(self)
        ranks = [prompt.rank(self.conv.aggregate_width(layer)) for layer in self.layers]
        return {
            "bits": dict(self.ledger.bits),
            "ranks": ranks,
            "clamped": self.trial.prompt.factorize and any(0 < rank < self.trial.prompt.rank for rank in ranks),
            **({"sampling": batches} if batches else {}),
        }

    @cached_property
    def digest(self) -> str:
        """Hash of everything that decides the training: configurations that train alike are equal."""
        return digest_of(canonical(self))

    @property
    def _norm(self) -> bool:
        return self.trial.model.batch_norm

    @property
    def _hidden(self) -> tuple[LayerShape, ...]:
        """The layers whose output goes on: at node level the last one's are the logits."""
        return self.layers if self.shape.level == "graph" else self.layers[:-1]

    def _held(self, index: int) -> str | None:
        """Return the site that holds what leaves a hidden layer; None where batch norm leaves it in full precision."""
        if self.trial.model.residual and index:
            return f"layers.{index}.residual.sum"
        return None if self._norm else f"layers.{index}.update"

    def _prompts(self, prompt: Prompt) -> tuple[list[Site], list[Operation]]:
        """The prompts' parameters and arithmetic, and the float tensor that flows on after a late injection."""
        costs = {"input": prompt.node_cost(self.shape.nodes, self.shape.features)}
        late = self.scheme.quantizes and self.trial.prompt.inject == "post_requant"
        floats = []
        for layer in self.layers:
            width = self.conv.aggregate_width(layer)
            costs[f"layers.{layer.layer}"] = cost = prompt.aggregate_cost(layer.nodes, width)
            if late and cost is not None:
                floats.append(replace(layer.activation("prompted", "prompted", width), quantized=False))
        present = {place: cost for place, cost in costs.items() if cost is not None}
        sites = [cost.site(place) for place, cost in present.items()]
        return [*sites, *floats], [cost.operation(place) for place, cost in present.items()]

    def _between(self) -> tuple[list[Site], list[Operation]]:
        """Batch norm, ReLU and dropout after every hidden layer: N d operations each."""
        sites, operations = [], []
        for layer in self._hidden:
            rows = layer.nodes * layer.d_out
            # batch norm leaves a float tensor behind
            operations.append(layer.operation("activate", 2 * rows, *([] if self._norm else ["update"])))
            if self._norm:
                sites.append(layer.parameters("batch_norm", 2 * layer.d_out))
                operations.append(layer.operation("batch_norm", 2 * rows))
        return sites, operations


@lru_cache(maxsize=8)
def shape_of(task: GraphTask) -> TaskShape:
    """Return a task's sizes: the whole graph at node level, the mean graph at graph level."""
    graphs = task.graph_ptr.numel() - 1 if task.level == "graph" else 1
    x = task.x
    return TaskShape(
        name=task.name,
        level=task.level,
        nodes=x.shape[0] / graphs,
        edges=task.edge_index.shape[1] / graphs,
        features=x.shape[1],
        classes=task.classes,
        binary=bool(((x == 0) | (x == 1)).all()),
        two_valued=bool(((x == 0) | (x == x.amax(1, keepdim=True))).all()),
        nonnegative=bool((x >= 0).all()),
        relations=task.relations,
    )


def blueprint(config: TrialConfig, shape: TaskShape) -> Blueprint:
    """Resolve a configuration against a task.

    Raises:
        ConfigError: unknown architecture, scheme or prompt; heads that do not divide the width; an
            allocation that names what the model does not have; batches that the task cannot be cut in.
    """
    conv = resolve(config.model.arch, ARCHS, kind="architecture", where="model.arch")
    prompt = resolve(config.prompt.kind, PROMPTS, kind="prompt", where="prompt.kind")
    scheme = resolve(config.quant.scheme, SCHEMES, kind="scheme", where="quant.scheme")
    faults = scheme((config.quant,), (), shape.level).faults(config.quant) + sampling_faults(config.task, shape)
    if faults:
        raise ConfigError(faults)
    layers = tuple(_layers(config, shape, conv, (scheme, prompt)))
    built = Blueprint(config, shape, layers, conv, scheme, prompt)
    built.ledger  # noqa: B018  # resolves the allocation now, so that its faults show here
    return built


def _layers(
    config: TrialConfig, shape: TaskShape, conv: type[Conv], kinds: tuple[type[Scheme], type[Prompt]]
) -> list[LayerShape]:
    model = config.model
    scheme, prompt = kinds[0], kinds[1]((config.prompt,))
    raw = prompt.node_cost(1, 1) is None
    prompted = prompt.aggregate_cost(1, 1) is not None
    if conv.uses_heads and model.hidden % model.heads:
        raise ConfigError(
            [
                Fault(
                    path="model.heads",
                    message=f"must divide model.hidden = {model.hidden}",
                    got=model.heads,
                    allowed=", ".join(str(n) for n in range(1, model.hidden + 1) if model.hidden % n == 0),
                )
            ]
        )
    layers = []
    for index in range(model.layers):
        last = index == model.layers - 1 and shape.level == "node"
        layers.append(
            LayerShape(
                layer=str(index),
                nodes=shape.nodes,
                edges=shape.edges,
                d_in=shape.features if index == 0 else model.hidden,
                d_out=shape.classes if last else model.hidden,
                hidden=model.hidden,
                heads=1 if last or not conv.uses_heads else model.heads,
                raw=raw and index == 0,
                binary=shape.binary,
                two_valued=shape.two_valued,
                nonnegative=index > 0 or (raw and shape.nonnegative),
                prompted=prompted,
                messages=config.quant.messages and "messages" in scheme.reads,
                relations=shape.relations,
            )
        )
    return layers
