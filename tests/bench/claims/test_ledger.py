"""The project's own ledger of claims names methods, settings and values that there are."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from bench import corruptions
from bench.claims.reported import PAPERS
from bench.claims.schema import load_claims
from bench.core.config import MethodConfig
from bench.core.registry import load_config
from bench.core.schema import Cell
from bench.data.datasets import load_dataset_class

CLAIMS = load_claims(PAPERS / "claims.yaml")


def selectors() -> Iterator[Any]:
    for claim in CLAIMS:
        for name, term in claim.terms.items():
            if term.cell:
                yield pytest.param({**claim.protocol, **term.protocol, **term.cell},
                                   id=f"{claim.id}-{name}")  # fmt: skip


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from models_in(part)


def annotation_at(model: type[BaseModel], path: list[str]) -> Any:
    """Return the type of a dotted field, through fields that may be null."""
    field = model.model_fields[path[0]]
    if len(path) == 1:
        return field.annotation
    (inner,) = models_in(field.annotation)
    return annotation_at(inner, path[1:])


def value_at(config: MethodConfig, path: list[str]) -> Any:
    value: Any = config
    for name in path:
        value = getattr(value, name, None)
    return value


@pytest.mark.parametrize("selector", list(selectors()))
def test_a_selector_names_what_there_is(selector: dict[str, Any]) -> None:
    config, presets = load_config(selector["method"])
    for name, wanted in selector.items():
        head, *path = name.split(".")
        if head == "config":
            annotation = annotation_at(config, path)
            adapter = TypeAdapter(annotation)
            assert adapter.dump_python(adapter.validate_python(wanted), mode="json") == wanted
            if annotation is str:  # any text is valid; some preset must have this one
                assert wanted in [value_at(preset, path) for preset in presets.values()]
        elif head in ("train_on", "test_on"):
            dataset = load_dataset_class(selector[f"{head}.dataset"])
            known = {"dataset": [wanted], "split": dataset.splits, "subset": dataset.subsets}
            assert wanted in known[path[0]]
        elif name == "preset":
            assert wanted in presets
        elif name == "condition.corruption":
            assert selector["condition.severity"] in corruptions.SEVERITIES[wanted]
        else:
            TypeAdapter(annotation_at(Cell, [head, *path])).validate_python(wanted)


def test_every_claim_has_something_to_compare() -> None:
    for claim in CLAIMS:
        for name, term in claim.terms.items():
            assert term.cell or term.reported or term.missing, (claim.id, name)
            assert not (term.cell and term.missing), (claim.id, name)
