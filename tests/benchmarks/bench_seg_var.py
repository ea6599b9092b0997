"""Seg-VAR's seglat decoder over VAR's ten scales, with and without its cache.

Width and heads are the paper's; of its sixteen blocks two are timed, as all cost the same.
"""

import torch

from bench.core.seeding import seeded
from methods.seg_var.config import PRESETS
from methods.seg_var.next_scale import NextScaleTransformer
from tests.helpers.measuring import compare

SIDES = (1, 2, 3, 4, 5, 6, 8, 10, 13, 16)
"""FoundationVision/VAR, models/__init__.py: of 256 x 256 pixels."""
CHANNELS, CODES, CLASSES = 32, 4096, 19


def test_a_cache_spares_the_scales_before(performance, light):
    paper = PRESETS["paper"]
    assert paper.tokenizer.sides == SIDES
    sizes = {"depth": 1, "width": 256, "heads": 4} if light else {"depth": 2}
    settings = paper.decoder.model_copy(update=sizes)
    scales = [(side, side) for side in SIDES]
    with seeded(0), torch.inference_mode():
        decoder = NextScaleTransformer(len(SIDES), CHANNELS, CODES, CLASSES, settings).eval()
        start = decoder.start(torch.ones(1, CLASSES), "semantic")
        image, seglat = (
            [None, *(torch.randn(1, rows * columns, CHANNELS) for rows, columns in scales[1:])]
            for _ in range(2)
        )

        def cached():
            past, outputs = [], []
            for k, scale in enumerate(scales):
                out, past = decoder.step(k, scale, (image[k], seglat[k]), start, past)
                outputs.append(out)
            return outputs

        def without():
            """Each scale from all before it, anew."""
            parts = [slice(k + 1) for k in range(len(scales))]
            return [decoder(scales[p], image[p], seglat[p], start)[1][-1] for p in parts]

        for ours, theirs in zip(cached(), without(), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)
        ratio = compare(cached, without, 2 if light else 3)
    performance.faster("Seg-VAR's decoder over ten scales", "the same without a cache", ratio, 3)
