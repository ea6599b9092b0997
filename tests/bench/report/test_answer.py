"""The first sentence answers the question of every suite: yes, no, and undecided."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest

from bench.core.manifest import Contrast
from bench.core.registry import resolve_config
from bench.core.schema import CLEAN, Condition
from bench.report.answer import MOST_BULLETS, Evidence, answer, asks_yes_or_no
from bench.report.contrasts import answering, contrasts_of, decide_contrasts
from bench.report.statistics import Block, make_blocks
from bench.report.tables.paper import PaperReport
from bench.report.tables.table import Sentence, plain
from bench.report.zero_shot import ZeroShot
from bench.suite.locate import shipped_suites
from bench.suite.model import Suite
from bench.suite.reading import read_suite
from tests.helpers.stores import FLOOR, Store, make_cell

FOG = Condition(corruption="fog", severity=3)
SEEDS = (0, 1, 2)
ACCURACY = {"yes": (0.9, 0.5), "no": (0.5, 0.9), "undecided": (0.7, 0.7)}
"""Of the first and the second side of every contrast that answers."""
WORDS = {
    "yes": ("Yes", "Ahead", "As published"),
    "no": ("No", "Behind", "Not as published"),
    "undecided": ("Undecided",),
}


class JudgedPaper(NamedTuple):
    """A published table whose numbers were judged."""

    outcome: bool | None

    def answer(self) -> Sentence:
        return ("A table: of 3 reported numbers, 3 judged.",)


class Sides(NamedTuple):
    first: tuple[str, ...]
    second: tuple[str, ...]


def suite_of(name: str) -> Suite:
    return read_suite(shipped_suites()[name], [], False).suite


def families_of(suite: Suite) -> dict[str, str]:
    families = {}
    for entry in suite.methods:
        role = resolve_config(entry.adapter, entry.preset, entry.config).role
        families[entry.title] = "" if role.control else role.family
    return families


def sides_of(contrasts: Sequence[Contrast], families: dict[str, str]) -> Sides:
    marked = [each for each in contrasts if each.answers] or list(contrasts)
    first = [label for each in marked for label in each.sides(families).first]
    second = [label for each in marked for label in each.sides(families).second]
    return Sides(tuple(dict.fromkeys(first)), tuple(dict.fromkeys(second)))


def fill(path: Path, suite: Suite, outcome: str) -> Block:
    """Write cells of the methods that the suite's answer is about; three seeds each."""
    families = families_of(suite)
    store = Store(path, images=24)
    kept: dict[str, Any] = {"question": suite.question, "contrasts": suite.contrasts}
    kept |= {"families": families, "primary": "mIoU"}
    presents = store.folder.manifest().model_copy(update=kept)
    contrasts = suite.contrasts or _derived(presents)
    sides = sides_of(contrasts, families)
    task = "predict" if "predict" in suite.tasks else "reconstruct"
    for label in (*sides.first, *sides.second):
        value = ACCURACY[outcome][label not in sides.first]
        for seed in SEEDS:
            off = (seed - 1) * 0.1 * (1 if label in sides.first else -1) * (outcome == "undecided")
            for condition in (CLEAN, FOG):
                lost = (0.15 if label in sides.first else 0.2) * (condition != CLEAN)
                cell = make_cell(label, condition, task=task, seed=seed)
                record = store.add(cell, value + off - (lost if outcome == "yes" else 0))
                if task == "reconstruct":
                    rate = 1.0 if label in sides.second else 0.5 * 4 ** sides.first.index(label)
                    measured = {"measured": {"bits_per_pixel": rate}}
                    store.folder.cells.write(record.model_copy(update=measured), None, None)
    for condition, seed in product((CLEAN, FOG), SEEDS):
        store.add(make_cell("Floor", condition, method=FLOOR, seed=seed), 0.3)
    kept["contrasts"] = tuple(_on_mean_iou(contrast, outcome) for contrast in suite.contrasts)
    store.folder.write_manifest(store.folder.manifest().model_copy(update=kept))
    return next(b for b in make_blocks(store.folder) if b.labels)


def _on_mean_iou(contrast: Contrast, outcome: str) -> Contrast:
    """Return a contrast about a score that the made-up counts hold and the accuracies decide."""
    changed: dict[str, Any] = {"metric": ""}
    if contrast.measure == "above floor" and outcome == "no":
        changed["measure"] = "clean"
    return contrast.model_copy(update=changed)


def _derived(manifest: Any) -> tuple[Contrast, ...]:
    class Presented(NamedTuple):
        contrasts: tuple[Contrast, ...]
        families: dict[str, str]
        task: str = "predict"
        conditions: tuple[Condition, ...] = ()

    return contrasts_of(cast("Block", Presented((), dict(manifest.families))))


def first_sentence(block: Block, question: str, paper: JudgedPaper | None = None) -> str:
    evidence = Evidence(question, [block], ZeroShot([]), cast("PaperReport | None", paper))
    sentences = [plain(sentence) for sentence in answer(evidence)]
    assert len(sentences) <= 1 + MOST_BULLETS
    return sentences[0]


def answers_by_difference(name: str) -> bool:
    suite = suite_of(name)
    if suite.contrasts:
        return True
    families = set(families_of(suite).values())
    return "predict" in suite.tasks and {"generative", "discriminative"} <= families


@pytest.mark.slow
@pytest.mark.parametrize("outcome", ACCURACY)
@pytest.mark.parametrize("name", shipped_suites())
def test_every_suite_answers_its_question(name: str, outcome: str, tmp_path: Path) -> None:
    suite = suite_of(name)
    if answers_by_difference(name):
        text = first_sentence(fill(tmp_path, suite, outcome), suite.question)
    else:
        store = Store(tmp_path)
        store.add(make_cell("A"), 0.8)
        (block,) = make_blocks(store.folder)
        judged = {"yes": True, "no": False, "undecided": None}[outcome]
        text = first_sentence(block, suite.question, JudgedPaper(judged))
    assert text.startswith(WORDS[outcome]), text
    if asks_yes_or_no(suite.question):
        assert text.startswith(("Yes", "No", "Undecided"))


@pytest.fixture
def robustness(tmp_path: Path) -> Block:
    return fill(tmp_path, suite_of("robustness"), "yes")


def test_the_main_suite_answers_yes_with_its_numbers(robustness: Block) -> None:
    text = first_sentence(robustness, "Do generative methods keep more?")
    assert text.startswith("Yes: generative methods keep ")
    assert "discriminative methods" in text
    assert "3 training seeds" in text
    decided = answering(decide_contrasts(robustness))
    assert [each.contrast.measure for each in decided] == ["above floor"]


def test_one_training_each_decides_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for label, accuracy in (("G", 0.9), ("D", 0.4), (FLOOR, 0.3)):
        store.add(make_cell(label), accuracy)
    families = {"G": "generative", "D": "discriminative", FLOOR: ""}
    store.folder.write_manifest(store.folder.manifest().model_copy(update={"families": families}))
    (block,) = make_blocks(store.folder)
    said = [plain(s) for s in answer(Evidence("Is G better?", [block], ZeroShot([]), None))]
    assert said[0].startswith("Undecided, with one training each: generative")
    assert not any("ahead" in sentence for sentence in said)
    assert any("one training each: no rank" in sentence for sentence in said)


def test_without_contrasts_the_best_is_named_if_it_is_ahead(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for seed in SEEDS:
        for label, accuracy in (("A", 0.9), ("B", 0.5), ("C", 0.3)):
            store.add(make_cell(label, seed=seed), accuracy)
    (block,) = make_blocks(store.folder)
    assert first_sentence(block, "Which is best?").startswith("A is ahead of every other method")
    close = Store(tmp_path / "close")
    for seed in SEEDS:
        for label, sign in (("A", 1), ("B", -1)):
            close.add(make_cell(label, seed=seed), 0.7 + 0.1 * sign * (seed - 1))
    (block,) = make_blocks(close.folder)
    assert first_sentence(block, "Which is best?").startswith("Undecided, which is best: ")


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Do A beat B?", True),
        ("Trained on clear days, is A more precise?", True),
        ("What does it cost?", False),
        ("On real road scenes, how do A and B compare, and what does fog cost?", False),
        ("Which loses least, and does it need colours?", False),
    ],
)
def test_questions_of_yes_or_no(question: str, expected: bool) -> None:
    assert asks_yes_or_no(question) == expected
