"""The machines of a stack, from its state alone. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nestedlab.adapters.urns import type_of
from nestedlab.classroom.events import named

_MACHINE = type_of("NestedHyperVHost")


@dataclass(frozen=True)
class Machine:
    """A machine as the state has it."""

    urn: str
    resource: str
    """Its logical name."""
    name: str
    """Its name on the host."""
    power: str
    """As Hyper-V names it, such as Running; "" if the state does not tell."""
    baseline: str
    """The baseline's name; "" if it has none."""


def machines(deployment: Mapping[str, Any]) -> Iterator[Machine]:
    """The machines of a deployment, as `pulumi stack export` gives it."""
    for resource in deployment.get("resources") or ():
        if str(resource.get("type")) == _MACHINE and not resource.get("delete"):
            outputs = {**(resource.get("inputs") or {}), **(resource.get("outputs") or {})}
            urn = str(resource["urn"])
            yield Machine(urn, named(urn), *(_text(outputs, key) for key in ("name", "powerState", "baseline")))


def _text(values: Mapping[str, Any], key: str) -> str:
    """A plain text; "" for what is not there or sealed."""
    value = values.get(key)
    return value if isinstance(value, str) else ""
