"""The rules that keep the parts apart, read off the sources."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted([*ROOT.glob("bench/**/*.py"), *ROOT.glob("methods/**/*.py")])
MOST_LINES = 400
REPEATED_CLASSES = {"Config"}
"""The registry finds the settings of a method by this name."""


def name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield str(node.module)


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_imports_keep_to_the_layers(path):
    module, imported = name(path), list(imports(path))
    ours = [other for other in imported if other.split(".")[0] in ("bench", "methods")]
    if module in ("bench.core.schema", "bench.core.seeding"):
        assert not ours
    if module.startswith("bench."):
        reached = [other for other in ours if other.startswith("methods")]
        assert reached == (["methods"] if module == "bench.core.registry" else [])
    if module.startswith("methods."):
        own = ".".join(module.split(".")[:2])
        allowed = ("bench", "methods._nn", own)
        assert [other for other in ours if not other.startswith(allowed)] == []
    if "accelerate" in {other.split(".")[0] for other in imported}:
        assert module in ("bench.engine.train", "bench.engine.evaluate", "bench.engine.weights")
    if module.startswith("bench.report"):
        assert "torch" not in {other.split(".")[0] for other in imported}


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_file_is_too_long(path):
    assert len(path.read_text().splitlines()) <= MOST_LINES


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


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_device_is_named(path):
    strings = {
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not strings & {"cuda:0", "cuda:1", "mps"}
    assert ".cuda(" not in path.read_text()


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

    assert set(bench.__all__) == set(bench._HOME)
    assert all(hasattr(bench, exported) for exported in bench.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = bench.nothing
