"""Datasets, one file each: the file name is the registry.

``bench/datasets/<name>.py`` defines one subclass of :class:`bench.dataset.Dataset`; an
installed package can offer one under the entry-point group ``bench.datasets``. Only the
file that is asked for is imported.
"""

from __future__ import annotations

import importlib
import pkgutil
from importlib.metadata import entry_points

from bench.dataset import Dataset, DatasetError
from bench.discover import suggest

GROUP = "bench.datasets"


def names() -> tuple[str, ...]:
    """Return the names of all datasets, sorted, without importing any of them."""
    return tuple(_modules())


def load_dataset_class(name: str) -> type[Dataset]:
    """Import one dataset's module and return the one dataset class that it defines.

    Raises:
        DatasetError: if there is no such dataset, or its module does not define exactly one.
    """
    modules = _modules()
    if name not in modules:
        raise DatasetError(f"no dataset {name!r}; {suggest(name, modules)}")
    module = importlib.import_module(modules[name])
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Dataset)
        and value.__module__ == module.__name__
    ]
    if len(classes) != 1:
        found = [c.__name__ for c in classes]
        raise DatasetError(f"{module.__file__}: one Dataset subclass expected, found {found}")
    return classes[0]


def _modules() -> dict[str, str]:
    """Return the module of every dataset by name; a file here comes before an entry point."""
    found = {entry.name: entry.value for entry in entry_points(group=GROUP)}
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            found[module.name] = f"{__name__}.{module.name}"
    return dict(sorted(found.items()))
