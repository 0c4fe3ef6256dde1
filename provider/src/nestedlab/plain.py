"""Tables as plain values, as Pulumi's engine holds them, and plain values as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel

from nestedlab.declare import Plain, Table

T = TypeVar("T", bound=Table)


def plain(table: Table) -> dict[str, Plain]:
    """The attributes that have a value, by name."""
    # What a host shows may be of another type than a program can set; it goes out as it is.
    return table.model_dump(exclude_none=True, warnings=False)


def observed(kind: type[T], values: Mapping[str, Any]) -> T:
    """A table of what a host shows, by attribute; None if it shows nothing.

    Nothing is validated: a host may have what no program can set. Raises KeyError for a name that no attribute has.
    """
    if strangers := values.keys() - kind.model_fields.keys():
        raise KeyError(f"{kind.__name__} has no attribute {', '.join(sorted(strangers))}")
    return kind.model_construct(**{**dict.fromkeys(kind.model_fields), **values})


def loaded(kind: type[T], values: Mapping[str, Any]) -> T:
    """A table of plain values that were validated or observed before they were written, so that they are not again.

    A state may be of an earlier version (decision 0011): a renamed attribute is found by its former name, and an
    attribute that it does not know has its default.
    """
    fields: dict[str, Any] = {}
    for attribute in kind.attributes():
        name = next((name for name in (attribute.name, *attribute.row.formerly) if name in values), None)
        if name is not None:
            fields[attribute.name] = _typed(table_in(attribute.field.annotation), values[name])
    missing = {name: None for name, field in kind.model_fields.items() if field.is_required()}
    return kind.model_construct(**{**missing, **fields})


def table_in(annotation: Any) -> type[Table] | None:
    """The kind of table that a field's type is, or is a list of, if it is one."""
    if isinstance(annotation, type) and issubclass(annotation, Table):
        return annotation
    return next((table for part in get_args(annotation) if (table := table_in(part)) is not None), None)


def _typed(kind: type[Table] | None, value: Any) -> Any:
    if kind is None or isinstance(value, BaseModel):
        return value
    if isinstance(value, list):
        return [_typed(kind, part) for part in value]
    return loaded(kind, value) if isinstance(value, Mapping) else value
