"""All of ogbn-mag: papers, authors, institutions and fields of study as one graph with a relation for every edge.

The nodes are numbered by kind in that order, so that papers keep their numbers; they alone have labels. Edges lead in
both directions. A citation is of one relation in either; the other three have one of their own for the way back, as
in the benchmark's R-GCN baseline: seven in all, by the kinds of their ends.

Papers alone come with features. An author has the mean of the author's papers, an institution that of its authors, a
field of study that of its papers; zeros where there is none.

Source: Hu et al., "Open Graph Benchmark: Datasets for Machine Learning on Graphs", 2020, for data, split and relations;
Hu et al., "OGB-LSC: A Large-Scale Challenge for Machine Learning on Graphs", 2021, the baselines on MAG240M, for the
features of authors and institutions; that of fields of study follows them.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from scipy import sparse

from lorap_bench.data.ogb_files import read_node_counts, read_split, read_table, split_files
from lorap_bench.data.one_graph import one_graph
from lorap_bench.data.published import check_listed
from lorap_bench.data.raw import RawSet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from lorap_bench.data.packed import Packed

__all__ = ["KINDS", "RELATIONS", "raw_set", "read"]

PAPER, AUTHOR, INSTITUTION, FIELD = KINDS = ("paper", "author", "institution", "field_of_study")


class Triplet(NamedTuple):
    """A relation of the raw files: which kind of node does what to which."""

    source: str
    verb: str
    target: str

    @property
    def file(self) -> str:
        """Where its edges are listed."""
        return f"raw/relations/{'___'.join(self)}/edge.csv.gz"


CITES = Triplet(PAPER, "cites", PAPER)
WRITES = Triplet(AUTHOR, "writes", PAPER)
AFFILIATED = Triplet(AUTHOR, "affiliated_with", INSTITUTION)
HAS_TOPIC = Triplet(PAPER, "has_topic", FIELD)
TRIPLETS = (CITES, WRITES, AFFILIATED, HAS_TOPIC)
RELATIONS = (
    (PAPER, PAPER),
    (AUTHOR, PAPER),
    (PAPER, AUTHOR),
    (AUTHOR, INSTITUTION),
    (INSTITUTION, AUTHOR),
    (PAPER, FIELD),
    (FIELD, PAPER),
)
"""The kinds of an edge's source and target; their place is the number of its relation."""

NODES = "raw/num-node-dict.csv.gz"
FEATURES = f"raw/node-feat/{PAPER}/node-feat.csv.gz"
LABELS = f"raw/node-label/{PAPER}/node-label.csv.gz"
SPLIT = f"split/time/{PAPER}"


def raw_set(name: str) -> RawSet:
    """Return the raw files of the set: those of ogbn-mag, in the same archive."""
    from torch_geometric.datasets import OGB_MAG

    files = (NODES, FEATURES, LABELS, *(triplet.file for triplet in TRIPLETS), *split_files(SPLIT))
    return RawSet(name=name, required=files, urls=(OGB_MAG.url,))


def read(folder: Path, name: str) -> Packed:
    """Read the graph and its split.

    Raises:
        KeyError, ValueError: a line is not numbers, the files disagree, or a kind of node is not counted.
    """
    stated = read_node_counts(folder / NODES)
    counts = {kind: stated[kind] for kind in KINDS}
    labels = read_table(folder / LABELS, np.int64)[:, 0]
    papers = read_table(folder / FEATURES, np.float32)
    for rows, what in ((len(labels), "labels"), (len(papers), "rows of features")):
        if rows != counts[PAPER]:
            raise ValueError(f"{rows:,} {what} for {counts[PAPER]:,} papers")
    links = {triplet: _links(folder, triplet, counts) for triplet in TRIPLETS}
    check_listed(name, sum(map(len, links.values())))
    starts = dict(zip(KINDS, accumulate(counts.values(), initial=0), strict=False))
    edges = [pairs + np.array([starts[source], starts[target]]) for (source, _, target), pairs in links.items()]
    packed = one_graph(
        _features(papers, links, counts),
        np.concatenate(edges),
        np.pad(labels, (0, sum(counts.values()) - len(labels))),
        read_split(folder / SPLIT, len(labels)),
    )
    packed.y[len(labels) :] = -1
    return replace(packed, edge_type=_relations(packed.edge_index, counts))


def _links(folder: Path, triplet: Triplet, counts: Mapping[str, int]) -> NDArray[np.int64]:
    """Return the edges of a relation, each end in the numbers of its kind: ``[E, 2]``.

    Raises:
        ValueError: they are no pairs, or one leads to a node that is not there.
    """
    pairs = read_table(folder / triplet.file, np.int64)
    if pairs.shape[1] != 2:
        raise ValueError(f"the edges of {triplet.verb} have {pairs.shape[1]} columns instead of 2")
    for ends, kind in zip(pairs.T, (triplet.source, triplet.target), strict=True):
        for end in (int(ends.min()), int(ends.max())):
            if not 0 <= end < counts[kind]:
                raise ValueError(f"an edge of {triplet.verb} names {kind} {end}; there are {counts[kind]:,}")
    return pairs


def _features(
    papers: NDArray[np.float32], links: Mapping[Triplet, NDArray[np.int64]], counts: Mapping[str, int]
) -> NDArray[np.float32]:
    """Return the features of all nodes ``[N, F]``: the papers' own, and means of neighbours for all others."""
    authors = _means(links[WRITES], papers, counts[AUTHOR])
    institutions = _means(links[AFFILIATED][:, ::-1], authors, counts[INSTITUTION])
    fields = _means(links[HAS_TOPIC][:, ::-1], papers, counts[FIELD])
    return np.concatenate([papers, authors, institutions, fields])


def _means(pairs: NDArray[np.int64], x: NDArray[np.float32], rows: int) -> NDArray[np.float32]:
    """Return the mean of the rows of x that each of some nodes has, each once; zeros where it has none.

    Shape: pairs ``[E, 2]`` (node, row of x), x ``[n, F]`` → ``[rows, F]``.
    """
    ones = np.ones(len(pairs), dtype=np.float32)
    members = sparse.csr_matrix((ones, pairs.T), shape=(rows, len(x)))  # repeats become one entry
    members.data[:] = 1
    sizes = np.diff(members.indptr).clip(min=1).astype(np.float32)
    return np.asarray(members @ x, dtype=np.float32) / sizes[:, None]


def _relations(edge_index: Tensor, counts: Mapping[str, int]) -> Tensor:
    """Return the relation of every edge by the kinds of its ends: ``[E]`` int8."""
    kinds = torch.repeat_interleave(torch.arange(len(KINDS), dtype=torch.int8), torch.tensor(list(counts.values())))
    table = torch.full((len(KINDS), len(KINDS)), -1, dtype=torch.int8)
    for relation, (source, target) in enumerate(RELATIONS):
        table[KINDS.index(source), KINDS.index(target)] = relation
    source, target = edge_index
    return table[kinds[source].long(), kinds[target].long()]
