"""The one table of data sets: which names there are, which module reads each, how it is split, what it counts.

Importing this module loads neither torch nor PyG, so that names are checked at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from lorap_bench.metric import Metric

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "BY_NAME",
    "COLLECTION",
    "EMBEDDED",
    "TABLE",
    "Counts",
    "Family",
    "in_collection",
    "known_family",
    "mirror_folder",
]


@dataclass(frozen=True, slots=True)
class Counts:
    """How much a data set holds; None: not published.

    ``edges`` counts the edges as they are read here: both directions of an undirected one, no
    repeats, no self-loops. ``classes`` is 1 where a value is predicted. ``listed``
    counts the edges of the raw files, where that is the published figure.
    """

    graphs: int
    nodes: int | None
    edges: int | None
    features: int
    classes: int
    listed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Data sets that one module of this package reads.

    Args:
        name: the prefix of ``<family>/<set>``.
        reader: the module; it has ``raw_set(name)`` and ``read(folder, name)``, and ``fold_splits(y, fold)``
            where splits are drawn and not published.
        level: what is classified, or has a value that is predicted.
        sets: the sets with a name of their own, and their counts.
        splits: how many splits ``task.fold`` chooses among.
        folders: where a mirror keeps a set's raw files, if not in ``<name>/raw``.
        downloads: whether the files are published somewhere.
        metric: what predictions are scored by; it says whether classes or values are predicted.
    """

    name: str
    reader: str
    level: Literal["node", "graph"]
    sets: Mapping[str, Counts]
    splits: int = 1
    folders: Mapping[str, str] = field(default_factory=dict)
    downloads: bool = True
    metric: Metric = Metric.ACCURACY


EMBEDDED = "Digits"
COLLECTION = "TUDataset"  # the family that reaches sets which the table does not list

# Sources of the counts: the TU collection's table, PyG's documentation, and the sets' own papers; of superpixels the
# files themselves. Features are those that are read here.
TABLE = (
    Family(
        name="Planetoid",
        reader="planetoid",
        level="node",
        sets={
            "Cora": Counts(1, 2708, 10556, 1433, 7),
            "CiteSeer": Counts(1, 3327, 9104, 3703, 6),
            "PubMed": Counts(1, 19717, 88648, 500, 3),
        },
    ),
    Family(
        name=COLLECTION,
        reader="tudataset",
        level="graph",
        splits=10,
        sets={
            "MUTAG": Counts(188, 3371, 7442, 7, 2),
            "PROTEINS": Counts(1113, 43471, 162088, 3, 2),
            "NCI1": Counts(4110, 122747, 265506, 37, 2),
            "DD": Counts(1178, 334925, 1686092, 89, 2),
            "REDDIT-BINARY": Counts(2000, 859254, 1991016, 1, 2),
            "IMDB-BINARY": Counts(1000, 19773, 193062, 136, 2),
        },
    ),
    Family(
        name="Amazon",
        reader="amazon_coauthor",
        level="node",
        splits=10,
        sets={
            "Photo": Counts(1, 7650, 238162, 745, 8),
            "Computers": Counts(1, 13752, 491722, 767, 10),
        },
    ),
    Family(
        name="Coauthor",
        reader="amazon_coauthor",
        level="node",
        splits=10,
        sets={
            "CS": Counts(1, 18333, 163788, 6805, 15),
            "Physics": Counts(1, 34493, 495924, 8415, 5),
        },
    ),
    Family(
        name="GeomGCN",
        reader="geom_gcn",
        level="node",
        splits=10,
        sets={
            "Cornell": Counts(1, 183, 554, 1703, 5, listed=298),
            "Texas": Counts(1, 183, 558, 1703, 5, listed=325),
            "Wisconsin": Counts(1, 251, 900, 1703, 5, listed=515),
            "Actor": Counts(1, 7600, 53318, 932, 5, listed=30019),
        },
        folders={name: f"{name.lower()}/raw" for name in ("Cornell", "Texas", "Wisconsin")},
    ),
    Family(
        name="Heterophilous",
        reader="heterophilous",
        level="node",
        splits=10,
        sets={
            "Roman-empire": Counts(1, 22662, 65854, 300, 18),
            "Amazon-ratings": Counts(1, 24492, 186100, 300, 5),
            "Minesweeper": Counts(1, 10000, 78804, 7, 2),
            "Tolokers": Counts(1, 11758, 1038000, 10, 2),
            "Questions": Counts(1, 48921, 307080, 301, 2),
        },
        folders={
            "Roman-empire": "roman_empire/raw",
            "Amazon-ratings": "amazon_ratings/raw",
            "Minesweeper": "minesweeper/raw",
            "Tolokers": "tolokers/raw",
            "Questions": "questions/raw",
        },
    ),
    Family(
        name="WikiCS",
        reader="wikics",
        level="node",
        splits=20,
        # What is published of the edges (216,123) does not say whether self-loops are among them.
        sets={"WikiCS": Counts(1, 11701, None, 300, 10)},
    ),
    Family(
        name="OGB",
        reader="ogb",
        level="node",
        sets={
            "ogbn-arxiv": Counts(1, 169343, None, 128, 40, listed=1166243),
            "ogbn-products": Counts(1, 2449029, None, 100, 47, listed=61859140),
            "ogbn-mag": Counts(1, 736389, None, 128, 349, listed=5416271),
        },
        folders={name: name.replace("-", "_") for name in ("ogbn-arxiv", "ogbn-products", "ogbn-mag")},
    ),
    Family(
        name="OGBHetero",
        reader="ogb_mag",
        level="node",
        sets={"ogbn-mag-hetero": Counts(1, 1939743, None, 128, 349, listed=21111007)},
        folders={"ogbn-mag-hetero": "ogbn_mag"},  # the files of ogbn-mag, and more of them
    ),
    Family(
        name="GNNBenchmark",
        reader="gnn_benchmark",
        level="graph",
        sets={
            "MNIST": Counts(70000, None, None, 3, 10),
            "CIFAR10": Counts(60000, None, None, 5, 10),
        },
    ),
    Family(
        name="Superpixels",
        reader="superpixels",
        level="graph",
        sets={
            "MNIST-75sp": Counts(70000, 4689579, 37516632, 3, 10),
            "CIFAR10-150sp": Counts(15000, 1675293, 13402344, 5, 10),
        },
        folders={"MNIST-75sp": "MNIST", "CIFAR10-150sp": "CIFAR10"},
        downloads=False,
    ),
    Family(
        name="Molecules",
        reader="molecules",
        level="graph",
        sets={"ZINC": Counts(12000, 277864, 597970, 28, 1)},
        metric=Metric.MAE,
    ),
)
BY_NAME = {name: family for family in TABLE for name in family.sets}
_COLLECTION = next(family for family in TABLE if family.name == COLLECTION)
_TU_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")  # a name becomes part of a path


def known_family(name: str) -> Family:
    """Return the family of a canonical name; what is not listed is of the TU collection."""
    return BY_NAME.get(name, _COLLECTION)


def in_collection(name: str) -> bool:
    """Return whether a name may be one of the TU collection's: no other family has it."""
    listed = name == EMBEDDED or (name in BY_NAME and name not in _COLLECTION.sets)
    return _TU_NAME.fullmatch(name) is not None and not listed


def mirror_folder(name: str) -> str:
    """Return where a mirror keeps the raw files of a set, below it."""
    return known_family(name).folders.get(name, f"{name}/raw")
