"""Save one member of a trained network as a folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorap_bench.errors import ConfigError, LorapBenchError, StoreError
from lorap_bench.kernels.backend import use
from lorap_bench.models.integer.network import integer_model
from lorap_bench.models.integer.stored import integer_tensors
from lorap_bench.models.saved.files import (
    CONFIG,
    FILES,
    FORMAT,
    INTEGERS,
    SCHEMA_VERSION,
    TENSORS,
    checksum,
    described,
    identity,
    tensor_bytes,
)
from lorap_bench.models.saved.folder import entries, write_folder
from lorap_bench.models.saved.state import member_state, rebuild

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from lorap_bench.models.blueprint import Blueprint
    from lorap_bench.models.network import Network

__all__ = ["Trained", "refuse_taken", "save_model"]


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What is saved: one member of a trained network.

    ``plan`` is the member's own (a cohort's is its first member's), ``seed`` what it was trained with.
    """

    plan: Blueprint
    network: Network
    seed: int
    member: int = 0


def save_model(
    folder: Path | str, trained: Trained, about: Mapping[str, Any], *, replace: bool = False
) -> dict[str, Any]:
    """Save a model: the folder is there whole, or not at all.

    Args:
        folder: where; it may exist if it is empty, or with ``replace`` if it holds a saved model and nothing else.
        trained: the model.
        about: what ``config.json`` says beside what the model itself tells: plain values.
        replace: overwrite a model.

    Returns:
        ``config.json``.

    Raises:
        StoreError: the folder is taken, or cannot be written.
    """
    folder = Path(folder)
    refuse_taken(folder, replace=replace)
    plan, state = trained.plan, member_state(trained.network, trained.member)
    integers, integer = _integers(plan, trained.seed, state)
    files = {TENSORS: tensor_bytes(state)} | ({INTEGERS: tensor_bytes(integers)} if integers else {})
    config = {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        **about,
        "config": plan.config,
        "shape": asdict(plan.shape),
        "effective": plan.effective,
        "digest": plan.digest,
        "seed": trained.seed,
        "integer": integer,
        "sha256": {name: checksum(data) for name, data in files.items()},
    }
    config["identity"] = identity(config)
    text = json.dumps(config, indent=2, allow_nan=False) + "\n"
    write_folder(folder, {CONFIG: text.encode(), **files})
    return config


def refuse_taken(folder: Path, *, replace: bool) -> None:
    """Refuse a folder that a model must not be written to.

    Raises:
        StoreError: it holds something else than a model, or a model that is not to be replaced; it is where this
            process stands, which the rename would leave in a folder that is gone.
    """
    if folder.resolve() == Path.cwd():
        raise StoreError("is the current folder; name another, which is then made", where=str(folder))
    found = entries(folder)
    if not found:
        return
    others = sorted(set(found) - set(FILES))
    if others:
        raise StoreError(f"the folder holds {others[0]!r}, which is not a saved model's", where=str(folder))
    described(folder)
    if not replace:
        raise StoreError("a model is saved here already; --force replaces it", where=str(folder))


def _integers(plan: Blueprint, seed: int, state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the integer tensors, and what ``config.json`` says of them: their file, or why there are none."""
    try:
        with use("reference"):  # which computes on the CPU, where the codes are, whatever device has trained
            model = integer_model(rebuild(plan, seed, state))
    except ConfigError as error:
        faults = sorted(error.faults, key=lambda fault: fault.path != "quant.scheme")  # which says most, first
        return {}, {"file": None, "reasons": [str(fault) for fault in faults]}
    except LorapBenchError as error:
        return {}, {"file": None, "reasons": [str(error)]}
    bits = {site: coder.bits for site, coder in model.grids.items()}
    return integer_tensors(model), {"file": INTEGERS, "bits": bits, "bytes": asdict(model.bytes)}
