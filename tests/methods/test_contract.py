"""What every method promises, checked for each that is found under ``methods``."""

import io
from contextlib import contextmanager
from functools import partial

import pytest
import torch
from safetensors.torch import load, save

from bench.core.registry import load_config
from bench.core.schema import IGNORE_INDEX, Batch
from bench.corruptions.latents import CATALOGUE
from bench.engine.training.stages import trainable_modules
from tests.helpers.small_methods import (
    CLASSES,
    DATA,
    SIZE,
    build,
    draw_batch,
    every_method,
    learned,
)

STEPS_TO_REACH_ALL = 4
ODD = (33, 50)


@pytest.fixture(autouse=True, params=["fp32", pytest.param("bf16", marks=pytest.mark.slow)])
def precision(request):
    """Train and predict as `protocol.precision` says; bf16 as Accelerate has it on the CPU."""
    if request.param == "fp32":
        yield
        return
    # Accelerate enters autocast anew for each call; within one context casts would be kept.
    with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
        yield


@contextmanager
def refused_by_name(size):
    """Let a method refuse an odd size, if its error says which."""
    try:
        yield
    except ValueError as error:
        if size != ODD or "33x50" not in str(error):
            raise
        pytest.skip(f"refused: {error}")


def answer(method, batch):
    """What a method says of a batch: of its images, or of its labels where it sees no image."""
    if "predict" in method.config.tasks:
        return method.predict(batch.image, batch.seeds)
    return method.reconstruct(batch.label, batch.seeds)


def moved(before, after):
    return {key for key in before if not torch.equal(before[key], after[key])}


def copy_state(method):
    return {key: value.clone() for key, value in method.state_dict().items()}


def in_stage(key, stage):
    return any(key.startswith(f"{module}.") for module in stage.modules)


@every_method
def test_stages_have_names_of_their_own(name, preset):
    stages = load_config(name)[1][preset].stages(DATA)
    assert stages
    assert len({stage.name for stage in stages}) == len(stages)


@every_method
def test_a_stage_trains_its_modules_and_no_other(name, preset):
    method = build(name, preset, 0)
    for stage in method.config.stages(DATA):
        modules = trainable_modules(method, stage)
        before = copy_state(method)
        if stage.steps == 0:
            method.fit(stage.name, [draw_batch()])
            assert any(in_stage(key, stage) for key in moved(before, method.state_dict()))
        else:
            optimizer = torch.optim.SGD(modules.parameters(), lr=1e-3)
            # Layers that start at zero let a gradient through one after the other.
            for _ in range(STEPS_TO_REACH_ALL):
                optimizer.step()
                optimizer.zero_grad()
                losses = method(stage.name, draw_batch())
                assert losses
                for loss in losses.values():
                    assert loss.shape == ()
                    assert torch.isfinite(loss)
                sum(losses.values()).backward()
            for module in modules.values():
                gradients = [p.grad for p in module.parameters() if p.grad is not None]
                assert any(gradient.abs().max() > 0 for gradient in gradients)
            for key, parameter in method.named_parameters():
                assert parameter.grad is None or in_stage(key, stage), key
            method.zero_grad()
        for key in moved(before, method.state_dict()):
            assert in_stage(key, stage), key


@every_method
def test_a_batch_without_any_label_has_finite_losses(name, preset):
    method = build(name, preset, 0)
    batch = draw_batch()
    batch = batch._replace(label=torch.full_like(batch.label, IGNORE_INDEX))
    for stage in method.config.stages(DATA):
        if stage.steps:
            trainable_modules(method, stage)
            assert all(torch.isfinite(loss) for loss in method(stage.name, batch).values())


@every_method
@pytest.mark.parametrize("size", [SIZE, ODD])
def test_predictions_are_labels_of_the_image_s_size(name, preset, size):
    method, batch = learned(name, preset), draw_batch(2, size)
    with torch.inference_mode(), refused_by_name(size):
        label = answer(method, batch)
    assert label.shape == (2, *size)
    assert label.dtype == torch.int64
    assert (((label >= 0) & (label < CLASSES)) | (label == IGNORE_INDEX)).all()


@every_method
def test_the_same_seeds_give_the_same_labels_and_leave_global_streams_alone(name, preset):
    method, batch = learned(name, preset), draw_batch()
    with torch.inference_mode():
        first = answer(method, batch)
        stream = torch.random.get_rng_state()
        second = answer(method, batch)
    assert torch.equal(first, second)
    assert torch.equal(stream, torch.random.get_rng_state())


@every_method
def test_labels_do_not_depend_on_batch_mates(name, preset):
    method, batch, others = learned(name, preset), draw_batch(), draw_batch(seed=7)
    mixed = Batch(
        torch.cat([batch.image[:1], others.image[1:]]),
        torch.cat([batch.label[:1], others.label[1:]]),
        torch.cat([batch.seeds[:1], others.seeds[1:] + 50]),
    )
    with torch.inference_mode():
        one = answer(method, batch)
        two = answer(method, mixed)
    assert torch.equal(one[0], two[0])


@every_method
def test_scores_are_of_the_classes_and_agree_with_the_prediction(name, preset):
    method, batch = learned(name, preset), draw_batch()
    with torch.inference_mode():
        scores = method.logits(batch.image, batch.seeds)
        label = answer(method, batch)
    if scores is None:
        pytest.skip("has no scores")
    assert scores.shape == (4, CLASSES, *SIZE)
    assert scores.dtype == torch.float32
    assert torch.equal(scores.argmax(1), label)


@every_method
def test_probabilities_are_as_the_configuration_says(name, preset):
    method, batch = learned(name, preset), draw_batch()
    if not method.config.gives_probabilities:
        pytest.skip("has no probabilities")
    with torch.inference_mode():
        probabilities = method.probabilities(batch.image, batch.seeds)
        label = method.predict(batch.image, batch.seeds)
    assert probabilities.shape == (4, CLASSES, *SIZE)
    assert probabilities.min() >= 0
    torch.testing.assert_close(probabilities.sum(1), torch.ones(4, *SIZE))
    # Rounding may make equals of two that are nearly so.
    chosen = probabilities.gather(1, label.clamp(max=CLASSES - 1)[:, None])[:, 0]
    torch.testing.assert_close(chosen, probabilities.amax(1))


@every_method
def test_saved_weights_carry_over_to_a_new_instance(name, preset):
    """Whatever learning changed is in the modules of the stages, and only that is."""
    method, other = learned(name, preset), build(name, preset, seed=1)
    for stage in method.config.stages(DATA):
        file = io.BytesIO(save(trainable_modules(method, stage).state_dict()))
        trainable_modules(other, stage).load_state_dict(load(file.getvalue()))
    method.eval(), other.eval()
    batch = draw_batch()
    with torch.inference_mode():
        want = answer(method, batch)
        got = answer(other, batch)
    assert torch.equal(want, got)


@every_method
@pytest.mark.parametrize("size", [SIZE, ODD])
def test_a_codec_returns_labels(name, preset, size):
    method, batch = learned(name, preset), draw_batch(2, size)
    with torch.inference_mode():
        if "reconstruct" not in method.config.tasks:
            with pytest.raises(TypeError, match="no latent code"):
                method.reconstruct(batch.label, batch.seeds)
            return
        with refused_by_name(size):
            label = method.reconstruct(batch.label, batch.seeds)
            again = method.reconstruct(batch.label, batch.seeds)
    assert label.shape == (2, *size)
    assert label.dtype == torch.int64
    assert torch.equal(label, again)


@every_method
def test_a_method_that_sees_no_image_says_so(name, preset):
    method, batch = learned(name, preset), draw_batch()
    if "predict" in method.config.tasks:
        pytest.skip("predicts")
    assert "reconstruct" in method.config.tasks
    with pytest.raises(TypeError, match="its task is 'reconstruct'"):
        method.predict(batch.image, batch.seeds)


@every_method
def test_latents_suffer_what_the_configuration_lists_and_nothing_else(name, preset):
    method, batch = learned(name, preset), draw_batch()
    listed = method.config.perturbations()
    with torch.inference_mode():
        for perturbation in CATALOGUE:
            perturbed = partial(
                method.reconstruct_perturbed, batch.label, batch.seeds, perturbation
            )
            if perturbation not in listed:
                with pytest.raises(TypeError, match=perturbation):
                    perturbed(0.5)
                continue
            clean = method.reconstruct(batch.label, batch.seeds)
            assert torch.equal(perturbed(0.0), clean)
            assert torch.equal(perturbed(0.9), perturbed(0.9))


@every_method
def test_predicted_latents_are_put_on_the_truth_s_where_the_configuration_says_so(name, preset):
    method, batch = learned(name, preset), draw_batch()
    with torch.inference_mode():
        if "oracle_codes" not in method.config.tasks:
            with pytest.raises(TypeError, match="no latents to compare"):
                method.oracle_codes(*batch[:3])
            return
        label = method.oracle_codes(*batch[:3])
        others = batch._replace(image=batch.image.flip(0), label=batch.label.flip(0))
        others = others._replace(seeds=batch.seeds.flip(0))
        flipped = method.oracle_codes(*others[:3]).flip(0)
    assert label.shape == batch.label.shape
    assert label.dtype == torch.int64
    assert torch.equal(label, flipped)
