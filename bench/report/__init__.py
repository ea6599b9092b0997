"""Records to tables, plots and one HTML page. Knows no method and imports no torch."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bench.claims.reported import PAPERS
from bench.store.folders import SuiteFolder

PAGE = "index.html"


def write(
    folder: SuiteFolder, destination: Path, *, example: bool = False, allow_mixed: bool = False
) -> Path:
    """Write the report of a suite's latest run, unless it is there already.

    Args:
        folder: the records; missing cells are left out, failed ones are listed.
        destination: gets ``index.html``, ``tables/``, ``plots/`` and ``exports/``; those of an
            earlier report there are removed.
        example: stamp the page as one that only shows what a report looks like.
        allow_mixed: mark rows that differ in protocol from those before, in place of refusing.

    Returns:
        The page.

    Raises:
        StoreError: if the folder holds no run, or cells that cannot stand side by side.
    """
    folder.manifest()
    page, digest = destination / PAGE, _digest(folder, example, allow_mixed)
    if not page.exists() or digest not in page.read_text():
        from bench.report.assemble import assemble  # plotting libraries are slow to import

        assemble(folder, destination, digest=digest, example=example, allow_mixed=allow_mixed)
    return page


def _digest(folder: SuiteFolder, *settings: bool) -> str:
    """Hash all that a report is made from: results, papers, training logs, and the code."""
    bench = Path(__file__).parents[1]
    sources = [
        *(bench / "score").glob("*.py"),
        *sorted((bench / "claims").glob("*.py")),
        *sorted((bench / "corruptions").rglob("*.py")),
        *sorted(Path(__file__).parent.glob("*.*")),
        *sorted(PAPERS.glob("*.*")),
    ]
    digest = hashlib.sha256(repr(settings).encode())
    for folder_path in folder.paths:
        sources += sorted(p for p in folder_path.rglob("*.*") if not p.name.startswith("."))
    for record in folder.records():
        digest.update(record.model_dump_json().encode())
    for path in sources:
        digest.update(f"{path.name} {path.stat().st_size}\n".encode() + path.read_bytes())
    return digest.hexdigest()
