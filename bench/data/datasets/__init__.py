"""Datasets, one file each: the file name is the registry.

``bench/data/datasets/<name>.py`` defines one subclass of :class:`bench.data.dataset.Dataset`; an
installed package can offer one under the entry-point group ``bench.datasets``. Only the
file that is asked for is imported.
"""

from __future__ import annotations

import importlib

from bench.core.errors import DatasetError
from bench.core.registry import plugins, suggest, the_subclass
from bench.data.dataset import Dataset

GROUP = "bench.datasets"


def names() -> tuple[str, ...]:
    """Return the names of all datasets, sorted, without importing any of them."""
    return tuple(plugins(__name__, GROUP))


def load_dataset_class(name: str) -> type[Dataset]:
    """Import one dataset's module and return the one dataset class that it defines.

    Raises:
        DatasetError: if there is no such dataset, or its module does not define exactly one.
    """
    modules = plugins(__name__, GROUP)
    if name not in modules:
        raise DatasetError(f"no dataset {name!r}; {suggest(name, modules)}")
    module = importlib.import_module(modules[name])
    return the_subclass(module, Dataset, DatasetError)  # type: ignore[type-abstract]
