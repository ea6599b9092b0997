"""One process agrees with itself, and devices compute the same again."""

import pytest
import torch
from accelerate import Accelerator

from bench.core.errors import StageError
from bench.engine import accelerator as module
from bench.engine.accelerator import agree, agree_on_failure, make_accelerator


@pytest.fixture
def alone():
    return make_accelerator()


def test_operations_are_deterministic_and_in_full_precision(alone):
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.backends.cudnn.benchmark
    assert not torch.backends.cuda.matmul.allow_tf32
    assert not torch.backends.cudnn.allow_tf32
    assert alone.mixed_precision == "no"
    assert alone.num_processes == 1


def test_one_process_agrees_with_itself(alone):
    assert agree(alone, True) is True
    assert agree(alone, False) is False
    assert agree_on_failure(alone, None) is None
    error = ValueError("own")
    with pytest.raises(ValueError, match="own") as raised:
        agree_on_failure(alone, error)
    assert raised.value is error


class Two(Accelerator):
    """Stands for one of two processes."""

    num_processes = 2

    def __init__(self):
        pass


def test_a_process_learns_that_another_failed(monkeypatch):
    monkeypatch.setattr(module, "gather_object", lambda own: [*own, "OSError: disk"])
    with pytest.raises(StageError, match=r"^process 1: OSError: disk$"):
        agree_on_failure(Two(), None)
    with pytest.raises(ValueError, match="own"):
        agree_on_failure(Two(), ValueError("own"))
    monkeypatch.setattr(module, "gather_object", lambda own: [*own, ""])
    assert agree_on_failure(Two(), None) is None


def test_the_first_process_decides(monkeypatch):
    def from_the_first(shared):
        shared[0] = False

    monkeypatch.setattr(module, "broadcast_object_list", from_the_first)
    assert agree(Two(), True) is False


def test_losses_go_to_a_tracker_that_is_asked_for(tmp_path):
    pytest.importorskip("tensorboard")
    tracked = make_accelerator("fp32", "tensorboard", tmp_path, "a suite")
    tracked.log({"prior/key/cross_entropy": 0.5}, step=3)
    tracked.end_training()
    events = [path for path in tmp_path.rglob("*tfevents*") if path.stat().st_size]
    assert events
    assert b"prior/key/cross_entropy" in b"".join(path.read_bytes() for path in events)


def test_a_tracker_without_its_package_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "get_available_trackers", list)
    with pytest.raises(StageError, match="tracker trackio needs its package: pip install trackio"):
        make_accelerator("fp32", "trackio", tmp_path, "a suite")
