"""The signature of a number, and the command that computes its cell again."""

from pathlib import Path

from bench.core.schema import Condition
from bench.report.signature import signature, verify_command
from tests.helpers.stores import Store, make_cell


def test_a_signature_names_what_two_numbers_must_share(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first, second = (store.add(make_cell("A", seed=seed), 0.8) for seed in (0, 1))
    text = signature((first, second), "mIoU")
    assert text.startswith("mIoU|data:scenes/city.val|images:12|size:12x24|at:native|cond:clean|")
    assert "|seeds:0,1|" in text
    assert signature((second, first), "mIoU") == text  # in any order
    assert signature((first,), "mIoU") != text
    fog = store.add(make_cell("A", Condition(corruption="fog", severity=3)), 0.5)
    assert "|cond:fog-3|" in signature((fog,), "mIoU")
    assert "|cond:2-conditions|" in signature((first, fog), "mIoU")


def test_the_command_is_the_runs_with_another_verb(tmp_path: Path) -> None:
    manifest = Store(tmp_path).folder.manifest()
    assert verify_command(manifest, "ab12") == (
        "python -m bench verify suites/robustness.yaml --cell ab12"
    )
    command = "python -m bench run suites/camvid.yaml --data-root 'my data' --jobs 2 --seed 1"
    changed = manifest.model_copy(update={"command": command})
    assert verify_command(changed, "ab12") == (
        "python -m bench verify suites/camvid.yaml --data-root 'my data' --seed 1 --cell ab12"
    )
