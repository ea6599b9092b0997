"""Which modules a stage trains, and that their weights come back as they were saved."""

import pytest
import torch
from torch import nn

from bench.core.config import MethodConfig
from bench.core.errors import Diverged, StageError
from bench.core.method import Method
from bench.core.schema import DataSpec
from bench.core.stage import Stage
from bench.engine.training.stages import (
    check_finite,
    load_stage,
    save_weights,
    trainable_modules,
)
from bench.store.cells import CellStore

DATA = DataSpec(classes=("a",), palette=((0, 0, 0),), size=(4, 4))
STAGE = Stage(name="codec", modules=("codec.encoder", "norm"), steps=1)


class Parts(Method[MethodConfig]):
    """A method of three modules."""

    def __init__(self, value):
        super().__init__(MethodConfig(), DATA)
        self.codec = nn.ModuleDict({"encoder": nn.Linear(2, 3), "decoder": nn.Linear(3, 2)})
        self.norm = nn.BatchNorm1d(3)
        self.prior = nn.Linear(2, 2)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.fill_(value)
        self.norm.running_mean.fill_(value)

    def predict(self, image, seeds):
        raise NotImplementedError


@pytest.fixture
def folder(tmp_path):
    return CellStore(tmp_path).stage("s")


def save(method, folder):
    digest, size = save_weights(trainable_modules(method, STAGE), folder)
    folder.finish({"weights": digest})
    return digest, size


def test_only_the_modules_of_a_stage_learn():
    method = Parts(1.0).train()
    modules = trainable_modules(method, STAGE)
    learning = {name for name, p in method.named_parameters() if p.requires_grad}
    assert learning == {*("codec.encoder.weight", "codec.encoder.bias", "norm.weight", "norm.bias")}
    training = {name for name, module in method.named_modules() if module.training}
    assert training == {"codec.encoder", "norm"}
    assert sorted(modules) == ["codec/encoder", "norm"]


def test_a_module_that_is_not_there_is_named():
    stage = STAGE.model_copy(update={"modules": ("codec.prior",)})
    with pytest.raises(StageError, match=r"trains 'codec\.prior'; Parts has \['codec', 'norm'"):
        trainable_modules(Parts(1.0), stage)


def test_weights_come_back_and_no_others(folder):
    digest, size = save(Parts(2.0), folder)
    assert folder.weights.stat().st_size == size
    method = Parts(1.0)
    assert load_stage(method, STAGE, folder) == digest == folder.digest()
    values = {name: value.unique().tolist() for name, value in method.state_dict().items()}
    assert values["codec.encoder.weight"] == values["norm.weight"] == [2.0]
    assert values["norm.running_mean"] == [2.0]  # buffers too
    assert values["codec.decoder.weight"] == values["prior.bias"] == [1.0]
    assert not any(p.requires_grad for p in method.parameters())
    assert not any(module.training for module in method.modules())


def test_the_same_weights_are_the_same_bytes(folder, tmp_path):
    again = CellStore(tmp_path).stage("again")
    assert save(Parts(2.0), folder) == save(Parts(2.0), again)
    assert save(Parts(3.0), again)[0] != folder.digest()


def test_weights_that_the_summary_does_not_record_are_refused(folder):
    save(Parts(2.0), folder)
    content = bytearray(folder.weights.read_bytes())
    content[-1] ^= 1
    folder.weights.write_bytes(content)
    method = Parts(1.0)
    with pytest.raises(StageError, match="not the weights that stage.json beside it records"):
        load_stage(method, STAGE, folder)
    assert method.norm.weight.unique().tolist() == [1.0]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_named(value):
    method = Parts(1.0)
    modules = trainable_modules(method, STAGE)
    check_finite(STAGE, modules)
    with torch.no_grad():
        method.codec["encoder"].bias[1] = value
    with pytest.raises(Diverged, match=r"stage 'codec': codec\.encoder\.bias is not finite"):
        check_finite(STAGE, modules)
