"""Methods that come and go while tests run."""

from bench.core import registry, source


def forget_methods() -> None:
    """Have plug-ins be looked for, and their sources be read, anew."""
    for remembered in (registry.plugins, source.method_digest, source._module_digest, source._path):
        remembered.cache_clear()
