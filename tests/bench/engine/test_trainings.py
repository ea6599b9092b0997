"""A budget, held-out images and a learning curve in a run."""

import pytest

from bench.cli.main import main
from bench.store.folders import SuiteFolder
from tests.helpers.command import run

FIXED = """\
budget: {flops: 6.0e+9}
held_out: 0.34
curve: [0.5, 1.0]
"""


@pytest.fixture
def budgeted(world, without_report):
    """The small world with a budget, run once."""
    world.suite.write_text(world.suite.read_text() + FIXED)
    assert run(world) == 0
    return world


def test_stages_say_what_they_took_and_curves_stand_apart(budgeted):
    folder = SuiteFolder(budgeted.output / "small")
    manifest, records = folder.manifest(), list(folder.records())
    assert manifest.budget == 6e9
    points = {r.cell.curve: r for r in records if r.cell.curve is not None}
    assert set(points) == {0.5, 1.0}
    assert {entry.curve for entry in manifest.cells} == {None, 0.5, 1.0}
    for share, record in points.items():
        assert record.status == "ok"
        assert record.cell.label == "Mine"
        assert record.image_ids == ("0016E5_00390",)
        (summary,) = (folder.stage(key).summary() for key in record.stages)
        assert summary["flops"] == pytest.approx(share * 6e9, rel=0.15)
        assert summary["samples"] == summary["stage"]["steps"] * summary["stage"]["batch_size"]
        assert summary["seconds"] > 0
    others = {record.image_ids for record in records if record.cell.curve is None}
    assert others == {("0016E5_07959", "0016E5_07961")}


def test_a_second_run_computes_nothing_and_counts_nothing(budgeted, capsys, monkeypatch):
    monkeypatch.setattr(
        "bench.engine.training.step_flops._count", lambda *_: pytest.fail("counted again")
    )
    assert run(budgeted) == 0
    assert "0 cells computed now" in capsys.readouterr().out


def test_plan_shows_budget_and_steps(budgeted, capsys):
    assert (
        main(
            [
                *("plan", str(budgeted.suite), "--data-root", str(budgeted.root)),
                *("--output", str(budgeted.output)),
            ]
        )
        == 0
    )
    out = " ".join(capsys.readouterr().out.split())
    assert "fixed by the suite's budget" in out
    assert "Mine (50% of the budget)" in out
