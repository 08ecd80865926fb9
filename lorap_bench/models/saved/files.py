"""The files of a saved model, and how each is read and checked.

```
<folder>/
  config.json           configuration, sizes, seed, metrics, versions; the sum of each other file
  model.safetensors     every parameter and buffer of the one member, by dotted name
  integer.safetensors   integer codes and their grids, by site; only where the model has an integer form
```
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import safetensors.torch
from safetensors import SafetensorError

from lorap_bench.config import digest_of
from lorap_bench.errors import StoreError
from lorap_bench.models.saved.folder import entries, read_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

__all__ = [
    "CONFIG",
    "FILES",
    "FORMAT",
    "INTEGERS",
    "SCHEMA_VERSION",
    "TENSORS",
    "checksum",
    "described",
    "identity",
    "read_config",
    "read_integers",
    "read_tensors",
    "tensor_bytes",
]

SCHEMA_VERSION = 1
_BUILT_FROM = ("config", "shape", "seed")
FORMAT = "lorap-bench model"
CONFIG, TENSORS, INTEGERS = "config.json", "model.safetensors", "integer.safetensors"
FILES = (CONFIG, TENSORS, INTEGERS)


def checksum(data: bytes) -> str:
    """Return SHA-256 in hex: safetensors sees a file cut short, not one with other numbers."""
    return hashlib.sha256(data).hexdigest()


def identity(config: Mapping[str, Any]) -> str:
    """Return the hash of what the network is built from, so that nothing is built from a damaged part.

    Raises:
        KeyError: a part is missing.
    """
    return digest_of({name: config[name] for name in _BUILT_FROM})


def tensor_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    """Return tensors as a safetensors file; the same tensors give the same bytes."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return safetensors.torch.save(plain, {"format": "pt"})


def read_config(folder: Path) -> dict[str, Any]:
    """Return what a model's ``config.json`` says.

    Raises:
        StoreError: there is no model in the folder, it is someone else's, of another schema, or damaged.
    """
    config, path = described(folder), folder / CONFIG
    found = config.get("schema_version")
    if found != SCHEMA_VERSION:
        raise StoreError(f"model of schema {found!r}, this version reads {SCHEMA_VERSION}", where=str(path))
    if not _is_whole(config):
        raise StoreError(f"damaged: not all of {', '.join(_BUILT_FROM)} are as they were saved", where=str(path))
    return config


def described(folder: Path) -> dict[str, Any]:
    """Return what the ``config.json`` of a model of ours says, of whatever schema.

    Raises:
        StoreError: there is none, it is no JSON, or it describes something else.
    """
    path = folder / CONFIG
    if CONFIG not in entries(folder):
        raise StoreError(f"no model here: there is no {CONFIG}", where=str(folder))
    try:
        config = json.loads(read_file(path))
    except ValueError as error:
        raise StoreError(f"damaged: {error}", where=str(path)) from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise StoreError("does not describe a model that `lorap-bench model` saved", where=str(path))
    return config


def read_tensors(folder: Path, name: str, config: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the tensors of one file of a model.

    Raises:
        StoreError: the file is missing, damaged, or not the one that the model was saved with.
    """
    path = folder / name
    data = read_file(path)
    try:
        wanted = str(config["sha256"][name])
    except (KeyError, TypeError) as error:
        raise StoreError(f"damaged: no SHA-256 of {name}", where=str(folder / CONFIG)) from error
    try:
        tensors = safetensors.torch.load(data)
    except (SafetensorError, ValueError) as error:
        raise StoreError(f"damaged: no safetensors file ({error})", where=str(path)) from error
    found = checksum(data)
    if found != wanted:
        message = f"not the file that {CONFIG} was written with (SHA-256 {found[:12]}…, there {wanted[:12]}…)"
        raise StoreError(message, where=str(path))
    return tensors


def read_integers(folder: Path | str) -> dict[str, Tensor]:
    """Return a model's integer tensors by name (``models.integer.stored`` says which).

    Raises:
        StoreError: the model has no integer form (says why), or its files are damaged.
    """
    folder = Path(folder)
    config = read_config(folder)
    integer = config.get("integer")
    said = integer if isinstance(integer, dict) else {}
    if said.get("file") != INTEGERS:
        reason = "; ".join(said.get("reasons", ["no reason is given"]))
        raise StoreError(f"the model has no integer form: {reason}", where=str(folder))
    return read_tensors(folder, INTEGERS, config)


def _is_whole(config: Mapping[str, Any]) -> bool:
    try:
        return identity(config) == config.get("identity")
    except (KeyError, ValueError):  # a part is missing, or holds a number that JSON has not
        return False
