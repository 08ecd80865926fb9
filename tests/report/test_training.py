"""At which epochs curves have their values."""

from __future__ import annotations

import math

from lorap_bench.report.training import course, evaluated


def test_without_gaps_every_epoch_is_evaluated() -> None:
    assert list(evaluated({"optim": {"epochs": 3, "eval_every": 1}}, 3, 3)) == [0, 1, 2]


def test_the_last_epoch_is_evaluated_whatever_the_step() -> None:
    assert list(evaluated({"optim": {"epochs": 10, "eval_every": 4}}, 10, 3)) == [3, 7, 9]


def test_every_stage_ends_with_an_evaluation() -> None:
    config = {"optim": {"epochs": 4, "eval_every": 3}, "quant": {"search_epochs": 2, "pretrain_epochs": 2}}
    assert list(evaluated(config, 8, 9)) == [1, 2, 3, 5, 7]
    config["optim"]["epochs"] = 8  # these epochs are the last stage alone
    assert list(evaluated(config, 8, 9)) == [2, 5, 7]


def test_a_course_is_the_range_of_the_members() -> None:
    curves = {"val_metric": [[0.1, 0.5], [0.3, 0.9, 1.0]], "train_loss": [[2.0, 1.0], [2.0, 1.0, 0.5]]}
    found = course({"optim": {"epochs": 3, "eval_every": 1}}, curves, "val_metric")
    assert found is not None
    assert found.epochs.tolist() == [0, 1, 2]
    assert found.low.tolist() == [0.1, 0.5, 1.0]
    assert found.mean.tolist() == [0.2, 0.7, 1.0]
    assert found.high.tolist() == [0.3, 0.9, 1.0]


def test_evaluations_stand_at_their_epochs_and_losses_at_every_one() -> None:
    curves = {"val_metric": [[0.1, 0.2, 0.3]], "train_loss": [[1.0] * 5]}
    config = {"optim": {"epochs": 5, "eval_every": 2}}
    metric, loss = (course(config, curves, name) for name in ("val_metric", "train_loss"))
    assert metric is not None
    assert loss is not None
    assert metric.epochs.tolist() == [1, 3, 4]
    assert loss.epochs.tolist() == [0, 1, 2, 3, 4]


def test_gaps_are_left_out() -> None:
    found = course({}, {"train_loss": [[1.0, math.nan, 3.0]]}, "train_loss")
    assert found is not None
    assert found.epochs.tolist() == [0, 2]
    assert course({}, {"train_loss": [[math.nan]]}, "train_loss") is None
    assert course({}, {"train_loss": [[], []]}, "train_loss") is None
    assert course({}, {}, "val_metric") is None


def test_a_long_course_is_thinned_with_both_ends() -> None:
    found = course({}, {"train_loss": [[float(value) for value in range(1000)]]}, "train_loss")
    assert found is not None
    thin = found.thinned(200)
    assert len(thin.epochs) == len(thin.mean) == 200
    assert (thin.epochs[0], thin.epochs[-1]) == (0, 999)
    assert (thin.mean == thin.epochs).all()
