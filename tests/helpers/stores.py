"""Constructed result stores: finished cells without any training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.core.manifest import CellEntry, Manifest, PaperTable, Published, Unavailable
from bench.core.record import ConditionFacts, ModelCost, Provenance, Record
from bench.core.schema import CLEAN, IGNORE_INDEX, Cell, Condition, DataRef, Protocol, fingerprint
from bench.core.seeding import key, numpy_generator
from bench.engine.facts import condition_facts, data_facts
from bench.score.calibration import count_calibration
from bench.score.counts import Counts, stack_counts
from bench.score.prepared import count_all, prepare_truth
from bench.score.sampling import sample_labels
from bench.store.cells import Preview
from bench.store.folders import SuiteFolder

CLASSES = ("road", "car", "sky & air", "person_1")
PALETTE = ((128, 64, 128), (0, 0, 142), (70, 130, 180), (220, 20, 60))
SIZE = (12, 24)
FLOOR = "position_prior"
"""The adapter whose records say that it is the floor."""
PROVENANCE = Provenance(
    commit="0123456789abcdef0123456789abcdef01234567",
    dirty=True,
    packages={"numpy": "2.4.6", "torch": "2.13.0"},
    device="cpu",
    threads=2,
    platform="Linux",
)


def make_cell(label: str, condition: Condition = CLEAN, **changes: Any) -> Cell:
    """Make a cell on clean images of the generated city, some of its fields replaced."""
    settings: dict[str, Any] = {
        "suite": "robustness",
        "method": label.lower().replace("-", "_"),
        "label": label,
        "preset": "tiny",
        "config": {},
        "train_on": DataRef(dataset="scenes", subset="city", split="train"),
        "test_on": DataRef(dataset="scenes", subset="city", split="val"),
        "condition": condition,
        "task": "predict",
        "seed": 0,
        "protocol": Protocol(resize=SIZE),
    }
    return Cell.model_validate(settings | changes)


def truth_of(images: int) -> np.ndarray:
    """Draw labels uint8 [N, H, W]: bands of classes, with some ignored pixels."""
    generator = numpy_generator(key("truth", images))
    label = np.repeat(np.arange(len(CLASSES)), SIZE[0] // len(CLASSES))[None, :, None]
    label = np.broadcast_to(label, (images, *SIZE)).astype(np.uint8)
    shifted = [np.roll(each, generator.integers(SIZE[0]), axis=0) for each in label]
    return np.where(generator.random(label.shape) < 0.05, IGNORE_INDEX, np.stack(shifted))


def predict(truth: np.ndarray, accuracy: float, name: str) -> np.ndarray:
    """Spoil labels so that about this share of the pixels is right; uint8 [N, H, W]."""
    generator = numpy_generator(key("prediction", name))
    wrong = generator.random(truth.shape) > accuracy
    known = np.where(truth == IGNORE_INDEX, 0, truth)
    return np.where(wrong, (known + generator.integers(1, 4, truth.shape)) % 4, known).astype(
        np.uint8
    )


def count(truth: np.ndarray, predicted: np.ndarray) -> Counts:
    """Count labels uint8 [N, H, W]."""
    pairs = zip(truth, predicted, strict=True)
    return stack_counts([count_all(prepare_truth(t, len(CLASSES)), p) for t, p in pairs])


def _condition_facts(condition: Condition) -> ConditionFacts | None:
    """Say nothing of conditions that no catalogue has, as records of before did."""
    try:
        return condition_facts(condition)
    except ValueError:
        return None


class Store:
    """One suite's folder, filled cell by cell."""

    def __init__(
        self, output: Path, suite: str = "robustness", images: int = 12, reference: str = ""
    ) -> None:
        self.reference = reference
        self.primary = "mIoU"
        self.published: Published | None = None
        self.paper: PaperTable | None = None
        self.stand_in = ""
        self.unavailable: tuple[Unavailable, ...] = ()
        self.folder = SuiteFolder(output / suite)
        self.truth = truth_of(images)
        self.cells: list[CellEntry] = []
        self.metrics: tuple[str, ...] = Protocol(resize=SIZE).metrics
        self.describe()

    @property
    def keys(self) -> list[str]:
        """Of all cells, in order."""
        return [entry.key for entry in self.cells]

    def describe(self) -> None:
        """Write the manifest of what is there so far."""
        self.folder.write_manifest(
            Manifest(
                suite=self.folder.path.name,
                question="Which method keeps its score?",
                cells=tuple(self.cells),
                metrics=self.metrics,
                primary=self.primary,
                reference=self.reference,
                published=self.published,
                paper=self.paper,
                stand_in=self.stand_in,
                unavailable=self.unavailable,
                source="name: robustness\n",
                command="python -m bench run suites/robustness.yaml",
            )
        )

    def _record(self, cell: Cell, **content: Any) -> Record:
        key = fingerprint(cell)
        state = "done" if content["status"] == "ok" else "failed"
        self.metrics = cell.protocol.metrics
        names = {"label": cell.label, "preset": cell.preset, "curve": cell.curve}
        self.cells.append(CellEntry(key=key, state=state, **names))
        self.describe()
        facts: dict[str, Any] = {
            "floor": cell.method == FLOOR,
            "train_set": data_facts(cell.train_on),
            "test_set": data_facts(cell.test_on),
            "condition": _condition_facts(cell.condition),
        }
        return Record(key=key, cell=cell, provenance=PROVENANCE, **facts, **content)

    def add(
        self,
        cell: Cell,
        accuracy: float,
        clusters: Sequence[str] = (),
        *,
        cost: ModelCost | None = None,
        confidence: float | None = None,
        sampled: bool = False,
    ) -> Record:
        """Write a finished cell whose prediction is right at about this share of pixels.

        Args:
            cell: what it is of.
            accuracy: share of right pixels.
            clusters: of each image.
            cost: of its method.
            confidence: of every pixel, if it has probabilities.
            sampled: whether its labels at some pixels are kept.
        """
        ids = tuple(f"scene-{index:03d}" for index in range(len(self.truth)))
        predicted = predict(self.truth, accuracy, str(cell))
        record = self._record(
            cell,
            status="ok",
            image_ids=ids,
            clusters=tuple(clusters) or ids,
            classes=CLASSES,
            palette=PALETTE,
            parameters=1234,
            train_data="traindata",
            test_data="testdata",
            stages=(f"stage-{cell.label}",),
            weights=("weightsdigest",),
            finished="2026-01-02T03:04:05Z",
            evaluate_seconds=1.5,
            train_seconds=60.0,
            cost=cost,
        )
        counts = count(self.truth, predicted)
        pairs = list(zip(ids, self.truth, predicted, strict=True))
        if confidence is not None:
            sure = np.full(SIZE, confidence, np.float32)
            binned = np.stack([count_calibration(t, p, sure) for _, t, p in pairs])
            counts = counts._replace(calibration=binned)
        if sampled:
            kept = np.stack([sample_labels(t, p, len(CLASSES), name) for name, t, p in pairs])
            counts = counts._replace(sampled=kept)
        self.folder.cells.write(record, counts, self._preview(cell, predicted))
        stored = self.folder.cells.record(record.key)
        assert stored is not None
        return stored

    def fail(self, cell: Cell, error: str) -> Record:
        """Write a failed cell."""
        record = self._record(cell, status="failed", error=error)
        self.folder.cells.write(record, None, None)
        return record

    def _preview(self, cell: Cell, predicted: np.ndarray) -> Preview:
        generator = numpy_generator(key("image", str(cell.condition)))
        image = generator.integers(256, size=(2, *SIZE, 3), dtype=np.uint8)
        ids = np.array(["scene-000", "scene-001"])
        return Preview(ids, image, self.truth[:2], predicted[:2])
