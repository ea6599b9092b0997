"""Models of transformers: the library's own pipeline, pixel by pixel."""

import json
from functools import cache

import numpy as np
import pytest
import torch
from PIL import Image

from bench.core import seeding
from bench.core.errors import WeightsError
from bench.core.schema import IGNORE_INDEX, Batch, DataSpec
from bench.core.stage import Stage
from methods.hf.checkpoint import MASKS
from methods.hf.config import Config
from tests.helpers.checkpoints import FAMILIES, write_checkpoint

CLASSES = ("road", "traffic light", "sky", "person", "car")
ORDER = (3, 0, 4, 2, 1)
"""Of the checkpoints' classes, so that none is where the data have it."""
DATA = DataSpec(classes=CLASSES, palette=((0, 0, 0),) * 5, size=(48, 64))
every_family = pytest.mark.parametrize("family", FAMILIES)


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    @cache
    def write(family):
        folder = tmp_path_factory.mktemp(family)
        return write_checkpoint(folder, family, tuple(CLASSES[k] for k in ORDER))

    return write


def build(**settings):
    from methods.hf.method import HuggingFace

    with seeding.seeded(0):
        return HuggingFace(Config(**settings), DATA).requires_grad_(False).eval()


def draw(height, width, rows=1):
    generator = seeding.torch_generator(height)
    coarse = torch.randint(256, (rows, 3, -(-height // 8), -(-width // 8)), generator=generator)
    pixels = coarse.repeat_interleave(8, 2).repeat_interleave(8, 3)[..., :height, :width]
    return pixels.to(torch.uint8)


def pipeline_labels(folder, family, pixels):
    """The label map of the library's own pipeline, in the order of the checkpoint."""
    import transformers

    image = Image.fromarray(pixels.permute(1, 2, 0).numpy())
    if family == "oneformer":  # whose pipeline pads the task otherwise than its processor
        processor = transformers.AutoProcessor.from_pretrained(folder)
        model = transformers.AutoModelForUniversalSegmentation.from_pretrained(folder)
        inputs = processor(image, ["semantic"], return_tensors="pt")
        with torch.inference_mode():
            outputs = model(**inputs)
        found = processor.post_process_semantic_segmentation(
            outputs, target_sizes=[(image.height, image.width)]
        )
        return found[0].numpy()
    found = transformers.pipeline("image-segmentation", model=str(folder), device="cpu")(
        image, subtask="semantic"
    )
    names = [CLASSES[k] for k in ORDER]
    label = np.full((image.height, image.width), -1)
    for segment in found:
        label[np.asarray(segment["mask"]) > 0] = names.index(segment["label"])
    return label


@every_family
@pytest.mark.parametrize("size", [(48, 64), (80, 57)])
def test_labels_are_those_of_the_library_s_own_pipeline(folder_of, family, size):
    method, pixels = build(model=str(folder_of(family))), draw(*size)
    expected = np.array(ORDER)[pipeline_labels(folder_of(family), family, pixels[0])]
    with torch.inference_mode():
        found = method.predict(pixels / 255, torch.zeros(1))
    assert len(np.unique(expected)) > 1
    np.testing.assert_array_equal(found[0].numpy(), expected)


@every_family
def test_probabilities_sum_to_one_and_labels_are_the_likeliest(folder_of, family):
    method, image = build(model=str(folder_of(family))), draw(48, 64, 2) / 255
    with torch.inference_mode():
        probabilities = method.probabilities(image, torch.zeros(2))
        label = method.predict(image, torch.zeros(2))
    torch.testing.assert_close(probabilities.sum(1), torch.ones(2, 48, 64))
    chosen = probabilities.gather(1, label[:, None])[:, 0]
    torch.testing.assert_close(chosen, probabilities.amax(1))


@pytest.mark.parametrize("family", sorted(set(FAMILIES) - {"oneformer"}))
def test_training_further_learns_the_labels(folder_of, family):
    """A few steps on one image bring its loss down, and an image without labels has none."""
    stage = Stage(name="network", modules=("network",), steps=4)
    method = build(model=str(folder_of(family)), train=stage)
    method.requires_grad_(True)
    label = (torch.arange(64)[None, None] // 16).expand(2, 64, -1).clone()
    label[:, :8] = IGNORE_INDEX
    batch = Batch(label[:, None].expand(-1, 3, -1, -1) / 4, label, torch.zeros(2))
    batch = batch._replace(image=batch.image.clamp(max=1))
    optimizer = torch.optim.AdamW(method.parameters(), lr=1e-3)
    losses = []
    with seeding.seeded(1):
        for _ in range(6):
            (loss,) = method("network", batch).values()
            losses.append(loss.item())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert losses[-1] < losses[0]
    empty = batch._replace(label=torch.full_like(label, IGNORE_INDEX))
    assert [loss.item() for loss in method("network", empty).values()] == [0.0]


@pytest.mark.parametrize("family", MASKS)
def test_segments_are_the_library_s(folder_of, family):
    method, image = build(model=str(folder_of(family))), draw(48, 64, 2) / 255
    with torch.inference_mode():
        found = method.segments(image, torch.zeros(2))
        if family == "eomt":  # of one for semantic segmentation
            assert found is None
            return
        outputs = method._outputs(image, "panoptic")
    expected = method.processor.post_process_panoptic_segmentation(
        outputs, target_sizes=[(48, 64)] * 2
    )
    for row, each in enumerate(expected):
        segments = {segment["id"]: segment["label_id"] for segment in each["segments_info"]}
        covered = torch.isin(each["segmentation"], torch.tensor(list(segments)))
        assert torch.equal(found.label[row] != IGNORE_INDEX, covered)
        for number, label in segments.items():
            inside = each["segmentation"] == number
            assert (found.label[row][inside] == ORDER[label]).all()
            assert found.instance[row][inside].unique().numel() == 1


def test_the_protocol_s_size_can_stand(folder_of):
    """Without the processor's resize, an image goes in at its own size."""
    method = build(model=str(folder_of("segformer")), resize="protocol")
    seen = []
    method.network.register_forward_pre_hook(
        lambda _, __, kwargs: seen.append(tuple(kwargs["pixel_values"].shape)), with_kwargs=True
    )
    with torch.inference_mode():
        method.predict(draw(40, 72) / 255, torch.zeros(1))
    assert seen == [(1, 3, 40, 72)]


def test_pickled_weights_are_read_without_unpickling(folder_of, tmp_path):
    whole, folder = folder_of("segformer"), tmp_path
    for path in whole.iterdir():
        if path.suffix == ".json":
            (folder / path.name).write_bytes(path.read_bytes())
    method = build(model=str(whole))
    torch.save(method.network.state_dict(), folder / "pytorch_model.bin")
    again = build(model=str(folder))
    for key, value in method.state_dict().items():
        assert torch.equal(value, again.state_dict()[key])


def test_a_new_head_is_drawn_for_the_data_s_classes(folder_of, tmp_path):
    stage = Stage(name="network", modules=("network",), steps=4)
    few = write_checkpoint(tmp_path, "segformer", ("cat", "dog"))
    method = build(model=str(few), new_head=True, train=stage)
    with torch.inference_mode():
        assert method.logits(draw(48, 64) / 255, torch.zeros(1)).shape == (1, 5, 48, 64)


def change(folder, name, **fields):
    path = folder / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


@pytest.fixture
def broken(tmp_path):
    """A checkpoint that may be spoilt."""
    return write_checkpoint(tmp_path, "segformer", CLASSES)


def refusal(**settings):
    with pytest.raises(WeightsError) as caught:
        Config(**settings).check(DATA)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_unknown_family_is_refused_by_name(broken):
    change(broken, "config.json", model_type="yolos")
    assert "config.json: unknown family 'yolos'; known are segformer" in refusal(model=str(broken))
    assert "unknown family 'yolo'" in refusal(
        architecture={"model_type": "yolo"}, train=Stage(name="n", modules=("network",), steps=1)
    )


def test_another_class_count_is_refused(tmp_path):
    folder = write_checkpoint(tmp_path, "segformer", CLASSES[:4])
    assert "has 4 classes; the data have 5" in refusal(model=str(folder))


def test_a_missing_processor_is_refused_by_name(broken):
    (broken / "preprocessor_config.json").unlink()
    assert f"{broken / 'preprocessor_config.json'}: no such file" in refusal(model=str(broken))


def test_a_class_without_match_is_refused_by_name(tmp_path):
    folder = write_checkpoint(tmp_path, "segformer", ("Road", "traffic_light", "sky", "man", "car"))
    assert "no class of it is the data's 'person' (without match: man)" in refusal(
        model=str(folder)
    )
    assert Config(model=str(folder), classes={"man": "person"}).order(DATA) == (0, 1, 2, 3, 4)
    assert Config(model=str(folder), classes="in_order").order(DATA) == (0, 1, 2, 3, 4)
    assert "has no class 'woman'" in refusal(model=str(folder), classes={"woman": "person"})


def test_missing_weights_are_refused_by_name(broken):
    (broken / "model.safetensors").unlink()
    assert "has neither model.safetensors nor pytorch_model.bin" in refusal(model=str(broken))


def test_tensors_that_are_missing_are_refused_by_name(broken):
    from safetensors.torch import load_file, save_file

    tensors = load_file(broken / "model.safetensors")
    tensors.pop("decode_head.classifier.bias")
    save_file(tensors, broken / "model.safetensors", {"format": "pt"})
    with pytest.raises(WeightsError, match=r"lacks 1 tensors \(decode_head.classifier.bias\)"):
        build(model=str(broken))


def test_an_encoder_alone_needs_a_new_head_and_training(broken):
    change(broken, "config.json", architectures=["SegformerForImageClassification"])
    assert "set new_head: true and train" in refusal(model=str(broken))
    assert "needs train" in refusal(model=str(broken), new_head=True)


def test_a_checkpoint_that_is_not_here_is_a_need_with_two_ways(monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    name = "nvidia/segformer-b5-finetuned-cityscapes-1024-1024"
    ((what, remedy),) = Config(model=name).needs()
    assert what == f"checkpoint {name}"
    assert f"hf download {name}" in remedy
    assert "give a folder" in remedy
    assert "\n" not in remedy
    ((_, remedy),) = Config(model=str(tmp_path / "nowhere")).needs()
    assert f"{tmp_path / 'nowhere'}: no such folder" in remedy


def test_groups_of_published_trainings_match_parameters():
    """A pattern that matched nothing would leave a part at the rate of the rest."""
    from fnmatch import fnmatch

    from bench.core.registry import load_config
    from bench.engine.training.weights import empty_method

    for preset in ("segformer_b0", "mask2former_swin_t"):
        config = load_config("hf")[1][preset]
        names = [name for name, _ in empty_method("hf", config, DATA, preset).named_parameters()]
        (stage,) = config.stages(DATA)
        for group in stage.groups:
            matched = [n for n in names if any(fnmatch(n, pattern) for pattern in group.match)]
            assert 0 < len(matched) < len(names)


def test_a_checkpoint_is_known_by_its_content(folder_of, tmp_path):
    """Wherever its folder lies, and whatever else lies there."""
    from bench.engine.training.weights import content_digests

    whole = folder_of("segformer")
    for path in whole.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "README.md").write_text("a card")
    first, moved = (content_digests(Config(model=str(path))) for path in (whole, tmp_path))
    assert first == moved
    change(tmp_path, "preprocessor_config.json", image_mean=[0.5, 0.5, 0.5])
    assert content_digests(Config(model=str(tmp_path))) != first
