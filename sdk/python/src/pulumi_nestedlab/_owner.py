"""Who a resource belongs to, as the marker in the notes of its object on the host says it."""

from __future__ import annotations

import pulumi


def owner_of(resource_name: str, opts: pulumi.ResourceOptions | None) -> pulumi.Input[str]:
    """The owner: project/stack/logical name.

    Under a component, its type and :: stand before the name: two components of different types may each have a child of the
    same name, and Pulumi tells them apart by that alone.
    """
    stack = f"{pulumi.get_project()}/{pulumi.get_stack()}"
    parent = opts.parent if opts else None
    if parent is None:
        return f"{stack}/{resource_name}"
    # Its future, without the dependency that the output carries: a component depends on its children in turn.
    urn = pulumi.Output.from_input(parent.urn.future())
    return urn.apply(lambda known: f"{stack}/{str(known).split('::')[2]}::{resource_name}")
