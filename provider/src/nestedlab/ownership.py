"""Whose an object on the host is: by the marker in its notes, and by names that carry the id of what they belong to.

The marker is one line, the last, of the one free-text field that Hyper-V gives a machine and a switch. Files and NAT
networks have no such field; theirs is the name. A name alone never makes an object ours, and neither does the owner
that a marker names: two people may have the same program with a state each. The stack's identity does (decision 0015).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from nestedlab.errors import ConflictError, NotFoundError, RefusedError
from nestedlab.names import same_name
from nestedlab.pipeline import Facts, PSObject

_MARKER = re.compile(
    r"(?:\A|\r?\n)\[nestedlab owner=(?P<owner>[^\]\r\n]+?)"
    r"(?: stack=(?P<stack>[0-9a-f-]+)(?: creation=(?P<creation>\d+))?(?: id=(?P<thing>[0-9a-f]+))?)?\]\s*\Z"
)


@dataclass(frozen=True)
class Mark:
    """What a marker says: whose the object is, which creation it comes from, and which object it was written on.

    The first version of nestedlab wrote the owner alone. `creation` counts the creates that have made the object or
    taken it over. `thing` is the beginning of the object's own id: a copy has the marker, and another id.
    """

    owner: str = ""
    stack: str = ""
    creation: int = 0
    thing: str = ""

    def __str__(self) -> str:
        parts = {"stack": self.stack, "creation": self.creation, "id": self.thing}
        return " ".join([self.owner, *(f"{name}={value}" for name, value in parts.items() if value and self.stack)])

    def on(self, identity: UUID) -> Mark:
        """The same mark, as it is written on the machine or switch of this id."""
        return replace(self, thing=_short(identity))


def marked(notes: str, mark: str) -> str:
    """The notes with the marker as their last line; a mark of "" leaves the notes alone."""
    if not mark:
        return notes
    return f"{notes}\n[nestedlab owner={mark}]" if notes else f"[nestedlab owner={mark}]"


def mark_in(notes: str) -> Mark:
    """The mark that the notes hold; one of no owner if there is none."""
    marker = _MARKER.search(notes)
    if marker is None:
        return Mark()
    return Mark(marker["owner"], marker["stack"] or "", int(marker["creation"] or 0), marker["thing"] or "")


def owner_of(notes: str) -> str:
    """The owner that the notes' marker names, as project/stack/logical name; "" if there is none."""
    return mark_in(notes).owner


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


@dataclass(frozen=True)
class Begun:
    """A machine or switch that an earlier attempt has made, and its mark."""

    id: UUID
    mark: Mark


def mark_on(thing: PSObject) -> Mark:
    """The mark on a machine or switch; none if it was copied from another with its notes."""
    mark = mark_in(thing.text("Notes"))
    return Mark() if mark.thing and mark.thing != _short(UUID(thing.text("Id"))) else mark


def begun(what: str, listed: Iterable[PSObject], name: str, mark: Mark, *, adopt: bool) -> Begun | None:
    """The listed machine or switch that an earlier attempt of the same owner and stack has made, if any.

    With `adopt` it may be of any stack. Raises ConflictError if there are two, and if an object of the name is not it.
    """
    things = {thing.text("Id"): thing for thing in listed}
    marks = {identity: mark_on(thing) for identity, thing in things.items()}
    ours = [identity for identity, found in marks.items() if _is_ours(found, mark, adopt=adopt)]
    if len(ours) > 1:
        raise ConflictError(
            f"more than one {what} on the host carries this resource's marker: {' and '.join(ours)}. "
            "Remove the copy that you do not need."
        )
    if ours:
        return Begun(UUID(ours[0]), marks[ours[0]])
    stranger = next((thing for thing in things.values() if same_name(thing.text("Name"), name)), None)
    if stranger is not None:
        raise name_taken(what, name, stranger, mark)
    return None


def _is_ours(found: Mark, mark: Mark, *, adopt: bool) -> bool:
    if not found.owner or found.owner != mark.owner:
        return False
    return adopt or bool(mark.stack and found.stack == mark.stack)


def name_taken(what: str, name: str, stranger: PSObject, mark: Mark) -> ConflictError:
    """The error for a machine or switch whose name another has on the host."""
    there = f"the host already has a {what} named {name!r} ({stranger.text('Id')})"
    found = mark_on(stranger)
    if found.owner and found.owner == mark.owner:
        return ConflictError(
            f"{there}, which carries this resource's marker but is not of this stack: it was made from another state "
            f"of {found.owner}, on another computer perhaps, or before this stack's state was lost. It is left alone: "
            "if it is yours, run `pulumi up` with nestedlab:adopt set to true, once, to take it over; otherwise give "
            f"the resource another name, or rename or remove the existing {what}."
        )
    copied = mark_in(stranger.text("Notes")).owner
    other = f"it belongs to {found.owner}" if found.owner else "it was not made by nestedlab"
    whose = f"it is a copy of one of {copied}" if copied and not found.owner else other
    return ConflictError(
        f"{there}, and {whose}. "
        f"It is left alone: give the resource another name, or rename or remove the existing {what} if it is yours."
    )


def namesakes(listed: Iterable[PSObject], name: str, identity: UUID) -> list[PSObject]:
    """The other machines or switches in the list that have this name, whatever its case."""
    return [thing for thing in listed if same_name(thing.text("Name"), name) and UUID(thing.text("Id")) != identity]


def left_alone(what: str, shown: PSObject, stack: str | None, creation: int | None) -> str | None:
    """Why a delete leaves the machine or switch of a state alone, in words; None if it is the state's to remove."""
    there = mark_in(shown.text("Notes"))
    if stack and there.stack and there.stack != stack:
        return (
            f"the {what} is left on the host: another stack, {there.owner}, has taken it over since. Remove it there "
            "if nobody needs it."
        )
    if creation and there.creation and there.creation != creation:
        return (
            f"the {what} is kept: the replacement was created before the old one was deleted, and on the host both "
            "are the same. For a new one, leave delete_before_replace at its default."
        )
    return None


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
