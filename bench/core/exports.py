"""What ``bench`` exports, and the module that each name comes from."""

from __future__ import annotations

__version__ = "0.1.0"
HOME = {
    "Augment": "bench.core.stage",
    "Batch": "bench.core.schema",
    "CITYSCAPES_IDS": "bench.data.datasets._cityscapes",
    "CODE_FLIPS": "bench.corruptions.latents",
    "Checkpoints": "bench.core.config",
    "Conversion": "bench.core.config",
    "DataSpec": "bench.core.schema",
    "Dataset": "bench.data.dataset",
    "FolderDataset": "bench.data.files.folder",
    "Fraction": "bench.core.schema",
    "Frozen": "bench.core.schema",
    "IGNORE_INDEX": "bench.core.schema",
    "Inputs": "bench.core.config",
    "LATENT_NOISE": "bench.corruptions.latents",
    "LabelSpace": "bench.data.dataset",
    "Layout": "bench.data.files.layout",
    "Labelled": "bench.core.method",
    "Method": "bench.core.method",
    "MethodConfig": "bench.core.config",
    "ParameterGroup": "bench.core.stage",
    "LayerDecay": "bench.core.stage",
    "Positive": "bench.core.schema",
    "PredictionsError": "bench.core.errors",
    "Role": "bench.core.config",
    "Segmented": "bench.core.method",
    "Stage": "bench.core.stage",
    "Task": "bench.core.schema",
    "WeightsError": "bench.core.errors",
    "ensure_torchvision": "bench.core.torchvision_ops",
    "load_results": "bench.store.load",
    "read_tensors": "bench.engine.training.safe_unpickling",
}


def home_of(name: str) -> str:
    """Return the module that an exported name comes from.

    Raises:
        AttributeError: if ``bench`` exports no such name.
    """
    if name == "seeding":
        return "bench.core.seeding"
    if name not in HOME:
        raise AttributeError(f"module 'bench' has no attribute {name!r}")
    return HOME[name]
