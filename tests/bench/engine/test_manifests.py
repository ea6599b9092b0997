"""The manifest has every cell of a plan with its state."""

import pytest

from bench.core.config import Role
from bench.engine.failure import Failure
from bench.engine.manifests import _counted_family, make_manifest, write_manifest
from bench.engine.plan import Settings, make_plan
from bench.engine.records import failed_record
from bench.suite.reading import read_suite
from tests.helpers.stores import PROVENANCE

TEXT = """\
name: trial
question: Which cells are there?
methods:
  - {adapter: position_prior, label: Floor}
  - {adapter: cam_seg, label: Ours, preset: tiny}
train_on: [{dataset: scenes, options: {images: 2}}]
test_on: [{dataset: scenes, options: {images: 2}}]
conditions: [{corruption: fog, severities: [2]}]
protocol: {resize: [48, 96], metrics: [mAcc, mIoU]}
"""


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "trial.yaml"
    path.write_text(TEXT)
    return make_plan(read_suite(path), Settings(tmp_path / "out", command="bench run trial"))


def test_the_cells_of_a_plan_in_order_with_their_states(plan):
    failed = failed_record(plan.cells[1], Failure("why", ""), PROVENANCE)
    plan.store.write(failed, None, None)
    manifest = make_manifest(plan)
    assert [entry.key for entry in manifest.cells] == [planned.key for planned in plan.cells]
    assert [entry.state for entry in manifest.cells] == ["missing", "failed", "missing", "missing"]
    assert [entry.label for entry in manifest.cells] == ["Floor", "Floor", "Ours", "Ours"]
    assert (manifest.suite, manifest.metrics, manifest.primary) == (
        "trial",
        ("mAcc", "mIoU"),
        "mAcc",
    )
    assert (manifest.source, manifest.command) == (plan.source, "bench run trial")
    assert manifest.families == {"Floor": "", "Ours": "generative"}


def test_each_publication_is_cited_once(plan):
    entries = [line for line in make_manifest(plan).references.splitlines() if line[:1] == "@"]
    assert entries
    assert len(set(entries)) == len(entries)


def test_a_manifest_is_written_anew_only_if_it_changed(plan):
    path = plan.folder.path / "suite.json"
    write_manifest(plan)
    first = path.stat().st_ino, path.stat().st_mtime_ns
    write_manifest(plan)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == first
    plan.store.write(failed_record(plan.cells[0], Failure("why", ""), PROVENANCE), None, None)
    write_manifest(plan)
    assert plan.folder.manifest().cells[0].state == "failed"


def test_controls_count_in_no_family():
    assert _counted_family(Role(("predict",), "generative")) == "generative"
    assert _counted_family(Role(("predict",), "generative", control=True)) == ""
