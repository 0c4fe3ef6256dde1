"""The identity of the stack, which the provider keeps on each machine and switch to know its own by (decision 0015)."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import pulumi
from pulumi import dynamic
from pulumi.output import Unknown
from pulumi.runtime.settings import get_root_resource

from nestedlab.adapters.dynamic import StackIdentityProvider
from nestedlab.adapters.stack_identity import LOGICAL_NAME


class StackIdentity(dynamic.Resource, module="nestedlab", name="StackIdentity"):
    """An identity that no other stack has. It is made before anything else, and there is one in a stack."""

    identity: pulumi.Output[str]

    def __init__(self) -> None:
        """Register it, with the name that the stack has now."""
        properties = {"stack": f"{pulumi.get_project()}/{pulumi.get_stack()}", "identity": None}
        super().__init__(StackIdentityProvider(), LOGICAL_NAME, properties)


_of_program: WeakKeyDictionary[pulumi.Resource, StackIdentity] = WeakKeyDictionary()


async def stack_id() -> str | Unknown | None:
    """The stack's identity, once it is known; None where it was not made, as with `--target`.

    The value comes without the dependency that its output carries: then a `--target` would need the identity too.
    """
    output = _identity().identity
    known = await output.is_known()
    return await output.future() if known else Unknown()  # type: ignore[no-untyped-call]


def _identity() -> StackIdentity:
    root = get_root_resource()
    if root is None:
        return StackIdentity()
    if root not in _of_program:
        _of_program[root] = StackIdentity()
    return _of_program[root]
