"""Small checkpoints in the real format of transformers, of every family, with drawn weights."""

import json
from pathlib import Path
from typing import Any

from bench.core import seeding

SWIN = {
    "model_type": "swin",
    "image_size": 64,
    "embed_dim": 12,
    "depths": [1, 1, 1, 1],
    "num_heads": [1, 2, 2, 4],
    "window_size": 4,
    "out_features": ["stage1", "stage2", "stage3", "stage4"],
}
MASK_HEAD = {
    "backbone_config": SWIN,
    "mask_feature_size": 32,
    "encoder_feedforward_dim": 48,
    "dim_feedforward": 48,
    "encoder_layers": 1,
    "decoder_layers": 2,
    "num_attention_heads": 4,
    "num_queries": 9,
}
VIT = {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2}
FAMILIES: dict[str, dict[str, Any]] = {
    "segformer": {
        "hidden_sizes": [8, 16, 24, 32],
        "depths": [1, 1, 1, 1],
        "num_attention_heads": [1, 2, 3, 4],
        "decoder_hidden_size": 24,
    },
    "upernet": {"backbone_config": SWIN, "hidden_size": 32, "auxiliary_in_channels": 48},
    "beit": {
        **VIT,
        "intermediate_size": 48,
        "image_size": 64,
        "use_relative_position_bias": True,
        "out_indices": [1, 2, 3, 4],
    },
    "dpt": {
        **VIT,
        "intermediate_size": 48,
        "image_size": 64,
        "is_hybrid": False,
        "backbone_out_indices": [0, 1, 2, 3],
        "neck_hidden_sizes": [12, 16, 24, 32],
        "fusion_hidden_size": 24,
    },
    "maskformer": {
        "backbone_config": SWIN,
        "mask_feature_size": 32,
        "fpn_feature_size": 32,
        "decoder_config": {
            "model_type": "detr",
            "d_model": 32,
            "num_queries": 9,
            "decoder_layers": 2,
            "encoder_layers": 1,
            "decoder_attention_heads": 4,
            "encoder_attention_heads": 4,
            "decoder_ffn_dim": 48,
            "encoder_ffn_dim": 48,
        },
    },
    "mask2former": {**MASK_HEAD, "feature_size": 32, "hidden_dim": 32, "train_num_points": 64},
    "oneformer": {
        **{key: value for key, value in MASK_HEAD.items() if key != "mask_feature_size"},
        "conv_dim": 32,
        "mask_dim": 32,
        "hidden_dim": 32,
        "text_encoder_width": 16,
        "text_encoder_num_layers": 1,
        "text_encoder_vocab_size": 60,
        "text_encoder_context_length": 12,
        "text_encoder_proj_layers": 1,
        "query_dec_layers": 1,
        "task_seq_len": 12,
        "max_seq_len": 12,
    },
    "eomt": {
        "hidden_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "image_size": 64,
        "patch_size": 8,
        "num_queries": 9,
        "num_blocks": 1,
        "num_upscale_blocks": 1,
    },
}
SQUARE = {"height": 64, "width": 64}
SIZES: dict[str, dict[str, Any]] = {
    "maskformer": {"size": {"shortest_edge": 48, "longest_edge": 96}},
    "mask2former": {"size": SQUARE},
    "oneformer": {"size": {"shortest_edge": 48, "longest_edge": 96}},
    "eomt": {"size": {"shortest_edge": 64, "longest_edge": None}, "do_split_image": True},
    "upernet": {"size": {"height": 56, "width": 72}},
}


def write_checkpoint(folder: Path, family: str, classes: tuple[str, ...], seed: int = 0) -> Path:
    """Write what ``save_pretrained`` of a model and of its processor does."""
    import transformers

    from bench import ensure_torchvision

    ensure_torchvision()
    names = dict(enumerate(classes))
    settings = transformers.AutoConfig.for_model(
        family,
        id2label=names,
        label2id={name: k for k, name in names.items()},
        **FAMILIES[family],
    )
    semantic = transformers.MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING
    universal = transformers.MODEL_FOR_UNIVERSAL_SEGMENTATION_MAPPING
    network = (semantic if type(settings) in semantic else universal)[type(settings)]
    with seeding.seeded(seed):
        model = network(settings)
        if family in HEADS:
            _tell_queries_apart(model, family)
    model.save_pretrained(folder)
    size = SIZES.get(family, {"size": SQUARE})
    if family == "oneformer":
        _write_oneformer_processor(folder, size)
    else:
        from methods.hf.network import PROCESSORS

        getattr(transformers, PROCESSORS[family])(**size).save_pretrained(folder)
    return folder


HEADS = {
    "maskformer": ("class_predictor", "mask_embedder.2.0"),
    "mask2former": (
        "class_predictor",
        "model.transformer_module.decoder.mask_predictor.mask_embedder.2.0",
    ),
    "oneformer": (
        "model.transformer_module.decoder.class_embed",
        "model.transformer_module.decoder.mask_embed.layers.2.0",
    ),
    "eomt": ("class_predictor", "mask_head.fc3"),
}
"""The last layers that queries go through: to classes, and to masks."""


GAINS = {"maskformer": 6, "oneformer": 3}
"""Of the decoders' weights, whose queries else do not look at different things."""


def _tell_queries_apart(model: Any, family: str) -> None:
    """Spread what queries say about its mean: drawn ones all say nearly the same."""
    import torch

    for name, parameter in model.named_parameters():
        if "transformer_module" in name and parameter.ndim == 2:
            parameter.data *= GAINS.get(family, 1)
        if "queries_" in name:
            parameter.data.normal_()
    said = {}
    layers = {name: model.get_submodule(name) for name in HEADS[family]}
    hooks = [
        layer.register_forward_hook(lambda _, __, out, name=name: said.update({name: out}))
        for name, layer in layers.items()
    ]
    coarse = 2 * torch.randn(1, 3, 8, 8, generator=seeding.torch_generator(0))
    image = coarse.repeat_interleave(8, 2).repeat_interleave(8, 3)
    task = {"task_inputs": torch.arange(12)[None]} if family == "oneformer" else {}
    with torch.no_grad():
        model.eval()(pixel_values=image, **task)
        for hook in hooks:
            hook.remove()
        for name, layer in layers.items():
            values = said[name].flatten(0, -2)
            scale = 3 / values.std(0).mean()
            layer.bias.sub_(values.mean(0)).mul_(scale)
            layer.weight.mul_(scale)


def _write_oneformer_processor(folder: Path, size: dict[str, Any]) -> None:
    """Write an image processor, and a tokenizer that knows letters alone."""
    from transformers import CLIPTokenizer, OneFormerImageProcessor, OneFormerProcessor

    letters = "abcdefghijklmnopqrstuvwxyz"
    pieces = [*letters, *(f"{letter}</w>" for letter in letters)]
    pieces += ["<|startoftext|>", "<|endoftext|>"]
    folder.joinpath("vocab.json").write_text(
        json.dumps({piece: k for k, piece in enumerate(pieces)})
    )
    folder.joinpath("merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    images = OneFormerImageProcessor(
        **size, class_info_file=None, repo_path=str(folder), num_text=5
    )
    OneFormerProcessor(images, tokenizer, max_seq_length=12, task_seq_length=12).save_pretrained(
        folder
    )
