"""What a suite can name, and which suites there are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bench.core.config import MethodConfig
from bench.core.schema import DataSpec

TITLE = re.compile(r"(?<!book)title = \{((?:[^{}]|\{[^{}]*\})*)\}")
"""A publication's, in BibTeX."""


def rows(kind: str) -> Iterator[tuple[str, str]]:
    """Yield the name and a one-line description of each thing of a kind."""
    yield from {
        "methods": _methods,
        "datasets": _datasets,
        "suites": _suites,
        "corruptions": _corruptions,
        "metrics": _metrics,
    }[kind]()


def _methods() -> Iterator[tuple[str, str]]:
    from bench.core.registry import load_config, method_modules

    for name in method_modules():
        config, presets = load_config(name)
        family = config.family or ("floor" if config.floor else "no family")
        titles = (re.sub(r"[{}]", "", title) for title in TITLE.findall(config.citation))
        yield name, f"{family} | {' '.join('; '.join(titles).split()) or 'no publication'}"
        starts: dict[str, list[str]] = {}
        for preset, settings in presets.items():
            starts.setdefault(_initialisation(settings), []).append(preset)
        for start, names in starts.items():
            yield "", f"  starts from {start}: {', '.join(names)}"


def _initialisation(config: MethodConfig) -> str:
    """Say what the training of a preset starts from (``bench.core.record``)."""
    if config.reads_predictions:
        return "predictions made elsewhere"
    if config.is_released:
        return "released weights"
    data = DataSpec(classes=("a", "b"), palette=((0, 0, 0), (255, 255, 255)), size=(512, 512))
    starts = [config.pretraining(stage.name) for stage in config.stages(data)]
    start = next((each for each in starts if each != "random"), "random weights")
    return start if starts else "nothing that is trained"


def parameters(classes: int) -> Iterator[tuple[str, str]]:
    """Yield each preset of each method and its number of parameters; nothing is allocated."""
    from bench.core.errors import BenchError
    from bench.core.registry import load_config, method_modules
    from bench.engine.evaluation.model_cost import count_parameters

    for name in method_modules():
        for preset in load_config(name)[1]:
            try:
                text = f"{count_parameters(name, preset, classes) / 1e6:10.2f} M"
            except BenchError as error:
                text = str(error)
            yield f"{name} {preset}", text


def _datasets() -> Iterator[tuple[str, str]]:
    from bench.data import datasets

    for name in datasets.names():
        dataset = datasets.load_dataset_class(name)
        parts = [dataset.title, " ".join(dataset.splits)]
        parts += [" ".join(dataset.subsets)] if any(dataset.subsets) else []
        yield name, " | ".join(parts)


def _suites() -> Iterator[tuple[str, str]]:
    from bench.suite.locate import read_question, shipped_suites

    for name, path in shipped_suites().items():
        yield name, read_question(path)


def _corruptions() -> Iterator[tuple[str, str]]:
    from bench.corruptions import CATALOGUE, GROUPS
    from bench.corruptions import latents as perturbations

    for name, corruption in CATALOGUE.items():
        yield name, f"{corruption.family}: {corruption.summary}"
        for column, parameter in enumerate(corruption.parameters):
            values = (f"{row[column]:g}" for row in corruption.grid)
            yield "", f"  {parameter}: {', '.join(values)}"
    for name, perturbation in perturbations.CATALOGUE.items():
        yield name, f"latents: {perturbation.summary}"
        strengths = ", ".join(f"{strength:g}" for strength in perturbation.grid)
        yield "", f"  {perturbation.parameter}: {strengths}"
    for name, members in GROUPS.items():
        yield name, f"group of {len(members)}: {', '.join(members)}"


def _metrics() -> Iterator[tuple[str, str]]:
    from bench.score.metrics import METRICS

    for name, metric in METRICS.items():
        published = f" [{metric.published}]" if metric.published else ""
        yield name, f"{metric.definition}; {metric.absent} ({metric.source}){published}"
