"""Load a saved model and predict with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import torch

from lorap_bench.config import TrialConfig
from lorap_bench.cost.shape import TaskShape
from lorap_bench.errors import ConfigError, Fault, StoreError
from lorap_bench.kernels.device import device, exactly, placed
from lorap_bench.kernels.threads import one_thread
from lorap_bench.models.blueprint import Blueprint, blueprint
from lorap_bench.models.graph import GraphBatch, build_store
from lorap_bench.models.saved.files import CONFIG, TENSORS, read_config, read_tensors
from lorap_bench.models.saved.state import rebuild

if TYPE_CHECKING:
    from torch import Tensor

    from lorap_bench.data.task import GraphTask
    from lorap_bench.models.network import Network

__all__ = ["SavedModel", "load_model"]

_AT_ONCE = 1024  # graphs, as training evaluates them


@final
@dataclass(frozen=True, slots=True, eq=False)
class SavedModel:
    """A trained model as it was saved.

    ``plan`` is its configuration and sizes, ``seed`` what it was trained with, ``network`` the one member in
    evaluation, ``about`` all of ``config.json``.
    """

    plan: Blueprint
    seed: int
    network: Network
    about: dict[str, Any]

    @torch.no_grad()
    def predict(self, task: GraphTask, chosen: Tensor | None = None) -> Tensor:
        """Return logits: the same bits as before saving, with the same backend and versions on a CPU.

        Args:
            task: graphs with the features that the model was trained on; labels and splits are not read.
            chosen: which nodes, or at graph level which graphs: ``[n]`` int64; all by default.

        Shape: ``[n, C]`` on the CPU.

        Raises:
            ConfigError: the model cannot read these graphs.
        """
        self._refuse_unfit(task)
        where, conv = device(), self.plan.conv
        with exactly(where), one_thread():
            prepared = build_store(
                task, self_loops=conv.self_loops, normalized=conv.normalized, relational=conv.relational
            )
            store = placed(prepared, where)
            if task.level == "node":
                logits = self._logits(store.whole)
                return logits.cpu() if chosen is None else logits.cpu()[chosen]
            graphs = torch.arange(task.graph_ptr.numel() - 1) if chosen is None else chosen
            return torch.cat([self._logits(store.batch(part)) for part in graphs.to(where).split(_AT_ONCE)]).cpu()

    def _logits(self, batch: GraphBatch) -> Tensor:
        logits: Tensor = self.network(self.network.prepare(batch))
        return logits[0]

    def _refuse_unfit(self, task: GraphTask) -> None:
        shape = self.plan.shape
        pairs: list[tuple[str, object, object]] = [
            ("level", task.level, shape.level),
            ("features", task.x.shape[1], shape.features),
        ]
        if self.plan.conv.relational:
            pairs.append(("relations", task.relations, shape.relations))
        if shape.level == "node" and self.network.row_bits():  # it has learned a width for each of these very nodes
            pairs.append(("nodes", task.x.shape[0], round(shape.nodes)))
        faults = [
            Fault(path=f"task.{name}", message=f"the model was trained on {shape.name}", got=got, allowed=str(allowed))
            for name, got, allowed in pairs
            if got != allowed
        ]
        if faults:
            raise ConfigError(faults, where=task.name)


def load_model(folder: Path | str) -> SavedModel:
    """Load the model in a folder that ``lorap-bench model`` wrote, on the device in use.

    Raises:
        StoreError: there is no model, it is damaged, or of another schema.
        ConfigError: it needs an architecture, a scheme or a prompt that cannot be had here.
    """
    folder = Path(folder)
    about = read_config(folder)
    plan, seed = _planned(about, folder / CONFIG)
    tensors = read_tensors(folder, TENSORS, about)
    network = rebuild(plan, seed, tensors, where=str(folder / TENSORS))
    return SavedModel(plan, seed, network.to(device()), about)


def _planned(about: dict[str, Any], path: Path) -> tuple[Blueprint, int]:
    """Return the blueprint and the seed that ``config.json`` names."""
    try:
        plan = blueprint(TrialConfig.from_mapping(about["config"]), TaskShape(**about["shape"]))
        digest = plan.digest
    except ConfigError as error:
        raise ConfigError(error.faults, where=str(path)) from error
    except TypeError as error:
        raise StoreError(f"does not fit this version ({error})", where=str(path)) from error
    if digest != about.get("digest"):
        message = f"this version trains that configuration otherwise (digest {digest}, saved {about.get('digest')!r})"
        raise StoreError(message, where=str(path))
    return plan, about["seed"]
