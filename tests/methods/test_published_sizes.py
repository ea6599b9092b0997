"""Parameters of published sizes, against papers and libraries."""

import pytest

from bench.engine.evaluation.model_cost import count_parameters

PAPERS = {
    # Millions, as printed. arXiv:2105.15203, Table 1 (a).
    ("hf", "segformer_b0", 150): 3.8,
    ("hf", "segformer_b1", 150): 13.7,
    ("hf", "segformer_b2", 150): 27.5,
    ("hf", "segformer_b3", 150): 47.3,
    ("hf", "segformer_b4", 150): 64.1,
    ("hf", "segformer_b5", 150): 84.7,
    # arXiv:2103.14030, Table 3, for UPerNet.
    ("hf", "upernet_swin_t", 150): 60.0,
    ("hf", "upernet_swin_s", 150): 81.0,
    ("hf", "upernet_swin_b", 150): 121.0,
    ("hf", "upernet_swin_l", 150): 234.0,
    # arXiv:2107.06278, Table 1.
    ("hf", "maskformer_swin_t", 150): 42.0,
    ("hf", "maskformer_swin_s", 150): 63.0,
    ("hf", "maskformer_swin_b", 150): 102.0,
    ("hf", "maskformer_swin_l", 150): 212.0,
    # arXiv:2112.01527, semantic segmentation of ADE20K.
    ("hf", "mask2former_swin_t", 150): 47.0,
    ("hf", "mask2former_swin_s", 150): 69.0,
    ("hf", "mask2former_swin_b", 150): 107.0,
    ("hf", "mask2former_swin_l", 150): 215.0,
    # torchvision 0.28, ``num_params`` of its released weights, of 21 classes.
    ("torchvision_models", "fcn_r50", 21): 35.322218,
    ("torchvision_models", "fcn_r101", 21): 54.314346,
    ("torchvision_models", "deeplabv3_r50", 21): 42.004074,
    ("torchvision_models", "deeplabv3_r101", 21): 60.996202,
    ("torchvision_models", "deeplabv3_mobilenet", 21): 11.029328,
    ("torchvision_models", "lraspp", 21): 3.221538,
}


@pytest.mark.parametrize(("adapter", "preset", "classes"), PAPERS)
def test_parameters_are_the_published_ones(adapter, preset, classes):
    """Within 1%, or to the last printed digit where that is coarser."""
    published = PAPERS[adapter, preset, classes]
    digits = len(f"{published}".split(".")[1])
    rounding = 0.5 * 10**-digits
    count = count_parameters(adapter, preset, classes) / 1e6
    assert count == pytest.approx(published, abs=max(rounding, 0.01 * published))
