"""docs/tiny.md against the presets: what a laptop size changes beside its size."""

import json
from pathlib import Path

import pytest

from bench.core.registry import load_config, method_modules

PAGE = Path(__file__).parents[2] / "docs" / "tiny.md"
ABSENT = "-"
OF_TRAINING = {"steps", "batch_size", "lr", "warmup_steps", "weight_decay", "power", "betas"}


def rows():
    """The table's cells: method, tiny preset, published one, setting, both values, reason."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip().strip("`") for cell in line[1:-1].split(" | ")] for line in lines[1:]]


def leaves(tree, path=()):
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))
        else:
            yield ".".join((*path, key)), value


def is_number(value):
    """Numbers and lists of them; what one of two presets leaves to a library counts as one."""
    if isinstance(value, (list, tuple)):
        return all(is_number(one) for one in value)
    return value == ABSENT or (isinstance(value, int | float) and not isinstance(value, bool))


def is_size(name, first, second):
    """Whether a difference is of size, length or rate of training."""
    *parents, last = name.split(".")
    training = parents and parents[0].startswith("train")
    if training and (last in OF_TRAINING or "augment" in parents):
        return True
    absent = ABSENT in (first, second)
    if not (is_number(first) and is_number(second)):
        return False
    return absent or not any(isinstance(value, float) for value in (first, second))


def differences(method, tiny, published):
    presets = load_config(method)[1]
    small, large = (dict(leaves(presets[p].model_dump(mode="json"))) for p in (tiny, published))
    pairs = {n: (small.get(n, ABSENT), large.get(n, ABSENT)) for n in {*small, *large}}
    return {n: p for n, p in pairs.items() if p[0] != p[1] and not is_size(n, *p)}


def text(value):
    return value if isinstance(value, str) else json.dumps(value)


def test_every_tiny_preset_of_a_method_with_a_published_one_is_on_the_page():
    on_the_page = {method for method, *_ in rows()}
    tiny = {name for name in method_modules() if any("tiny" in p for p in load_config(name)[1])}
    assert on_the_page == tiny


@pytest.mark.parametrize("pair", sorted({tuple(row[:3]) for row in rows()}), ids="-".join)
def test_the_page_has_what_differs_and_no_more(pair):
    method, tiny, published = pair
    assert tiny in load_config(method)[1]
    listed = {row[3]: (row[4], row[5]) for row in rows() if tuple(row[:3]) == pair}
    if published == ABSENT or listed.keys() == {ABSENT}:  # not published, or nothing differs
        assert published == ABSENT or not differences(*pair)
        return
    expected = {n: (text(a), text(b)) for n, (a, b) in differences(*pair).items()}
    assert listed == expected
    assert all(row[6] for row in rows())
