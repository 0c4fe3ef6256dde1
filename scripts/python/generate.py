"""Writes what follows from the code: the Python SDK, the reference, the fidelity page, and the role for a JEA endpoint.

Usage: scripts/generate [--check]
"""

import inspect
import subprocess
import sys
import textwrap
import types
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import click
import course_page
import course_schema
import jea
import lab_picture
from field_docs import field_docs
from field_limits import Limit, in_words, limits
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel, SecretStr
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from hyperv_sim import fidelity_page
from nestedlab import autonaming
from nestedlab.classroom import stack_settings
from nestedlab.connection import HOSTS, NAMESPACE, SETTINGS, Connection
from nestedlab.declare import Attribute, Change, Part, Resource, Table
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.nat_switch.table import NatSwitch

ROOT = Path(__file__).parents[2]
RESOURCES: tuple[type[Resource], ...] = (NatSwitch, NestedHyperVHost)

_OF_THE_STACK = ("owner", "stack_id")
"""Inputs that the SDK fills in, and no program."""

_PYTHON = {str: "str", int: "int", bool: "bool", float: "float"}
_VALUES = {
    str: "text",
    SecretStr: "text, secret",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Path: "path of a file",
}


def _type(annotation: Any) -> str:
    """A field's type as the SDK's arguments have it."""
    if get_origin(annotation) is list:
        return f"Sequence[pulumi.Input[{_type(get_args(annotation)[0])}]]"
    if get_origin(annotation) is Literal:
        return _PYTHON[type(get_args(annotation)[0])]
    if get_origin(annotation) in (types.UnionType, Union):
        return " | ".join(_type(member) for member in get_args(annotation) if member is not type(None))
    if hasattr(annotation, "__metadata__"):
        return _type(annotation.__origin__)
    return _PYTHON.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _plainly(annotation: Any) -> str:
    """A field's type as a reader of the reference wants it, with the values that it may have."""
    if get_origin(annotation) is list:
        return f"list of {_plainly(get_args(annotation)[0])}"
    if get_origin(annotation) is Literal:
        return " or ".join(repr(value) for value in get_args(annotation))
    if get_origin(annotation) in (types.UnionType, Union):
        return " or ".join(_plainly(member) for member in get_args(annotation) if member is not type(None))
    return _type(annotation)


def _output(kind: str) -> str:
    if kind in _PYTHON.values():
        return kind
    return "Sequence[Any]" if kind.startswith("Sequence") else "Mapping[str, Any]"


def default_of(field: FieldInfo) -> str:
    """A field's default; "" if it is left to the host, or if the description says what applies."""
    if field.is_required():
        return "required"
    if field.default is None:
        return ""
    return "empty" if field.default in ("", []) else f"`{field.default!r}`"


def _field(model: type[BaseModel], name: str, field: FieldInfo) -> dict[str, Any]:
    """A field as the templates need it."""
    kind = _type(field.annotation)
    return {
        "name": name,
        "wire": to_camel(name),
        "type": kind,
        "shown": f"`{_plainly(field.annotation)}`",
        "output": _output(kind),
        "meaning": field_docs(model).get(name, ""),
        "default_shown": default_of(field),
    }


def parts_of(attribute: Attribute) -> type[Part] | None:
    """The kind of parts that the attribute is, or is a list of, if any."""
    kind = attribute.part or attribute.field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Part) else None


def parts(kind: type[Resource]) -> list[type[Part]]:
    """The kinds of parts that the resource has."""
    return [part for attribute in kind.attributes() if (part := parts_of(attribute)) is not None]


def since(attribute: Attribute) -> str:
    """The oldest Windows Server that knows the attribute."""
    return "2019" if attribute.row.newer else "2016"


def _place(attribute: Attribute) -> str:
    part = parts_of(attribute)
    if part is not None:
        return f"see [{part.__name__}](#{part.__name__.lower()})"
    return f"`{attribute.place}`" if attribute.place else ""


def _attribute(model: type[Table], attribute: Attribute) -> dict[str, Any]:
    """An attribute as the templates need it."""
    change, field = attribute.row.change, attribute.field
    has_default = not field.is_required() and field.default not in (None, "", [])
    return _field(model, attribute.name, field) | {
        "required": field.is_required(),
        "default": f" Default: {field.default!r}." if has_default else "",
        "change": change.value if isinstance(change, Change) else change.text,
        "place": _place(attribute),
        "since": since(attribute),
    }


def _limits(model: type[BaseModel]) -> list[Limit]:
    """The limits of what programs and configurations set, those of one argument together."""
    names = list(model.model_fields)
    hidden = set(_OF_THE_STACK)
    shown = [limit for limit in limits(model) if not hidden.intersection(limit.names)]
    return sorted(shown, key=lambda limit: names.index(limit.names[0]) if limit.names else len(names))


def _part(kind: type[Part]) -> dict[str, Any]:
    return {
        "name": kind.__name__,
        "meaning": inspect.getdoc(kind),
        "key": kind.key,
        "fields": [_attribute(kind, attribute) for attribute in kind.attributes() if not attribute.fixed],
        "limits": _limits(kind),
    }


def _own_attribute(model: type[Table], attribute: Attribute) -> dict[str, Any]:
    """An attribute of a resource itself. `name` is never required: the SDK sets it to the logical name."""
    shown = _attribute(model, attribute)
    return shown | {"required": False, "default_shown": "the logical name"} if attribute.name == "name" else shown


def _resource(kind: type[Resource]) -> dict[str, Any]:
    rows = [(row, _own_attribute(kind, row)) for row in kind.attributes()]
    kept = [shown for row, shown in rows if row.fixed or row.name in _OF_THE_STACK]
    computed = [_attribute(kind.outputs, row) for row in kind.outputs.attributes()]
    return {
        "name": kind.__name__,
        "meaning": inspect.getdoc(kind),
        "arguments": [shown for _, shown in rows if shown not in kept],
        "kept": kept,
        "computed": computed,
        "hidden": [shown for shown in kept + computed if shown["name"] not in _OF_THE_STACK],
        "outputs": [*(shown for _, shown in rows), *computed],
        "parts": [_part(part) for part in parts(kind)],
        "limits": _limits(kind),
        "names": sorted(_wire_names(kind)),
    }


def _wire_names(kind: type[Resource]) -> set[str]:
    """The names of all properties of a resource and of its parts, as the engine spells them."""
    tables = (kind, kind.outputs, *parts(kind))
    return {row.wire for table in tables for row in table.attributes()}


def _value(field: FieldInfo) -> str:
    """What a setting's value may be, as it is written on the command line."""
    kinds = [kind for kind in get_args(field.annotation) if kind is not type(None)] or [field.annotation]
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{value}`" for value in kinds)
    (kind,) = kinds
    bounds = ", ".join(filter(None, map(in_words, field.metadata)))
    return " ".join((_VALUES[getattr(kind, "__origin__", kind)], bounds)).strip()


def _setting(name: str, field: FieldInfo) -> dict[str, Any]:
    default = default_of(field)
    return _field(Connection, name, field) | {
        "environment": f"{NAMESPACE.upper()}_{name.upper()}",
        "value": _value(field),
        "default_shown": f"`{field.default}`" if default.startswith("`") else default,
    }


def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(ROOT / "scripts/templates"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - it writes Python and Markdown from our own tables
    )
    templates.filters["wrapped"] = _wrapped
    templates.filters["one_line"] = lambda text: " ".join(text.split()).replace("|", "\\|")
    return templates


def _wrapped(text: str, indent: int, first: str = "") -> str:
    """The text in lines that fit, all but the first indented; `first` precedes it on the first line."""
    lines = textwrap.wrap(" ".join((first + text).split()), 112 - indent)
    return ("\n" + " " * indent).join(lines)


def _formatted(source: str) -> str:
    ruff = [sys.executable, "-m", "ruff"]
    sort_imports = [*ruff, "check", "--select", "I", "--fix-only", "--stdin-filename", "r.py", "-"]
    lay_out = [*ruff, "format", "--stdin-filename", "resources.py", "-"]
    for command in (sort_imports, lay_out):
        source = subprocess.run(command, input=source, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return source


def generated() -> Iterator[tuple[str, str]]:
    """Each generated file's path and text."""
    templates = _templates()
    resources = [_resource(kind) for kind in RESOURCES]
    inputs = {part["name"]: part for resource in resources for part in resource["parts"]}
    sdk = templates.get_template("resources.py.jinja").render(
        resources=resources, inputs=list(inputs.values()), settings=sorted({*SETTINGS, *stack_settings.CLASS_SETTINGS})
    )
    yield "sdk/python/src/pulumi_nestedlab/_resources.py", _formatted(sdk)
    for resource in resources:
        page = templates.get_template("reference.md.jinja").render(resource=resource)
        yield f"docs/reference/{resource['name']}.md", page
    settings = [_setting(name, field) for name, field in Connection.model_fields.items()]
    page = templates.get_template("configuration.md.jinja").render(
        settings=settings,
        hosts=HOSTS,
        limits=[replace(limit, names=tuple(map(to_camel, limit.names))) for limit in _limits(Connection)],
        class_settings=stack_settings,
        provider=autonaming.PROVIDER,
        tokens=" or ".join(f"`{token}`" for token in autonaming.TOKENS.values()),
    )
    yield "docs/reference/configuration.md", page
    yield "docs/reference/course.schema.json", course_schema.text()
    page = templates.get_template("course.md.jinja").render(parts=course_page.parts())
    yield "docs/reference/course.md", page
    yield "docs/fidelity.md", fidelity_page.page()
    yield "docs/nestedlab.psrc", jea.role()
    yield "docs/lab.svg", lab_picture.picture()


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; report what is not up to date, and fail.")
def main(*, check: bool) -> None:
    """Write the generated files."""
    stale = []
    for name, text in generated():
        path = ROOT / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            click.echo(f"written: {name}")
    if check and stale:
        raise click.ClickException(
            f"not up to date: {', '.join(stale)}. Run scripts/generate and commit what it writes."
        )


if __name__ == "__main__":
    main()
