"""Molecules with a value each: ZINC's subset of 12,000, with its published split.

Source: Dwivedi et al., "Benchmarking Graph Neural Networks", 2020, in the files that PyG's ``ZINC`` reads. The value is
the constrained solubility: log P less the synthetic accessibility and the long rings, each standardised.
"""

from __future__ import annotations

import collections
import io
import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from lorap_bench.data.edges import canonical_edges
from lorap_bench.data.packed import Packed
from lorap_bench.data.raw import RawSet

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from lorap_bench.data.task import Split

__all__ = ["raw_set", "read"]

ORDER: tuple[Split, ...] = ("train", "val", "test")
ATOMS = 28
TARGET = "logP_SA_cycle_normalized"


@dataclass(frozen=True, slots=True)
class _Molecule:
    """The atoms' types ``[n]``, the bonds ``[2, e]`` between them, and the value."""

    atoms: Tensor
    bonds: Tensor
    value: float


def raw_set(name: str) -> RawSet:
    """Return the raw files; the addresses are PyG's."""
    from torch_geometric.datasets import ZINC

    # The archive comes last: what it lacks has to be there by then.
    urls = (*(ZINC.split_url.format(split) for split in ORDER), ZINC.url)
    files = (f"{split}.{kind}" for kind in ("pickle", "index") for split in ORDER)
    return RawSet(name=name, required=tuple(files), urls=urls)


def read(folder: Path, name: str) -> Packed:  # noqa: ARG001  # readers are called alike
    """Read the molecules; an atom's features are its type, one-hot. Types of bonds are left out.

    Raises:
        KeyError, TypeError, ValueError: a file is not what it should be, or a molecule does not fit together.
        pickle.UnpicklingError: a file holds more than molecules.
    """
    parts = [_molecules(folder, split) for split in ORDER]
    found = [molecule for part in parts for molecule in part]
    atoms = torch.cat([molecule.atoms for molecule in found])
    if int(atoms.min()) < 0 or int(atoms.max()) >= ATOMS:
        raise ValueError(f"a type of atom that is not one of the {ATOMS}")
    y = torch.tensor([molecule.value for molecule in found], dtype=torch.float32)
    if not bool(y.isfinite().all()):
        raise ValueError("a value is not a finite number")
    pointer = torch.tensor([0, *(len(molecule.atoms) for molecule in found)]).cumsum(0)
    bonds = torch.cat([one.bonds + start for one, start in zip(found, pointer.tolist(), strict=False)], dim=1)
    ends = torch.tensor([len(part) for part in parts]).cumsum(0).tolist()
    return Packed(
        x=torch.nn.functional.one_hot(atoms, ATOMS).float(),
        edge_index=canonical_edges(bonds, len(atoms)),
        graph_ptr=pointer,
        y=y,
        splits={split: torch.arange(end - len(part), end) for split, part, end in zip(ORDER, parts, ends, strict=True)},
    )


def _molecules(folder: Path, split: Split) -> list[_Molecule]:
    """Return the molecules of a part that its index names, in the order of the index."""
    with (folder / f"{split}.pickle").open("rb") as stream:
        listed = _Tensors(stream).load()
    chosen = [int(number) for number in (folder / f"{split}.index").read_text().split(",")]
    if not chosen or min(chosen) < 0:
        raise ValueError(f"{split}.index is no list of numbers")
    return [_molecule(listed[number]) for number in chosen]


def _molecule(stored: dict[str, Any]) -> _Molecule:
    atoms, bonds, value = (stored[name].tensor() for name in ("atom_type", "bond_type", TARGET))
    if not atoms.numel() or bonds.shape != (atoms.numel(), atoms.numel()):
        raise ValueError(f"bonds {list(bonds.shape)} among {atoms.numel()} atoms")
    return _Molecule(atoms.long().flatten(), bonds.nonzero().T, float(value))


class _Stored(NamedTuple):
    """A tensor as the file holds it: made only where its molecule is chosen, for the whole set has 250,000."""

    data: bytes
    shape: tuple[Any, ...]

    def tensor(self) -> Tensor:
        """Return the tensor."""
        storage = torch.load(io.BytesIO(self.data), weights_only=True)
        made: Tensor = torch._utils._rebuild_tensor_v2(storage, *self.shape)  # noqa: SLF001  # as the pickle names it
        return made


class _Tensors(pickle.Unpickler):
    """Unpickle tensors and plain values alone, so that a file need not be trusted."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for a part of a tensor.

        Raises:
            pickle.UnpicklingError: the file asks for anything else.
        """
        try:
            return _MAKERS[f"{module}.{name}"]
        except KeyError:
            raise pickle.UnpicklingError(f"the file asks for {module}.{name}, which is no part of a tensor") from None


_MAKERS: dict[str, Any] = {
    "collections.OrderedDict": collections.OrderedDict,
    "torch._utils._rebuild_tensor_v2": lambda data, *shape: _Stored(data, shape),
    "torch.storage._load_from_bytes": bytes,
}
