"""Names of properties as a Python program spells them, in the engine's spelling; for inputs and for options."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection

import pulumi

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def on_the_wire(path: str) -> str:
    """A property's path in the engine's spelling: osDisk.sizeGib for os_disk.size_gib."""
    return _NAME.sub(lambda name: _camel(name[0]), path)


def refuse_unknown(opts: pulumi.ResourceOptions | None, properties: Collection[str]) -> None:
    """Raise pulumi.RunError if an option names a property that there is not; `properties` are in the engine's spelling.

    The engine ignores such a name, so that the option would be without effect.
    """
    options = ("ignore_changes", "additional_secret_outputs", "replace_on_changes")
    for option in options if opts is not None else ():
        for path in getattr(opts, option) or ():
            for name in _NAME.findall(path):
                if _camel(name) not in properties:
                    raise pulumi.RunError(f"{option}: there is no property {name!r}{_hint(name, properties)}")


def _hint(name: str, properties: Collection[str]) -> str:
    nearest = difflib.get_close_matches(_camel(name), properties, n=1)
    return f"; did you mean {_snake(nearest[0])!r}?" if nearest else ""


def _camel(name: str) -> str:
    # The SDK's own keys, such as __provider, stay as they are.
    return name if name.startswith("__") else re.sub(r"_([a-z0-9])", lambda letter: letter[1].upper(), name)


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", name)
