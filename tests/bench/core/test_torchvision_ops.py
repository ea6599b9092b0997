"""The remedy for a torchvision whose compiled operators do not load."""

import subprocess
import sys

import pytest

from bench.core import torchvision_ops

CODE = """
import torch
from bench.core import torchvision_ops
print(torchvision_ops.ensure_torchvision(), torchvision_ops.ensure_torchvision())
import torchvision
try:
    torchvision.ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
except RuntimeError as error:
    print("refused" if "torchvision" in str(error).lower() else error)
else:
    print("works")
"""


@pytest.mark.slow
def test_torchvision_imports_and_says_clearly_what_it_lacks():
    command = [sys.executable, "-W", "ignore", "-c", CODE]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    mended, works = done.stdout.splitlines()
    assert (mended, works) in {("True False", "refused"), ("False False", "works")}


def test_operators_that_load_are_left_alone(monkeypatch):
    monkeypatch.setattr(torchvision_ops, "_loads", lambda folder: True)
    monkeypatch.setattr(torchvision_ops, "_declared", [])
    monkeypatch.setattr("torch.library.Library", None)
    assert torchvision_ops.ensure_torchvision() is False
