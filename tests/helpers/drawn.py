"""A drawn data set in memory, its split under a protocol, and progress that nobody watches."""

import numpy as np

from bench.core.schema import DataRef, Protocol
from bench.data.dataset import Dataset, LabelSpace, NoOptions, Sample
from bench.data.split import Split
from tests.helpers.small_methods import DATA, SIZE


class Silent:
    """Progress that nobody watches."""

    def begin(self, title, total):
        pass

    def advance(self, done, note=""):
        pass


class Drawn(Dataset):
    """A few noisy images with blocks of classes, in memory."""

    title, licence, citation = "drawn", "none", "none"
    splits, needs_root = ("val",), False

    def __init__(self, images, size=SIZE):
        super().__init__("val", "", None, NoOptions())
        self.images, self.size = images, size

    label_space = LabelSpace(name="drawn", classes=DATA.classes, palette=DATA.palette)

    def check(self):
        pass

    def __len__(self):
        return self.images

    def __getitem__(self, index):
        random = np.random.default_rng(index)
        blocks = random.integers(0, len(DATA.classes), (self.size[0] // 8, self.size[1] // 8))
        label = blocks.repeat(8, 0).repeat(8, 1).astype(np.uint8)
        image = (40 * label[..., None] + random.integers(0, 50, (*self.size, 3))).astype(np.uint8)
        return Sample(f"{index}", image, label)

    def ids(self):
        return tuple(f"{index}" for index in range(self.images))

    def fingerprint(self):
        return f"drawn {self.images} {self.size}"


def split(images=11, size=SIZE, **settings):
    protocol = Protocol(**{"resize": SIZE, **settings})
    return Split(Drawn(images, size), DataRef(dataset="drawn", split="val"), protocol)
