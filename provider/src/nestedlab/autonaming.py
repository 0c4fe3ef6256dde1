"""Pulumi's autonaming: what a machine or switch is called that the program gives a logical name only.

The engine hands `pulumi:autonaming` to plug-in providers only, so it is read here, by the engine's own rules
(cmd/pulumi/autonaming and resource/autonaming in Pulumi's sources; pulumi.com/docs/iac/concepts/resources/names).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

AUTONAMING = "pulumi:autonaming"
"""Pulumi's own setting for the names of what a program names by its logical name only."""

PROVIDER = "nestedlab"
"""What the setting's `providers` calls this provider."""

TOKENS = {kind: f"{PROVIDER}:index:{kind}" for kind in ("NatSwitch", "NestedHyperVHost")}
"""What the `resources` of a provider in the setting call the kinds of resources."""

Section: TypeAlias = Mapping[str, Any]

_OURS = f"{AUTONAMING}.providers.{PROVIDER}"
_MODES = ("default", "verbatim", "disabled")
_KEYS = {"mode": (str, "text"), "pattern": (str, "text"), "enforce": (bool, "true or false")}
_FURTHER = {"providers": (Mapping, "an object"), "resources": (Mapping, "an object")}
_EXPRESSION = re.compile(r"\$\{([^}]*)\}")
_RANDOM = re.compile(r"uuid|(hex|alphanum|string|num)\(\d+\)")


class NoNameError(ValueError):
    """The setting requires that the program names each resource itself."""


@dataclass(frozen=True)
class Stack:
    """What a pattern can name of the stack."""

    organization: str
    project: str
    stack: str
    config: Callable[[str], str]
    """Gives the value of a setting of the project by its key, or raises ValueError."""


def physical_name(setting: Any, kind: str, logical_name: str, stack: Stack) -> str:
    """The name on the host of a resource that has no name of its own, by the setting's value.

    Raises ValueError, whose text says what to change; NoNameError if resources are to be named by the program.
    """
    for key, section in reversed(list(_sections(setting, kind))):
        if "pattern" in section:
            return _filled(f"{key}.pattern", section["pattern"], logical_name, stack)
        if section.get("mode") == "disabled":
            raise NoNameError(f"{key}.mode is disabled, so it needs a name of its own: set its `name`")
        if "mode" in section:
            break
    # Pulumi leaves the default to providers: ours is the name that people type, without a random suffix.
    return logical_name


def _sections(setting: Any, kind: str) -> Iterator[tuple[str, Section]]:
    """The parts of the setting that count for a kind of resource, the most specific last."""
    overall = _section(AUTONAMING, setting, "providers")
    yield AUTONAMING, overall
    ours = _section(_OURS, overall.get("providers", {}).get(PROVIDER, {}), "resources")
    yield _OURS, ours
    for token, naming in ours.get("resources", {}).items():
        of_kind = f"{_OURS}.resources[{token!r}]"
        if token not in TOKENS.values():
            raise ValueError(f"{of_kind}: there are {' and '.join(TOKENS.values())} only")
        section = _section(of_kind, naming)
        if not section:
            raise ValueError(f"{of_kind} needs a mode or a pattern")
        if token == TOKENS[kind]:
            yield of_kind, section


def _section(key: str, value: Any, further: str | None = None) -> Section:
    """A part of the setting, checked; `further` is what it may have besides a mode or a pattern."""
    if not isinstance(value, Mapping):
        example = "{pattern: '${name}-${stack}'}"
        raise ValueError(f"{key} must be an object, such as {example}")  # noqa: TRY004 - the user's mistake, no program's
    section = {name: given for name, given in value.items() if given is not None}
    keys = {**_KEYS, **({further: _FURTHER[further]} if further else {})}
    for name, given in section.items():
        if name not in keys:
            raise ValueError(f"{key} has no {name!r}; there are {', '.join(keys)}")
        kind, words = keys[name]
        if not isinstance(given, kind):
            raise ValueError(f"{key}.{name} must be {words}")  # noqa: TRY004 - as above
    if section.get("mode", "default") not in _MODES:
        raise ValueError(f"{key}.mode must be {', '.join(_MODES[:-1])} or {_MODES[-1]}")
    if "mode" in section and section.keys() & {"pattern", "enforce"}:
        raise ValueError(f"{key} has a mode besides a pattern or enforce: leave one of the two out")
    if "enforce" in section and "pattern" not in section:
        raise ValueError(f"{key} has enforce without a pattern: set a pattern, or leave enforce out")
    return section


def _filled(key: str, pattern: str, logical_name: str, stack: Stack) -> str:
    """The pattern, its expressions replaced by their values."""
    values = {
        "name": logical_name,
        "stack": stack.stack,
        "project": stack.project,
        "organization": stack.organization,
    }

    def value(found: re.Match[str]) -> str:
        expression = found[1]
        if expression in values:
            return values[expression]
        if expression.startswith("config."):
            return stack.config(expression.removeprefix("config."))
        if _RANDOM.fullmatch(expression):
            alone = f", or set {_OURS}.pattern, which is for machines and switches alone"
            raise ValueError(
                f"{key}: {found[0]} would be another text in each run, and a machine or switch keeps its name. Use "
                f"${{stack}} instead{'' if key.startswith(_OURS) else alone}"
            )
        names = ", ".join(f"${{{name}}}" for name in values)
        raise ValueError(f"{key}: there is no {found[0]}; there are {names} and ${{config.KEY}}")

    return _EXPRESSION.sub(value, pattern)
