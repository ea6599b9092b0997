"""A folder of predictions: its manifest, its files, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, ValidationError

from bench import CITYSCAPES_IDS, IGNORE_INDEX, Frozen, Inputs, PredictionsError

MANIFEST = "manifest.yaml"
ENDINGS = {"labels": (".png",), "scores": (".npy", ".npz")}
MANY = 10
"""Faults named in one message; the others are counted."""
_CITYSCAPES_VALUES = 34
"""Label ids 0..33."""

NotEmpty = Annotated[str, Field(min_length=1)]


class PredictionsManifest(Frozen):
    """What is known of predictions beside their pixels."""

    method: NotEmpty
    """The model's name."""
    checkpoint: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of its weights."""
    code: NotEmpty
    """What predicted, such as a repository and its commit."""
    protocol: NotEmpty
    """How: sizes, windows, scales, flips."""
    values: Literal["labels", "scores"] = "labels"
    """PNG files of labels, uint8 [H, W]; or arrays of class scores, float [K, H, W] in ``.npy``,
    or alone in ``.npz``, whose softmax are probabilities."""
    labels: Literal["classes", "cityscapes_ids"] = "classes"
    """What labels are: classes of the data from 0, and 255 for void; or the label ids that
    Cityscapes' server takes."""
    suffix: str = ""
    """Between an image's id and the ending of its file."""
    inputs: Mapping[str, str] = {}
    """By folder, the digest that ``images.json`` of ``bench export images`` has of its images.
    Corrupted images need it; others may have been there before."""


class Predictions:
    """Predictions in the folders that ``bench export images`` gives their images.

    Raises:
        PredictionsError: if the manifest is missing or wrong.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.manifest = _read_manifest(root / MANIFEST)

    def file(self, folder: str, image: str) -> Path:
        """Return the file of an image's prediction; it need not be there."""
        stem = self.root / folder / f"{image}{self.manifest.suffix}"
        paths = [stem.with_name(stem.name + end) for end in ENDINGS[self.manifest.values]]
        return next((path for path in paths if path.is_file()), paths[0])

    def files(self) -> tuple[Path, ...]:
        """Return the manifest and every file of a prediction, in order."""
        endings = ENDINGS[self.manifest.values]
        found = (path for path in self.root.rglob("*") if path.suffix in endings)
        return (self.root / MANIFEST, *sorted(found))

    def labels(self, folder: str, image: str, classes: Sequence[str]) -> np.ndarray:
        """Read an image's labels, int64 [H, W], classes or IGNORE_INDEX.

        Raises:
            PredictionsError: if the file cannot be read or holds other values.
        """
        path = self.file(folder, image)
        values = _read_png(path)
        if self.manifest.labels == "cityscapes_ids":
            values = _from_cityscapes(values, classes, path)
        if wrong := set(np.unique(values).tolist()) - {*range(len(classes)), IGNORE_INDEX}:
            raise PredictionsError(
                f"{path}: holds {sorted(wrong)[:5]}; classes are 0..{len(classes) - 1}, and "
                f"{IGNORE_INDEX} is void"
            )
        return values

    def scores(self, folder: str, image: str, classes: Sequence[str]) -> np.ndarray:
        """Read an image's class scores, float32 [K, H, W].

        Raises:
            PredictionsError: if the file cannot be read or holds something else.
        """
        path = self.file(folder, image)
        scores = _read_array(path)
        if scores.ndim != 3 or len(scores) != len(classes):
            shape = list(scores.shape)
            raise PredictionsError(f"{path}: is {shape}, not [{len(classes)}, height, width]")
        if scores.dtype.kind != "f" or not np.isfinite(scores).all():
            raise PredictionsError(f"{path}: holds scores that are no finite numbers")
        return scores.astype(np.float32)

    def check(self, inputs: Inputs, classes: Sequence[str]) -> None:
        """Refuse predictions that are not one each of some images.

        Raises:
            PredictionsError: one line for each file that is missing, too much, misnamed, or of
                a wrong size or value.
        """
        self._check_digest(inputs)
        faults = [*self._wrong_names(inputs), *self._wrong_content(inputs, classes)]
        if faults:
            more = [f"and {len(faults) - MANY} more"] if len(faults) > MANY else []
            raise PredictionsError("\n".join([*faults[:MANY], *more]))

    def _check_digest(self, inputs: Inputs) -> None:
        digest, path = self.manifest.inputs.get(inputs.folder), self.root / MANIFEST
        wanted = f"inputs: {{{inputs.folder}: {inputs.digest}}}"
        if digest is None and not inputs.folder.endswith("/clean"):
            raise PredictionsError(
                f"{path}: does not say of which corrupted images {inputs.folder} is; these have "
                f"{wanted}"
            )
        if digest not in (None, inputs.digest):
            raise PredictionsError(
                f"{path}: {inputs.folder} is of other images (digest {digest}); predict those of "
                f"`python -m bench export images`, which have {wanted}"
            )

    def _wrong_names(self, inputs: Inputs) -> Iterator[str]:
        place = self.root / inputs.folder
        endings = ENDINGS[self.manifest.values]
        there = sorted(path for path in place.rglob("*") if path.is_file())
        expected = {self.file(inputs.folder, image) for image in inputs.ids}
        needed = {self.file(inputs.folder, image) for image in inputs.sizes}
        absent = sorted(needed - set(there))
        for path in there:
            if path not in expected:
                close = get_close_matches(path.name, [p.name for p in absent], n=1)
                hint = f"; is it {close[0]}?" if close else ""
                yield f"{path}: no image of {inputs.folder} has this name{hint}"
        for path in absent:
            kinds = " or ".join(endings)
            yield f"{path}: no such file; every image needs one prediction ({kinds})"

    def _wrong_content(self, inputs: Inputs, classes: Sequence[str]) -> Iterator[str]:
        read = self.scores if self.manifest.values == "scores" else self.labels
        for image, size in inputs.sizes.items():
            path = self.file(inputs.folder, image)
            if not path.is_file():
                continue
            try:
                values = read(inputs.folder, image, classes)
            except PredictionsError as error:
                yield str(error)
                continue
            if values.shape[-2:] != tuple(size):
                found = "x".join(map(str, values.shape[-2:]))
                yield f"{path}: is {found}; its image is {size[0]}x{size[1]}"


def _read_manifest(path: Path) -> PredictionsManifest:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        content = YAML(typ="safe").load(path.read_text())
    except FileNotFoundError:
        raise PredictionsError(f"{path}: no such file; suites/any_model.yaml shows one") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise PredictionsError(f"{path}: not readable as YAML ({error})") from error
    try:
        return PredictionsManifest.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "manifest"
        raise PredictionsError(f"{path}: {where}: {first['msg']}") from None


def _read_png(path: Path) -> np.ndarray:
    from PIL import Image

    try:
        with Image.open(path) as image:
            values = np.asarray(image)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise PredictionsError(f"{path}: not a readable image ({error})") from error
    if values.ndim != 2:
        raise PredictionsError(f"{path}: a colour image; labels have one channel")
    return values.astype(np.int64)


def _read_array(path: Path) -> np.ndarray:
    try:
        content = np.load(path, allow_pickle=False)
        if isinstance(content, np.ndarray):
            return content
        with content as arrays:
            if len(arrays.files) != 1:
                raise ValueError(f"it holds {len(arrays.files)} arrays, not one")
            array: np.ndarray = arrays[arrays.files[0]]
            return array
    except (OSError, ValueError, EOFError) as error:
        raise PredictionsError(f"{path}: not a readable array ({error})") from error


def _from_cityscapes(values: np.ndarray, classes: Sequence[str], path: Path) -> np.ndarray:
    """Turn label ids into classes; ids of classes that are not evaluated are void."""
    if unknown := [name for name in classes if name not in CITYSCAPES_IDS]:
        raise PredictionsError(f"{path}: Cityscapes has no label id for {unknown[0]!r}")
    void = {k: IGNORE_INDEX for k in (*range(_CITYSCAPES_VALUES), IGNORE_INDEX)}
    table = void | {CITYSCAPES_IDS[name]: k for k, name in enumerate(classes)}
    found, places = np.unique(values, return_inverse=True)
    if wrong := [value for value in found.tolist() if value not in table]:
        raise PredictionsError(f"{path}: holds {wrong[:5]}; Cityscapes' label ids are 0..33")
    return np.array([table[value] for value in found.tolist()])[places].reshape(values.shape)
