from __future__ import annotations

from dataclasses import replace

import pytest

from lorap_bench.config import TaskConfig, TrialConfig
from lorap_bench.models.blueprint import blueprint, shape_of
from lorap_bench.testing import graph_task
from lorap_bench.train import feed
from lorap_bench.train.feed import make_feed


@pytest.mark.parametrize("most", [10**6, 40, 7])
def test_a_pass_before_and_after_training_reads_about_so_many_nodes(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    task = graph_task()
    config = replace(TrialConfig(), task=TaskConfig(batch_size=4))
    monkeypatch.setattr(feed, "START_NODES", most)
    monkeypatch.setattr(feed, "SHOWN_NODES", most)
    made = make_feed(task, blueprint(config, shape_of(task)))
    train = task.splits["train"]
    sizes = task.graph_ptr.diff()[train]
    every = -(-int(sizes.sum()) // most)
    for batch in (made.start(), made.shown()):
        assert batch.sizes.squeeze(1).tolist() == sizes[::every].tolist()
    assert len(made.calibration().sizes) == len(train)
