"""The project's own ledger of claims names methods, settings and values that there are."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import pytest
from pydantic import BaseModel, TypeAdapter

from bench import corruptions
from bench.claims.comparable import differences, flatten, training_differences
from bench.claims.reported import PAPERS, find_reported, load_reported
from bench.claims.schema import Claim, Term, load_claims
from bench.core.config import MethodConfig
from bench.core.manifest import PublishedTraining
from bench.core.record import Record
from bench.core.registry import load_config, resolve_config
from bench.core.schema import Cell, DataSpec, Task
from bench.data.datasets import load_dataset_class
from bench.engine.plan import Settings, make_plan
from bench.engine.records import initialisation
from bench.engine.training.budget import needed_stages
from bench.engine.trainings import Training
from bench.suite.model import MethodEntry
from bench.suite.reading import read_suite

CLAIMS = load_claims(PAPERS / "claims.yaml")
NUMBERS = load_reported(PAPERS)


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


class PlannedCell(NamedTuple):
    cell: Cell
    initialisation: str


def planned_cells(output: Path) -> Iterator[PlannedCell]:
    """List every cell of the suites of papers, as on a machine without any data."""
    for path in sorted(Path("suites/papers").glob("*.yaml")):
        loaded = read_suite(path)
        starts = {e.title: start_of(e, loaded.suite.tasks) for e in loaded.suite.methods}
        plan = make_plan(loaded, Settings(output))
        for cell in (each.cell for each in (*plan.cells, *plan.unavailable)):
            yield PlannedCell(cell, starts[cell.label])


def start_of(entry: MethodEntry, tasks: tuple[Task, ...]) -> str:
    """Return what records will say of a method's initialisation, once its files are there."""
    config = resolve_config(entry.adapter, entry.preset, entry.config)
    data = DataSpec(classes=("a", "b"), palette=((0, 0, 0), (9, 9, 9)), size=(512, 512))
    stages = needed_stages(config, data, tasks, tuple(config.weights))
    training = SimpleNamespace(
        config=config,
        stages=[(stage, None) for stage in stages],
        given=config.weights,
        started=config.initialise,
    )
    return initialisation(cast(Training, training))


def as_finished(planned: PlannedCell, training: PublishedTraining) -> Record:
    """Make the record that a cell leaves on a machine with all data and weights."""
    cell = planned.cell
    published = load_dataset_class(cell.test_on.dataset).published
    images = published.get(f"{cell.test_on.subset}/val", published.get("val", 0))
    config = {**cell.config, "weights": dict(training.config.get("weights", {}))}
    return Record(
        key="key",
        status="ok",
        cell=cell.model_copy(update={"config": config}),
        image_ids=tuple(map(str, range(images))),
        initialisation=planned.initialisation,
    )


def unlike(claim: Claim, term: Term, planned: PlannedCell) -> list[str]:
    """List in what a cell, once it is run with everything there, differs from a term."""
    training = term.training
    assert training is not None
    # Whether MSeg's masks are there is the user's affair; what is unpublished stays so.
    judged = training.model_copy(update={"unpublished": "", "masks": "original"})
    record = as_finished(planned, training)
    wanted = {"task": "predict", "condition.corruption": "none", "preset": training.preset,
              **claim.protocol, **term.protocol, **term.cell}  # fmt: skip
    found = [
        *differences(flatten(record), wanted),
        *training_differences(record, judged, term.cell),
    ]
    return [f"{each.name}: {each.wanted} wanted, {each.found} planned" for each in found]


def test_every_term_is_reached_by_a_suite_or_says_what_is_missing(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("BENCH_DATA", raising=False)
    cells = list(planned_cells(tmp_path))
    unreached = {}
    for claim in CLAIMS:
        for name, term in claim.terms.items():
            if term.cell and term.training:
                of_method = [e for e in cells if e.cell.method == term.cell["method"]]
                asked = [e for e in of_method if e.cell.preset == term.training.preset]
                nearest = min((unlike(claim, term, each) for each in asked or of_method), key=len)
                if nearest:
                    unreached[f"{claim.id} {name}"] = nearest
    assert not unreached


def test_every_statement_is_quoted_with_its_place() -> None:
    for claim in CLAIMS:
        assert claim.quote, claim.id
        place = r"p\. \d+|abstract|README|CAMSS (demo|validation)|\(secondary\) \w+"
        assert re.search(place, claim.source), claim.id
        if claim.source.startswith("arXiv:2303.11316"):
            pages = re.findall(r"p\. (\d+)", claim.source)
            assert pages, claim.id
            assert all(1 <= int(page) <= 15 for page in pages), claim.id
            assert re.search(r"section \d|sections \d|table|appendix [A-J]|eq\. \d", claim.source)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_numbers_of_a_quotation_are_those_of_the_files(claim: Claim) -> None:
    """As printed, in thousands or millions, or the gain between two of the claim's own."""
    printed = [float(n.row["value"]) for n in NUMBERS if n.paper == claim.paper]
    own = [
        float(find_reported(NUMBERS, claim.paper, term.reported).row["value"])
        for term in claim.terms.values()
        if term.reported
    ]
    sides = re.findall(r"0\.\d+", claim.inequality)
    numbers = [
        *(value / unit for value in printed for unit in (1, 1e3, 1e6)),
        *(abs(a - b) for a in own for b in own),
        *(100 * float(side) for side in sides),
    ]
    for text in re.findall(r"\d+\.\d+", claim.quote):
        decimals = len(text.partition(".")[2])
        assert float(text) in [round(number, decimals) for number in numbers], text


def test_every_claim_has_something_to_compare() -> None:
    for claim in CLAIMS:
        for name, term in claim.terms.items():
            assert term.cell or term.reported or term.missing, (claim.id, name)
            assert not (term.cell and term.missing), (claim.id, name)
