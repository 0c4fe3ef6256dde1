"""What limits a model's fields, in words, with where each limit comes from; and the limits that have no source."""

import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from nestedlab.declare import Row
from nestedlab.limits import Source, source_of


@dataclass(frozen=True)
class Limit:
    """What fields take, and where that comes from; "" if nothing says it. No names stand for the whole model."""

    names: tuple[str, ...]
    rule: str
    source: str


def limits(model: type[BaseModel]) -> list[Limit]:
    """The limits of a model's fields and those of the model as a whole; a field with but one value is none."""
    own = [
        Limit((name,), *limit)
        for name, field in model.model_fields.items()
        for constraints in _levels(field.annotation, field.metadata)
        for limit in _paired(constraints)
    ]
    checks = model.__pydantic_decorators__
    fields = [_checked(check.info.fields, check.func) for check in checks.field_validators.values()]
    return [*own, *fields, *(_checked((), check.func) for check in checks.model_validators.values())]


def _checked(names: Sequence[str], check: Callable[..., Any]) -> Limit:
    source = source_of(check)
    return Limit(tuple(names), source.rule if source else "", source.text if source else "")


def _levels(annotation: Any, metadata: Sequence[Any]) -> Iterator[list[Any]]:
    """What stands beside a type, in order, and beside each type within it; lists of values stand for themselves."""
    if get_origin(annotation) is Annotated:
        annotation, *inner = get_args(annotation)
        yield from _levels(annotation, [*inner, *metadata])
        return
    values = [annotation] if get_origin(annotation) is Literal and len(get_args(annotation)) > 1 else []
    yield [*values, *(part for entry in metadata for part in _spread(entry)), None]
    if get_origin(annotation) in (list, types.UnionType, Union):
        for member in get_args(annotation):
            yield from _levels(member, ())


def _spread(entry: Any) -> Sequence[Any]:
    if isinstance(entry, FieldInfo):
        return entry.metadata
    return [] if isinstance(entry, Row) else [entry]


def _paired(entries: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """Constraints with the source that follows them: what they take, and the source's text."""
    pending: list[Any] = []
    for entry in entries:
        if isinstance(entry, Source) or entry is None:
            if pending:
                words = ", ".join(filter(None, map(in_words, pending)))
                yield (entry.rule or words, entry.text) if entry else (words, "")
            pending = []
        else:
            pending.append(entry)


_WORDS = {
    annotated_types.Gt: ("above {}", "gt"),
    annotated_types.Ge: ("at least {}", "ge"),
    annotated_types.Le: ("at most {}", "le"),
    annotated_types.MultipleOf: ("a multiple of {}", "multiple_of"),
    annotated_types.MinLen: ("at least {} character", "min_length"),
    annotated_types.MaxLen: ("at most {} characters", "max_length"),
}


def in_words(constraint: object) -> str:
    """What a constraint takes; "" for a validator, whose source says it."""
    if get_origin(constraint) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(constraint))
    words, name = _WORDS.get(type(constraint), ("", ""))
    return words.format(getattr(constraint, name)) if name else ""
