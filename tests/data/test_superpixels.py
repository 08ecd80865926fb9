from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from lorap_bench.data.published import check_counts
from lorap_bench.data.superpixels import nearest_edges, read

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

IMAGES, TESTS = 24, 5


def _arrays(images: int, seed: int) -> dict[str, NDArray[Any]]:
    draw = np.random.default_rng(seed)
    sizes = draw.integers(9, 15, images).astype(np.uint8)
    nodes = int(sizes.sum())
    return {
        "num_nodes": sizes,
        "y": (np.arange(images) % 2).astype(np.uint8),
        "image_id": np.arange(images, dtype=np.int32),
        "pixel": draw.random((1, nodes)).astype(np.float16),
        "pos": draw.random((2, nodes)).astype(np.float16),
    }


def _write(folder: Path, **changed: NDArray[Any]) -> Path:
    """Write 24 + 5 images of 9 to 14 superpixels."""
    parts = {"train": _arrays(IMAGES, 0), "test": _arrays(TESTS, 1)}
    arrays = {f"{part}_{name}": value for part, values in parts.items() for name, value in values.items()}
    np.savez(folder / "superpixels_75.npz", allow_pickle=False, **{**arrays, **changed})
    return folder


def test_images_become_graphs(tmp_path: Path) -> None:
    packed = read(_write(tmp_path), "MNIST-75sp")
    train, test = _arrays(IMAGES, 0), _arrays(TESTS, 1)
    assert packed.graph_ptr.diff().tolist() == [*train["num_nodes"], *test["num_nodes"]]
    assert packed.x.dtype == torch.float32
    assert packed.x[0].tolist() == [float(train["pixel"][0, 0]), *map(float, train["pos"][:, 0])]
    assert packed.y.tolist() == [*train["y"], *test["y"]]
    # A twelfth of the training images validates, in proportion; test images follow.
    assert {name: len(index) for name, index in packed.splits.items()} == {"train": 22, "val": 2, "test": 5}
    assert packed.y[packed.splits["val"]].sort().values.tolist() == [0, 1]
    assert packed.splits["test"].tolist() == list(range(24, 29))
    source, target = packed.edge_index
    assert torch.equal(source.bincount(), torch.full((len(packed.x),), 8))
    assert bool(((target * len(packed.x) + source).diff() > 0).all())
    owner = torch.arange(29).repeat_interleave(packed.graph_ptr.diff())
    assert torch.equal(owner[source], owner[target])


def _one_by_one(positions: NDArray[np.float64]) -> set[tuple[int, int]]:
    """Return a graph's edges as the recipe tells them, node by node."""
    count = len(positions)
    distance = np.linalg.norm(positions[:, None] - positions, axis=2)
    sigma = [np.sort(np.delete(distance[i], i))[:8].sum() / 8 + 1e-8 for i in range(count)]
    affinity = np.exp(-((distance / np.array(sigma)[:, None]) ** 2))
    affinity = (affinity + affinity.T) / 2
    edges = set()
    for i in range(count):
        others = [j for j in range(count) if j != i]
        edges |= {(i, j) for j in sorted(others, key=lambda j: -affinity[i, j])[:8]}
    return edges


@pytest.mark.parametrize("seed", range(3))
def test_edges_are_those_of_the_recipe(seed: int) -> None:
    draw = np.random.default_rng(seed)
    sizes = [9, 40, 17]
    graphs = [draw.random((size, 2)) for size in sizes]
    pointer = torch.tensor([0, 9, 49, 66])
    found = nearest_edges(torch.from_numpy(np.concatenate(graphs)), pointer)
    starts = zip(graphs, [0, 9, 49], strict=True)
    expected = {(i + start, j + start) for graph, start in starts for i, j in _one_by_one(graph)}
    assert set(map(tuple, found.T.tolist())) == expected
    assert found.shape == (2, 8 * 66)


def test_equal_affinities_choose_the_lower_number() -> None:
    # Twelve nodes in one place: everybody is equally near.
    found = nearest_edges(torch.full((12, 2), 0.5), torch.tensor([0, 12]))
    assert found[1][found[0] == 11].tolist() == list(range(8))
    assert found[1][found[0] == 0].tolist() == list(range(1, 9))


def test_images_do_not_meet() -> None:
    alone = nearest_edges(torch.rand(20, 2, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 20]))
    many = torch.rand(20, 2, generator=torch.Generator().manual_seed(0)).repeat(300, 1)
    together = nearest_edges(many, torch.arange(0, 6001, 20))
    assert torch.equal(together[:, -160:] - 5980, alone)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"train_y": np.zeros(3)}, "3 labels for 24 train images"),
        ({"test_pixel": np.zeros((1, 7))}, r"pixels \[1, 7\] and positions"),
        (
            {"test_num_nodes": np.full(5, 8), "test_pixel": np.zeros((1, 40)), "test_pos": np.zeros((2, 40))},
            "no 8 neighbours",
        ),
    ],
)
def test_arrays_that_do_not_fit(tmp_path: Path, changed: dict[str, NDArray[Any]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(_write(tmp_path, **changed), "MNIST-75sp")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "folder", "split", "each"),
    [("MNIST-75sp", "MNIST", [55000, 5000, 10000], None), ("CIFAR10-150sp", "CIFAR10", [10800, 1200, 3000], 1500)],
)
def test_counts_of_the_real_files(raw_mirror: Path, name: str, folder: str, split: list[int], each: int | None) -> None:
    packed = read(raw_mirror / folder, name)
    check_counts(name, packed)
    assert [len(index) for index in packed.splits.values()] == split
    counts = packed.y.bincount().tolist()
    assert counts == ([6903, 7877, 6990, 7141, 6824, 6313, 6876, 7293, 6825, 6958] if each is None else [each] * 10)


def test_the_first_real_images(raw_mirror: Path) -> None:
    # The whole set takes longer: see the slow test.
    with np.load(raw_mirror / "MNIST" / "superpixels_75.npz") as arrays:
        sizes, place = arrays["train_num_nodes"][:20].astype(int), arrays["train_pos"]
        assert len(arrays["train_y"]) + len(arrays["test_y"]) == 70000
    pointer = torch.tensor([0, *np.cumsum(sizes).tolist()])
    found = nearest_edges(torch.from_numpy(place[:, : int(pointer[-1])].T.astype(np.float32)), pointer)
    assert found.shape == (2, 8 * int(pointer[-1]))
