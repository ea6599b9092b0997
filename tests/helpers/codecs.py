"""Constructed codecs: their reconstructions, what they measured, and two contrasts."""

from collections.abc import Sequence
from pathlib import Path

from bench.core.manifest import Contrast
from bench.core.schema import CLEAN, Condition
from bench.report.statistics import Block, make_blocks
from tests.helpers.stores import Store, make_cell

NOISE = [Condition(corruption="latent_noise", severity=s) for s in (1, 3)]
CODECS = {
    "KL low": (0.90, {"stride": 8, "bits_per_pixel": 0.1, "kl_bits_per_latent": 0.5}),
    "KL high": (0.98, {"stride": 8, "bits_per_pixel": 0.4, "kl_bits_per_latent": 2.0}),
    "VQ": (0.80, {"stride": 8, "bits_per_pixel": 0.2, "codebook_use": 0.5, "perplexity": 9.0}),
}
CONTRASTS = (
    Contrast(name="equal stride", first=("KL high",), second="VQ"),
    Contrast(name="equal rate", first=("KL low", "KL high"), second="VQ"),
)


def fill_codecs(
    output: Path, seeds: Sequence[int] = (0, 1), contrasts: Sequence[Contrast] = CONTRASTS
) -> Block:
    """Write clean and perturbed reconstructions of :data:`CODECS`; return their block."""
    store = Store(output, suite="codecs")
    for label, (accuracy, measured) in CODECS.items():
        for seed in seeds:
            for condition in (CLEAN, *NOISE):
                cell = make_cell(label, condition, task="reconstruct", seed=seed)
                loss = 0.2 * condition.severity
                record = store.add(cell, accuracy - loss)
                if condition == CLEAN:
                    record = record.model_copy(update={"measured": measured})
                    store.folder.cells.write(record, None, None)
    manifest = store.folder.manifest().model_copy(update={"contrasts": tuple(contrasts)})
    store.folder.write_manifest(manifest)
    return make_blocks(store.folder)[0]
