"""The classes of the simulated objects and their enumerations, from the reflection of the Hyper-V module of 2019.

`classes.json` is written by `scripts/contract`. It holds facts only: names, types, numbers, in the declared order.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any


@cache
def _file() -> Mapping[str, Any]:
    text = resources.files(__package__).joinpath("classes.json").read_text(encoding="utf-8")
    loaded: Mapping[str, Any] = json.loads(text)
    return loaded


def declared(class_name: str) -> Mapping[str, str]:
    """The properties of a class with their types, in the declared order; those of base classes come last.

    A type is a scalar's short name or a full name, with `?` if it may be null, `[]` for an array, or a generic list.
    """
    return dict(_file()["classes"][class_name])


def numbers(type_name: str) -> Mapping[str, int] | None:
    """The members of an enumeration by name, or None if the type is no enumeration."""
    entry = _file()["enumerations"].get(type_name)
    members: Mapping[str, int] | None = entry and entry["members"]
    return members
