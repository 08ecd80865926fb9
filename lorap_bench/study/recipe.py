"""Recipes: hyperparameters as they were published, one named file each, to lay under the values of another file.

A file names one with ``recipe = "a2q-gcn-cora"``. Its sections are laid in when the file is read, so that whoever comes
later (identities, folders, records) sees the values alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from lorap_bench.config import SECTIONS, TaskConfig
from lorap_bench.errors import ConfigError, Fault, nearest
from lorap_bench.study.patterns import NAME
from lorap_bench.study.reading import read_toml, refuse_alien_values
from lorap_bench.study.spec import Sections
from lorap_bench.study.structure import structure_faults

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lorap_bench.config import TrialConfig

__all__ = ["Recipe", "RecipeSpec", "lay_recipe", "load_recipe", "named_recipe", "recipe_names"]

_HERE = Path(__file__).resolve().parent
_FOLDERS = (_HERE / "recipes", _HERE.parents[1] / "studies" / "recipes")
"""Where recipes lie: in an installed package beside this module, in a checkout among the studies."""

_Said = Annotated[str, Field(min_length=1)]


class RecipeSpec(Sections):
    """A recipe file: where it is from, what is known of it, and the sections that it has something to say about."""

    version: Literal[1]
    name: Annotated[str, Field(pattern=NAME, max_length=100)]
    source: _Said
    citation: _Said
    evidence: Literal["seen in code", "from memory", "confirmed here"]
    protocol: _Said
    departures: tuple[_Said, ...]
    task: TaskConfig


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe.

    Attributes:
        spec: what its file says; what a section leaves out is at its default here.
        sections: what it says of a configuration, and no more: section → field → value.
    """

    spec: RecipeSpec
    sections: Mapping[str, Mapping[str, Any]]

    @property
    def base(self) -> TrialConfig:
        """The recipe alone as a configuration."""
        return self.spec.base

    @property
    def settings(self) -> dict[str, Any]:
        """What it says by key path; the entries of a table each by their own."""
        said: dict[str, Any] = {}
        for section, values in self.sections.items():
            for name, value in values.items():
                entries = value if isinstance(value, dict) else {"": value}
                said.update({f"{section}.{name}.{key}".rstrip("."): entry for key, entry in entries.items()})
        return said

    @property
    def summary(self) -> dict[str, str]:
        """What a list says of it."""
        base = self.base
        mixed = "candidates" in self.sections.get("quant", {})
        bits = ", ".join(map(str, base.quant.candidates)) if mixed else str(base.quant.bits)
        return {
            "name": self.spec.name,
            "data set": base.task.dataset,
            "arch": base.model.arch,
            "scheme": base.quant.scheme,
            "bits": bits,
            "source": self.spec.source,
        }

    def to_mapping(self) -> dict[str, Any]:
        """Return all that it says, in plain values."""
        about = self.spec.model_dump(mode="json", exclude={"version", *SECTIONS})
        return {**about, "sections": {name: dict(values) for name, values in self.sections.items()}}


def recipe_names() -> tuple[str, ...]:
    """Return the names of all recipes."""
    return tuple(sorted(path.stem for path in _folder().glob("*.toml")))


def named_recipe(name: str, *, where: str = "recipe") -> Recipe:
    """Return the recipe of a name.

    Raises:
        ConfigError: there is none; ``where`` names the key in the message.
    """
    known = recipe_names()
    if name not in known:
        suggestion = nearest(name, known)
        allowed = "those that `lorap-bench recipes` lists"
        fault = Fault(path=where, message="unknown recipe", got=name, allowed=allowed, suggestion=suggestion)
        raise ConfigError([fault])
    return load_recipe(_folder() / f"{name}.toml")


def load_recipe(path: Path) -> Recipe:
    """Return the recipe that a file holds; names of data sets, schemes and so on are not checked.

    Raises:
        ConfigError: every fault of the file.
    """
    data = read_toml(path)
    refuse_alien_values(data, path)
    faults = structure_faults(RecipeSpec, data)
    if not faults and data["name"] != path.stem:
        faults = [Fault(path="name", message="is not the file's", got=data["name"], allowed=path.stem)]
    if faults:
        raise ConfigError(faults, where=str(path))
    spec = RecipeSpec.model_validate_json(json.dumps(data))
    return Recipe(spec, {name: data[name] for name in SECTIONS if name in data})


def lay_recipe(data: dict[str, Any]) -> list[Fault]:
    """Lay the recipe that ``data`` names, if it names one, under its sections; return what is wrong with the name.

    A field that the file gives wins, in a table of free keys the entry.
    """
    name = data.get("recipe")
    if not isinstance(name, str):
        return []
    try:
        recipe = named_recipe(name)
    except ConfigError as error:
        return list(error.faults)
    for section, values in recipe.sections.items():
        own = data.setdefault(section, {})
        if isinstance(own, dict):
            data[section] = _under(values, own)
    return []


def _under(values: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``own`` with what it lacks from ``values``."""
    both = {**values, **own}
    for name, value in own.items():
        if isinstance(value, dict) and isinstance(values.get(name), dict):
            both[name] = _under(values[name], value)
    return both


def _folder() -> Path:
    return next((folder for folder in _FOLDERS if folder.is_dir()), _FOLDERS[0])
