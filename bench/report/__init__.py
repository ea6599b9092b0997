"""Records to tables, plots and one HTML page. Knows no method and imports no torch."""

from __future__ import annotations

from pathlib import Path

from bench.report.digest import digest_of
from bench.report.page import PAGE
from bench.store.folders import SuiteFolder


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
    page, digest = destination / PAGE, digest_of(folder, example, allow_mixed)
    if not page.exists() or digest not in page.read_text():
        from bench.report.assemble import assemble  # plotting libraries are slow to import

        assemble(folder, destination, digest=digest, example=example, allow_mixed=allow_mixed)
    return page
