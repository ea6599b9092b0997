"""The exact images that a suite shows its methods, as files, for models that run elsewhere."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from bench.core.errors import PlanError
from bench.core.files import write_atomic, write_json
from bench.core.schema import Cell
from bench.data.split import Split
from bench.engine.evaluation.inputs import digest_of, folder_of
from bench.engine.plan import Plan, all_needs
from bench.engine.progress import Progress

MANIFEST = "images.json"


def export_images(plan: Plan, destination: Path, progress: Progress) -> int:
    """Write the images that the methods of a plan predict, with their manifest.

    Layout: ``<test set>/<condition>/<image id>.png``, 8 bits RGB after resize and corruption.
    Cells whose method is not here, such as predictions that are yet to be made, count too.

    Returns:
        How many images were written.

    Raises:
        PlanError: if none of the test sets is here, or two would have one folder.
        DatasetError: if a sample cannot be read.
    """
    folders: dict[str, Any] = {}
    written = 0
    for cell in _cells(plan):
        name, dataset = folder_of(cell), plan.datasets[cell.test_on.key]
        digest = digest_of(cell, dataset.fingerprint())
        if name in folders:
            if folders[name]["digest"] != digest:
                raise PlanError(
                    f"{name}: two test sets of {plan.suite.name} have this name; export them "
                    "from suites of their own"
                )
            continue
        split = Split(dataset, cell.test_on, cell.protocol, cell.limit)
        progress.begin(f"writing {name}", len(split))
        images = {}
        for index in range(len(split)):
            loaded = split.load(index, cell.condition, cell.seed)
            _write(destination / name / f"{loaded.id}.png", loaded.image)
            images[loaded.id] = list(loaded.label.shape)
            progress.advance(index + 1)
        written += len(images)
        folders[name] = {
            "digest": digest,
            "condition": str(cell.condition),
            "seed": cell.seed,
            "test_on": cell.test_on.model_dump(mode="json"),
            "classes": list(dataset.label_space.classes),
            "images": images,
        }
    if not folders:
        raise PlanError("\n".join(need.remedy for need in all_needs(plan.unavailable)))
    manifest = {"suite": plan.suite.name, "command": plan.settings.command, "folders": folders}
    write_json(destination / MANIFEST, json.dumps(manifest, indent=1))
    return written


def _cells(plan: Plan) -> Iterator[Cell]:
    """Yield the cells that predict images that are here."""
    cells = [planned.cell for planned in plan.cells]
    cells += [unavailable.cell for unavailable in plan.unavailable]
    for cell in cells:
        if cell.task == "predict" and cell.test_on.key in plan.datasets:
            yield cell


def _write(path: Path, image: Any) -> None:
    content = io.BytesIO()
    Image.fromarray(image).save(content, "PNG")
    write_atomic(path, lambda file: file.write(content.getvalue()))
