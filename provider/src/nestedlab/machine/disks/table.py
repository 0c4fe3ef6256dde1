"""The table of a machine's disk, and how two of them compare. What is done with disks is in disks.py."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from nestedlab.declare import Change, Depends, Part, Properties, Row
from nestedlab.lifecycle import differences, hardest, needs
from nestedlab.parts import reconcile
from nestedlab.names import DiskPath, same_path

MAX_GIB = 64 * 1024  # VHDX: 64 TiB (New-VHD)

# A Generation 2 machine is born with one SCSI controller, looks at its first slot first, and has 64 slots there.
OS_LOCATION = 0
LAST_LOCATION = 62
DVD_LOCATION = 63


def shrinks(found: int | None, asked: int | None) -> bool:
    """Whether the asked size is less than the found one."""
    return found is not None and asked is not None and asked < found


_GROWS = Depends(
    "it grows while the machine is off, and does not shrink",
    lambda found, asked: Change.REPLACE if shrinks(found, asked) else Change.OFF,
)
_EXCHANGED = Depends(
    "for a file while the machine is off; for a disk that is made, the machine is made anew; a data disk at any time",
    lambda found, asked: Change.OFF if found is not None and asked is not None else Change.REPLACE,
)
_NEVER = Depends(
    "never: the machine is made anew; for another data disk, choose another location", lambda *_: Change.REPLACE
)


ANOTHER = (
    "the disk there is another one, and would be lost. Give the new disk another location, or take this one away first."
)
"""Why a data disk cannot be made anew in its place, and what to do."""


HELD = (
    "the machine has a checkpoint that the disk is part of, so that it can neither be taken away nor grow. Give up the "
    "baseline first (leave it out), or remove the checkpoint on the host."
)
"""Why a disk cannot change while a checkpoint holds it, and what to do."""


class Disk(Part):
    """A virtual disk: blank of `size_gib`, differencing on `parent`, or the existing file at `path`."""

    key: ClassVar[tuple[str, ...]] = ()

    size_gib: Annotated[
        int | None,
        Field(ge=1, le=MAX_GIB),
        Row(change=_GROWS, by="New-VHD -SizeBytes, Resize-VHD -SizeBytes, Get-VHD.Size"),
    ] = None
    """Size of the disk, in GiB. With `parent`, at least the parent's, which is the default."""
    parent: Annotated[
        DiskPath | None,
        Row(change=_NEVER, by="New-VHD -ParentPath, Get-VHD.ParentPath", same=same_path, absent=True),
    ] = None
    """A sealed image on the host, such as a sysprepped Windows Server. It is never written to: the machine gets a
    differencing disk on it, which is quick to make and small."""
    path: Annotated[
        DiskPath | None,
        Row(
            change=_EXCHANGED,
            by="Add-VMHardDiskDrive -Path, Get-VMHardDiskDrive.Path",
            same=same_path,
            absent=True,
        ),
    ] = None
    """A disk that exists on the host. It is attached as it is, and left where it is when the machine goes."""
    fixed: Annotated[bool, Row(change=_NEVER, by="New-VHD -Fixed, Get-VHD.VhdType")] = False
    """Whether a blank disk takes all of its size on the host at once, which is faster to use and slow to make."""
    keep: Annotated[bool, Row(by="Remove-Item")] = False
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

    location: Annotated[
        int | None,
        Field(ge=1, le=LAST_LOCATION),
        Row(by="Add-VMHardDiskDrive -ControllerLocation, Get-VMHardDiskDrive.ControllerLocation"),
    ] = None
    """Location on the machine's SCSI controller. By default its place in the list, the first being 1: where disks may
    be taken out of the middle of the list, say it, for those behind would move up and be others."""


def same_disk(asked: Properties, found: Properties) -> bool:
    """Whether the disk found is the one asked for; {} stands for an empty slot."""
    return not differences(Disk, asked, found) if asked and found else not asked and not found


def both_made(found: Properties, asked: Properties) -> bool:
    """Whether the disk found in a slot was made, and so is the one asked for: then it stays there, or is another."""
    return bool(found and asked) and found.get("path") is None and asked.get("path") is None


def is_another(found: Properties, asked: Properties) -> bool:
    """Whether a disk that was made would have to be made anew to be what is asked for: what is on it would be lost."""
    return both_made(found, asked) and not {one.name for one in differences(Disk, asked, found)} <= {"size_gib", "keep"}


def _disk_change(found: Properties | None, asked: Properties | None) -> Change:
    # A disk that is gone from its slot is put there again, while the machine is off.
    return hardest(needs(differences(Disk, asked, found), found, asked)) if found and asked else Change.OFF


def _data_disks_change(found: list[Properties] | None, asked: list[Properties] | None) -> Change:
    compared = reconcile(DataDisk, asked or (), found or ())
    grown = any(
        both_made(now, one) and "size_gib" in {row.name for row in rows} for one, now, rows in compared.different
    )
    return Change.OFF if grown else Change.LIVE


DISK_CHANGE = Depends("see `Disk`", _disk_change)
DATA_DISKS_CHANGE = Depends("attached and detached at any time; for the rest see `DataDisk`", _data_disks_change)


def by_location(disks: Properties) -> dict[int, Properties]:
    """The disks that a program asks for, by location."""
    there = {one["location"]: one for one in disks.get("data_disks") or ()}
    return {OS_LOCATION: disks["os_disk"], **there} if disks.get("os_disk") else there


def growth(asked: Properties, before: Properties) -> int:
    """GiB that the disks made for a machine may come to take beyond what they may now; what has no size counts 0."""
    there = by_location(before)
    return sum(
        max((disk.get("size_gib") or 0) - (was.get("size_gib") or 0 if both_made(was, disk) else 0), 0)
        for location, disk in by_location(asked).items()
        if disk.get("path") is None
        for was in [there.get(location) or {}]
    )
