"""The gain of doubling an amount, in functions where it is known."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lorap_bench.stats.slope import Visited, doubling_gain

if TYPE_CHECKING:
    from collections.abc import Sequence

AT = [2.0, 3.0, 8.0]


def gain_at(bits: float) -> float:
    return 0.02 - 0.002 * bits


def chosen(trials: Visited, rows: list[int]) -> Visited:
    return Visited(
        accuracy=[trials.accuracy[row] for row in rows],
        amount=[trials.amount[row] for row in rows],
        bits=[trials.bits[row] for row in rows],
        controls={name: [column[row] for row in rows] for name, column in trials.controls.items()},
    )


def visited(n: int, seed: int, noise: float = 0.0) -> Visited:
    """Return trials whose accuracy doubles by ``gain_at(bits)``, with noise that grows with the bits."""
    rng = np.random.default_rng(seed)
    amount = rng.integers(1, 21, n)
    bits = rng.choice([2.0, 3.0, 4.0, 8.0], n)
    rate, scheme = rng.random(n), rng.choice(["dq", "a2q", "fp"], n)
    rank = [float(r) if r > 2 else None for r in rng.integers(1, 9, n).tolist()]
    gains = np.array([gain_at(width) for width in bits.tolist()])
    accuracy = 0.5 + 0.03 * bits + gains * np.log2(amount) + 0.1 * rate - 0.2 * (scheme == "dq")
    accuracy += np.array([0.07 if r is None else 0.01 * r for r in rank]) + noise * bits * rng.normal(size=n)
    controls: dict[str, Sequence[object]] = {"rate": rate.tolist(), "scheme": scheme.tolist(), "rank": rank}
    controls["constant"] = ["always"] * n
    return Visited(accuracy=accuracy.tolist(), amount=amount.tolist(), bits=bits.tolist(), controls=controls)


def test_without_noise_the_gain_is_found_exactly() -> None:
    gains = doubling_gain(visited(200, 0), AT, seed=0, draws=200)
    assert gains is not None
    assert [gain.bits for gain in gains] == AT
    for gain in gains:
        found = gain.per_doubling
        assert (found.mean, found.low, found.high) == pytest.approx([gain_at(gain.bits)] * 3, abs=1e-9)
        assert found.std == pytest.approx(0, abs=1e-9)
        assert (found.n, found.level) == (200, 0.95)


def test_with_noise_it_is_least_squares() -> None:
    """Written out with the columns of the module's formula, uncentred."""
    trials = visited(80, 1, noise=0.01)
    bits, doublings = np.array(trials.bits, dtype=float), np.log2(np.array(trials.amount, dtype=float))
    rank = [math.nan if value is None else float(str(value)) for value in trials.controls["rank"]]
    columns = [
        doublings,
        doublings * bits,
        bits,
        bits**2,
        bits**3,
        np.array(trials.controls["rate"], dtype=float),
        np.isnan(rank),
    ]
    columns += [np.nan_to_num(rank)] + [np.array(trials.controls["scheme"]) == name for name in ("dq", "a2q", "fp")]
    found = np.linalg.lstsq(np.column_stack(columns), np.array(trials.accuracy, dtype=float), rcond=None)[0]
    gains = doubling_gain(trials, AT, seed=0, draws=100)
    assert gains is not None
    assert [gain.per_doubling.mean for gain in gains] == pytest.approx([found[0] + found[1] * width for width in AT])


def test_the_bootstrap_is_that_of_trials_drawn_one_by_one() -> None:
    trials = visited(60, 2, noise=0.01)
    gains = doubling_gain(trials, [3.0], seed=4, draws=40)
    assert gains is not None
    counts = np.random.default_rng(4).multinomial(60, np.full(60, 1 / 60), size=40)
    slopes = []
    for count in counts:
        again = np.repeat(np.arange(60), count).tolist()
        refitted = doubling_gain(chosen(trials, again), [3.0], seed=0, draws=2)
        assert refitted is not None
        slopes.append(refitted[0].per_doubling.mean)
    assert gains[0].per_doubling.low == pytest.approx(np.quantile(slopes, 0.025))
    assert gains[0].per_doubling.high == pytest.approx(np.quantile(slopes, 0.975))
    assert gains[0].per_doubling.std == pytest.approx(np.std(slopes, ddof=1))


def test_the_interval_covers_the_truth() -> None:
    covered = []
    for seed in range(200):
        gains = doubling_gain(visited(120, seed, noise=0.01), [2.0, 8.0], seed=seed, draws=300)
        assert gains is not None
        bounds = [(gain.per_doubling.low or 0, gain_at(gain.bits), gain.per_doubling.high or 0) for gain in gains]
        covered.append([low <= truth <= high for low, truth, high in bounds])
    share = np.mean(covered, axis=0)
    assert (share > 0.89).all()
    assert (share < 0.99).all()


def test_a_gain_that_another_parameter_all_but_hides_is_not_told() -> None:
    """Its interval would be wider than the accuracies lie apart."""
    rng = np.random.default_rng(0)
    amount = rng.integers(1, 9, 60)
    shadow = np.log2(amount) + 1e-3 * rng.normal(size=60)
    trials = Visited(
        accuracy=(0.7 + 0.01 * rng.normal(size=60)).tolist(),
        amount=amount.tolist(),
        bits=rng.uniform(2, 4, 60).tolist(),
        controls={"shadow": shadow.tolist()},
    )
    assert doubling_gain(trials, [3.0], seed=0, draws=200) == []
    alone = Visited(accuracy=trials.accuracy, amount=trials.amount, bits=trials.bits, controls={})
    gains = doubling_gain(alone, [3.0], seed=0, draws=200)
    assert gains is not None
    assert [gain.bits for gain in gains] == [3.0]


def test_one_more_is_its_share_of_a_doubling() -> None:
    gains = doubling_gain(visited(100, 3, noise=0.01), [2.0], seed=0, draws=100)
    assert gains is not None
    gain = gains[0]
    assert gain.one_more(1) == gain.per_doubling
    steps = [gain.one_more(count).mean for count in range(4, 8)]
    assert sum(steps) == pytest.approx(gain.per_doubling.mean)
    fourth = gain.one_more(4)
    assert fourth.low == pytest.approx((gain.per_doubling.low or 0) * math.log2(5 / 4))
    assert fourth.n == 100
    with pytest.raises(ValueError, match="at least 1"):
        gain.one_more(0)


def test_bits_near_which_no_amounts_were_tried_are_skipped() -> None:
    trials = visited(100, 4)
    gains = doubling_gain(trials, [1.4, 2.0, 5.0, 8.0, 8.6, math.nan], seed=0, draws=10)
    assert gains is not None
    assert [(gain.bits, gain.near) for gain in gains] == [(width, trials.bits.count(width)) for width in (2.0, 8.0)]
    # Trials of one amount alone tell nothing there, and neither do four.
    alike = [1.0 if width == 2.0 else count for count, width in zip(trials.amount, trials.bits, strict=True)]
    few = [row for row, width in enumerate(trials.bits) if width == 2.0][4:]
    kept = [row for row in range(100) if row not in few]
    for less in (replaced(trials, amount=alike), chosen(trials, kept)):
        gains = doubling_gain(less, [2.0, 8.0], seed=0, draws=10)
        assert gains is not None
        assert [gain.bits for gain in gains] == [8.0]


def test_a_bend_of_accuracy_in_the_bits_is_not_taken_for_the_amount() -> None:
    """Few bits cost much, and the search tries large amounts at many bits: yet doubling brings nothing anywhere."""
    rng = np.random.default_rng(0)
    bits = rng.uniform(2, 8, 400)
    amount = 2.0 ** np.round(rng.uniform(0, 1, 400) + bits / 2)
    trials = Visited(
        accuracy=(0.8 - 0.002 * (8 - bits) ** 3).tolist(), amount=amount.tolist(), bits=bits.tolist(), controls={}
    )
    gains = doubling_gain(trials, [3.0, 7.0], seed=0, draws=50)
    assert gains is not None
    assert [gain.per_doubling.mean for gain in gains] == pytest.approx([0, 0], abs=1e-9)


def test_where_all_have_the_same_bits_there_is_one_slope() -> None:
    amount = [1, 2, 4, 8] * 4
    trials = Visited(
        accuracy=[0.5 + 0.1 * math.log2(count) for count in amount], amount=amount, bits=[4.0] * 16, controls={}
    )
    gains = doubling_gain(trials, [3.0, 4.0], seed=0, draws=50)
    assert gains is not None
    assert [gain.bits for gain in gains] == [4.0]
    assert gains[0].per_doubling.mean == pytest.approx(0.1)


def test_trials_without_a_value_or_a_prompt_are_left_out() -> None:
    whole = visited(50, 5, noise=0.01)
    padded = Visited(
        accuracy=[*whole.accuracy, None, math.nan, 0.5, 0.5, 0.5],
        amount=[*whole.amount, 4, 4, 0, None, 4],
        bits=[*whole.bits, 4.0, 4.0, 4.0, 4.0, None],
        controls={name: [*column, *["other"] * 5] for name, column in whole.controls.items()},
    )
    assert doubling_gain(padded, AT, seed=0, draws=20) == doubling_gain(whole, AT, seed=0, draws=20)


def test_of_many_trials_evenly_spaced_ones_are_taken() -> None:
    gains = doubling_gain(visited(5000, 6), [2.0], seed=0, draws=2)
    assert gains is not None
    assert gains[0].per_doubling.n == 4000
    assert gains[0].per_doubling.mean == pytest.approx(gain_at(2.0))


def replaced(trials: Visited, **columns: list[float | None]) -> Visited:
    parts = {"accuracy": trials.accuracy, "amount": trials.amount, "bits": trials.bits, **columns}
    return Visited(**parts, controls=trials.controls)


def test_what_cannot_be_told_is_none() -> None:
    trials = visited(40, 7)
    assert doubling_gain(visited(11, 8), AT, seed=0) is None
    assert doubling_gain(replaced(trials, amount=[4.0] * 40), AT, seed=0) is None
    assert doubling_gain(replaced(trials, amount=[0.0] * 40), AT, seed=0) is None
    # The amount is another parameter in disguise, or more parameters than trials tell everything.
    doublings = [math.log2(count or 1) for count in trials.amount]
    for column in (doublings, [str(count) for count in trials.amount], [f"trial {index}" for index in range(40)]):
        same = Visited(accuracy=trials.accuracy, amount=trials.amount, bits=trials.bits, controls={"it": column})
        assert doubling_gain(same, AT, seed=0) is None
    # The amount varies at one bit-width only: there is no slope in the bits.
    one = [count if width == 2.0 else 1.0 for count, width in zip(trials.amount, trials.bits, strict=True)]
    assert doubling_gain(replaced(trials, amount=one), AT, seed=0) is None


def test_words_for_numbers_are_refused() -> None:
    trials = visited(20, 9)
    words = Visited(accuracy=trials.accuracy, amount=["one"] * 20, bits=trials.bits, controls={})  # type: ignore[list-item]
    with pytest.raises(ValueError, match="are numbers"):
        doubling_gain(words, AT, seed=0)
