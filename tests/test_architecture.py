"""The rules that keep the parts apart, read off the sources."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted([*ROOT.glob("bench/**/*.py"), *ROOT.glob("methods/**/*.py")])
MOST_LINES = 400
REPEATED_CLASSES = {"Config"}
"""The registry finds the settings of a method by this name."""


LAYERS = (
    "core",
    "corruptions",
    "score",
    "data",
    "store",
    "claims",
    "suite",
    "engine",
    "report",
    "cli",
)
"""Of ``bench``, from the bottom up: a layer imports itself and those before it."""
MOST_ROOMS = 16
KNOWING_ACCELERATE = (
    "bench.engine.accelerator",
    "bench.engine.training.train",
    "bench.engine.evaluation.evaluate",
    "bench.engine.training.weights",
)
PLUGIN_FOLDERS = ("bench/data/datasets", "bench/score/geometry", "methods")
"""Where a file is a dataset, a geometry or a method, found by name; their tests ask for all."""


def name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name(path) for path in SOURCES}


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Modules that a file imports anywhere, for type checkers alone included."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (module if module in MODULES else str(node.module) for module in whole)


def layer(module: str) -> int:
    """The place of a module of ``bench`` in the layers; the package's own files are on top."""
    parts = module.split(".")
    return LAYERS.index(parts[1]) if len(parts) > 1 and parts[1] in LAYERS else len(LAYERS)


def not_allowed(module: str, imported: tuple[str, ...]) -> list[str]:
    """What a module imports against the rules."""
    ours = [other for other in imported if other.split(".")[0] in ("bench", "methods")]
    packages = {other.split(".")[0] for other in imported}
    wrong: list[str] = []
    if module in ("bench.core.schema", "bench.core.seeding"):
        wrong += ours
    if module.startswith("bench."):
        wrong += [other for other in ours if other.startswith("methods")]
        wrong += [o for o in ours if o.startswith("bench") and layer(o) > layer(module)]
    if module.startswith("methods."):
        own = ".".join(module.split(".")[:2])
        allowed = ("bench", "bench.core.seeding")  # which ``from bench import seeding`` names
        wrong += [o for o in ours if o not in allowed and not o.startswith(("methods._nn", own))]
    wrong += {"accelerate"} & packages if module not in KNOWING_ACCELERATE else ()
    wrong += {"torch"} & packages if module.startswith("bench.report") else ()
    return wrong


# Rules over all files are one test each: hundreds of tests would take longer than what they check.


def test_imports_keep_to_the_layers():
    wrong = {name(path): not_allowed(name(path), imports(path)) for path in SOURCES}
    assert {module: imported for module, imported in wrong.items() if imported} == {}


def test_no_import_comes_round():
    graph = {name(path): [o for o in imports(path) if o in MODULES] for path in SOURCES}
    TopologicalSorter(graph).prepare()  # raises CycleError, which shows the circle


def rooms(folder: Path) -> list[str]:
    """The modules and packages that lie directly in a folder."""
    packages = {path.parent for path in folder.glob("*/*.py")}
    return sorted(p.name for p in {*folder.glob("*.py"), *packages} if p.stem != "__init__")


def test_no_folder_has_too_many_rooms():
    folders = {path.parent for path in SOURCES} - {ROOT / folder for folder in PLUGIN_FOLDERS}
    crowded = {name(folder): rooms(folder) for folder in folders}
    assert {k: inside for k, inside in crowded.items() if len(inside) > MOST_ROOMS} == {}


def has_test(path: Path) -> bool:
    """Whether a test file is named for a module or for a package around it, or imports it.

    ``bench/data/scenes/street.py`` is tested by ``tests/bench/data/scenes/test_street.py``, by
    ``tests/bench/data/test_scenes.py``, or by what imports it in one of these folders.
    """
    *packages, last = path.relative_to(ROOT).with_suffix("").parts
    if "/".join(packages) in PLUGIN_FOLDERS or last in ("__init__", "__main__"):
        return True
    mirrored = ROOT.joinpath("tests", *packages)
    names = {f"test_{part}" for part in (*packages[1:], last)}
    for folder in [mirrored, *mirrored.parents][: len(packages)]:
        for test in folder.glob("test_*.py"):
            if test.stem in names or name(path) in imports(test):
                return True
    return False


WITHOUT_A_TEST_FILE = {
    "bench/report/figures/robustness.py",
    "bench/report/figures/training.py",
    "bench/report/page/provenance.py",
    "bench/report/tables/claims.py",
    "bench/report/tables/overview.py",
    "bench/report/tables/panoptic.py",
    "bench/report/tables/zero_shot.py",
}
"""Modules that only tests of other modules reach; the list may only become shorter."""


def test_every_module_has_a_test_file():
    without = {path.relative_to(ROOT).as_posix() for path in SOURCES if not has_test(path)}
    assert without == WITHOUT_A_TEST_FILE


def test_tests_share_code_through_helpers_alone():
    for path in sorted(ROOT.glob("tests/**/*.py")):
        shared = [o for o in imports(path) if o.startswith("tests.")]
        assert all(other.startswith("tests.helpers") for other in shared), path


def test_no_file_is_too_long():
    lines = {name(path): len(path.read_text().splitlines()) for path in SOURCES}
    assert {module: count for module, count in lines.items() if count > MOST_LINES} == {}


def test_no_class_name_stands_for_two_things():
    places: dict[str, list[str]] = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and node.name not in REPEATED_CLASSES:
                # Quantiser and Quantizer are one name, and so are Block and _Block.
                key = node.name.strip("_").lower().replace("iz", "is").replace("color", "colour")
                places.setdefault(key, []).append(f"{name(path)}.{node.name}")
    assert [names for names in places.values() if len(names) > 1] == []


def test_names_in_methods_are_in_british_spelling():
    american = re.compile(r"quantiz|normaliz|color|neighbor|center(?!crop)", re.IGNORECASE)
    names = [
        f"{name(path)}.{node.name}"
        for path in SOURCES
        if name(path).startswith("methods")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.ClassDef, ast.FunctionDef))
    ]
    assert [found for found in names if american.search(found)] == []


def test_no_device_is_named():
    named = re.compile(r"""["'](cuda:\d+|mps)["']|\.cuda\(""")
    assert [name(path) for path in SOURCES if named.search(path.read_text())] == []


def test_help_is_at_hand_without_heavy_imports():
    code = (
        "import sys; from bench.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = ('torch', 'numpy', 'pandas', 'pydantic', 'rich', 'cv2', 'matplotlib')\n"
        "print([m for m in heavy if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert "python -m bench run suites/robustness.yaml" in done.stdout
    assert done.stderr == "[]\n"


def test_public_names_are_there_and_nothing_else():
    import bench
    from bench.core import exports

    assert set(bench.__all__) == {*exports.HOME, "seeding"}
    assert all(hasattr(bench, exported) for exported in bench.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = bench.nothing
