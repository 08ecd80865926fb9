"""Counter-based draws: uniform, independent of company, different between streams, steps and seeds."""

from __future__ import annotations

import torch

from lorap_bench.kernels.random import Draws, counter_bits, counter_keys, drop_threshold, stream_generator


def test_a_member_draws_the_same_alone_and_in_company() -> None:
    alone = counter_bits(counter_keys([5], "x", 3), 1000)
    company = counter_bits(counter_keys([1, 5, 9], "x", 3), 1000)
    assert torch.equal(alone[0], company[1])


def test_seed_stream_and_step_each_change_the_draws() -> None:
    base = counter_bits(counter_keys([5], "x", 3), 1000)
    for seed, stream, step in ((6, "x", 3), (5, "y", 3), (5, "x", 4)):
        other = counter_bits(counter_keys([seed], stream, step), 1000)
        assert (base == other).sum() <= 1


def test_bits_are_uniform_in_every_position() -> None:
    bits = counter_bits(counter_keys([11], "x", 0), 200_000).long() & 0xFFFFFFFF
    for position in range(32):
        share = ((bits >> position) & 1).double().mean().item()
        assert abs(share - 0.5) < 0.006  # five standard deviations
    neighbours = torch.corrcoef(torch.stack([bits[0, :-1].double(), bits[0, 1:].double()]))[0, 1]
    assert abs(neighbours) < 0.012


def test_draws_of_consecutive_steps_are_uncorrelated() -> None:
    rows = torch.cat([counter_bits(counter_keys([3], "x", step), 50_000) for step in range(6)]).double()
    off_diagonal = torch.corrcoef(rows) - torch.eye(6, dtype=torch.double)
    assert off_diagonal.abs().max() < 0.025


def test_thresholds_cover_the_whole_range_without_overflow() -> None:
    assert drop_threshold([0.0, 0.5, 1 - 1e-16]).tolist() == [-(2**31), 0, 2**31 - 1]


def test_streams_of_initial_values_repeat_and_differ() -> None:
    first, again = (torch.rand(4, generator=stream_generator(1, "convs.0.weight")) for _ in range(2))
    other = torch.rand(4, generator=stream_generator(1, "convs.1.weight"))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_keys_held_in_place_are_the_same_at_every_step() -> None:
    draws, held = Draws([3, 2**40 + 7, 11]), Draws([3, 2**40 + 7, 11])
    held.hold(torch.device("cpu"))
    kept = held.keys("a")
    for step in range(4):
        assert held.step == draws.step == step
        assert torch.equal(held.keys("a"), draws.keys("a"))
        assert torch.equal(held.keys("b" if step else "a"), draws.keys("b" if step else "a"))  # b is met later
        assert held.keys("a") is kept
        draws.advance()
        held.advance()
    for each in (draws, held):
        each.keep([2, 0])
    assert torch.equal(held.keys("b"), draws.keys("b"))
    assert held.seeds == draws.seeds == [11, 3]
