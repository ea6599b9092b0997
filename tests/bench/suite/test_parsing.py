"""From bytes to a tree of plain values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.suite.parsing import MOST_CHARACTERS, as_plain, decode, parse

SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text("ab c'é", max_size=8)
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(TREES)
def test_what_json_can_say_is_read_as_it_is(value):
    import json

    tree, faults = parse(json.dumps(value))
    assert faults == []
    plain = as_plain(tree, faults)
    assert faults == []
    assert plain == value
    assert type(plain) is type(value)


def test_text_is_decoded_with_a_mark_for_what_does_not_belong():
    text, faults = decode(b"\xef\xbb\xbfa: \xff\r\nb: \x00\r")
    assert text == "a: _\nb: _\n"
    assert [(fault.place, fault.message.partition(";")[0]) for fault in faults] == [
        ((1, 4), "byte 0xFF is not UTF-8"),
        ((2, 4), "control character U+0000"),
    ]


def test_no_more_than_some_characters_are_told_one_by_one():
    _, faults = decode(b"words " * 40 + b"\x01" * (MOST_CHARACTERS + 5))
    assert len(faults) == MOST_CHARACTERS + 1
    assert faults[-1].message == "5 more characters from here on are no text"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_another_encoding_is_named_and_not_read(encoding):
    text, faults = decode("name: trial".encode(encoding))
    assert text == ""
    assert len(faults) == 1
    assert "save" in faults[0].message


def test_a_number_as_key_belongs_to_options_alone():
    tree, _ = parse("options: {values: {7: road}}\nother: {7: road}\n")
    faults = []
    plain = as_plain(tree, faults)
    assert plain["options"] == {"values": {7: "road"}}
    assert [fault.loc for fault in faults] == [("other", 7)]
    assert faults[0].on_key


def test_a_tree_that_cannot_be_checked_further_is_none():
    for text in ("a: [", "a: !!python/object:os.system x", "a: *b"):
        tree, faults = parse(text)
        assert tree is None
        assert len(faults) == 1
