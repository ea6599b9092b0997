"""The cost of a model by itself: what can be known beforehand is exact."""

import pytest
import torch

from bench.core.config import MethodConfig
from bench.core.method import Method
from bench.core.registry import load_config
from bench.core.schema import DataSpec
from bench.engine.evaluation.model_cost import WARM_UP, count_parameters, measure_cost

SIZE = (24, 32)
DATA = DataSpec(classes=("a", "b"), palette=((0, 0, 0), (9, 9, 9)), size=SIZE)


class OneConvolution(Method[MethodConfig]):
    """Predicts with one convolution, and keeps how often it was asked."""

    def __init__(self):
        super().__init__(MethodConfig(), DATA)
        self.network = torch.nn.Conv2d(3, 2, 3, padding=1)
        self.asked = 0

    def predict(self, image, seeds):
        self.asked += 1
        return self.network(image).argmax(1)


def test_parameters_and_operations_are_those_of_the_network():
    method = OneConvolution()
    cost = measure_cost(method, SIZE, torch.device("cpu"), batch_size=2, repeats=4)
    assert cost.parameters == 2 * 3 * 9 + 2
    assert cost.flops == 2 * (3 * 9) * 2 * SIZE[0] * SIZE[1]
    assert method.asked == 1 + WARM_UP + 4
    low, high = cost.latency_spread
    assert 0 < low <= cost.latency <= high
    assert cost.throughput == pytest.approx(2 / cost.latency)
    assert (cost.size, cost.batch_size, cost.repeats) == (SIZE, 2, 4)
    assert cost.peak_memory is None


def test_predictions_that_are_looked_up_have_no_cost():
    class Stored(MethodConfig):
        reads_predictions = True

    method = OneConvolution()
    method.config = Stored()
    with pytest.raises(ValueError, match="looks predictions up"):
        measure_cost(method, SIZE, torch.device("cpu"))


def test_parameters_of_a_preset_are_those_of_the_method_built():
    from bench.core.registry import load_method

    config = load_config("gss")[1]["tiny"]
    built = load_method("gss")(config, DATA.model_copy(update={"size": (64, 64)}))
    assert count_parameters("gss", "tiny", 2) == sum(p.numel() for p in built.parameters())
