"""Which thing on a host is a resource's own: by the owner in its notes, never by its name alone."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from nestedlab.declare import Properties
from nestedlab.errors import ConflictError, NotFoundError, RefusedError
from nestedlab.ownership import owner_of
from nestedlab.pipeline import Facts, PSObject
from nestedlab.names import same_name


def own(what: str, listed: Iterable[PSObject], desired: Properties) -> UUID | None:
    """The one of the listed machines or switches that an earlier attempt of the same owner has made, if any.

    Raises ConflictError where two are marked so, and where a stranger has the name.
    """
    things = {one.text("Id"): one for one in listed}
    marked = [one for one, thing in things.items() if owner_of(thing.text("Notes")) == desired["owner"]]
    if len(marked) > 1:
        raise ConflictError(
            f"on the host more than one {what} is marked as this one, {' and '.join(marked)}: "
            "remove the one that is not wanted"
        )
    if marked:
        return UUID(marked[0])
    stranger = next((one for one in things.values() if same_name(one.text("Name"), desired["name"])), None)
    if stranger is None:
        return None
    owner = owner_of(stranger.text("Notes"))
    whose = f"it belongs to {owner}" if owner else "it was not made by nestedlab"
    raise ConflictError(
        f"a {what} named {desired['name']!r} is on the host already ({stranger.text('Id')}) and {whose}. "
        "It is left alone: give this one another name, or remove that one."
    )


def gone(what: str, identity: UUID, desired: Properties) -> NotFoundError:
    """The error for a thing that is to be changed and is not there any more."""
    return NotFoundError(
        f"{what} {desired['name']!r} ({identity}) is no longer on the host. "
        "Run `pulumi refresh`, so that the next `pulumi up` makes it again."
    )


def on_this_host(what: str, identity: UUID, known: Properties, facts: Facts) -> None:
    """Raise where the host that does not have the thing is another one than the one it was made on.

    Then it is not gone: the connection leads elsewhere. What a name ends with after a dot is not compared.
    """
    made_on, here = str(known.get("host") or ""), facts.first("VMHost")
    if here is None or not made_on:
        return
    name = here.text("ComputerName")
    if made_on.partition(".")[0].casefold() != name.partition(".")[0].casefold():
        raise RefusedError(
            f"{what} {known.get('name')!r} ({identity}) is on host {made_on}, and {name} answers here: the address in "
            "the configuration leads to another host than it did. Put it back. To move it, say on= and let it be made "
            "anew there. If that host is no more, or has another name now, `pulumi state delete` drops it."
        )
