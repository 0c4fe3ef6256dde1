"""Who a resource belongs to, from what a program knows before there is a URN."""

from __future__ import annotations

import pulumi

from nestedlab.adapters import urns


def owner_of(resource_name: str, opts: pulumi.ResourceOptions | None) -> pulumi.Input[str]:
    """The resource's owner, as the marker on its object on the host has it."""
    parent = opts.parent if opts else None
    return _owner(None, resource_name) if parent is None else _under(parent, resource_name)


async def _under(parent: pulumi.Resource, resource_name: str) -> str:
    # The URN's value, without the dependency that its output carries: a component depends on its children in turn.
    return _owner(str(await parent.urn.future()), resource_name)


def _owner(parent: str | None, resource_name: str) -> str:
    return urns.owner(pulumi.get_project(), pulumi.get_stack(), parent, resource_name)
