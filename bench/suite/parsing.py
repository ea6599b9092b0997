"""From the bytes of a file to a tree: what UTF-8 and YAML allow, and what a suite does.

A suite is plain YAML: mappings with words as keys, lists, text, numbers, true and false.
Anchors, aliases and merge keys are read. Tags, directives, dates and repeated keys are not.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.tokens import DirectiveToken, TagToken

from bench.suite.yaml_errors import Fault, Loc, Place

MOST_CHARACTERS = 10
"""Of one file that are reported one by one when they are not text."""
DEEPEST = 40
"""Levels of nesting; a suite has eight."""
MOST_NODES = 20_000
"""Values of a file with every alias written out; a suite has some hundreds."""
MOST_DIGITS = 30
"""Of a whole number."""

NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
"""Characters that YAML does not allow, and stray bytes as ``surrogateescape`` keeps them."""
WIDE = {"UTF-32": (b"\xff\xfe\0\0", b"\0\0\xfe\xff"), "UTF-16": (b"\xff\xfe", b"\xfe\xff")}
REFUSED = {
    "timestamp": "a date; in quotes it is text",
    "value": "a bare '='; in quotes it is text",
}
"""Scalars that YAML resolves without being told and that no suite has, by the end of their tag."""


def decode(data: bytes) -> tuple[str, list[Fault]]:
    """Read bytes as UTF-8 and find every character that does not belong there.

    Returns:
        The text, with an underscore for each such character, so that the rest can be checked;
        empty where the encoding is another one.
    """
    for name, marks in WIDE.items():
        if data.startswith(marks):
            return "", [Fault((), f"the file is {name}; save it as UTF-8", place=(1, 1))]
    if data.count(0) * 4 > len(data):
        message = "every other byte is NUL, as in UTF-16; save the file as UTF-8"
        return "", [Fault((), message, place=(1, 1))]
    text = data.decode("utf-8-sig", errors="surrogateescape")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return NOT_TEXT.sub("_", text), list(character_faults(text))


def character_faults(text: str) -> Iterator[Fault]:
    """Find the characters that are no text."""
    matches = list(NOT_TEXT.finditer(text))
    for match in matches[:MOST_CHARACTERS]:
        yield Fault((), _describe(match[0]), place=_place(text, match.start()))
    if rest := matches[MOST_CHARACTERS:]:
        message = f"{len(rest)} more characters from here on are no text"
        yield Fault((), message, place=_place(text, rest[0].start()))


def _describe(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"byte 0x{code - 0xDC00:02X} is not UTF-8; save the file as UTF-8"
    return f"control character U+{code:04X}; remove it"


def _place(text: str, offset: int) -> Place:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def parse(text: str) -> tuple[Any, list[Fault]]:
    """Parse YAML into a round-trip tree, which knows the line of each value.

    Returns:
        The tree, and the faults that YAML itself or plain YAML forbids. Where a fault leaves
        no tree that can be checked further, the tree is None.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an anchor that is used again is allowed
        try:
            faults = list(_token_faults(text))
            inspection = _TextInspection()
            if not faults and (root := YAML().compose(text)) is not None:
                inspection.visit(root)
            faults += inspection.faults
            if faults and not inspection.readable(faults):
                return None, faults
            yaml = YAML()
            yaml.allow_duplicate_keys = True  # each is reported; the rest is checked as well
            return yaml.load(text), faults
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            hint = "; indent with spaces, not tabs" if "'\\t'" in str(error.problem) else ""
            place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            return None, [Fault((), f"not YAML: {error.problem}{hint}", place=place)]
        except RecursionError:
            return None, [Fault((), "nested too deeply", place=(1, 1))]


def _token_faults(text: str) -> Iterator[Fault]:
    for token in YAML().scan(text):
        place = (token.start_mark.line + 1, token.start_mark.column + 1)
        if isinstance(token, TagToken):
            yield Fault((), "a tag (!...); remove it, or put the text in quotes", place=place)
        elif isinstance(token, DirectiveToken):
            yield Fault((), "a directive (%...); remove it", place=place)


class _TextInspection:
    """One walk over the nodes of a file, before values are made of them."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._duplicates = 0
        self._sizes: dict[int, int] = {}

    def readable(self, faults: list[Fault]) -> bool:
        """Whether values can be made of the nodes all the same: keys are repeated at worst."""
        return len(faults) == self._duplicates

    def visit(self, node: Node, above: tuple[int, ...] = ()) -> int:
        """Inspect a node and return how many values it has, with its aliases written out."""
        if id(node) in above:
            self._refuse(node, "an alias of the very value that it is part of")
            return 1
        if id(node) in self._sizes:
            return self._sizes[id(node)]
        if len(above) == DEEPEST:
            self._refuse(node, f"nested more than {DEEPEST} levels deep")
            return 1
        above = (*above, id(node))
        before = len(self.faults)
        size = 1 + sum(self.visit(child, above) for child in self._children(node))
        if size > MOST_NODES and len(self.faults) == before:
            self._refuse(node, f"aliases that make {size:,} values; at most {MOST_NODES:,}")
        self._sizes[id(node)] = size
        return size

    def _children(self, node: Node) -> list[Node]:
        if isinstance(node, MappingNode):
            self._check_keys(node)
            return [part for pair in node.value for part in pair]
        if isinstance(node, SequenceNode):
            return list(node.value)
        self._check_scalar(node)
        return []

    def _check_keys(self, node: MappingNode) -> None:
        first: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, ScalarNode):
                self._refuse(key, "a list or mapping as a key; keys are words")
            elif key.value in first:
                message = f"not YAML: duplicate key {key.value!r}"
                self._refuse(key, f"{message}; the first is on line {first[key.value]}")
                self._duplicates += 1
            else:
                first[key.value] = key.start_mark.line + 1

    def _check_scalar(self, node: Node) -> None:
        kind = str(node.tag).rpartition(":")[2]
        if kind in REFUSED:
            self._refuse(node, REFUSED[kind])
        elif kind == "int" and len(node.value) > MOST_DIGITS:
            self._refuse(node, f"a whole number of {len(node.value)} characters")

    def _refuse(self, node: Node, message: str) -> None:
        place = (node.start_mark.line + 1, node.start_mark.column + 1)
        self.faults.append(Fault((), message, place=place))


def as_plain(value: Any, faults: list[Fault], loc: Loc = ()) -> Any:
    """Copy a round-trip tree into dicts, lists, text, numbers, booleans and None.

    Args:
        value: of :func:`parse`.
        faults: where what text or a key cannot be is added.
        loc: of the value.
    """
    if isinstance(value, dict):
        plain: dict[str | int, Any] = {}
        for key, item in value.items():
            if isinstance(key, str) and not NOT_TEXT.search(key):
                plain[str(key)] = as_plain(item, faults, (*loc, str(key)))
            elif isinstance(key, int) and not isinstance(key, bool) and "options" in loc:
                plain[int(key)] = as_plain(item, faults, (*loc, int(key)))  # a map of label values
            else:
                faults.append(Fault((*loc, key), f"the key {key!r} is no word", on_key=True))
        return plain
    if isinstance(value, list):
        return [as_plain(item, faults, (*loc, index)) for index, item in enumerate(value)]
    if isinstance(value, str):
        if match := NOT_TEXT.search(value):
            faults.append(Fault(loc, _describe(match[0])))
        return str(value)
    if isinstance(value, int):
        return bool(value) if type(value).__name__ in ("bool", "ScalarBoolean") else int(value)
    return float(value) if isinstance(value, float) else value
