"""Counts per image, and the published definitions of a score made from them.

Sums are stored and division happens here, so every dialect of a score comes from the
same stored numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bench.schema import IGNORE_INDEX


class Counts(NamedTuple):
    """The confusion matrix of every image of a cell, in sparse form.

    Row r says: in image ``image[r]`` there are ``pixels[r]`` pixels of true class
    ``truth[r]`` that were predicted ``predicted[r]``. The index ``num_classes`` stands for
    void on either side, so definitions that differ in void can all be had.
    """

    tp: np.ndarray  # int64 [N, K] true positives; pixels with ignored truth left out of all three
    fp: np.ndarray  # int64 [N, K] false positives
    fn: np.ndarray  # int64 [N, K] false negatives; a void prediction counts here
    image: np.ndarray  # int32 [M]
    truth: np.ndarray  # int16 [M], 0..K
    predicted: np.ndarray  # int16 [M], 0..K
    pixels: np.ndarray  # int64 [M]

    @property
    def num_images(self) -> int:
        """Number of images counted."""
        return int(self.tp.shape[0])

    @property
    def num_classes(self) -> int:
        """Number of classes K."""
        return int(self.tp.shape[1])


def count_image(truth: np.ndarray, predicted: np.ndarray, num_classes: int) -> np.ndarray:
    """Count one image's confusion matrix.

    Args:
        truth: integers [H, W], classes or IGNORE_INDEX.
        predicted: integers [H, W], classes or IGNORE_INDEX.
        num_classes: K.

    Returns:
        int64 [K + 1, K + 1], rows truth, columns prediction, index K void.

    Raises:
        ValueError: if the sizes differ or a value is neither a class nor IGNORE_INDEX.
    """
    if truth.shape != predicted.shape:
        raise ValueError(f"label is {truth.shape}, prediction {predicted.shape}")
    size = num_classes + 1
    index = []
    for name, values in (("label", truth), ("prediction", predicted)):
        values = values.astype(np.int64).ravel()
        void = values == IGNORE_INDEX
        if np.any(((values < 0) | (values >= num_classes)) & ~void):
            wrong = sorted(set(values[((values < 0) | (values >= num_classes)) & ~void].tolist()))
            raise ValueError(f"{name} holds {wrong[:5]}; classes are 0..{num_classes - 1}")
        index.append(np.where(void, num_classes, values))
    return np.bincount(index[0] * size + index[1], minlength=size * size).reshape(size, size)


def stack_counts(confusions: list[np.ndarray]) -> Counts:
    """Make the sparse form of a list of int64 [K + 1, K + 1] confusion matrices."""
    dense = np.stack(confusions)
    num_classes = dense.shape[1] - 1
    image, truth, predicted = np.nonzero(dense)
    counted = dense[:, :num_classes]  # rows of ignored truth left out
    tp = np.einsum("nkk->nk", counted[:, :, :num_classes]).copy()
    return Counts(
        tp=tp,
        fp=counted[:, :, :num_classes].sum(axis=1) - tp,
        fn=counted.sum(axis=2) - tp,
        image=image.astype(np.int32),
        truth=truth.astype(np.int16),
        predicted=predicted.astype(np.int16),
        pixels=dense[image, truth, predicted],
    )
