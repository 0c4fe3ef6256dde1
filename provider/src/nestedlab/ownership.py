"""Whose an object on the host is: the marker in its notes, and names that carry the id of what they belong to.

The marker is one line, the last, of the one free-text field that Hyper-V gives a machine and a switch. Files and NAT
networks have no such field; theirs is the name.
"""

from __future__ import annotations

import re
from uuid import UUID

_MARKER = re.compile(r"(?:\A|\r?\n)\[nestedlab owner=(?P<owner>[^\]\r\n]+)\]\s*\Z")


def marked(notes: str, owner: str) -> str:
    """The notes with the owner's marker as their last line; an owner of "" leaves the notes alone."""
    if not owner:
        return notes
    return f"{notes}\n[nestedlab owner={owner}]" if notes else f"[nestedlab owner={owner}]"


def owner_of(notes: str) -> str:
    """The owner that the notes' marker names, as project/stack/logical name; "" where there is none."""
    found = _MARKER.search(notes)
    return found["owner"] if found else ""


def unmarked(notes: str) -> str:
    """The notes as the user wrote them."""
    return _MARKER.sub("", notes)


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
