"""The file name is the registry; what a method file lacks is named."""

import sys
from types import ModuleType

import pytest
from pydantic import ValidationError

import methods
from bench.core.errors import DatasetError, UnknownMethod
from bench.core.registry import (
    TINY,
    config_is_light,
    default_preset,
    load_config,
    load_converter,
    load_method,
    merge,
    method_modules,
    plugins,
    resolve_config,
    suggest,
    the_subclass,
)

METHOD = """
from typing import ClassVar
from bench import Method, MethodConfig

class Config(MethodConfig):
    tasks: ClassVar = {tasks}
    width: int = 4
    nested: dict = {{"a": 1, "b": 2}}

PRESETS = {{"tiny": Config(), "wide": Config(width=9)}}

class Mine(Method):
    def predict(self, image, seeds):
        return image[:, 0].long()
"""
RECONSTRUCT = """
    def reconstruct(self, label, seeds):
        return label
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that drops a file into ``methods``."""
    folder = tmp_path / "methods"
    folder.mkdir()
    monkeypatch.setattr(methods, "__path__", [*methods.__path__, str(folder)])

    def _write(text, name="dropped"):
        (folder / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, f"methods.{name}", raising=False)
        plugins.cache_clear()

    yield _write
    plugins.cache_clear()


def test_plugins_are_files_that_do_not_begin_with_an_underscore(tmp_path, monkeypatch):
    package = tmp_path / "registry_of_files"
    (package / "folder").mkdir(parents=True)
    for name in ("__init__", "_hidden", "b", "a", "folder/__init__"):
        (package / f"{name}.py").write_text("raise RuntimeError\n" if name in "ab" else "")
    monkeypatch.syspath_prepend(tmp_path)
    found = plugins("registry_of_files")
    assert dict(found) == {name: f"registry_of_files.{name}" for name in ("a", "b", "folder")}
    assert list(found) == ["a", "b", "folder"]
    assert "registry_of_files.a" not in sys.modules


def test_a_dropped_file_is_a_method(write):
    write(METHOD.format(tasks='("predict",)'))
    assert method_modules()["dropped"] == "methods.dropped"
    assert load_method("dropped").__name__ == "Mine"
    assert not config_is_light("dropped")
    assert default_preset("dropped") == TINY


def test_presets_are_overridden_key_by_key_and_checked(write):
    write(METHOD.format(tasks='("predict",)'))
    config = resolve_config("dropped", "wide", {"nested": {"b": 3}})
    assert (config.width, config.nested) == (9, {"a": 1, "b": 3})
    with pytest.raises(ValidationError, match="height"):
        resolve_config("dropped", "wide", {"height": 1})
    with pytest.raises(ValidationError, match="width"):
        resolve_config("dropped", "wide", {"width": "broad"})
    with pytest.raises(UnknownMethod, match=r"no preset 'wid'; .*did you mean 'wide'\?"):
        resolve_config("dropped", "wid", {})


@pytest.mark.parametrize(
    ("tasks", "more", "message"),
    [
        ('("predict", "reconstruct")', "", "Mine lacks 'reconstruct' but"),
        ('("predict",)', RECONSTRUCT, "Mine defines 'reconstruct' but"),
    ],
)
def test_tasks_that_are_not_those_of_the_class_are_refused(write, tasks, more, message):
    write(METHOD.format(tasks=tasks) + more)
    with pytest.raises(UnknownMethod, match=message):
        load_method("dropped")


def test_tasks_that_are_those_of_the_class_are_not(write):
    write(METHOD.format(tasks='("predict", "reconstruct")') + RECONSTRUCT)
    assert load_method("dropped").__name__ == "Mine"


@pytest.mark.parametrize("lacking", ["PRESETS", "Config"])
def test_a_file_that_lacks_something_is_named(write, lacking):
    write(METHOD.format(tasks='("predict",)') + f"\ndel {lacking}\n")
    with pytest.raises(UnknownMethod, match=rf"dropped\.py: defines no {lacking}"):
        load_config("dropped")


def test_unknown_methods_are_refused_with_the_nearest_name():
    with pytest.raises(UnknownMethod, match=r"no method 'cam_sec'; .*did you mean 'cam_seg'\?"):
        load_config("cam_sec")
    with pytest.raises(UnknownMethod, match=r"position_prior has no convert\.py.* gss"):
        load_converter("position_prior")


def test_one_subclass_and_only_of_the_module_itself():
    module = ModuleType("made_up")
    module.__file__ = "made_up.py"
    own = type("Own", (dict,), {"__module__": "made_up"})
    module.imported = type("Imported", (dict,), {"__module__": "elsewhere"})
    with pytest.raises(DatasetError, match=r"made_up\.py: one dict subclass expected, found \[\]"):
        the_subclass(module, dict, DatasetError)
    module.own = own
    assert the_subclass(module, dict, DatasetError) is own
    module.other = type("Other", (dict,), {"__module__": "made_up"})
    with pytest.raises(DatasetError, match=r"found \['Own', 'Other'\]"):
        the_subclass(module, dict, DatasetError)


def test_merging_replaces_by_key_and_leaves_its_arguments_alone():
    base = {"a": {"x": 1, "y": {"z": 2}}, "b": [1, 2]}
    merged = merge(base, {"a": {"y": {"w": 3}}, "b": [3], "c": {"d": 4}})
    assert merged == {"a": {"x": 1, "y": {"z": 2, "w": 3}}, "b": [3], "c": {"d": 4}}
    assert base == {"a": {"x": 1, "y": {"z": 2}}, "b": [1, 2]}
    assert merge({"a": {"x": 1}}, {"a": None}) == {"a": None}


def test_suggestions_are_short_where_names_are_many():
    many = [f"name{index:02d}" for index in range(40)]
    assert suggest("name07x", many) == "did you mean 'name07'?"
    assert suggest("zzz", many[:2]) == "known are name00, name01"
    assert suggest("x", []) == "there are none"
