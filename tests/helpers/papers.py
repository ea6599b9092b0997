"""Files of reported numbers, and methods whose published size has no settings."""

from typing import Any

import pytest

from bench.claims import comparable
from bench.core.config import MethodConfig
from bench.core.registry import resolve_config

HEADER = (
    "table,method,backbone,training,dataset,split,metric,setting,relation,value,plus_minus,unit,"
    "origin,source\n"
)
"""First line of such a file."""


def publish_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every method have a size ``published``, without any setting, for claims to ask for."""

    def resolve(method: str, preset: str, config: Any) -> MethodConfig:
        return MethodConfig() if preset == "published" else resolve_config(method, preset, config)

    monkeypatch.setattr(comparable, "resolve_config", resolve)
