import torch

from bench.core.seeding import counter_bits


def splitmix(seed: int, count: int) -> list[int]:
    """SplitMix64 in unbounded integers, its state first mixed from the seed."""
    full = 2**64 - 1

    def mixed(value: int) -> int:
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & full
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB & full
        return value ^ (value >> 31)

    start = mixed(seed)
    return [mixed(start + step * 0x9E3779B97F4A7C15 & full) >> 40 for step in range(1, count + 1)]


def test_matches_the_plain_definition_in_any_batch() -> None:
    seeds = torch.tensor([0, 1, 2**62 + 12345])
    bits = counter_bits(seeds, 5, 7)
    for row, seed in zip(bits, seeds.tolist(), strict=True):
        assert row.ravel().tolist() == splitmix(seed, 35)
        assert torch.equal(counter_bits(torch.tensor([seed]), 5, 7)[0], row)


def test_bits_are_spread_evenly_and_neighbours_are_unrelated() -> None:
    bits = counter_bits(torch.arange(8), 100_000).double() / 2**24
    assert (bits.mean(dim=1) - 0.5).abs().max() < 5 * (1 / 12 / 100_000) ** 0.5
    counts = torch.histc(bits, 64, 0, 1)
    expected = bits.numel() / 64
    assert ((counts - expected) ** 2 / expected).sum() < 63 + 5 * (2 * 63) ** 0.5
    assert torch.corrcoef(bits).triu(1).abs().max() < 0.02
    assert torch.corrcoef(torch.stack([bits[0, 1:], bits[0, :-1]]))[0, 1].abs() < 0.02
