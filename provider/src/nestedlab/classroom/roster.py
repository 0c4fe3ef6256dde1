"""The roster as a CSV file, as spreadsheets write it: with a byte order mark or none, commas, semicolons or tabs."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nestedlab.classroom.course import Student

_DELIMITERS = ",;\t"
_KNOWN = {"id": "id", "name": "name"} | dict.fromkeys(("email", "e-mail", "mail", "e-mail address"), "email")
"""Columns that have a meaning, by what spreadsheets call them."""


@dataclass
class Roster:
    """The students of a file, each with the line that has them, and what is wrong with others."""

    path: Path
    students: list[tuple[int, Student]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def fail(self, line: int, text: str) -> None:
        """Note what is wrong in a line."""
        self.failures.append(f"{self.path.name}:{line}: {text}")


def read_roster(path: Path) -> Roster:
    """Read a CSV file. Its first line names the columns: id, and name, email and others if there are.

    Raises OSError if there is no such file.
    """
    roster = Roster(path)
    try:
        lines = _text(path.read_bytes()).splitlines(keepends=True)
    except UnicodeDecodeError as error:
        roster.failures.append(f"{path.name}: not in UTF-8 (byte {error.start}). Save it as CSV UTF-8.")
    else:
        _read(roster, lines)
    return roster


def _text(content: bytes) -> str:
    # What a spreadsheet calls Unicode text is UTF-16, with a byte order mark.
    is_wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if is_wide else "utf-8-sig")


def _read(roster: Roster, lines: Sequence[str]) -> None:
    # Excel writes and reads a first line such as sep=; which is no row.
    first = 1 if lines and lines[0].lower().startswith("sep=") else 0
    rows = csv.reader(lines[first:], delimiter=_delimiter(lines[first] if lines[first:] else ""), strict=True)
    try:
        columns = [_KNOWN.get(name.strip().lower(), name.strip()) for name in next(rows, [])]
        if _refused(roster, columns, first + 1):
            return
        for row in rows:
            if any(cell.strip() for cell in row):
                _take(roster, columns, row, first + rows.line_num)
    except csv.Error as error:
        roster.fail(first + rows.line_num, f"not valid CSV: {error}")


def _delimiter(header: str) -> str:
    """What separates the columns: by it, the first line has an id, and the most columns."""

    def columns(delimiter: str) -> tuple[bool, int]:
        names = [name.strip(' "\r\n').lower() for name in header.split(delimiter)]
        return "id" in names, len(names)

    return max(_DELIMITERS, key=columns)


def _refused(roster: Roster, columns: Sequence[str], line: int) -> bool:
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    if "id" not in columns:
        there = f"the columns are {', '.join(filter(None, columns))}" if any(columns) else "the line is empty"
        roster.fail(line, f"no column is named id; {there}. Give the column with the students' ids that name.")
    elif twice:
        roster.fail(line, f"two columns are named {twice[0]!r}. Rename one of them.")
    return "id" not in columns or bool(twice)


def _take(roster: Roster, columns: Sequence[str], row: Sequence[str], line: int) -> None:
    if any(cell.strip() for cell in row[len(columns) :]):
        roster.fail(
            line,
            f"has {len(row)} fields for {len(columns)} columns. Put fields that contain the delimiter in quotes.",
        )
        return
    cells = [*(cell.strip() for cell in row), *("" for _ in columns)]
    values: Mapping[str, Any] = {name: cell for name, cell in zip(columns, cells, strict=False) if name}
    try:
        roster.students.append((line, Student.model_validate(values)))
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            where = f"{detail['loc'][0]}: " if detail["loc"] else ""
            roster.fail(line, f"{where}{detail['msg'].removeprefix('Value error, ')}")
