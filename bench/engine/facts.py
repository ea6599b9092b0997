"""What a record says of its data and its condition, so that a report looks nothing up.

A report may be made years later, where the dataset's file or the catalogue's grid is another.
"""

from __future__ import annotations

from bench import corruptions
from bench.core.record import ConditionFacts, CurvePoint, DataFacts
from bench.core.schema import CLEAN, Condition, DataRef
from bench.corruptions import latents
from bench.data.datasets import load_dataset_class


def data_facts(reference: DataRef) -> DataFacts:
    """Return what a dataset says of a split.

    Raises:
        DatasetError: if there is no such dataset.
    """
    dataset = load_dataset_class(reference.dataset)
    options = dataset.Options.model_validate(reference.options)
    names = (f"{reference.subset}/{reference.split}", reference.split)
    published = (dataset.published[name] for name in names if name in dataset.published)
    return DataFacts(
        title=dataset.title,
        contents=dataset.contents(options),
        generated=dataset.is_drawn(options),
        published_images=next(published, 0),
    )


def condition_facts(condition: Condition) -> ConditionFacts | None:
    """Return what the catalogue says of a corruption or of a perturbation of latents.

    Returns:
        None for clean images.

    Raises:
        ValueError: if the catalogue has no such condition.
    """
    if condition == CLEAN:
        return None
    if condition.corruption in latents.CATALOGUE:
        return _perturbation_facts(condition)
    entry = corruptions.lookup(condition.corruption, condition.severity)
    values = entry.grid[condition.severity - 1]
    curve = entry.curve and CurvePoint(
        paper=entry.curve.paper,
        curve=entry.curve.name,
        value=values[0] * entry.curve.scale,
        clean=entry.curve.clean,
    )
    return ConditionFacts(
        family=entry.family,
        summary=entry.summary,
        parameters=tuple(zip(entry.parameters, values, strict=True)),
        curve=curve,
    )


def _perturbation_facts(condition: Condition) -> ConditionFacts:
    entry = latents.CATALOGUE[condition.corruption]
    strength = entry.grid[condition.severity - 1]
    parameters = ((entry.parameter, strength),)
    return ConditionFacts(family="latents", summary=entry.summary, parameters=parameters)
