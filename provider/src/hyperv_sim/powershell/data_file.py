"""A file of PowerShell data, as a role capability is one: tables of texts, truth values and lists of these.

[about_Data_Files; numbers, comments of blocks and texts with variables are refused]
"""

from __future__ import annotations

import re
from collections import deque
from typing import TypeAlias

Data: TypeAlias = "str | bool | list[Data] | dict[str, Data]"

_PIECE = re.compile(
    r"(?P<skipped>[ \t]+|\#[^\n]*)|(?P<text>'(?:[^']|'')*'|\"[^\"$`]*\")|(?P<mark>@\{|@\(|[{}()=,;\n])|(?P<word>\$?\w+)"
)
_BREAKS = ("\n", ";")


def parse(text: str) -> dict[str, Data]:
    """The table that the file holds, with its keys in lower case. Raises ValueError if the text is none."""
    pieces = deque(_pieces(text.replace("\r\n", "\n")))
    _skip(pieces)
    table = _value(pieces)
    _skip(pieces)
    if pieces or not isinstance(table, dict):
        raise ValueError("a file of PowerShell data is one table, @{ ... }")
    return table


def _pieces(text: str) -> list[str]:
    found: list[str] = []
    at = 0
    while at < len(text):
        match = _PIECE.match(text, at)
        if match is None:
            raise ValueError(f"no PowerShell data: {text[at : at + 20]!r}")
        if not match["skipped"]:
            found.append(match.group())
        at = match.end()
    return found


def _skip(pieces: deque[str]) -> None:
    while pieces and pieces[0] in _BREAKS:
        pieces.popleft()


def _values(pieces: deque[str]) -> Data:
    """One value, or several that commas join."""
    values = [_value(pieces)]
    while pieces and pieces[0] == ",":
        pieces.popleft()
        _skip(pieces)
        values.append(_value(pieces))
    return values[0] if len(values) == 1 else values


def _value(pieces: deque[str]) -> Data:
    if not pieces:
        raise ValueError("the data ends too early")
    piece = pieces.popleft()
    if piece == "@{":
        return _table(pieces)
    if piece == "@(":
        return _list(pieces)
    if piece[0] in "'\"":
        return piece[1:-1].replace("''", "'") if piece[0] == "'" else piece[1:-1]
    if piece.lower() in ("$true", "$false"):
        return piece.lower() == "$true"
    raise ValueError(f"no PowerShell data: {piece!r}")


def _table(pieces: deque[str]) -> dict[str, Data]:
    table: dict[str, Data] = {}
    _skip(pieces)
    while pieces and pieces[0] != "}":
        key = pieces.popleft().strip("'\"").lower()
        if not pieces or pieces.popleft() != "=":
            raise ValueError(f"{key!r} has no value")
        table[key] = _values(pieces)
        _skip(pieces)
    if not pieces:
        raise ValueError("a table has no end")
    pieces.popleft()
    return table


def _list(pieces: deque[str]) -> list[Data]:
    items: list[Data] = []
    _skip(pieces)
    while pieces and pieces[0] != ")":
        found = _values(pieces)
        items += found if isinstance(found, list) else [found]
        _skip(pieces)
    if not pieces:
        raise ValueError("a list has no end")
    pieces.popleft()
    return items
