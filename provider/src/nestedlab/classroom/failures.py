"""What pydantic has against a file, in words of ours, each with the place of what it is about."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from nestedlab.classroom.course import PARTS, TEXT
from nestedlab.classroom.marked_yaml import Marked

REFERENCE = "docs/reference/course.md"


_REASONS = {
    "path_not_file": "there is no such file",
    "model_type": "must have keys of its own",
    "model_attributes_type": "must have keys of its own",
    "dict_type": "must have keys of its own",
    "mapping_type": "must have keys of its own",
    "tuple_type": "must be a list",
    "string_type": "must be a text. Put a number or a truth value into quotes",
    "path_type": "must be a path",
}
"""What is wrong, by pydantic's types of failures whose messages are for programmers."""


def failures(marked: Marked, model: type[BaseModel], error: ValidationError) -> Iterator[str]:
    """A message for each failure, in the order of the file's lines."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    found = [(tuple(_steps(detail["loc"])), detail) for detail in details]
    for where, detail in sorted(found, key=lambda pair: marked.line(pair[0])):
        yield marked.failure(where, _reason(detail["type"], detail["msg"], where, model))


def _steps(location: Iterable[str | int]) -> Iterator[str | int]:
    """The way to what a failure is about: without pydantic's word for a key, and ours for the kinds of a roster."""
    return (step for step in location if step not in ("[key]", TEXT, PARTS))


def _reason(kind: str, message: str, where: Sequence[str | int], model: type[BaseModel]) -> str:
    if kind == "missing":
        return "is missing. Set it."
    if kind == "extra_forbidden":
        return f"unknown key; {nearest(str(where[-1]), keys(model, where[:-1]))}"
    return _REASONS.get(kind) or message.removeprefix("Value error, ").replace("Input should be", "must be")


def nearest(name: str, known: Iterable[str], otherwise: str = f"see {REFERENCE}") -> str:
    """What may have been meant by a name that there is not."""
    by_name = {each.lower(): each for each in known}
    found = difflib.get_close_matches(name.lower(), by_name, n=1)
    return f"did you mean {by_name[found[0]]!r}?" if found else otherwise


def keys(model: type[BaseModel], where: Iterable[str | int]) -> list[str]:
    """The keys that there may be at a place of a file of this model."""
    kind: Any = model
    for step in where:
        fields = _fields(kind)
        kind = fields[str(step)] if fields else _member(kind)
    return [*_fields(kind)]


def _fields(kind: Any) -> Mapping[str, Any]:
    """The types of a model's fields by their keys; none if it is no model."""
    found = next((each for each in _kinds(kind) if isinstance(each, type) and issubclass(each, BaseModel)), None)
    if found is None:
        return {}
    return {field.alias or name: field.annotation for name, field in found.model_fields.items()}


def _member(kind: Any) -> Any:
    """The type of what is in a mapping or a list."""
    members = (each for part in _kinds(kind) for each in reversed(get_args(part)) if each is not Ellipsis)
    return next(members, None)


def _kinds(kind: Any) -> Iterator[Any]:
    """The types that a type is of: those of a union, and what is annotated."""
    if get_origin(kind) is Annotated:
        yield from _kinds(get_args(kind)[0])
    elif get_origin(kind) in (types.UnionType, Union):
        for each in get_args(kind):
            yield from _kinds(each)
    else:
        yield kind
