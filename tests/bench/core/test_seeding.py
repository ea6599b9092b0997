"""Every draw is keyed, and nothing else matters."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.core import seeding

parts = st.lists(st.one_of(st.text(max_size=8), st.integers(0, 2**40)), min_size=1, max_size=4)


@given(parts, parts)
def test_keys_differ_with_their_parts(first, second):
    assert (seeding.key(*first) == seeding.key(*second)) == (first == second)
    assert 0 <= seeding.key(*first) < 2**63


def test_a_row_of_noise_does_not_depend_on_its_mates():
    seeds = torch.tensor([5, 6, 7])
    together = seeding.normal(seeds, 2, 3)
    alone = torch.cat([seeding.normal(seed[None], 2, 3) for seed in seeds.flip(0)])
    assert torch.equal(together, alone.flip(0))
    assert not torch.equal(together[0], together[1])


def test_derived_seeds_are_independent_of_position():
    seeds = torch.tensor([5, 6])
    assert (
        seeding.derive(seeds, "a").tolist() == seeding.derive(seeds.flip(0), "a").flip(0).tolist()
    )
    assert seeding.derive(seeds, "a").tolist() != seeding.derive(seeds, "b").tolist()


def test_seeded_block_restores_the_streams_of_before():
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    draws = []
    for _ in range(2):
        with seeding.seeded(3):
            draws.append((torch.rand(2).tolist(), np.random.random()))
    assert draws[0] == draws[1]
    assert torch.equal(before[0], torch.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all()


def test_legacy_generator_is_numpys_seed():
    expected = np.random.RandomState(12).normal(size=3)
    assert (seeding.legacy_generator(12).normal(size=3) == expected).all()
    wide = [seeding.legacy_generator(2**40 + i).normal() for i in (0, 0, 1)]
    assert wide[0] == wide[1] != wide[2]
