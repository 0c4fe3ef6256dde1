"""Owners and URNs: an owner identifies a resource as its URN does, in the form that the marker on the host keeps.

`project/stack/name`, or `project/stack/types of its parents::name`. The SDK builds the owner before there is a URN, and
the provider builds the URN from the owner to report a warning under its resource; no other module knows either form.
"""

from __future__ import annotations

_DYNAMIC = "pulumi-python:dynamic/nestedlab"


def type_of(kind: str) -> str:
    """The type of our resources of a class, such as NatSwitch, in URNs and states."""
    return f"{_DYNAMIC}:{kind}"


def owner(project: str, stack: str, parent: str | None, name: str) -> str:
    """The owner of a resource; `parent` is the URN of its parent, if it has one.

    Two components of different types may each have a child of the same name: Pulumi distinguishes them by the types.
    """
    types = f"{parent.split('::')[2]}::" if parent is not None else ""
    return f"{project}/{stack}/{types}{name}"


def urn(kind: str, owner: str) -> str:
    """The URN of an owner's resource; `kind` is its class, such as NatSwitch."""
    project, stack, rest = owner.split("/", 2)
    parents, _, name = rest.partition("::") if "::" in rest else ("", "", rest)
    types = f"{parents}$" if parents else ""
    return f"urn:pulumi:{stack}::{project}::{types}{type_of(kind)}::{name}"
