"""The files of ``suites/any_model.yaml`` where nothing can be downloaded: small stand-ins.

``python -m tests.helpers.any_model`` writes them where the suite looks for them, in a few
minutes. They are made as a user's own would be, without the harness's training or evaluation:
with PyTorch, transformers and timm alone, from images of the harness.
"""

import argparse
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from ruamel.yaml import YAML
from torch import Tensor, nn
from torch.nn import functional

from bench import IGNORE_INDEX, ensure_torchvision
from bench.cli.main import main as bench
from bench.core import seeding
from bench.core.resources import SUITES
from bench.core.schema import DataRef, Protocol
from bench.data.datasets.scenes import SceneOptions, Scenes
from bench.data.split import Split
from methods.hf.sizes import TINY_SEGFORMER

SUITE = SUITES / "any_model.yaml"
SIZE = (96, 192)
BATCH = 8
ENCODER = "resnet10t"


def write_files(root: Path, steps: int, images: int, *settings: str) -> None:
    """Write a checkpoint, an encoder's weights and predictions below a folder of results.

    Args:
        root: ``results`` of the folder that the suite is run from.
        steps: of both trainings.
        images: that they see.
        settings: ``--set`` values that the suite is run with, so that predictions are of its
            images.
    """
    ensure_torchvision()
    options = SceneOptions(images=images)
    scenes = Split(
        Scenes("train", "city", None, options),
        DataRef(dataset="scenes", subset="city", split="train"),
        Protocol(resize=SIZE),
    )
    checkpoint = root / "weights" / "segformer_finetuned"
    write_checkpoint(checkpoint, scenes, steps)
    write_encoder(root / "weights" / ENCODER / "model.safetensors", scenes, steps)
    arguments = [part for setting in settings for part in ("--set", setting)]
    exported = root / "images" / "any_model"
    if bench(["export", "images", str(SUITE), "--to", str(exported), *arguments]) != 0:
        raise RuntimeError("the images are not exported")
    write_predictions(root / "predictions" / "any_model", exported, checkpoint)


def batches(split: Split, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield normalised images [B, 3, H, W] and labels [B, H, W]."""
    random = seeding.numpy_generator(seeding.key("any_model"))
    for _ in range(steps):
        chosen = random.choice(len(split), BATCH, replace=False)
        samples = [split.load(int(index)) for index in chosen]
        images = [normalised(sample.image) for sample in samples]
        labels = [torch.from_numpy(sample.label.astype(np.int64)) for sample in samples]
        yield torch.stack(images), torch.stack(labels)


def normalised(image: np.ndarray) -> Tensor:
    """Turn uint8 [H, W, 3] into float32 [3, H, W] as ImageNet's models expect it."""
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    pixels = torch.from_numpy(image.copy()).float() / 255
    return ((pixels - mean) / std).permute(2, 0, 1)


def write_checkpoint(folder: Path, split: Split, steps: int) -> None:
    """Train a small SegFormer of transformers and save it with its processor."""
    import transformers

    names = dict(enumerate(split.dataset.label_space.classes))
    settings = transformers.AutoConfig.for_model(
        **TINY_SEGFORMER, id2label=names, label2id={name: k for k, name in names.items()}
    )
    with seeding.seeded(1):
        model = transformers.SegformerForSemanticSegmentation(settings).train()
        optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
        for step, (image, label) in enumerate(batches(split, steps)):
            set_rate(optimizer, 2e-3 * (1 - step / steps))
            loss = model(pixel_values=image, labels=label).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    model.eval().save_pretrained(folder)
    size = {"height": SIZE[0], "width": SIZE[1]}
    transformers.SegformerImageProcessor(size=size).save_pretrained(folder)


def write_encoder(path: Path, split: Split, steps: int) -> None:
    """Train an encoder of timm to tell which classes an image has, and save it."""
    import timm
    from safetensors.torch import save_file

    classes = len(split.dataset.label_space.classes)
    with seeding.seeded(2):
        model: Any = timm.create_model(ENCODER)
        head = nn.Linear(model.num_features, classes)
        weights = [*model.parameters(), *head.parameters()]
        optimizer = torch.optim.AdamW(weights, lr=1e-3, weight_decay=0.05)
        for step, (image, label) in enumerate(batches(split, steps)):
            set_rate(optimizer, 1e-3 * (1 - step / steps))
            present = functional.one_hot(label.where(label != IGNORE_INDEX, classes), classes + 1)
            target = present.amax((1, 2))[:, :classes].float()
            scores = head(model.forward_features(image).mean((2, 3)))
            loss = functional.binary_cross_entropy_with_logits(scores, target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(model.state_dict(), path)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of all parameters."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def write_predictions(root: Path, exported: Path, checkpoint: Path) -> None:
    """Predict exported images with a checkpoint, averaged with their mirror images."""
    import transformers

    model = transformers.SegformerForSemanticSegmentation.from_pretrained(checkpoint).eval()
    folders = json.loads((exported / "images.json").read_text())["folders"]
    for name, folder in folders.items():
        for image, size in folder["images"].items():
            pixels = normalised(np.asarray(Image.open(exported / name / f"{image}.png")))[None]
            with torch.inference_mode():
                both = model(torch.cat([pixels, pixels.flip(3)])).logits
            logits = (both[:1] + both[1:].flip(3)) / 2
            logits = functional.interpolate(logits, size, mode="bilinear")
            path = root / name / f"{image}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(logits[0].argmax(0).numpy().astype(np.uint8)).save(path)
    weights = (checkpoint / "model.safetensors").read_bytes()
    manifest = {
        "method": "SegFormer with flips",
        "checkpoint": hashlib.sha256(weights).hexdigest(),
        "code": "tests/helpers/any_model.py",
        "protocol": "single scale, whole image, averaged with its mirror image",
        "inputs": {name: folder["digest"] for name, folder in folders.items()},
    }
    with (root / "manifest.yaml").open("w") as file:
        YAML().dump(manifest, file)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.helpers.any_model", description=__doc__)
    parser.add_argument("--steps", type=int, default=300, help="of each training (300)")
    parser.add_argument("--images", type=int, default=600, help="that are trained on (600)")
    asked = parser.parse_args()
    write_files(Path("results"), asked.steps, asked.images)
