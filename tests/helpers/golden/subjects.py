"""What has a version that golden numbers guard, and how its numbers are observed."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from bench import corruptions
from bench.core.registry import load_config, method_modules
from bench.corruptions import latents
from bench.engine import keys
from tests.helpers.golden import conditions, evaluation, methods, training
from tests.helpers.golden.numbers import Entry

Numbers = dict[str, Entry]


class Subject(NamedTuple):
    """A part whose version is in keys."""

    version: str
    where: str
    """The constant to raise."""
    observe: Callable[[], Numbers]
    observe_with_tolerance: Callable[[], Numbers]


def subjects() -> dict[str, Subject]:
    """Return every part with a version, by the name of its file."""
    found = {
        "training": _part(keys, "TRAINING_VERSION", training.observe),
        "evaluation": _part(keys, "EVALUATION_VERSION", evaluation.observe),
        "corruptions": _part(corruptions, "VERSION", conditions.observe_corruptions),
        "latents": _part(latents, "VERSION", conditions.observe_latents),
    }
    for name, module in method_modules().items():
        config = load_config(name)[0]
        if config.version and module.startswith("methods."):
            observe = partial(methods.observe, name)
            tolerant = partial(methods.observe_with_tolerance, name)
            where = f"Config.version in {config.__module__}"
            # Methods are probed through the training loop, and change with it.
            version = f"{config.version}, training {keys.TRAINING_VERSION}"
            found[f"method_{name}"] = Subject(version, where, observe, tolerant)
    return found


def _part(module, constant: str, observe: Callable[[], Numbers]) -> Subject:
    where = f"{module.__name__}.{constant}"
    return Subject(str(getattr(module, constant)), where, observe, observe)
