"""Small sets in exactly the files and folders of ogbn-mag."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["write_communities", "write_mag"]

TABLES = {
    "raw/num-node-dict.csv.gz": "author,field_of_study,institution,paper\n3,2,2,4\n",
    "raw/triplet-type-list.csv.gz": "author,affiliated_with,institution\nauthor,writes,paper\n"
    "paper,cites,paper\npaper,has_topic,field_of_study\n",
    "raw/nodetype-has-feat.csv.gz": "author,field_of_study,institution,paper\nFalse,False,False,True\n",
    "raw/nodetype-has-label.csv.gz": "author,field_of_study,institution,paper\nFalse,False,False,True\n",
    "raw/node-feat/paper/node-feat.csv.gz": "1.0,0.0\n0.0,2.0\n-1.0,4.0\n0.5,0.5\n",
    "raw/node-feat/paper/node_year.csv.gz": "2017\n2018\n2019\n2016\n",
    "raw/node-label/paper/node-label.csv.gz": "0\n1\n2\n0\n",
    "raw/node-label/paper/num-node-label-list.csv.gz": "4\n",
    "raw/relations/paper___cites___paper/edge.csv.gz": "0,1\n1,0\n2,1\n3,3\n",
    "raw/relations/author___writes___paper/edge.csv.gz": "0,0\n0,1\n0,1\n1,2\n",
    "raw/relations/author___affiliated_with___institution/edge.csv.gz": "0,1\n1,1\n2,1\n",
    "raw/relations/paper___has_topic___field_of_study/edge.csv.gz": "0,0\n2,0\n3,1\n",
    "split/time/paper/train.csv.gz": "3\n0\n",
    "split/time/paper/valid.csv.gz": "1\n",
    "split/time/paper/test.csv.gz": "2\n",
}


def write_mag(folder: Path, changed: dict[str, str] | None = None) -> Path:
    """Write four papers, three authors (one without a paper), two institutions (one empty) and two fields of study."""
    for name, text in (TABLES | (changed or {})).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(text.encode()))
        if path.name == "edge.csv.gz":
            edges = f"{len(text.splitlines())}\n".encode()
            (path.parent / "num-edge-list.csv.gz").write_bytes(gzip.compress(edges))
            (path.parent / "edge_reltype.csv.gz").write_bytes(gzip.compress(b"0\n" * len(text.splitlines())))
    return folder


def write_communities(folder: Path, papers: int = 60) -> Path:
    """Write papers of three classes whose features say little, each by an author and on a field of its class."""
    numbers = range(papers)
    tables = {
        "raw/num-node-dict.csv.gz": f"author,field_of_study,institution,paper\n{papers // 2},3,3,{papers}\n",
        "raw/node-feat/paper/node-feat.csv.gz": "".join(
            f"{n * 7 % 11 / 11},{n * 5 % 13 / 13},{0.3 * (n % 3) + n * 3 % 17 / 17}\n" for n in numbers
        ),
        "raw/node-label/paper/node-label.csv.gz": "".join(f"{n % 3}\n" for n in numbers),
        "raw/relations/paper___cites___paper/edge.csv.gz": "".join(f"{n},{(n * n + 5) % papers}\n" for n in numbers),
        "raw/relations/author___writes___paper/edge.csv.gz": "".join(f"{n % (papers // 2)},{n}\n" for n in numbers),
        "raw/relations/author___affiliated_with___institution/edge.csv.gz": "".join(
            f"{n},{n % 3}\n" for n in range(papers // 2)
        ),
        "raw/relations/paper___has_topic___field_of_study/edge.csv.gz": "".join(f"{n},{n % 3}\n" for n in numbers),
        **{
            f"split/time/paper/{part}.csv.gz": "".join(f"{n}\n" for n in numbers if n // 3 % 4 in chosen)
            for part, chosen in (("train", {0, 1}), ("valid", {2}), ("test", {3}))
        },
    }
    return write_mag(folder, tables)
