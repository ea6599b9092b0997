"""What a method that defines predictions alone does of the rest."""

import pytest
import torch
from torch import nn

from bench.core.config import MethodConfig
from bench.core.method import Method
from bench.core.schema import Batch, DataSpec

DATA = DataSpec(classes=("a", "b", "c"), palette=((0, 0, 0),) * 3, size=(4, 6))
IMAGE, SEEDS = torch.rand(2, 3, 4, 6, generator=torch.Generator().manual_seed(0)), torch.arange(2)
LABEL = torch.zeros(2, 4, 6, dtype=torch.int64)
REFUSED = {
    "no losses for stage 'codec'": lambda m: m("codec", Batch(IMAGE, LABEL, SEEDS)),
    "no closed form for stage 'codec'": lambda m: m.fit("codec", []),
    "no scores to make probabilities of": lambda m: m.probabilities(IMAGE, SEEDS),
    "no latent code to reconstruct from": lambda m: m.reconstruct_with(IMAGE, LABEL, SEEDS),
    "no latents .* 'code_flips'": lambda m: m.reconstruct_perturbed(LABEL, SEEDS, "code_flips", 1),
    "no latents to compare": lambda m: m.oracle_codes(IMAGE, LABEL, SEEDS),
}


class Constant(Method[MethodConfig]):
    """Predicts the first class."""

    def predict(self, image, seeds):
        return torch.zeros_like(image[:, 0], dtype=torch.int64)


class Scored(Constant):
    """Has scores, too, and a codec that loses nothing."""

    def __init__(self, config, data):
        super().__init__(config, data)
        self.head = nn.Conv2d(3, data.num_classes, 1)

    def logits(self, image, seeds):
        return self.head(image)

    def reconstruct(self, label, seeds):
        return label


@pytest.mark.parametrize("message", REFUSED)
def test_what_a_method_lacks_is_refused_with_its_name(message):
    with pytest.raises(TypeError, match=f"^Constant has {message}"):
        REFUSED[message](Constant(MethodConfig(), DATA))


def test_without_segments_scores_and_measures_there_are_none():
    method = Constant(MethodConfig(), DATA)
    assert method.logits(IMAGE, SEEDS) is None
    assert method.segments(IMAGE, SEEDS) is None
    assert method.measure([]) == {}
    assert method.for_images("folder", ["a"]) is method


def test_probabilities_are_the_softmax_of_the_scores():
    method = Scored(MethodConfig(), DATA)
    probabilities = method.probabilities(IMAGE, SEEDS)
    assert probabilities.shape == (2, 3, 4, 6)
    assert torch.allclose(probabilities.sum(1), torch.ones(2, 4, 6))
    assert torch.equal(probabilities.argmax(1), method.logits(IMAGE, SEEDS).argmax(1))


def test_a_codec_that_reads_no_image_is_asked_without_it():
    assert Scored(MethodConfig(), DATA).reconstruct_with(IMAGE, LABEL, SEEDS) is LABEL


def test_a_method_must_predict():
    with pytest.raises(TypeError, match="Method defines neither predict nor logits"):
        Method(MethodConfig(), DATA).predict(IMAGE, SEEDS)


class Sure(MethodConfig):
    """Gives probabilities."""

    @property
    def gives_probabilities(self):
        return True


class Classifier(Method[MethodConfig]):
    """Has scores alone, and counts how often it computes them."""

    def __init__(self, config, data):
        super().__init__(config, data)
        self.head, self.passes = nn.Conv2d(3, data.num_classes, 1), 0

    def logits(self, image, seeds):
        self.passes += 1
        return self.head(image)


def test_labels_are_the_highest_scores_and_their_confidence_costs_no_second_pass():
    method = Classifier(Sure(), DATA)
    label, confidence = method.predict_with_confidence(IMAGE, SEEDS)
    assert method.passes == 1
    assert torch.equal(label, method.predict(IMAGE, SEEDS))
    assert torch.equal(confidence, method.probabilities(IMAGE, SEEDS).amax(1))


def test_there_is_no_confidence_in_predictions_of_another_kind():
    """Nor where the configuration has no probabilities: scores may be votes."""
    voted = Classifier(MethodConfig(), DATA).predict_with_confidence(IMAGE, SEEDS)
    assert voted.confidence is None
    own = Scored(Sure(), DATA).predict_with_confidence(IMAGE, SEEDS)
    assert own.confidence is None
    assert not own.label.any()
