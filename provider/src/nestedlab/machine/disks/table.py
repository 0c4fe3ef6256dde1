"""The table of a machine's disk, and how two of them compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from nestedlab.declare import Change, Depends, Part, Row, strongest
from nestedlab.lifecycle import differences
from nestedlab.limits import LIMITS_PAGE, MODULE, Source, ours, sourced
from nestedlab.names import DiskPath, same_path
from nestedlab.parts import reconcile

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_GIB = 64 * 1024

# A Generation 2 machine is created with one SCSI controller, looks at its first slot first, and has 64 slots there.
OS_LOCATION = 0
LAST_LOCATION = 62
DVD_LOCATION = 63


def shrinks(before: int | None, after: int | None) -> bool:
    """Whether the size after is less than the size before."""
    return before is not None and after is not None and after < before


_GROWS = Depends(
    "it grows while the machine is off, and does not shrink",
    lambda there, wanted: Change.REPLACE if shrinks(there, wanted) else Change.OFF,
)
_EXCHANGED = Depends(
    "for another file while the machine is off; for a disk that is made, the machine is replaced; a data disk at any "
    "time",
    lambda there, wanted: Change.OFF if there is not None and wanted is not None else Change.REPLACE,
)
_NEVER = Depends(
    "never: the machine is replaced; for another data disk, choose another location", lambda *_: Change.REPLACE
)


class Disk(Part):
    """A virtual disk: blank of `size_gib`, differencing on `parent`, or the existing file at `path`."""

    key: ClassVar[tuple[str, ...]] = ()

    size_gib: Annotated[
        int | None,
        Field(ge=1, le=MAX_GIB),
        Source(f"{LIMITS_PAGE}: 64 TiB; our choice: whole GiB"),
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
    unreadable: Annotated[Literal[None], Row(by="Get-VHD", absent=True)] = None
    """The file, and its image, if the host cannot read it. No program sets it: a disk that can be read has none."""

    @model_validator(mode="after")
    @sourced(Source(f"{MODULE}: the parameter sets of New-VHD", "blank, on an image or a given file; `fixed` if blank"))
    def _one_of(self) -> Disk:
        given = [name for name in ("size_gib", "parent", "path") if getattr(self, name) is not None]
        if len(given) != 1 and given != ["size_gib", "parent"]:
            what = " and ".join(given) if given else "none of them"
            raise ValueError(f"needs size_gib, parent (or both), or path, and has {what}")
        if self.fixed and given != ["size_gib"]:
            raise ValueError("fixed is for a blank disk: set size_gib alone, or leave fixed out")
        return self

    @property
    def is_given(self) -> bool:
        """Whether it is a file that exists; else one that is made for the machine."""
        return self.path is not None

    @property
    def is_unreadable(self) -> bool:
        """Whether the host cannot read it: its file or its image is gone, or the image was written to."""
        return self.unreadable is not None

    @property
    def is_empty(self) -> bool:
        """Whether it stands for a slot with nothing in it."""
        return self.size_gib is None and self.parent is None and self.path is None


class DataDisk(Disk):
    """A further disk of the machine; like `Disk`, in a slot of its own."""

    key: ClassVar[tuple[str, ...]] = ("location",)

    location: Annotated[
        int | None,
        Field(ge=1, le=LAST_LOCATION),
        ours(f"0 is the OS disk's, 63 the DVD drive's; 64 to a controller: {LIMITS_PAGE}"),
        Row(by="Add-VMHardDiskDrive -ControllerLocation, Get-VMHardDiskDrive.ControllerLocation"),
    ] = None
    """Location on the machine's SCSI controller. By default its place in the list, the first being 1. Set it if disks
    may be removed from the middle of the list: those behind would move up and become others."""


EMPTY = Disk.model_construct()
"""A slot with nothing in it, where a disk should be."""


def same_disk(wanted: Disk, there: Disk) -> bool:
    """Whether the disk that is there is the one asked for."""
    if wanted.is_empty or there.is_empty:
        return wanted.is_empty and there.is_empty
    return not _different(wanted, there)


def _different(wanted: Disk, there: Disk) -> set[str]:
    return {row.name for row in Disk.attributes() if not row.agrees(wanted, there)}


def both_made(there: Disk | None, wanted: Disk | None) -> bool:
    """Whether the disk in a slot was made, and the one asked for is: then it stays there, or is another one."""
    return _is_made(there) and _is_made(wanted)


def _is_made(disk: Disk | None) -> bool:
    return disk is not None and not disk.is_empty and not disk.is_given


def is_another(there: Disk | None, wanted: Disk | None) -> bool:
    """Whether a disk that was made would have to be made again to be what is asked for: its contents would be lost."""
    if there is None or wanted is None or not both_made(there, wanted):
        return False
    return not _different(wanted, there) <= {"size_gib", "keep", "unreadable"}


def _disk_change(there: Disk | None, wanted: Disk | None) -> Change:
    # A disk that is gone from its slot is put there again, while the machine is off.
    if there is None or wanted is None or there.is_empty or wanted.is_empty:
        return Change.OFF
    return strongest({row.change(there, wanted) for row in differences(wanted, there)})


def _data_disks_change(there: Sequence[DataDisk] | None, wanted: Sequence[DataDisk] | None) -> Change:
    pairs = reconcile(wanted or (), there or ()).different
    grown = any(both_made(pair.there, pair.wanted) and "size_gib" in {row.name for row in pair.rows} for pair in pairs)
    return Change.OFF if grown else Change.LIVE


DISK_CHANGE = Depends("see `Disk`", _disk_change)
DATA_DISKS_CHANGE = Depends("attached and detached at any time; for the rest see `DataDisk`", _data_disks_change)
