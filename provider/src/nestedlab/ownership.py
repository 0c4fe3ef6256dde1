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
    """What `made_name` was given to make the name; a name that it did not make is its own stem."""
    return name[: -len(made_name("", owned_by))] if is_made_for(name, owned_by) else name


def _short(identity: UUID) -> str:
    return identity.hex[:12]


def own(what: str, listed: Iterable[PSObject], name: str, owner: str) -> UUID | None:
    """The one of the listed machines or switches that an earlier attempt of the same owner has created, if any.

    Raises ConflictError if two are marked so, and if a stranger has the name.
    """
    things = {thing.text("Id"): thing for thing in listed}
    ours = [identity for identity, thing in things.items() if owner_of(thing.text("Notes")) == owner]
    if len(ours) > 1:
        raise ConflictError(
            f"more than one {what} on the host is marked as this one: {' and '.join(ours)}. "
            "Remove the one that is not wanted."
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
        "It is left alone: give this one another name, or rename or remove that one if it is yours."
    )


def gone(what: str, identity: UUID, name: str) -> NotFoundError:
    """The error for a thing that is to be changed and is no longer there."""
    return NotFoundError(
        f"{what} {name!r} ({identity}) is no longer on the host. "
        "Run `pulumi refresh`, so that the next `pulumi up` creates it again."
    )


def on_this_host(what: str, identity: UUID, name: str, host: str, facts: Facts) -> None:
    """Raise if the host that does not have the thing is another one than the one it was created on.

    Then it is not gone: the connection leads elsewhere. What a host's name ends with after a dot is not compared.
    """
    here = facts.first("VMHost")
    if here is None or not host:
        return
    answers = here.text("ComputerName")
    if host.partition(".")[0].casefold() != answers.partition(".")[0].casefold():
        raise RefusedError(
            f"{what} {name!r} ({identity}) is on host {host}, but {answers} answers: nestedlab:address now points at a "
            "different host. Restore it, or set on= to recreate the machine or switch on another host. If that host is "
            "gone, or has been renamed, `pulumi state delete` drops it from the state."
        )
