"""Released weights of GSS and DALL-E, put in their places."""

import json
from collections import OrderedDict

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from bench.cli.main import main
from bench.core import seeding
from bench.core.errors import WeightsError
from bench.core.registry import resolve_config
from bench.core.schema import DataSpec
from bench.engine.training.weights import convert, load_weights, submodules
from methods._nn.autoencoders.dalle import DalleTokenizer
from methods.gss.config import PRESETS
from methods.gss.convert import _patch_order
from methods.gss.method import GSS
from methods.gss.released import backbone_name
from tests.helpers.gss import SMALL
from tests.helpers.small_methods import DATA

# From this project's names to the released ones; written apart from the converter's rules.
TO_RELEASED = {
    "backbone.model.conv1.": "backbone.stem.",
    "backbone.model.bn1.": "backbone.stem.7.",
    "backbone.model.": "backbone.",
    "head.fusion.levels.": "decode_head.convs.",
    "head.fusion.mix.": "decode_head.fusion_conv.",
    "head.blocks.": "decode_head.transformer_block.blocks.",
    "head.norm.": "decode_head.swin_ln.",
    "head.widen.": "decode_head.conv_before_seg.",
    "head.tokens.": "decode_head.conv_seg.",
    "head.pixel_fusion.levels.": "decode_head.convs_pixel.",
    "head.pixel_fusion.mix.": "decode_head.fusion_conv_pixel.",
    "head.pixels.": "decode_head.conv_seg_pixel.",
    "projection.": "decode_head.projection.",
    "blocks.": "decode_head.post_transformer_block.blocks.",
    "norm.": "decode_head.post_swin_ln.",
    "classify.": "decode_head.cls_segmap.conv.",
}


def released_name(key):
    start = next(start for start in TO_RELEASED if key.startswith(start))
    key = TO_RELEASED[start] + key.removeprefix(start)
    if ".blocks." in key:
        key = key.replace(".attention.", ".attn.w_msa.")
        key = key.replace(".mlp.0.", ".ffn.layers.0.0.").replace(".mlp.2.", ".ffn.layers.1.")
    return key


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """A preset of no size, beside the published ones."""
    monkeypatch.setitem(PRESETS, "small", resolve_config("gss", "tiny", SMALL))


def build(seed, **changes):
    with seeding.seeded(seed):
        return GSS(resolve_config("gss", "tiny", {**SMALL, **changes}), DATA)


def checkpoint_of(method, path, **extra):
    """Save a method as mmsegmentation would, with what else is in such files."""
    state = {released_name(k): v for k, v in method.prior.state_dict().items()}
    if any(True for _ in method.codec.inverse.parameters()):
        inverse = method.codec.inverse.state_dict()
        state |= {released_name(k): v for k, v in inverse.items()}
    index = "decode_head.transformer_block.blocks.0.attn.w_msa.relative_position_index"
    state |= {index: torch.zeros(49, 49, dtype=torch.int64)}
    torch.save({"meta": {"epoch": 3}, "state_dict": OrderedDict(state | extra)}, path)


def fill(method, files):
    """Load converted files as the harness does."""
    for stage in method.config.stages(DATA):
        if stage.name in files:
            load_weights(files[stage.name].path, submodules(method, stage.modules))


@pytest.mark.parametrize("variant", ["FF", "FT-W"])
def test_a_checkpoint_in_the_released_layout_makes_a_round_trip(tmp_path, variant):
    method = build(1, variant=variant, tokenizer="dalle")
    tokenizer = {
        f"decode_head.d_vae.{key.removesuffix('eight').removesuffix('ias')}": value
        for key, value in method.codec.tokenizer.state_dict().items()
    }
    checkpoint_of(method, tmp_path / "gss.pth", **tokenizer, **{"ema.rate": torch.zeros(1)})
    done = convert("gss", [tmp_path / "gss.pth"], "small", tmp_path)
    assert done.unmapped == ("ema.rate",)
    other = build(2, **{**done.config, "head": {**SMALL["head"], **done.config["head"]}})
    assert other.config.variant == variant
    assert set(done.files) == {stage.name for stage in other.config.stages(DATA)}
    fill(other, done.files)
    image, seeds = torch.rand(1, 3, 32, 64), torch.zeros(1, dtype=torch.int64)
    with torch.inference_mode():
        got = other.eval().logits(image, seeds)
        assert torch.equal(got, method.eval().logits(image, seeds))
    for key, value in method.prior.state_dict().items():
        assert torch.equal(other.prior.state_dict()[key], value), key


def test_a_checkpoint_without_the_auxiliary_head_says_so(tmp_path):
    method = build(1, variant="FT-W", head={**SMALL["head"], "auxiliary": False})
    checkpoint_of(method, tmp_path / "gss.pth")
    done = convert("gss", [tmp_path / "gss.pth"], "small", tmp_path)
    assert done.config["head"] == {"auxiliary": False}
    assert done.config["variant"] == "FT-W"


def altered(path, **changes):
    """Change a checkpoint's tensors; None deletes one."""
    content = torch.load(path, weights_only=True)
    for key, value in changes.items():
        if value is None:
            del content["state_dict"][key]
        else:
            content["state_dict"][key] = value
    torch.save(content, path)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"decode_head.swin_ln.bias": None}, r"lacks prior\.head\.norm\.bias"),
        (
            {"decode_head.transformer_block.blocks.9.ffn.layers.1.bias": torch.zeros(1)},
            r"has prior\.head\.blocks\.9\.mlp\.2\.bias beside",
        ),
        (
            {"decode_head.conv_seg.bias": torch.zeros(3)},
            r"prior\.head\.tokens\.bias is \[3\], not \[16\]",
        ),
    ],
)
def test_a_checkpoint_of_another_size_is_refused_by_name(tmp_path, changes, fault):
    checkpoint_of(build(1), tmp_path / "gss.pth")
    altered(tmp_path / "gss.pth", **changes)
    with pytest.raises(WeightsError, match=rf"gss\.pth: stage 'prior' in it .*{fault}"):
        convert("gss", [tmp_path / "gss.pth"], "small", tmp_path)
    assert not list(tmp_path.glob("*.safetensors"))


def test_a_preset_whose_palette_is_too_small_for_the_checkpoint_is_refused(tmp_path):
    PRESETS["small"] = resolve_config("gss", "tiny", {**SMALL, "colouring": "cityscapes"})
    checkpoint_of(build(1), tmp_path / "gss.pth")
    pixels = {f"decode_head.conv_seg_pixel.{n}": torch.zeros(20, *s)
              for n, s in (("weight", (8, 1, 1)), ("bias", ()))}  # fmt: skip
    altered(tmp_path / "gss.pth", **pixels)
    with pytest.raises(WeightsError, match="'cityscapes' has 19 colours for 20 classes"):
        convert("gss", [tmp_path / "gss.pth"], "small", tmp_path)


@pytest.mark.parametrize("option", ["--config", "--preset"])
def test_the_verb_says_what_it_wrote_and_what_it_could_not_map(option, tmp_path, capsys):
    checkpoint_of(build(1), tmp_path / "gss.pth", **{"ema.rate": torch.zeros(1)})
    to = ["--to", str(tmp_path / "out")]
    assert main(["weights", "convert", "gss", str(tmp_path / "gss.pth"), option, "small", *to]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("prior: ")
    assert lines[1:3] == ["not mapped, as gss has no place for them:", "  ema.rate"]
    entry = json.loads(lines[-1].removeprefix("  - "))
    assert load_file(entry["config"]["weights"]["prior"])


class Foreign(nn.Module):
    """Stands for a class of a package that a reader has not got: parameters ``w`` and ``b``."""

    def __init__(self, conv):
        super().__init__()
        self.w, self.b = nn.Parameter(conv.weight.data.half()), nn.Parameter(conv.bias.data)


def foreign(module):
    """Copy a module with every convolution replaced by a foreign one."""
    if isinstance(module, nn.Conv2d):
        return Foreign(module)
    for name, child in list(module.named_children()):
        setattr(module, name, foreign(child))
    return module


def test_pickled_modules_of_openai_are_read_and_fit(tmp_path):
    with seeding.seeded(3):
        want = DalleTokenizer(8, 8, 1, 16)
    with seeding.seeded(3):
        pickled = DalleTokenizer(8, 8, 1, 16)
    torch.save(foreign(pickled.encoder), tmp_path / "encoder.pkl")
    torch.save(foreign(pickled.decoder), tmp_path / "decoder.pkl")
    halves = [tmp_path / "encoder.pkl", tmp_path / "decoder.pkl"]
    done = convert("gss", halves, "small", tmp_path)
    assert done.unmapped == ()
    assert done.config["tokenizer"] == "dalle"
    saved = load_file(done.files["tokenizer"].path)
    for key, value in want.state_dict().items():
        torch.testing.assert_close(saved[f"codec.tokenizer.{key}"], value, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(
    ("released", "ours"),
    [
        ("patch_embed.projection.weight", "model.patch_embed.proj.weight"),
        ("patch_embed.norm.bias", "model.patch_embed.norm.bias"),
        ("stages.2.blocks.17.attn.w_msa.qkv.bias", "model.layers_2.blocks.17.attn.qkv.bias"),
        ("stages.3.blocks.1.ffn.layers.0.0.weight", "model.layers_3.blocks.1.mlp.fc1.weight"),
        ("stages.3.blocks.1.ffn.layers.1.weight", "model.layers_3.blocks.1.mlp.fc2.weight"),
        ("stages.0.downsample.reduction.weight", "model.layers_1.downsample.reduction.weight"),
        ("norm3.weight", "norms.3.weight"),
        ("stem.7.running_mean", "model.bn1.running_mean"),
        ("layer4.2.conv3.weight", "model.layer4.2.conv3.weight"),
        ("stage4.2.fuse_layers.3.2.0.1.bias", "model.stage4.2.fuse_layers.3.2.0.1.bias"),
    ],
)
def test_names_of_the_released_backbones(released, ours):
    assert backbone_name(released) == ours


def test_a_converted_patch_merging_gives_what_the_release_gives():
    channels = 3
    x = torch.rand(1, channels, 4, 6)
    weight = torch.rand(5, 4 * channels)
    unfolded = nn.Unfold(2, stride=2)(x).transpose(1, 2) @ weight.t()  # mmsegmentation
    stacked = torch.cat(  # Swin's own order, which timm keeps
        [x[:, :, 0::2, 0::2], x[:, :, 1::2, 0::2], x[:, :, 0::2, 1::2], x[:, :, 1::2, 1::2]], 1
    )
    converted = _patch_order("backbone.stages.0.downsample.reduction.weight", weight)
    torch.testing.assert_close(stacked.flatten(2).transpose(1, 2) @ converted.t(), unfolded)


def test_the_names_of_a_whole_swin_are_known():
    """Every tensor of the paper's backbone has one released name that leads to it."""
    config = resolve_config("gss", "paper_cityscapes", {"backbone": {"pretrained": False}})
    data = DataSpec(classes=("a",), palette=((0, 0, 0),), size=(64, 64))
    with torch.device("meta"):
        backbone = GSS(config, data).prior.backbone
    rules = {"model.patch_embed.proj.": "patch_embed.projection.", "norms.": "norm"}
    for key in backbone.state_dict():
        released = key
        for start, replacement in rules.items():
            released = released.replace(start, replacement)
        for stage in range(1, 4):
            before, after = f"layers_{stage}.downsample.", f"stages.{stage - 1}.downsample."
            released = released.replace(before, after)
        released = released.replace("layers_", "stages.").replace(".attn.", ".attn.w_msa.")
        released = released.replace("fc1.", "0.0.").replace("fc2.", "1.")
        released = released.replace(".mlp.", ".ffn.layers.").removeprefix("model.")
        assert backbone_name(released) == key
