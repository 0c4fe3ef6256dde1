"""What is done with a machine's disks: looked for, read, made, attached, taken out, each in a slot of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PureWindowsPath
from typing import Any
from uuid import UUID

from nestedlab.declare import Plain, Properties
from nestedlab.errors import NotFoundError, RefusedError
from nestedlab.lifecycle import Found
from nestedlab.nouns import GIB_BYTES, in_units
from nestedlab.ownership import is_made_for, made_name
from nestedlab.pipeline import Argument, Cmdlet, Condition, Facts, Pipeline, PSObject, cmdlet, statement
from nestedlab.resources.disk import ANOTHER, OS_LOCATION, both_made, by_location, is_another, same_disk, shrinks

_CHECKPOINT = re.compile(r"(_[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})+$")

ATTRIBUTES = frozenset({"os_disk", "data_disks"})
"""The machine's attributes that this file reads and writes, beside the output os_disk_path."""


def lookup(desired: Properties) -> Iterator[Pipeline]:
    """What shows whether images and given disks are there."""
    # Get-VHD says the same of a file that is missing and of one it cannot read: look at what it shows.
    unreadable = (Condition.ABSENT, Condition.BUSY, Condition.OTHER)
    for path in dict.fromkeys(_needed(desired).values()):
        yield statement("Get-VHD", Path=path).tolerating(*unreadable)


def prerequisites(facts: Facts, desired: Properties) -> None:
    """Raise where an image or a given disk is not there, or where it cannot be read."""
    there = {PureWindowsPath(one.text("Path")): one for one in facts.all("VirtualHardDisk")}
    for location, disk in by_location(desired).items():
        image = there.get(PureWindowsPath(disk.get("parent") or ""))
        if image is not None and disk.get("size_gib") and disk["size_gib"] * GIB_BYTES < image.number("Size"):
            has = image.number("Size") / GIB_BYTES
            raise RefusedError(f"{_called(location)}.size_gib: the image has {has:g} GiB; ask for at least that.")
    for name, path in _needed(desired).items():
        if PureWindowsPath(path) not in there:
            raise NotFoundError(
                f"{name}: {path} is not a virtual disk on the host, or it cannot be read. "
                "Check the path, as the host sees it, and that no other machine is writing to the file."
            )


def _needed(desired: Properties) -> dict[str, str]:
    """The files that must be there, by the property that names them."""
    return {
        f"{_called(location)}.{key}": disk[key]
        for location, disk in by_location(desired).items()
        for key in ("parent", "path")
        if disk.get(key) is not None
    }


def _called(location: int) -> str:
    return "os_disk" if location == OS_LOCATION else f"data_disks[{location}]"


def reads(machine: Cmdlet, identity: UUID) -> tuple[Pipeline, ...]:
    """What shows the machine's drives and the files in them."""
    return (machine | Cmdlet("Get-VMHardDiskDrive"), statement("Get-VHD", VMId=identity))


def drives(facts: Facts) -> dict[int, PSObject]:
    """The machine's drives by their location on the first controller."""
    return {
        one.number("ControllerLocation"): one
        for one in facts.all("HardDiskDrive")
        if one.number("ControllerNumber") == 0
    }


def found(machine: UUID, facts: Facts, known: Properties) -> dict[str, Any]:
    """The attributes of this file; {} is an empty place of the OS disk.

    What becomes of a disk when the machine goes is not on the host: it is as it was known.
    """
    kept = {location: bool(disk.get("keep")) for location, disk in by_location(known).items()}
    there = drives(facts)
    shown = {
        location: _shown(machine, drive, facts, by_location(known).get(location) or {})
        for location, drive in there.items()
    }
    os_drive = there.get(OS_LOCATION)
    return {
        "os_disk": shown.pop(OS_LOCATION, {}),
        "os_disk_path": base_of(os_drive.text("Path")) if os_drive else str(known.get("os_disk_path") or ""),
        "data_disks": [{"location": location, **disk} for location, disk in sorted(shown.items())],
        "made_disks": _made(machine, facts, kept, known),
    }


def remembered(desired: Properties, known: Properties) -> dict[str, Any]:
    """What is desired, with what only the last look knows: whether a disk no more asked for stays, and loose files."""
    asked = desired.get("data_disks") or []
    gone = [one for one in known.get("data_disks") or () if one["location"] not in by_location({"data_disks": asked})]
    return {**desired, "data_disks": [*asked, *gone], "made_disks": known.get("made_disks") or []}


def loose(now: Found) -> list[str]:
    """The files made for the machine that are in none of its drives."""
    attached = [PureWindowsPath(drive.text("Path")) for drive in drives(now.facts).values()]
    return [one for one in now.values.get("made_disks") or () if PureWindowsPath(one) not in attached]


def _made(machine: UUID, facts: Facts, kept: Mapping[int, bool], known: Properties) -> list[str]:
    """The files that go with the machine: made for it and not to be kept, attached now or when last looked at."""
    attached = {location: base_of(drive.text("Path")) for location, drive in drives(facts).items()}
    going = [path for location, path in attached.items() if not kept.get(location)]
    paths = {*going, *(one for one in known.get("made_disks") or () if one not in attached.values())}
    return sorted(path for path in paths if is_made_for(PureWindowsPath(path).stem, machine))


def to_make(machine: UUID, desired: Properties, folder: str) -> list[str]:
    """The files that making the machine's disks makes."""
    wanted = by_location(desired).items()
    return [_made_path(machine, desired, folder, location) for location, disk in wanted if disk.get("path") is None]


def is_difference(path: str) -> bool:
    """Whether a file holds what was written since a checkpoint."""
    return PureWindowsPath(path).suffix.lower() == ".avhdx"


def base_of(path: str) -> str:
    """The disk that a drive's file is, or stands in front of: a checkpoint puts NAME_GUID.avhdx before NAME.vhdx."""
    if not is_difference(path):
        return path
    file = PureWindowsPath(path)
    return str(file.with_name(_CHECKPOINT.sub("", file.stem) + ".vhdx"))


def _shown(machine: UUID, drive: PSObject, facts: Facts, known: Properties) -> dict[str, Plain]:
    path = base_of(drive.text("Path"))
    keep = bool(known.get("keep"))
    # The last one counts: New-VHD answers the disk too, as it was before it grew.
    files = {PureWindowsPath(one.text("Path")): one for one in facts.all("VirtualHardDisk")}
    file = files.get(PureWindowsPath(drive.text("Path")))
    if file is None or not is_made_for(PureWindowsPath(path).stem, machine):
        return {"path": path, "fixed": False, "keep": keep}
    if is_difference(drive.text("Path")):
        # The file in front says how large the disk is, but not how its base was made: that has not changed.
        parent, fixed = known.get("parent"), bool(known.get("fixed"))
    else:
        parent, fixed = file.text("ParentPath"), file.text("VhdType") == "Fixed"
    on = {"parent": parent} if parent else {}
    return {"size_gib": in_units(file.number("Size"), GIB_BYTES), **on, "fixed": fixed, "keep": keep}


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

    def detach(self, disk: Properties) -> Iterator[Pipeline]:
        """What takes the disk out, and removes its file if it was made and is not to be kept."""
        # By number and location alone: -ControllerType fails here on some builds (windsorcli's provider), and a
        # Generation 2 machine has none but SCSI controllers.
        drive = cmdlet("Get-VMHardDiskDrive", ControllerNumber=0, ControllerLocation=self.location)
        yield self.machine | drive | cmdlet("Remove-VMHardDiskDrive")
        # Where the drive could not be taken out, its file is in use or another step's to remove: never more than ours.
        if not disk.get("keep") and is_made_for(PureWindowsPath(self.file).stem, self.identity):
            yield statement("Remove-Item", LiteralPath=self.file).tolerating(Condition.ABSENT)

    def attach(self, disk: Properties) -> Iterator[Pipeline]:
        """What makes the disk's file, unless it is given, and puts it in."""
        path = self.made if disk.get("path") is None else disk["path"]
        yield from _make(path, disk)
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
    # First all that is taken out: a given disk may go from one slot to another.
    for slot, shown, disk in changed:
        if slot.file and not both_made(shown, disk or {}):
            yield from (one.on_behalf_of(_called(slot.location)) for one in slot.detach(shown))
    for slot, shown, disk in changed:
        left = slot if both_made(shown, disk or {}) else replace(slot, file="")
        for one in _put(left, disk, fresh=fresh) if disk is not None else ():
            yield one.on_behalf_of(_called(slot.location))


def _slot(machine: Cmdlet, desired: Properties, now: Found, folder: str, location: int) -> _Slot:
    drive = drives(now.facts).get(location)
    file = drive.text("Path") if drive else ""
    return _Slot(machine, now.id, location, file, _made_path(now.id, desired, folder, location))


def _agree(slot: _Slot, shown: Properties, disk: Properties | None) -> bool:
    return not slot.file if disk is None else bool(slot.file) and same_disk(disk, shown)


def _refuse(slot: _Slot, shown: Properties, disk: Properties | None) -> None:
    """Raise where the disk in the slot cannot be taken away or changed without loss."""
    if is_difference(slot.file):
        raise RefusedError(
            f"{_called(slot.location)}: the machine has a checkpoint that the disk is part of, so that it can neither "
            "be taken away nor grow. Give up the baseline first (leave it out), or remove the checkpoint on the host."
        )
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


def _put(slot: _Slot, disk: Properties, *, fresh: bool) -> Iterator[Pipeline]:
    """What puts the disk into its slot, which is empty or has the same disk in another size."""
    if slot.file:
        yield statement("Resize-VHD", Path=slot.file, SizeBytes=disk["size_gib"] * GIB_BYTES)
        return
    if fresh and disk.get("path") is None and not disk.get("keep"):
        yield statement("Remove-Item", LiteralPath=slot.made).tolerating(Condition.ABSENT)
    yield from slot.attach(disk)


def _made_path(machine: UUID, desired: Properties, folder: str, location: int) -> str:
    place = "os" if location == OS_LOCATION else f"data{location}"
    stem = made_name(f"{desired['name']}-{place}", machine)
    return str(PureWindowsPath(folder) / f"{stem}.vhdx")


def _make(path: str, disk: Properties) -> Iterator[Pipeline]:
    """What makes the file; a file of this name is there already only where an earlier attempt has made it."""
    if disk.get("path") is not None:
        return
    size = disk["size_gib"] * GIB_BYTES if disk.get("size_gib") is not None else None
    if disk.get("parent") is not None:
        making = statement("New-VHD", Path=path, ParentPath=disk["parent"], Differencing=True)
    elif disk.get("fixed"):
        making = statement("New-VHD", Path=path, SizeBytes=size, Fixed=True)
    else:
        making = statement("New-VHD", Path=path, SizeBytes=size, Dynamic=True)
    yield making.tolerating(Condition.EXISTS)
    if disk.get("parent") is not None and size is not None:
        # A differencing disk is born with its parent's size (New-VHD). One that has the asked size already is refused
        # here; whether it has is read back.
        yield statement("Resize-VHD", Path=path, SizeBytes=size).tolerating(Condition.INVALID)


def made_files(machine: UUID, facts: Facts, known: Properties) -> list[str]:
    """The files to remove with the machine, attached or not."""
    kept = {location: bool(disk.get("keep")) for location, disk in by_location(known).items()}
    return sorted(_made(machine, facts, kept, known))
