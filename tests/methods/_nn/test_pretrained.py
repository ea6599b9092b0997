"""What timm's weights were trained on."""

import pytest

from methods._nn.pretrained import training_set


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("resnet101c", "imagenet-1k"),
        ("hrnet_w48", "imagenet-1k"),
        ("swin_large_patch4_window12_384.ms_in22k", "imagenet-22k"),
        ("swin_large_patch4_window12_384", "imagenet-22k"),  # tuned on 1k after that
        ("vit_large_patch16_384", "imagenet-22k"),
    ],
)
def test_the_tag_says_it(model, expected):
    assert training_set(model) == expected


def test_a_model_without_weights_is_refused():
    with pytest.raises(ValueError, match="no weights of 'resnet1000'"):
        training_set("resnet1000")
