"""Whose an object on the host is: by the marker in its notes, and by names that carry the id of what they belong to.

The marker is one line, the last, of the one free-text field that Hyper-V gives a machine and a switch. Files and NAT
networks have no such field; theirs is the name. A name alone never makes an object ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from uuid import UUID

from nestedlab.errors import ConflictError, NotFoundError, RefusedError
from nestedlab.names import same_name
from nestedlab.pipeline import Facts, PSObject

_MARKER = re.compile(r"(?:\A|\r?\n)\[nestedlab owner=(?P<owner>[^\]\r\n]+)\]\s*\Z")


def marked(notes: str, owner: str) -> str:
    """The notes with the owner's marker as their last line; an owner of "" leaves the notes alone."""
    if not owner:
        return notes
    return f"{notes}\n[nestedlab owner={owner}]" if notes else f"[nestedlab owner={owner}]"


def owner_of(notes: str) -> str:
    """The owner that the notes' marker names, as project/stack/logical name; "" if there is none."""
    marker = _MARKER.search(notes)
    return marker["owner"] if marker else ""


def unmarked(notes: str) -> str:
    """The notes as the user wrote them."""
    return _MARKER.sub("", notes)


def stack_of(owner: str) -> tuple[str, ...]:
    """The project and the stack of an owner."""
    return tuple(owner.split("/")[:2])


def made_name(stem: str, owned_by: UUID) -> str:
    """A name for something that we make for the machine or switch `owned_by`, and that nobody else would choose."""
    return f"{stem}-{_short(owned_by)}"


def is_made_for(name: str, owned_by: UUID) -> bool:
    """Whether `made_name` gave the name for this machine or switch."""
    return name.lower().endswith(f"-{_short(owned_by)}")


def stem_of(name: str, owned_by: UUID) -> str:
    """The stem that `made_name` made the name of; any other name is its own stem."""
    return name[: -len(made_name("", owned_by))] if is_made_for(name, owned_by) else name


def _short(identity: UUID) -> str:
    return identity.hex[:12]


def own(what: str, listed: Iterable[PSObject], name: str, owner: str) -> UUID | None:
    """The id of the listed machine or switch that an earlier attempt of the same owner has created, if any.

    Raises ConflictError if two carry the owner's marker, and if an object without it has the name.
    """
    things = {thing.text("Id"): thing for thing in listed}
    ours = [identity for identity, thing in things.items() if owner_of(thing.text("Notes")) == owner]
    if len(ours) > 1:
        raise ConflictError(
            f"more than one {what} on the host carries this resource's marker: {' and '.join(ours)}. "
            "Remove the copy that you do not need."
        )
    if ours:
        return UUID(ours[0])
    stranger = next((thing for thing in things.values() if same_name(thing.text("Name"), name)), None)
    if stranger is None:
        return None
    other = owner_of(stranger.text("Notes"))
    whose = f"it belongs to {other}" if other else "it was not made by nestedlab"
    raise ConflictError(
        f"the host already has a {what} named {name!r} ({stranger.text('Id')}), and {whose}. "
        f"It is left alone: give the resource another name, or rename or remove the existing {what} if it is yours."
    )


def gone(what: str, identity: UUID, name: str) -> NotFoundError:
    """The error for a machine or switch that is to be changed and no longer exists."""
    return NotFoundError(
        f"{what} {name!r} ({identity}) is no longer on the host. "
        "Run `pulumi refresh`, so that the next `pulumi up` creates it again."
    )


def on_this_host(what: str, identity: UUID, name: str, host: str, facts: Facts) -> None:
    """Raise RefusedError if the host that answers is not the host on which the machine or switch was created.

    Then it is not gone: the connection leads elsewhere. Of a host's name, only the part before the first dot counts.
    """
    vm_host = facts.first("VMHost")
    if vm_host is None or not host:
        return
    answering = vm_host.text("ComputerName")
    if host.partition(".")[0].casefold() != answering.partition(".")[0].casefold():
        raise RefusedError(
            f"{what} {name!r} ({identity}) is on host {host}, but {answering} answers: nestedlab:address now points at "
            "a different host. Restore it, or set on= to recreate the machine or switch on another host. If the host "
            "is gone, or has been renamed, `pulumi state delete` drops it from the state."
        )
