"""The cases in tests/cases, each file read once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from nestedlab.declare import Table
from nestedlab.plain import loaded, plain, table_in

CASES = Path(__file__).resolve().parent / "cases"
DRIFT = CASES / "provider" / "drift.yaml"


@cache
def cases_in(path: Path) -> dict[str, Any]:
    """The cases of a file, by what holds."""
    # In C: every worker reads all cases as it begins.
    cases: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return cases


def drifts(kind: str) -> dict[str, Any]:
    """What administrators change by hand of such a thing, by attribute."""
    cases: dict[str, Any] = cases_in(DRIFT)[kind]
    return cases


def completed(kind: type[Table], values: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as a case has them; what it does not say of a part has the default."""
    return {
        name: _completed(table_in(field.annotation) if (field := kind.model_fields.get(name)) else None, value)
        for name, value in values.items()
    }


def _completed(part: type[Table] | None, value: Any) -> Any:
    if part is None or value is None:
        return value
    return [_completed(part, each) for each in value] if isinstance(value, list) else plain(loaded(part, value))
