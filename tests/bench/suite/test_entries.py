"""Parts of a suite's tree, whatever is wrong with it."""

from hypothesis import given
from hypothesis import strategies as st

from bench.suite.entries import entries_of, items_of, labels_of, mapping_at

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(ANYTHING, st.sampled_from(["methods", "train_on", "conditions"]))
def test_nothing_is_too_odd_to_be_looked_through(value, key):
    tree = {key: value}
    entries = list(entries_of(tree, key))
    assert all(loc[0] == key for loc, _ in entries)
    assert len(labels_of(tree)) == len(list(entries_of(tree, "methods")))
    assert mapping_at(tree, key) == (value if isinstance(value, dict) else {})
    assert [item for _, item in items_of(value)] == (value if isinstance(value, list) else [])


def test_a_short_form_of_a_data_set_is_an_entry_and_other_items_are_not():
    tree = {"train_on": ["scenes/city", 5], "methods": ["gss", {"adapter": "gss"}]}
    ((loc, entry),) = entries_of(tree, "train_on")
    assert loc == ("train_on", 0)
    assert (entry["dataset"], entry["subset"]) == ("scenes", "city")
    assert [loc for loc, _ in entries_of(tree, "methods")] == [("methods", 1)]


def test_a_method_is_labelled_by_its_adapter_where_it_has_no_label():
    methods = [{"adapter": "gss", "label": "GSS"}, {"adapter": "codec"}, {"label": ""}]
    assert labels_of({"methods": methods}) == ["GSS", "codec", "None"]
