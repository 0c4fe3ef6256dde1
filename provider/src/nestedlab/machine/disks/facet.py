"""What is done with a machine's disks: looked for, made, attached, taken out, each in a slot of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PureWindowsPath
from uuid import UUID

from nestedlab.declare import Properties
from nestedlab.errors import NotFoundError, RefusedError
from nestedlab.lifecycle import Found
from nestedlab.nouns import GIB_BYTES
from nestedlab.ownership import is_made_for
from nestedlab.pipeline import Argument, Cmdlet, ErrorKind, Facts, Pipeline, cmdlet, statement
from nestedlab.machine.disks.table import ANOTHER, HELD, OS_LOCATION, both_made, by_location, is_another, same_disk, shrinks
from nestedlab.machine.disks.read import base_of, drives, file_for, is_difference, made_path, removable

ATTRIBUTES = frozenset({"os_disk", "data_disks"})
"""The machine's attributes that this file writes."""


def lookup(desired: Properties, now: Found | None = None) -> Iterator[Pipeline]:
    """What shows whether images and given disks are there that are not attached yet."""
    # Get-VHD says the same of a file that is missing and of one it cannot read: look at what it shows.
    unreadable = (ErrorKind.ABSENT, ErrorKind.BUSY, ErrorKind.OTHER)
    for path in dict.fromkeys(_needed(_new(desired, now)).values()):
        yield statement("Get-VHD", Path=path).tolerating(*unreadable)


def prerequisites(facts: Facts, desired: Properties, now: Found | None = None) -> None:
    """Raise where an image or a given disk is not there, or where it cannot be read."""
    there = {PureWindowsPath(one.text("Path")): one for one in facts.all("VirtualHardDisk")}
    new = _new(desired, now)
    for location, disk in new.items():
        image = there.get(PureWindowsPath(disk.get("parent") or ""))
        if image is not None and disk.get("size_gib") and disk["size_gib"] * GIB_BYTES < image.number("Size"):
            has = image.number("Size") / GIB_BYTES
            raise RefusedError(f"{_called(location)}.size_gib: the image has {has:g} GiB; ask for at least that.")
    for name, path in _needed(new).items():
        if PureWindowsPath(path) not in there:
            raise NotFoundError(
                f"{name}: {path} is not a virtual disk on the host, or it cannot be read. "
                "Check the path, as the host sees it, and that no other machine is writing to the file."
            )


def _new(desired: Properties, now: Found | None) -> dict[int, Properties]:
    """The disks that are to be put in. A given one that is in some slot of the machine already is there, and in use."""
    if now is None:
        return by_location(desired)
    there = by_location(now.values)
    attached = [PureWindowsPath(drive.text("Path")) for drive in drives(now.facts).values()]
    return {
        location: disk
        for location, disk in by_location(desired).items()
        if not both_made(there.get(location) or {}, disk) and PureWindowsPath(disk.get("path") or "") not in attached
    }


def _needed(new: Mapping[int, Properties]) -> dict[str, str]:
    """The files that must be there, by the property that names them."""
    return {
        f"{_called(location)}.{key}": disk[key]
        for location, disk in new.items()
        for key in ("parent", "path")
        if disk.get(key) is not None
    }


def _called(location: int) -> str:
    return "os_disk" if location == OS_LOCATION else f"data_disks[{location}]"


def to_make(machine: UUID, desired: Properties, folder: str) -> list[str]:
    """The files that making the machine's disks makes."""
    wanted = by_location(desired).items()
    return [made_path(machine, desired, folder, location) for location, disk in wanted if disk.get("path") is None]


def needs_folder(desired: Properties, now: Found) -> bool:
    """Whether a file may have to be made, so that its folder must be known."""
    there = by_location(now.values)
    wanted = by_location(desired).items()
    return any(disk.get("path") is None and not both_made(there.get(location) or {}, disk) for location, disk in wanted)


@dataclass(frozen=True)
class _Slot:
    """A place for a disk: the file that is in it ("" for none), and the file that would be made for it."""

    machine: Cmdlet
    identity: UUID
    location: int
    file: str
    made: str

    def detach(self) -> Pipeline:
        """What takes the disk out."""
        # By number and location alone: -ControllerType fails here on some builds (windsorcli's provider), and a
        # Generation 2 machine has none but SCSI controllers.
        drive = cmdlet("Get-VMHardDiskDrive", ControllerNumber=0, ControllerLocation=self.location)
        return self.machine | drive | cmdlet("Remove-VMHardDiskDrive")

    def attach(self, disk: Properties, *, kept: bool) -> Iterator[Pipeline]:
        """What makes the disk's file, unless it is given, and puts it in."""
        path = self.made if disk.get("path") is None else disk["path"]
        yield from _make(path, disk, kept=kept)
        place: dict[str, Argument] = {
            "ControllerType": "SCSI",
            "ControllerNumber": 0,
            "ControllerLocation": self.location,
        }
        yield self.machine | Cmdlet("Add-VMHardDiskDrive", {**place, "Path": path})


def changes(machine: Cmdlet, desired: Properties, now: Found, folder: str, *, fresh: bool) -> Iterator[Pipeline]:
    """What makes the disks what is asked for, slot by slot; files are made in the folder.

    After a reset (`fresh`) a disk that the baseline does not have is made anew, without what was on it, unless it is
    one to keep.
    """
    there, wanted = by_location(now.values), by_location(desired)
    slots = [_slot(machine, desired, now, folder, location) for location in sorted({*there, *wanted})]
    changed = [
        (slot, shown, disk)
        for slot in slots
        if not _agree(slot, shown := there.get(slot.location) or {}, disk := wanted.get(slot.location))
    ]
    for change in changed:
        _refuse(*change)
    # First all that is taken out: a disk may go from one slot to another.
    taken = [(slot, shown) for slot, shown, disk in changed if slot.file and not both_made(shown, disk or {})]
    for slot, _ in taken:
        yield slot.detach().setting(_called(slot.location))
    for slot, shown, disk in changed:
        left = slot if both_made(shown, disk or {}) else replace(slot, file="")
        for one in _put(left, disk, now, fresh=fresh) if disk is not None else ():
            yield one.setting(_called(slot.location))
    # Last what cannot be undone, when all the rest is done. One that is given by its path is left where it is.
    gone = [slot.file for slot, shown in taken if not shown.get("keep") and shown.get("path") is None]
    asked_for = [wanted[slot.location].get("path") or slot.made for slot in slots if slot.location in wanted]
    out = {slot.location for slot, _ in taken}
    attached = [base_of(slot.file) for slot in slots if slot.file and slot.location not in out]
    yield from _removals([*gone, *removable(now, fresh=fresh)], now.id, [*asked_for, *attached])


def _removals(files: Sequence[str], machine: UUID, staying: Sequence[str]) -> Iterator[Pipeline]:
    """What removes files that were made for the machine and are wanted in no slot, and none but these."""
    wanted = [PureWindowsPath(one) for one in staying]
    for file in dict.fromkeys(files):
        if is_made_for(PureWindowsPath(file).stem, machine) and PureWindowsPath(file) not in wanted:
            yield statement("Remove-Item", LiteralPath=file).tolerating(ErrorKind.ABSENT)


def _slot(machine: Cmdlet, desired: Properties, now: Found, folder: str, location: int) -> _Slot:
    drive = drives(now.facts).get(location)
    file = drive.text("Path") if drive else ""
    made = file_for(now, location) or made_path(now.id, desired, folder, location)
    return _Slot(machine, now.id, location, file, made)


def _agree(slot: _Slot, shown: Properties, disk: Properties | None) -> bool:
    return not slot.file if disk is None else bool(slot.file) and same_disk(disk, shown)


def _refuse(slot: _Slot, shown: Properties, disk: Properties | None) -> None:
    """Raise where the disk in the slot cannot be taken away or changed without loss."""
    if is_difference(slot.file):
        raise RefusedError(f"{_called(slot.location)}: {HELD}")
    if not slot.file or disk is None:
        return
    if shrinks(shown.get("size_gib"), disk.get("size_gib")):
        raise RefusedError(f"{_called(slot.location)}: a disk cannot shrink: it has {shown['size_gib']} GiB there.")
    if is_another(shown, disk):
        raise RefusedError(f"{_called(slot.location)}: {ANOTHER}")


def refuse_beneath(checkpoints: Sequence[str], desired: Properties) -> None:
    """Raise where a reset may make a disk anew that somebody's checkpoint holds: what that one shows would be lost."""
    anew = any(disk.get("path") is None and not disk.get("keep") for disk in desired.get("data_disks") or ())
    if checkpoints and anew:
        raise RefusedError(
            f"the machine's checkpoint {checkpoints[0]!r} was not taken by nestedlab, and may hold a data disk that a "
            "reset makes anew: remove it, or keep the disks (keep=True)."
        )


def _put(slot: _Slot, disk: Properties, now: Found, *, fresh: bool) -> Iterator[Pipeline]:
    """What puts the disk into its slot, which is empty or has the same disk in another size."""
    if slot.file:
        yield statement("Resize-VHD", Path=slot.file, SizeBytes=disk["size_gib"] * GIB_BYTES)
        return
    stayed = [PureWindowsPath(one) for one in now.values.get("kept_disks") or ()]
    kept = not disk.get("keep") and PureWindowsPath(slot.made) in stayed
    if fresh and disk.get("path") is None and not disk.get("keep") and not kept:
        yield statement("Remove-Item", LiteralPath=slot.made).tolerating(ErrorKind.ABSENT)
    yield from slot.attach(disk, kept=kept)


def _make(path: str, disk: Properties, *, kept: bool) -> Iterator[Pipeline]:
    """What makes the file. One of this name is there already only where an earlier attempt has made it.

    Or where a disk that was `kept` is there, which is not this one: then Windows says that it is.
    """
    if disk.get("path") is not None:
        return
    size = disk["size_gib"] * GIB_BYTES if disk.get("size_gib") is not None else None
    if disk.get("parent") is not None:
        making = statement("New-VHD", Path=path, ParentPath=disk["parent"], Differencing=True)
    elif disk.get("fixed"):
        making = statement("New-VHD", Path=path, SizeBytes=size, Fixed=True)
    else:
        making = statement("New-VHD", Path=path, SizeBytes=size, Dynamic=True)
    yield making if kept else making.tolerating(ErrorKind.EXISTS)
    if disk.get("parent") is not None and size is not None:
        # A differencing disk is born with its parent's size (New-VHD). One that has the asked size already is refused
        # here; whether it has is read back.
        yield statement("Resize-VHD", Path=path, SizeBytes=size).tolerating(ErrorKind.INVALID)
