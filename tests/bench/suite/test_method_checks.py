"""Methods of a suite: adapters, labels, presets, settings, latents."""

import pytest

from bench.suite.method_checks import families_of, latent_faults, method_faults


def faults(*methods):
    tree = {"methods": list(methods)}
    return [(".".join(map(str, fault.loc)), fault.message) for fault in method_faults(tree)]


@pytest.mark.parametrize(
    ("method", "place", "message"),
    [
        ({"adapter": "gsss"}, "methods.0.adapter", "did you mean 'gss'?"),
        ({"adapter": "gss", "preset": "tinny"}, "methods.0.preset", "did you mean 'tiny'?"),
        ({"adapter": "gss", "config": {"varant": 1}}, "methods.0.config.varant", "'variant'?"),
        (
            {"adapter": "gss", "config": {"train_prior": {"steps": True}}},
            "methods.0.config.train_prior.steps",
            "a number is expected; got true",
        ),
    ],
)
def test_a_fault_is_at_its_key(method, place, message):
    told = faults(method)
    assert place in dict(told)
    assert message in dict(told)[place]


def test_labels_tell_methods_apart():
    told = faults({"adapter": "gss"}, {"adapter": "gss"}, {"adapter": "codec", "label": "gss"})
    assert [place for place, _ in told] == ["methods.1.adapter", "methods.2.label"]
    assert all("already that of methods.0" in message for _, message in told)


def test_an_adapter_that_is_no_text_is_left_to_the_structure():
    assert faults({"adapter": 5}, {"adapter": ["gss"], "label": "GSS"}) == []


def test_controls_are_of_no_family():
    gss = {"adapter": "gss"}
    assert families_of({"methods": [gss]}) == {"generative"}
    twin = {**gss, "label": "twin", "config": {"control": "twin"}}
    assert families_of({"methods": [twin]}) == set()
    wrong = {**gss, "config": {"control": "twim"}}
    assert families_of(
        {"methods": [wrong, {"adapter": "baselines", "preset": "segformer_tiny"}]}
    ) == {"discriminative"}


@pytest.mark.parametrize(
    ("adapter", "tasks", "message"),
    [
        ("codec", ["reconstruct"], ""),
        ("codec", ["predict"], "add it to tasks"),
        ("position_prior", ["reconstruct"], "no method of the suite has latents"),
    ],
)
def test_latents_are_perturbed_where_a_method_has_them(adapter, tasks, message):
    tree = {
        "methods": [{"adapter": adapter}],
        "conditions": [{"corruption": "code_flips"}, {"corruption": "fog"}],
        "tasks": tasks,
    }
    told = [fault.message for fault in latent_faults(tree)]
    assert len(told) == bool(message)
    assert all(message in line for line in told)
