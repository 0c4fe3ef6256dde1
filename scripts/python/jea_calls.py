"""Which cmdlets the provider calls, with which parameters: read from its code and from its tables."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

import nestedlab
from hyperv_sim.contract import load
from nestedlab.declare import Table

_MAKERS = {"cmdlet", "statement", "Cmdlet"}
"""What makes a cmdlet in the provider's code; see nestedlab/pipeline.py."""

_TABLES = ("nestedlab.machine.table", "nestedlab.nat_switch.table")

Parameters = dict[str, set[str] | None]
"""Parameters by name, with the texts that they can have, or None if these are not written in the code."""


@cache
def calls() -> Mapping[str, Parameters]:
    """The parameters of each cmdlet that the provider's code or tables name."""
    found: dict[str, Parameters] = {}
    for tree in _trees():
        for name in _named(tree):
            found.setdefault(name, {})
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.Module):
                _add_calls(found, function)
    for name, parameter in _written():
        found.setdefault(name, {})[parameter] = None
    return found


def texts(prefix: str) -> list[str]:
    """The texts of the provider's code that begin so: names of CIM classes."""
    return sorted(
        {text for tree in _trees() for text in _strings(tree) if text.startswith(prefix) and text.isidentifier()}
    )


@cache
def _trees() -> Sequence[ast.Module]:
    """The provider's code."""
    files = sorted(Path(nestedlab.__file__).parent.rglob("*.py"))
    return [ast.parse(file.read_text(encoding="utf-8")) for file in files]


def _strings(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _named(tree: ast.AST) -> set[str]:
    return set(_strings(tree)) & load("2025").keys()


def _add_calls(found: Mapping[str, Parameters], function: ast.FunctionDef | ast.Module) -> None:
    for call in ast.walk(function):
        if not (
            isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in _MAKERS and call.args
        ):
            continue
        first = call.args[0]
        if isinstance(first, ast.Constant):
            names = {str(first.value)} & found.keys()
        elif isinstance(function, ast.FunctionDef):
            names = _named(function)  # the name is one of those that the function chooses among
        else:
            continue
        for name in names:
            for parameter, value in _arguments(call):
                _add(found[name], parameter, value)


def _arguments(call: ast.Call) -> Iterator[tuple[str, ast.expr | None]]:
    for keyword in call.keywords:
        if keyword.arg:
            yield keyword.arg, keyword.value
    for argument in call.args[1:]:
        for table in ast.walk(argument):
            if isinstance(table, ast.Dict):
                yield from ((str(key.value), None) for key in table.keys if isinstance(key, ast.Constant))


def _add(parameters: Parameters, name: str, value: ast.expr | None) -> None:
    known = parameters.get(name, set())
    is_text = isinstance(value, ast.Constant) and isinstance(value.value, str)
    parameters[name] = known | {value.value} if is_text and known is not None else None  # type: ignore[union-attr]


def _written() -> Iterator[tuple[str, str]]:
    """What the rows of the tables write."""
    for module in _TABLES:
        import_module(module)
    own = (table for table in _descendants(Table) if table.__module__.startswith("nestedlab."))
    for table in own:
        for attribute in table.attributes():
            place = attribute.row.at
            if place is not None and place.parameter:
                yield place.noun.writer, place.parameter


def _descendants(kind: type[Table]) -> Iterator[type[Table]]:
    for child in kind.__subclasses__():
        yield child
        yield from _descendants(child)
