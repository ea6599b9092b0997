"""Probes of evaluation: what is counted of a method whose arithmetic is exact.

Its scores are whole numbers and its probabilities are fractions of powers of two, so that
there is no rounding and all counts are known to the last pixel.
"""

import numpy as np
import torch

from bench.core import seeding
from bench.core.config import MethodConfig
from bench.core.method import Method, Segmented
from bench.core.schema import CLEAN, Condition, DataRef, DataSpec, Protocol, Slide
from bench.corruptions.latents import CODE_FLIPS
from bench.data.dataset import Dataset, LabelSpace, NoOptions, Sample
from bench.data.split import Split
from bench.data.taxonomy import UNMAPPED, Projection
from bench.engine.accelerator import make_accelerator
from bench.engine.evaluation.evaluate import evaluate, measure
from bench.engine.evaluation.loading import EvaluationJob
from bench.score.geometry import names as geometries
from tests.helpers.drawn import Silent
from tests.helpers.golden.numbers import Entry, entry

CLASSES = ("road", "building", "sky", "person", "car")
PALETTE = ((128, 64, 128), (70, 70, 70), (70, 130, 180), (220, 20, 60), (0, 0, 142))
SIZE = (32, 48)
NATIVE = (50, 70)
FRACTIONAL = 1e-9
"""Tolerance of sums of IoU, the only counts that are no integers."""


FEWER = LabelSpace(
    name="fewer", classes=("ground", "object", "car"), palette=PALETTE[:3], things=("car",)
)
PROJECTION = Projection(np.array([0, 1, UNMAPPED, 1, 2]), FEWER)
IN_FEWER = np.array([0, 1, 255, 1, 2, *[255] * 251], np.uint8)


class Shapes(Dataset):
    """Images of rectangles, with void and instances, in memory."""

    title, licence, citation = "shapes", "none", "none"
    splits, needs_root = ("val",), False
    label_space = LabelSpace(
        name="shapes", classes=CLASSES, palette=PALETTE, things=("person", "car")
    )

    def __init__(self):
        super().__init__("val", "", None, NoOptions())

    def check(self):
        pass

    def __len__(self):
        return 10

    def __getitem__(self, index):
        random = seeding.legacy_generator(index)
        label, instance = np.zeros(NATIVE, np.uint8), np.zeros(NATIVE, np.int32)
        for number in range(1, 13):
            top, left = random.randint(0, NATIVE[0] - 8), random.randint(0, NATIVE[1] - 8)
            area = np.s_[top : top + random.randint(3, 20), left : left + random.randint(3, 20)]
            label[area] = random.choice([1, 2, 3, 3, 4, 4, 255])
            instance[area] = np.where(np.isin(label[area], (3, 4)), number, 0)
        noise = random.randint(0, 60, (*NATIVE, 3))
        image = np.where(label == 255, 9, 40 * label)[..., None] + noise
        return Sample(f"shapes {index}", image.astype(np.uint8), label, instance)

    def ids(self):
        return tuple(f"shapes {index}" for index in range(len(self)))

    def fingerprint(self):
        return "shapes"


class ShapesInFewer(Shapes):
    """The same in the label space of a test set with other classes."""

    label_space = FEWER

    def __getitem__(self, index):
        sample = super().__getitem__(index)
        return sample._replace(label=IN_FEWER[sample.label])


class _Settings(MethodConfig):
    tasks = ("predict", "reconstruct", "oracle_codes")


class Thresholds(Method):
    """Labels a pixel by its colours, and by its image's seed where it is in doubt."""

    def __init__(self):
        super().__init__(_Settings(), DataSpec(classes=CLASSES, palette=PALETTE, size=SIZE))

    def logits(self, image, seeds):
        colour = (image * 255).round().long().sum(1)  # 0..765
        doubt = (seeds % 7)[:, None, None]
        middle = torch.arange(len(CLASSES)).view(1, -1, 1, 1) * 120 + 90 + 3 * doubt[:, None]
        return -(colour[:, None] - middle).abs().float()

    def predict(self, image, seeds):
        label = self.logits(image, seeds).argmax(1)
        darkest = (image * 255).round().amax(1) < 12
        return label.masked_fill(darkest, 255)

    def probabilities(self, image, seeds):
        order = self.logits(image, seeds).argsort(dim=1, descending=True, stable=True)
        shares = torch.tensor([0.3125, 0.25, 0.25, 0.1875, 0.0]).view(1, -1, 1, 1)
        mixed = torch.zeros(order.shape).scatter(1, order, shares.expand(order.shape))
        sure = torch.zeros(order.shape).scatter(1, order[:, :1], 1.0)
        odd = (image * 255).round().long().sum(1, keepdim=True) % 2
        return torch.where(odd == 1, sure, mixed)

    def reconstruct(self, label, seeds):
        return torch.where(label == 3, seeds[:, None, None] % 5, label).roll(1, -1)

    def reconstruct_perturbed(self, label, seeds, perturbation, strength):
        return self.reconstruct(label, seeds).roll(int(10 * strength) + len(perturbation), -2)

    def oracle_codes(self, image, label, seeds):
        return torch.where(label == 255, self.predict(image, seeds), label)

    def measure(self, batches):
        sums = [int((b.label.sum((1, 2)) * (b.seeds % 11)).sum()) for b in batches]
        return {"sum": float(sum(sums)), "batches": float(len(sums))}


class Telling(Thresholds):
    """Tells instances apart: by the half of the image that they are in."""

    def segments(self, image, seeds):
        label = self.predict(image, seeds)
        instance = torch.ones_like(label)
        instance[..., instance.shape[-1] // 2 :] = 2
        score = (image * 255).round().sum(1) / 1024
        return Segmented(label, instance, score)


WINDOWS = {"window": (20, 24), "stride": (13, 17)}
SHORT = {"resize": None, "short_side": 24, "crop": SIZE}
CASES = {
    "whole": {},
    "whole at the label's size": {"protocol": {"eval_at": "native"}},
    "short side": {"protocol": SHORT},
    "images as they are": {"protocol": {"resize": None, "crop": SIZE}},
    "windows of scores": {"protocol": {"slide": Slide(**WINDOWS)}},
    "windows of votes": {"protocol": {"slide": Slide(**WINDOWS, average="votes")}},
    "small images in windows": {
        "protocol": {"slide": Slide(window=(40, 40), stride=(40, 30)), "eval_at": "native"}
    },
    "soft mapping": {"mapping": "soft", "projection": PROJECTION},
    "hard mapping": {"mapping": "hard", "projection": PROJECTION},
    "soft mapping of windows": {
        "mapping": "soft",
        "projection": PROJECTION,
        "protocol": {"slide": Slide(**WINDOWS)},
    },
    "another sampling seed": {"sampling_seed": 3},
    "connected segments": {"protocol": {"segments": True, "eval_at": "native"}},
    "segments told apart": {"protocol": {"segments": True}, "method": Telling},
    "reconstruct": {"task": "reconstruct"},
    "perturbed": {
        "task": "reconstruct",
        "condition": Condition(corruption=CODE_FLIPS, severity=3),
    },
    "oracle codes": {"task": "oracle_codes"},
    "label": {"task": "label", "protocol": {"eval_at": "native"}},
    **{f"geometry {name}": {"geometries": (name,)} for name in geometries()},
}


def observe() -> dict[str, Entry]:
    """Return the counts of every way of evaluating."""
    return {
        f"{name} | {key}": numbers
        for name, case in CASES.items()
        for key, numbers in _observe_case(**case).items()
    }


def _observe_case(
    protocol=None, method=Thresholds, task="predict", condition=CLEAN, **job
) -> dict[str, Entry]:
    settings = Protocol(**{"resize": SIZE, "eval_at": "input", **(protocol or {})})
    dataset = ShapesInFewer() if "projection" in job else Shapes()
    images = Split(dataset, DataRef(dataset="shapes", split="val"), settings)
    case = EvaluationJob(images, condition, task, seed=5, **job)
    accelerator = make_accelerator()
    (result,) = evaluate(method(), case, accelerator, Silent())
    numbers = {"measured": entry([*measure(method(), case, accelerator).values()])}
    for field, array in result.counts._asdict().items():
        if array is not None:
            numbers[field] = _summary(np.asarray(array))
    return numbers


def _summary(array: np.ndarray) -> Entry:
    """Return the sum, and one that depends on which number is where."""
    if not array.size:
        return entry([0, 0])
    values = array.ravel()
    if values.dtype.kind != "f":
        values = values.astype(np.int64)
    place = np.arange(values.size) % 97 + 1
    exact = values.dtype.kind != "f"
    return entry([values.sum(), (values * place).sum()], 0 if exact else FRACTIONAL * values.size)
