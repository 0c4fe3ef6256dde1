"""The table of a machine's disk, and how two of them compare. What is done with disks is in disks.py."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from nestedlab.declare import Change, Part, Properties, Row
from nestedlab.lifecycle import differences
from nestedlab.parts import reconcile
from nestedlab.resources.names import DiskPath, same_path

MAX_GIB = 64 * 1024  # VHDX: 64 TiB (New-VHD)

# A Generation 2 machine is born with one SCSI controller, looks at its first slot first, and has 64 slots there.
OS_LOCATION = 0
LAST_LOCATION = 62
DVD_LOCATION = 63


class Disk(Part):
    """A virtual disk: blank of `size_gib`, differencing on `parent`, or the existing file at `path`."""

    key: ClassVar[tuple[str, ...]] = ()

    size_gib: Annotated[int | None, Field(ge=1, le=MAX_GIB), Row()] = None
    """Size of the disk, in GiB. With `parent`, at least the parent's, which is the default. It grows in place, while
    the machine is off; it cannot shrink."""
    parent: Annotated[DiskPath | None, Row(same=same_path, absent=True)] = None
    """A sealed image on the host, such as a sysprepped Windows Server. It is never written to: the machine gets a
    differencing disk on it, which is quick to make and small."""
    path: Annotated[DiskPath | None, Row(same=same_path, absent=True)] = None
    """A disk that exists on the host. It is attached as it is, and left where it is when the machine goes."""
    fixed: Annotated[bool, Row()] = False
    """Whether a blank disk takes all of its size on the host at once, which is faster to use and slow to make."""
    keep: Annotated[bool, Row()] = False
    """Whether a disk that was made stays on the host when the machine goes."""

    @model_validator(mode="after")
    def _one_of(self) -> Disk:
        given = [name for name in ("size_gib", "parent", "path") if getattr(self, name) is not None]
        if len(given) != 1 and given != ["size_gib", "parent"]:
            what = " and ".join(given) if given else "none of them"
            raise ValueError(f"needs size_gib, parent (or both), or path; given is {what}")
        if self.fixed and given != ["size_gib"]:
            raise ValueError("fixed is for a blank disk: it goes with size_gib alone")
        return self


class DataDisk(Disk):
    """A further disk of the machine; like `Disk`, in a slot of its own."""

    key: ClassVar[tuple[str, ...]] = ("location",)

    location: Annotated[int | None, Field(ge=1, le=LAST_LOCATION), Row()] = None
    """Location on the machine's SCSI controller, by which the disk is told from the others. By default its place in
    the list, the first being 1."""


def same_disk(asked: Properties, found: Properties) -> bool:
    """Whether the disk found is the one asked for; {} stands for an empty slot."""
    return not differences(Disk, asked, found) if asked and found else not asked and not found


def disk_change(found: Properties | None, asked: Properties | None) -> Change:
    """A disk grows and an attached file is exchanged while the machine is off; all else needs a new machine.

    A disk that is gone from its slot is put there again, while the machine is off.
    """
    if not found or not asked or (asked.get("path") is not None and found.get("path") is not None):
        return Change.OFF
    changed = {one.name for one in differences(Disk, asked, found)}
    if changed <= {"size_gib", "keep"} and not shrinks(found, asked):
        return Change.OFF if "size_gib" in changed else Change.LIVE
    return Change.REPLACE


def data_disks_change(found: list[Properties] | None, asked: list[Properties] | None) -> Change:
    """A disk that grows needs the machine off; disks are attached and detached while it runs."""
    compared = reconcile(DataDisk, asked or (), found or ())
    grown = any("size_gib" in {row.name for row in rows} for _, _, rows in compared.different)
    return Change.OFF if grown else Change.LIVE


def shrinks(found: Properties, asked: Properties) -> bool:
    """Whether the asked size is less than the found one."""
    was, size = found.get("size_gib"), asked.get("size_gib")
    return was is not None and size is not None and size < was


def by_location(disks: Properties) -> dict[int, Properties]:
    """The disks that a program asks for, by location."""
    there = {one["location"]: one for one in disks.get("data_disks") or ()}
    return {OS_LOCATION: disks["os_disk"], **there} if disks.get("os_disk") else there
