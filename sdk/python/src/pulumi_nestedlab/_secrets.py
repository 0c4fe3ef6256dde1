"""Which inputs a program marks as secret: the engine hides that from a provider, which must not log them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pulumi

from nestedlab.adapters.secret_inputs import PROPERTY


def secret_inputs(properties: Mapping[str, Any]) -> dict[str, Any]:
    """A property with the names of the secret inputs; none, if no input is an output."""
    outputs = {name: list(_outputs(value)) for name, value in properties.items()}
    if not any(outputs.values()):
        return {}
    return {PROPERTY: _names_of_secrets(outputs)}


async def _names_of_secrets(outputs: Mapping[str, Iterable[pulumi.Output[Any]]]) -> list[str] | None:
    names = [name for name, found in outputs.items() if any([await output.is_secret() for output in found])]
    return names or None


def _outputs(value: Any) -> Iterable[pulumi.Output[Any]]:
    """The outputs in a value, at any depth."""
    if isinstance(value, pulumi.Output):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _outputs(part)
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for part in value:
            yield from _outputs(part)
    elif type(value).__module__ == "pulumi_nestedlab._resources":  # a part: Disk, PortForward ...
        yield from _outputs(vars(value))
