"""Who a resource belongs to, as the marker in the notes of its object on the host says it."""

from __future__ import annotations

import pulumi


def owner_of(resource_name: str, opts: pulumi.ResourceOptions | None) -> pulumi.Input[str]:
    """The owner: project/stack/logical name.

    Under a component, its type and :: stand before the name: two components of different types may each have a child of
    the same name, and Pulumi tells them apart by that alone.
    """
    stack = f"{pulumi.get_project()}/{pulumi.get_stack()}"
    parent = opts.parent if opts else None
    return f"{stack}/{resource_name}" if parent is None else _under(parent, stack, resource_name)


async def _under(parent: pulumi.Resource, stack: str, resource_name: str) -> str:
    # The URN's value, without the dependency that its output carries: a component depends on its children in turn.
    urn = await parent.urn.future()
    return f"{stack}/{str(urn).split('::')[2]}::{resource_name}"
