"""What fails in the middle of a run is one line in a record; all else goes on."""

import shutil
import sys

import pytest

from bench.store.folders import SuiteFolder
from bench.store.maintenance import check
from tests.helpers.command import run
from tests.helpers.plug_ins import forget_methods

pytestmark = pytest.mark.usefixtures("without_report")
SHORT_OF_MEMORY = """
    def predict(self, image, seeds):
        if len(image) > ROOM:
            raise MemoryError
"""


@pytest.fixture
def edit(my_method):
    """Replace a piece of the method's source by another."""

    def _edit(before, after):
        text = my_method.read_text()
        assert text.count(before) == 1
        my_method.write_text(text.replace(before, after))
        sys.modules.pop("methods.my_method", None)
        forget_methods()

    return _edit


def records(world):
    folder = SuiteFolder(world.output / "small")
    return {(r.cell.label, str(r.cell.condition)): r for r in folder.records()}


def states(world):
    return {name: record.status for name, record in records(world).items()}


def test_evaluation_halves_its_batch_where_memory_is_short(world, edit, capsys):
    edit("\n    def predict(self, image, seeds):\n", SHORT_OF_MEMORY.replace("ROOM", "2"))
    assert run(world, "--set", "protocol.micro_batch=8") == 0
    printed = capsys.readouterr().out
    assert "out of memory with 8 images at a time; trying 4" in printed
    assert "out of memory with 4 images at a time; trying 2" in printed
    used = {name[0]: record.micro_batch for name, record in records(world).items()}
    assert used == {"Floor": 8, "Mine": 2}


def test_no_memory_at_all_is_one_line_and_the_floor_goes_on(world, edit, capsys):
    edit("\n    def predict(self, image, seeds):\n", SHORT_OF_MEMORY.replace("ROOM", "0"))
    assert run(world) == 1
    assert "Traceback" not in capsys.readouterr().out
    failed = [record for record in records(world).values() if record.status == "failed"]
    assert {record.cell.label for record in failed} == {"Mine"}
    assert {record.error for record in failed} == {"out of memory: no message"}
    assert all("MemoryError" in record.traceback for record in failed)
    assert run(world, "--debug") == 1
    assert "Traceback" in capsys.readouterr().out


def test_a_data_root_that_vanishes_is_one_line_a_cell(world, edit, monkeypatch, capsys):
    monkeypatch.setattr("bench.data.split.CACHE_BYTES", -1)  # every image is read again
    gone = world.root / "elsewhere"
    move = f"        shutil.move({str(world.root / 'camvid')!r}, {str(gone)!r})\n"
    edit(
        "        scores = self.network(batch.image)",
        f"        import shutil\n{move}        scores = self.network(batch.image)",
    )
    assert run(world) == 1
    assert "Traceback" not in capsys.readouterr().out
    assert {name: s for name, s in states(world).items() if name[0] == "Floor"} == {
        ("Floor", "clean"): "ok",
        ("Floor", "gaussian_noise 1"): "ok",
        ("Floor", "gaussian_noise 5"): "ok",
    }
    failed = [record for record in records(world).values() if record.status == "failed"]
    assert len(failed) == 3
    assert all("no such file" in record.error for record in failed)
    assert list(check(world.output)) == []
    shutil.move(gone, world.root / "camvid")
    edit(move, "")
    assert run(world) == 0


def test_weights_that_are_not_finite_after_the_last_step_are_refused(world, edit):
    edit(
        '        return {"cross_entropy": loss}',
        "        if batch.step == self.config.steps - 1:\n"
        "            scores.register_hook(lambda gradient: gradient * float('nan'))\n"
        '        return {"cross_entropy": loss}',
    )
    assert run(world) == 1
    failed = [record for record in records(world).values() if record.status == "failed"]
    assert {record.cell.label for record in failed} == {"Mine"}
    assert all("is not finite at its end" in record.error for record in failed)


def test_an_error_keeps_its_brackets(world, edit, capsys):
    edit(
        "        return self.network(image).argmax(dim=1)",
        "        raise ValueError('[bold]x[/y]')",
    )
    assert run(world) == 1
    assert "ValueError: [bold]x[/y]" in capsys.readouterr().out
