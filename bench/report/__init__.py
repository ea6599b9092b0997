"""Records to tables, plots and one HTML page. Knows no method and imports no torch."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bench.claims.reported import PAPERS
from bench.store import SuiteFolder

PAGE = "index.html"


def write(folder: SuiteFolder, destination: Path, *, example: bool = False) -> Path:
    """Write the report of a suite's latest run, unless it is there already.

    Args:
        folder: the records; missing cells are left out, failed ones are listed.
        destination: gets ``index.html``, ``tables/`` and ``plots/``; tables and plots of an
            earlier report there are removed.
        example: stamp the page as one that only shows what a report looks like.

    Returns:
        The page.

    Raises:
        StoreError: if the folder holds no run, or cells that cannot stand side by side.
    """
    folder.manifest()
    page, digest = destination / PAGE, _digest(folder, example)
    if not page.exists() or digest not in page.read_text():
        from bench.report.assemble import assemble  # plotting libraries are slow to import

        assemble(folder, destination, digest=digest, example=example)
    return page


def _digest(folder: SuiteFolder, example: bool) -> str:
    """Hash all that a report is made from: results, papers, training logs, and the code."""
    bench = Path(__file__).parents[1]
    sources = [
        *(bench / "metrics.py", bench / "stats.py"),
        *(bench / "corruptions").glob("*.py"),
        *Path(__file__).parent.glob("*.*"),
        *PAPERS.glob("*.csv"),
    ]
    logs = folder.path.parent.glob("stages/*/log.jsonl")
    results = (path for path in folder.path.rglob("*.*") if not path.name.startswith("."))
    digest = hashlib.sha256(repr(example).encode())
    for path in (*sorted(sources), *sorted(logs), *sorted(results)):
        digest.update(f"{path.name} {path.stat().st_size}\n".encode() + path.read_bytes())
    return digest.hexdigest()
