"""The files that the harness ships beside its code: suites, reported numbers, reference results.

They are top-level folders of a checkout; a wheel has copies of them within the package.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def _shipped(name: str, in_checkout: str) -> Path:
    packaged = _PACKAGE / "_resources" / name
    return packaged if packaged.is_dir() else _PACKAGE.parent / in_checkout


SUITES = _shipped("suites", "suites")
"""Suite files; those that repeat a publication under ``papers``."""
PAPERS = _shipped("papers", "results/papers")
"""Reported numbers (``*.csv``) and claims (``claims.yaml``)."""
REFERENCE = _shipped("reference", "results/reference")
"""Results measured by this project, which costs are estimated from."""
