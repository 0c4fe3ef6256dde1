"""What a machine's drives and the files in them show: which disk is in which slot, and whose file it is."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import PureWindowsPath
from typing import Any, TypeVar
from uuid import UUID

from nestedlab.errors import kind_of
from nestedlab.machine.disks.slots import by_location
from nestedlab.machine.disks.table import EMPTY, OS_LOCATION, DataDisk, Disk
from nestedlab.machine.identity import machine_by_id
from nestedlab.machine.table import NestedHyperVHost, ObservedMachine
from nestedlab.names import same_path
from nestedlab.nouns import GIB_BYTES, in_units
from nestedlab.ownership import is_made_for, made_name, stem_of
from nestedlab.pipeline import Cmdlet, ErrorKind, ErrorRecord, Facts, Pipeline, PSObject, statement

DiskT = TypeVar("DiskT", bound=Disk)

UNREADABLE = (ErrorKind.ABSENT, ErrorKind.FAILED, ErrorKind.UNSPECIFIED, ErrorKind.OTHER)
"""What Get-VHD reports of a file that is missing or that it cannot read: the same for both, but for the message."""

_CHECKPOINT = re.compile(r"(_[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})+$")
_HOME = re.compile(r"-(?:os|data(?P<location>[0-9]+))$")


def reads(machine: UUID) -> tuple[Pipeline, ...]:
    """What shows the machine's drives and the files in them.

    A file that is merged after a checkpoint was removed cannot be read meanwhile; the disk is then as it was known. One
    that is gone or broken, or whose image is, does not keep the rest of the machine from being read.
    """
    files = statement("Get-VHD", VMId=machine).tolerating(ErrorKind.BUSY, *UNREADABLE)
    return (machine_by_id(machine) | Cmdlet("Get-VMHardDiskDrive"), files)


def drives(facts: Facts) -> dict[int, PSObject]:
    """The machine's drives by their location on the first controller."""
    return {
        drive.number("ControllerLocation"): drive
        for drive in facts.all("HardDiskDrive")
        if drive.number("ControllerNumber") == 0
    }


def shows_files(facts: Facts) -> bool:
    """Whether the file in each of the machine's drives is shown."""
    files = _files_in(facts)
    return all(PureWindowsPath(drive.text("Path")) in files for drive in facts.all("HardDiskDrive"))


def _files_in(facts: Facts) -> dict[PureWindowsPath, PSObject]:
    # The last one counts: New-VHD answers the disk too, as it was before it grew.
    return {PureWindowsPath(file.text("Path")): file for file in facts.all("VirtualHardDisk")}


def observe(facts: Facts, known: ObservedMachine) -> dict[str, Any]:
    """The attributes of disks.

    What becomes of a disk when the machine goes is not on the host: it is as it was known.
    """
    there = drives(facts)
    os_drive = there.get(OS_LOCATION)
    return {
        "os_disk": _shown(Disk, OS_LOCATION, os_drive, facts, known) if os_drive else EMPTY,
        "os_disk_path": base_of(os_drive.text("Path")) if os_drive else known.outputs.os_disk_path,
        "data_disks": [
            _shown(DataDisk, location, drive, facts, known).model_copy(update={"location": location})
            for location, drive in sorted(there.items())
            if location != OS_LOCATION
        ],
        "made_disks": made_files(facts, known),
        "kept_disks": _files(facts, known, known.outputs.kept_disks, keep=True),
        "checkpointed_disks": sorted(
            location for location, drive in there.items() if is_difference(drive.text("Path"))
        ),
        "other_disks": sorted(
            drive.text("Path") for drive in facts.all("HardDiskDrive") if drive.number("ControllerNumber") != 0
        ),
    }


def merging_into(facts: Facts, removed: Collection[str]) -> dict[str, str]:
    """The files that the checkpoints of a machine are merged into when it goes, each with the file in front of it.

    Without those that are removed with the machine.
    """
    paths = [drive.text("Path") for drive in facts.all("HardDiskDrive")]
    return {base_of(path): path for path in paths if is_difference(path) and base_of(path) not in removed}


def are_merged(facts: Facts, fronts: Collection[str]) -> bool:
    """Whether the files in front are gone, and no file is held by a merge."""
    is_held = any(kind_of(error) is ErrorKind.BUSY for error in facts.errors)
    shown = _files_in(facts)
    return not is_held and not any(PureWindowsPath(front) in shown for front in fronts)


def made_files(facts: Facts, known: ObservedMachine) -> list[str]:
    """The files that go with the machine: made for it and not to be kept, attached now or when last read."""
    return _files(facts, known, known.outputs.made_disks, keep=False)


def _files(facts: Facts, known: ObservedMachine, before: list[str], *, keep: bool) -> list[str]:
    """The files made for the machine that are to be kept, or not: those attached, and those before that are not.

    One that is given by its path to the machine again is a given one.
    """
    attached = {base_of(drive.text("Path")): location for location, drive in drives(facts).items()}
    ours = {path for path, location in attached.items() if _goes(_known(location, path, known), keep=keep)}
    paths = {*ours, *(path for path in before or () if path not in attached)}
    return sorted(path for path in paths if is_made_for(PureWindowsPath(path).stem, known.id))


def _goes(disk: Disk | None, *, keep: bool) -> bool:
    return keep is False if disk is None else not disk.is_given and bool(disk.keep) is keep


def _known(location: int, path: str, known: ObservedMachine) -> Disk | None:
    """What is known of the disk in a file: a given one by its place, a made one by the place that it was made for.

    Somebody may have moved it to another one, and it is the same disk there.
    """
    disks = by_location(known.inputs)
    here = disks.get(location)
    if here is not None and here.path is not None and same_path(here.path, path):
        return here
    home = _home(known.id, path)
    if home is None:
        return here
    there = disks.get(home)
    return there.model_copy(update={"path": None}) if there is not None else None


def _shown(kind: type[DiskT], location: int, drive: PSObject, facts: Facts, known: ObservedMachine) -> DiskT:
    path = base_of(drive.text("Path"))
    disk = _known(location, path, known) or EMPTY
    keep = bool(disk.keep)
    file = _files_in(facts).get(PureWindowsPath(drive.text("Path")))
    unreadable = _what_is_unreadable(path, disk) if file is None and _is_unreadable(drive, facts) else None
    given = kind.model_construct(path=path, keep=keep, unreadable=unreadable)
    if disk.is_given or not is_made_for(PureWindowsPath(path).stem, known.id):
        return given
    if file is None:
        if disk.is_empty or not _errors_of_files(facts):
            return given
        return kind.model_construct(
            size_gib=disk.size_gib, parent=disk.parent, fixed=bool(disk.fixed), keep=keep, unreadable=unreadable
        )
    size = in_units(file.number("Size"), GIB_BYTES)
    if is_difference(drive.text("Path")):
        # The file in front shows how large the disk is, but not how its base was made: that has not changed.
        return kind.model_construct(size_gib=size, parent=disk.parent, fixed=bool(disk.fixed), keep=keep)
    return kind.model_construct(
        size_gib=size, parent=file.text("ParentPath") or None, fixed=file.text("VhdType") == "Fixed", keep=keep
    )


def _errors_of_files(facts: Facts) -> list[ErrorRecord]:
    return [error for error in facts.errors if error.cmdlet in ("Get-VHD", "")]


def _is_unreadable(drive: PSObject, facts: Facts) -> bool:
    """Whether the file in a drive, which the host does not show, cannot be read: it is not only being merged.

    Windows' message has the path of the file as a rule. If it has none of the machine's, each that is not shown counts.
    """
    errors = _errors_of_files(facts)
    broken = [error.message.casefold() for error in errors if kind_of(error) is not ErrorKind.BUSY]
    paths = {shown.text("Path").casefold() for shown in facts.all("HardDiskDrive")}
    named = {path for path in paths if any(path in message for message in broken)}
    if named:
        return drive.text("Path").casefold() in named
    return bool(broken) and len(broken) == len(errors)


def _what_is_unreadable(path: str, disk: Disk) -> str:
    return f"{path} on the image {disk.parent}" if disk.parent else path


def remembered(inputs: NestedHyperVHost, state: ObservedMachine) -> list[DataDisk]:
    """The data disks of the inputs, with what only the state knows: which ones that are no longer asked for stay."""
    wanted = {disk.location: disk for disk in inputs.data_disks}
    before = {disk.location: disk for disk in state.inputs.data_disks or ()}
    gone = [disk for location, disk in before.items() if location not in wanted]
    return [*(_remembered(disk, before.get(disk.location)) for disk in inputs.data_disks), *gone]


def _remembered(disk: DataDisk, before: DataDisk | None) -> DataDisk:
    # A disk that was made and is to stay, stays also if a given file takes its place.
    is_exchanged = disk.is_given and before is not None and not before.is_given
    return disk.model_copy(update={"keep": before.keep}) if is_exchanged and before is not None else disk


def detached(now: ObservedMachine) -> list[str]:
    """The files made for the machine that are in none of its drives."""
    attached = [PureWindowsPath(path) for path in _attached(now)]
    return [path for path in now.outputs.made_disks or () if PureWindowsPath(path) not in attached]


def removable(now: ObservedMachine, *, after_reset: bool) -> list[str]:
    """The detached files that nothing needs any more.

    None while the machine has a checkpoint, or has just gone back to one: that may hold any of them.
    """
    return [] if after_reset or now.facts.first("VMSnapshot") is not None else detached(now)


def file_for(now: ObservedMachine, location: int) -> str:
    """The file that was made for a place of the machine, whatever its name was then; "" if there is none."""
    files = [*_attached(now), *(now.outputs.made_disks or ()), *(now.outputs.kept_disks or ())]
    return next((path for path in files if _home(now.id, path) == location), "")


def _attached(now: ObservedMachine) -> list[str]:
    return [base_of(drive.text("Path")) for drive in drives(now.facts).values()]


def _home(machine: UUID, path: str) -> int | None:
    """The place that a file was made for; None for one that was not made for the machine."""
    stem = PureWindowsPath(path).stem
    home = _HOME.search(stem_of(stem, machine)) if is_made_for(stem, machine) else None
    return int(home["location"] or OS_LOCATION) if home else None


def is_difference(path: str) -> bool:
    """Whether a file holds what was written since a checkpoint."""
    return PureWindowsPath(path).suffix.lower() == ".avhdx"


def base_of(path: str) -> str:
    """The disk that a drive's file is, or stands in front of: a checkpoint puts NAME_GUID.avhdx before NAME.vhdx."""
    if not is_difference(path):
        return path
    file = PureWindowsPath(path)
    return str(file.with_name(_CHECKPOINT.sub("", file.stem) + ".vhdx"))


def made_path(machine: UUID, name: str, folder: str, location: int) -> str:
    """The file that is made for a slot of the machine, in the folder."""
    place = "os" if location == OS_LOCATION else f"data{location}"
    return str(PureWindowsPath(folder) / f"{made_name(f'{name}-{place}', machine)}.vhdx")
