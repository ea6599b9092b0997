"""A change of code that changes results fails a golden test until its version is raised.

Then the cells concerned are to do again, and no others. Each change is planted in a copy of the
source tree.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
SUITE = """\
name: planted
question: What is to do again?
methods:
  - {adapter: position_prior, label: Floor}
  - {adapter: seg_var, label: Seg-VAR}
  - {adapter: uvim, label: UViM}
train_on: [{dataset: scenes, options: {images: 4}}]
test_on: [{dataset: scenes, options: {images: 2}}]
conditions: [{corruption: gaussian_noise, severities: [2]}]
protocol: {resize: [48, 96]}
"""
KEYS = """\
import json, sys
from pathlib import Path
from bench.engine.plan import Settings, make_plan
from bench.suite.reading import read_suite
plan = make_plan(read_suite(Path(sys.argv[1])), Settings(Path("out")))
found = {f"{p.cell.label} {p.cell.condition}": p.key for p in plan.cells}
for training in plan.trainings:
    found |= {f"{training.entry.title} {s.name}": f.key for s, f in training.stages}
print(json.dumps(found))
"""


class Change(NamedTuple):
    """A line of code, what it becomes, and the version that stands for it."""

    file: str
    before: str
    after: str
    subject: str
    """Of the golden numbers."""
    version: tuple[str, str]
    """File and line of the version."""
    concerned: str
    """Pattern of the cells and stages that are to do again; all others are not."""


CHANGES = {
    "another initialisation": Change(
        "methods/seg_var/next_scale.py",
        "nn.init.normal_(self.task.weight, std=0.02)",
        "nn.init.normal_(self.task.weight, std=0.03)",
        "method_seg_var",
        ("methods/seg_var/config.py", "version: ClassVar[int] = "),
        "Seg-VAR .*",
    ),
    "a part that methods share": Change(
        "methods/_nn/autoencoders/tokenizer.py",
        "out: Tensor = x + self.body(x)",
        "out: Tensor = x + 1.5 * self.body(x)",
        "method_seg_var",
        ("methods/seg_var/config.py", "version: ClassVar[int] = "),
        "Seg-VAR .*",
    ),
    "the training loop": Change(
        "bench/engine/training/optimiser.py",
        "stage.lr * (step + 1) / (stage.warmup_steps + 1)",
        "stage.lr * step / (stage.warmup_steps + 1)",
        "training",
        ("bench/engine/keys.py", "TRAINING_VERSION = "),
        ".*",
    ),
    "a corruption": Change(
        "bench/corruptions/noise.py",
        "draws.normal(scale=std, size=value.shape)",
        "draws.normal(scale=1.1 * std, size=value.shape)",
        "corruptions",
        ("bench/corruptions/__init__.py", "VERSION = "),
        ".* gaussian_noise 2",
    ),
}


@pytest.fixture
def tree(tmp_path):
    for name in ("bench", "methods", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "planted.yaml").write_text(SUITE)
    return tmp_path


def python(tree, *arguments):
    """Run Python in a tree; return its exit status and what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=tree, env=environment, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


def keys(tree):
    status, printed = python(tree, "-c", KEYS, "planted.yaml")
    assert status == 0, printed
    return json.loads(printed.splitlines()[-1])


def edit(path, before, after):
    text = path.read_text()
    assert text.count(before) == 1, path
    path.write_text(text.replace(before, after))


def raise_version(tree, file, line):
    pattern = re.compile(rf"^(\s*{re.escape(line)})(\d+)$", flags=re.MULTILINE)
    path = tree / file
    text, count = pattern.subn(lambda m: m[1] + str(int(m[2]) + 1), path.read_text())
    assert count == 1, path
    path.write_text(text)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_results_fails_until_its_version_is_raised(tree, name):
    change, before = CHANGES[name], keys(tree)
    edit(tree / change.file, change.before, change.after)
    status, printed = python(tree, "-m", "tests.golden", "--check", change.subject)
    assert status == 1, printed
    assert "then run this without --check" in printed
    assert keys(tree) == before  # which is why it must fail
    raise_version(tree, *change.version)
    after = keys(tree)
    assert set(after) == set(before)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {name for name in after if re.fullmatch(change.concerned, name)}
    assert changed


def test_a_refactoring_changes_nothing(tree):
    before, loop = keys(tree), tree / "bench/engine/training/optimiser.py"
    edit(
        loop,
        "    done = (step - stage",
        "    # How far the decay has come.\n    gone = (step - stage",
    )
    loop.write_text(loop.read_text().replace("1 - done", "1 - gone").replace("* done", "* gone"))
    status, printed = python(tree, "-m", "tests.golden", "--check", "training")
    assert status == 0, printed
    assert keys(tree) == before
