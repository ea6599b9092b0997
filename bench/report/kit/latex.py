"""A table as LaTeX with booktabs, no wider than one column or the whole text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from bench.report.tables.table import Entry, Table

Width = Literal["column", "text"]
_WRAPPED_LETTERS = 30
"""Text longer than this is wrapped, as the page wraps it."""
_WRAPPED_SHARE = 0.75
"""Of a line's width, for all wrapped columns together."""
_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "±": r"$\pm$",
    "↑": r"$\uparrow$", "↓": r"$\downarrow$", "−": "$-$", "–": "--", "—": "---",
    "×": r"$\times$", "≤": r"$\leq$", "≥": r"$\geq$", "²": "$^2$", "→": r"$\rightarrow$",
}  # fmt: skip


def latex(table: Table, suite: str, width: Width = "text", notes: Sequence[str] = ()) -> str:
    """Write a table that is set smaller where it would be wider than its place.

    Bold is the best of a row or column, where it is ahead of all others. Columns of long text
    are wrapped.

    Args:
        table: what to write.
        suite: of the results; with it labels are unique in a paper that has several suites.
        width: of one column, or of the text of a two-column article.
        notes: comments above the table, such as signatures.
    """
    columns = list(zip(table.units(), zip(*table.rows, strict=True), strict=False))
    wrapped = [_is_long(entries) for _, entries in columns] or [False] * len(table.columns)
    share = _WRAPPED_SHARE / max(1, sum(wrapped))
    paragraph = rf">{{\raggedright\arraybackslash}}p{{{share:.2f}\linewidth}}"
    align = "".join(
        paragraph if is_long else "l" if unit == "text" else "r"
        for unit, is_long in zip(table.units(), wrapped, strict=True)
    )
    kind = "table" if width == "column" else "table*"
    head = " & ".join(
        escape(name) if unit == "text" else rf"\multicolumn{{1}}{{r}}{{{escape(name)}}}"
        for name, unit in zip(table.columns, table.units(), strict=True)
    )
    return "\n".join([
        "% needs \\usepackage{array,booktabs,graphicx}",
        *(f"% {note}" for note in notes),
        rf"\begin{{{kind}}}",
        r"\centering",
        rf"\caption{{\textbf{{{escape(table.title)}.}} {escape(table.caption)}}}",
        rf"\label{{tab:{label_of(suite)}-{table.slug}}}",
        r"\medskip",
        r"\scriptsize" if any(wrapped) else r"\small",
        r"\setlength{\tabcolsep}{4pt}",
        rf"\sbox0{{\begin{{tabular}}{{@{{}}{align}@{{}}}}",
        r"\toprule",
        head + r" \\",
        r"\midrule",
        *(" & ".join(map(_entry, row)) + r" \\" for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}}%",
        r"\ifdim\wd0>\linewidth\resizebox{\linewidth}{!}{\usebox0}\else\usebox0\fi",
        rf"\end{{{kind}}}",
        "",
    ])  # fmt: skip


def label_of(suite: str) -> str:
    """Return a suite's name as a part of a label."""
    return re.sub(r"[^a-z0-9]+", "-", suite.lower()).strip("-")


def escape(text: str) -> str:
    """Make plain text safe within LaTeX; what Latin script has no sign for becomes a question."""
    return "".join(_SPECIAL.get(c, c if ord(c) < 0x250 else "?") for c in text)


def _is_long(entries: Sequence[Entry]) -> bool:
    return any(entry.unit == "text" and len(entry.text) > _WRAPPED_LETTERS for entry in entries)


def _entry(entry: Entry) -> str:
    text = escape(entry.number)
    if entry.unit == "text" and len(entry.text) > _WRAPPED_LETTERS:  # paths may be broken
        text = re.sub(r"(?<=[\w}])(/|\\_|\.)(?=\w)", r"\1\\allowbreak{}", text)
    bold = rf"\textbf{{{text}}}" if entry.best else text
    return rf"{bold} {{\scriptsize {escape(entry.extent)}}}" if entry.extent else bold
