"""Released weights: read without running what is in them, and put in their places."""

import pickle
import zipfile
from collections import OrderedDict

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from bench import seeding
from bench.discover import resolve_config
from bench.schema import DataSpec
from methods._nn.dalle import DalleTokenizer
from methods._nn.pickled import PickledError, read_tensors
from methods._nn.weights import WeightsError
from methods.gss.convert import _patch_order, convert
from methods.gss.method import GSS
from methods.gss.released import backbone_name
from tests.methods.test_contract import DATA
from tests.methods.test_gss import SMALL

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
    preset = {"small": resolve_config("gss", "tiny", SMALL)}
    monkeypatch.setattr("methods.gss.convert.PRESETS", preset)


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


@pytest.mark.parametrize("variant", ["FF", "FT-W"])
def test_a_checkpoint_in_the_released_layout_makes_a_round_trip(tmp_path, variant):
    method = build(1, variant=variant)
    checkpoint_of(method, tmp_path / "gss.pth", **{"decode_head.codes.extra": torch.zeros(1)})
    report = convert(tmp_path / "gss.pth", "small", tmp_path)
    assert report.unmapped == ("head.codes.extra",)
    report.config["head"] |= SMALL["head"]
    other = build(2, **report.config)
    for stage in report.files:
        other.fit(stage, [])
    image, seeds = torch.rand(1, 3, 32, 64), torch.zeros(1, dtype=torch.int64)
    other.codec.tokenizer.load_state_dict(method.codec.tokenizer.state_dict())
    with torch.inference_mode():
        got = other.eval().scores(image, seeds)
        assert torch.equal(got, method.eval().scores(image, seeds))
    for key, value in method.prior.state_dict().items():
        assert torch.equal(other.prior.state_dict()[key], value), key


def test_a_checkpoint_without_the_auxiliary_head_says_so(tmp_path):
    method = build(1, variant="FT-W", head={**SMALL["head"], "auxiliary": False})
    checkpoint_of(method, tmp_path / "gss.pth")
    report = convert(tmp_path / "gss.pth", "small", tmp_path)
    assert report.config["head"] == {"auxiliary": False}
    assert report.config["variant"] == "FT-W"


def test_a_checkpoint_that_lacks_keys_is_refused_by_name(tmp_path):
    method = build(1)
    checkpoint_of(method, tmp_path / "gss.pth")
    content = torch.load(tmp_path / "gss.pth", weights_only=True)
    del content["state_dict"]["decode_head.swin_ln.bias"]
    torch.save(content, tmp_path / "gss.pth")
    with pytest.raises(WeightsError, match=r"lacks prior\.head\.norm\.bias"):
        convert(tmp_path / "gss.pth", "small", tmp_path)
    assert not list(tmp_path.glob("*.safetensors"))
    with pytest.raises(WeightsError, match="no preset 'paper_x'; known are small"):
        convert(tmp_path / "gss.pth", "paper_x", tmp_path)


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
    report = convert(tmp_path, "small", tmp_path)
    assert report.unmapped == ()
    saved = load_file(report.files["tokenizer"])
    for key, value in want.state_dict().items():
        torch.testing.assert_close(saved[f"codec.tokenizer.{key}"], value, atol=1e-3, rtol=1e-3)


class Trap:
    """An object whose pickle, loaded the usual way, runs code."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_reading_runs_nothing_of_a_file(tmp_path):
    sprung = tmp_path / "sprung"
    torch.save({"state_dict": {"a.b": torch.ones(2)}, "trap": Trap(sprung)}, tmp_path / "x.pth")
    tensors = read_tensors(tmp_path / "x.pth")
    assert list(tensors) == ["a.b"]
    assert not sprung.exists()


def test_files_that_hold_no_tensors_are_refused_by_name(tmp_path):
    path = tmp_path / "x.pth"
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(PickledError, match="not a torch file"):
        read_tensors(path)
    torch.save({"a": 1}, path)
    with pytest.raises(PickledError, match="neither a state dict nor a module"):
        read_tensors(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", b"\x80\x02")
    with pytest.raises(PickledError, match="damaged"):
        read_tensors(path)


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
    converted = _patch_order("stages.0.downsample.reduction.weight", weight)
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
