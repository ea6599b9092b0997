"""The cost of a model by itself: what can be known beforehand is exact."""

from contextlib import nullcontext

import pytest
import torch

from bench.core.config import MethodConfig
from bench.core.method import Method
from bench.core.registry import load_config
from bench.core.schema import DataSpec
from bench.engine.evaluation import model_cost
from bench.engine.evaluation.model_cost import (
    LEAST,
    WARM_UP,
    MeasuredCosts,
    count_parameters,
    measure_cost,
)
from tests.helpers.drawn import split

SIZE = (24, 32)
CPU = torch.device("cpu")
DATA = DataSpec(classes=("a", "b"), palette=((0, 0, 0), (9, 9, 9)), size=SIZE)


class OneConvolution(Method[MethodConfig]):
    """Predicts with one convolution, and keeps how often it was asked."""

    def __init__(self):
        super().__init__(MethodConfig(), DATA)
        self.network = torch.nn.Conv2d(3, 2, 3, padding=1)
        self.asked = []

    def predict(self, image, seeds):
        self.asked.append(len(image))
        return self.network(image).argmax(1)


def test_parameters_and_operations_are_those_of_the_network():
    method = OneConvolution()
    cost = measure_cost(method, SIZE, CPU, batch_size=2, repeats=4)
    assert cost.parameters == 2 * 3 * 9 + 2
    assert cost.flops == 2 * (3 * 9) * 2 * SIZE[0] * SIZE[1]
    # The first counts operations; of batches the first is no repeat.
    assert method.asked == [1] * (1 + WARM_UP + 4) + [2] * 5
    low, high = cost.latency_spread
    assert 0 < low <= cost.latency <= high
    assert cost.throughput > 0
    assert (cost.size, cost.batch_size, cost.repeats) == (SIZE, 2, 4)
    assert cost.peak_memory is None


def test_a_slow_model_is_repeated_less(monkeypatch):
    monkeypatch.setattr(model_cost, "BUDGET_SECONDS", 0.0)
    cost = measure_cost(OneConvolution(), SIZE, CPU)
    assert cost.repeats == LEAST


class Stored(MethodConfig):
    """Looks predictions up."""

    reads_predictions = True


def test_predictions_that_are_looked_up_have_no_cost():
    method = OneConvolution()
    method.config = Stored()
    with pytest.raises(ValueError, match="looks predictions up"):
        measure_cost(method, SIZE, CPU)
    assert MeasuredCosts(CPU, nullcontext, print).of(method, (), split(), 2) is None


def test_a_training_is_measured_once_and_a_failure_is_said():
    method, said = OneConvolution(), []
    costs = MeasuredCosts(CPU, nullcontext, said.append)
    first = costs.of(method, ("a",), split(), 2)
    asked = len(method.asked)
    assert costs.of(method, ("a",), split(), 2) is first
    assert len(method.asked) == asked
    assert costs.of(method, ("b",), split(), 2) is not first
    assert first.size == split().load(0).label.shape
    method.network = None
    assert costs.of(method, ("c",), split(), 2) is None
    (line,) = said
    assert line.startswith("cost of OneConvolution not measured: TypeError: 'NoneType' object")


def test_parameters_of_a_preset_are_those_of_the_method_built():
    from bench.core.registry import load_method

    config = load_config("gss")[1]["tiny"]
    built = load_method("gss")(config, DATA.model_copy(update={"size": (64, 64)}))
    assert count_parameters("gss", "tiny", 2) == sum(p.numel() for p in built.parameters())
