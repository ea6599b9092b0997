"""A harness that settles what generative segmentation is worth.

All that the file of a method or of a data set needs, and the reader of results; everything is
imported on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bench.core.exports import __version__ as __version__
from bench.core.exports import home_of

if TYPE_CHECKING:
    from bench.core import seeding
    from bench.core.config import Checkpoints, Conversion, Inputs, MethodConfig, Role
    from bench.core.errors import PredictionsError, WeightsError
    from bench.core.method import Labelled, Method, Segmented
    from bench.core.schema import IGNORE_INDEX, Batch, DataSpec, Fraction, Frozen, Positive, Task
    from bench.core.stage import Augment, LayerDecay, ParameterGroup, Stage
    from bench.core.torchvision_ops import ensure_torchvision
    from bench.corruptions.latents import CODE_FLIPS, LATENT_NOISE
    from bench.data.dataset import Dataset, LabelSpace
    from bench.data.datasets._cityscapes import CITYSCAPES_IDS
    from bench.data.files.folder import FolderDataset
    from bench.data.files.layout import Layout
    from bench.engine.training.safe_unpickling import read_tensors
    from bench.store.load import load_results


__all__ = [
    "Augment",
    "Batch",
    "CITYSCAPES_IDS",
    "CODE_FLIPS",
    "Checkpoints",
    "Conversion",
    "DataSpec",
    "Dataset",
    "FolderDataset",
    "Fraction",
    "Frozen",
    "IGNORE_INDEX",
    "Inputs",
    "LATENT_NOISE",
    "LabelSpace",
    "Layout",
    "Labelled",
    "Method",
    "MethodConfig",
    "ParameterGroup",
    "LayerDecay",
    "Positive",
    "PredictionsError",
    "Role",
    "Segmented",
    "Stage",
    "Task",
    "WeightsError",
    "ensure_torchvision",
    "load_results",
    "read_tensors",
    "seeding",
]


def __getattr__(name: str) -> Any:
    module = import_module(home_of(name))
    return module if name == "seeding" else getattr(module, name)
