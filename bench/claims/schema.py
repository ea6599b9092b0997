"""What a published statement is, as a row of ``claims.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from bench.claims.inequality import Inequality
from bench.core.errors import ClaimsError
from bench.core.manifest import PublishedTraining
from bench.core.schema import Frozen
from bench.score.lookup import PRECISIONS
from bench.score.metrics import METRICS


class Term(Frozen):
    """One name of an inequality: the number that was published, and the cells it is here."""

    reported: Mapping[str, str] = {}
    """Columns that single out one reported number of the claim's paper."""
    cell: Mapping[str, Any] = {}
    """Fields of a cell, dotted where nested, that make it this method and condition."""
    training: PublishedTraining | None = None
    """What the number was trained with; ``config`` need not repeat what ``cell`` says."""
    protocol: Mapping[str, Any] = {}
    """Further fields that must agree before numbers compare."""
    metric: str = "mIoU"
    missing: str = ""
    """Why no suite has this number, where that is so."""

    @model_validator(mode="after")
    def _measured_or_missing(self) -> Term:
        if self.cell and self.missing:
            raise ValueError("either cells measure it, or it is missing")
        if bool(self.cell) != (self.training is not None):
            raise ValueError("cell and training go together: a number depends on its training")
        return self

    @model_validator(mode="after")
    def _metric_exists(self) -> Term:
        known = (*METRICS, *PRECISIONS)
        if self.metric not in known:
            raise ValueError(f"no metric {self.metric!r}; there are {', '.join(known)}")
        return self


class Claim(Frozen):
    """One statement: an inequality between terms, under a protocol, with a tolerance."""

    id: str
    paper: str
    statement: str
    """In this project's words."""
    quote: str
    """In the publication's, or the numbers as they stand in it."""
    source: str
    """Where in the publication: its page, section or table."""
    inequality: str
    tolerance: float = 0.0
    """How far an inequality may be missed and still hold, in the unit of its sides."""
    kind: Literal["measured", "arithmetic", "audit"] = "measured"
    """``measured``: cells decide. ``arithmetic``: about the publication's own numbers alone.
    ``audit``: the publication against what this project counted, or holds to be so."""
    protocol: Mapping[str, Any] = {}
    """Fields of a cell, dotted where nested, that all terms share."""
    terms: Mapping[str, Term]
    note: str = ""

    @model_validator(mode="after")
    def _names_are_terms(self) -> Claim:
        names = set(Inequality(self.inequality).names)
        if names != set(self.terms):
            raise ValueError(f"the inequality names {sorted(names)}, terms {sorted(self.terms)}")
        return self

    @model_validator(mode="after")
    def _says_how_it_is_judged(self) -> Claim:
        for name, term in self.terms.items():
            if self.kind != "measured" and not term.reported:
                raise ValueError(f"{name} of a statement of kind {self.kind} has no number")
            if self.kind == "measured" and not (term.cell or term.missing):
                raise ValueError(f"{name} has neither cells nor says what is missing")
        return self


class _Ledger(Frozen):
    version: Literal[2]
    trainings: tuple[PublishedTraining, ...] = ()
    protocols: tuple[Mapping[str, Any], ...] = ()
    """Named once by anchors, for the claims' terms to alias."""
    claims: tuple[Claim, ...]

    @model_validator(mode="after")
    def _ids_are_unique(self) -> _Ledger:
        ids = [claim.id for claim in self.claims]
        doubled = {name for name in ids if ids.count(name) > 1}
        if doubled:
            raise ValueError(f"ids used twice: {sorted(doubled)}")
        return self


def load_claims(path: Path) -> tuple[Claim, ...]:
    """Read ``claims.yaml``.

    Raises:
        ClaimsError: if it is missing, or with every fault found.
    """
    try:
        tree = YAML(typ="safe").load(path.read_text())
        return _Ledger.model_validate(tree).claims
    except (OSError, MarkedYAMLError) as error:
        raise ClaimsError(f"{path}: cannot be read: {error}") from error
    except ValidationError as error:
        faults = (
            f"{path}: {'.'.join(map(str, detail['loc']))}: {detail['msg']}"
            for detail in error.errors(include_url=False)
        )
        raise ClaimsError("\n".join(faults)) from error
