"""What a machine's drives and the files in them show: which disk is in which slot, and whose file it is."""

from __future__ import annotations

import re
from pathlib import PureWindowsPath
from typing import Any
from uuid import UUID

from nestedlab.declare import Plain, Properties
from nestedlab.errors import kind_of
from nestedlab.lifecycle import Found
from nestedlab.nouns import GIB_BYTES, in_units
from nestedlab.ownership import is_made_for, made_name, stem_of
from nestedlab.pipeline import Cmdlet, ErrorKind, Facts, Pipeline, PSObject, statement
from nestedlab.machine.disks.table import OS_LOCATION, by_location
from nestedlab.names import same_path

_CHECKPOINT = re.compile(r"(_[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})+$")
_HOME = re.compile(r"-(?:os|data(?P<location>[0-9]+))$")


def reads(machine: Cmdlet, identity: UUID) -> tuple[Pipeline, ...]:
    """What shows the machine's drives and the files in them.

    A file that is merged after a checkpoint went cannot be read meanwhile; the disk is then as it was known.
    """
    files = statement("Get-VHD", VMId=identity).tolerating(ErrorKind.BUSY)
    return (machine | Cmdlet("Get-VMHardDiskDrive"), files)


def drives(facts: Facts) -> dict[int, PSObject]:
    """The machine's drives by their location on the first controller."""
    return {
        one.number("ControllerLocation"): one
        for one in facts.all("HardDiskDrive")
        if one.number("ControllerNumber") == 0
    }


def found(machine: UUID, facts: Facts, known: Properties) -> dict[str, Any]:
    """The attributes of disks; {} is an empty place of the OS disk.

    What becomes of a disk when the machine goes is not on the host: it is as it was known.
    """
    there = drives(facts)
    shown = {location: _shown(machine, location, drive, facts, known) for location, drive in there.items()}
    os_drive = there.get(OS_LOCATION)
    return {
        "os_disk": shown.pop(OS_LOCATION, {}),
        "os_disk_path": base_of(os_drive.text("Path")) if os_drive else str(known.get("os_disk_path") or ""),
        "data_disks": [{"location": location, **disk} for location, disk in sorted(shown.items())],
        "made_disks": made_files(machine, facts, known),
        "kept_disks": _files(machine, facts, known, "kept_disks", keep=True),
        "checkpointed_disks": sorted(
            location for location, drive in there.items() if is_difference(drive.text("Path"))
        ),
        "other_disks": sorted(
            one.text("Path") for one in facts.all("HardDiskDrive") if one.number("ControllerNumber") != 0
        ),
    }


def made_files(machine: UUID, facts: Facts, known: Properties) -> list[str]:
    """The files that go with the machine: made for it and not to be kept, attached now or when last looked at."""
    return _files(machine, facts, known, "made_disks", keep=False)


def _files(machine: UUID, facts: Facts, known: Properties, output: str, *, keep: bool) -> list[str]:
    """The files made for the machine that are to be kept, or not: those attached, and those of the output that are not.

    One that is given by its path to the machine again is a given one.
    """
    attached = {base_of(drive.text("Path")): location for location, drive in drives(facts).items()}
    ours = {
        path
        for path, location in attached.items()
        if (disk := _known(machine, location, path, known)).get("path") is None and bool(disk.get("keep")) is keep
    }
    paths = {*ours, *(one for one in known.get(output) or () if one not in attached)}
    return sorted(path for path in paths if is_made_for(PureWindowsPath(path).stem, machine))


def _known(machine: UUID, location: int, path: str, known: Properties) -> Properties:
    """What is known of the disk in a file: a given one by its place, a made one by the place that it was made for.

    Somebody may have moved it to another one, and it is the same disk there.
    """
    disks = by_location(known)
    here = disks.get(location) or {}
    if here.get("path") is not None and same_path(here["path"], path):
        return here
    home = _home(machine, path)
    if home is None:
        return here
    return {name: value for name, value in (disks.get(home) or {}).items() if name != "path"}


def _shown(machine: UUID, location: int, drive: PSObject, facts: Facts, known: Properties) -> dict[str, Plain]:
    path = base_of(drive.text("Path"))
    disk = _known(machine, location, path, known)
    keep = bool(disk.get("keep"))
    if disk.get("path") is not None or not is_made_for(PureWindowsPath(path).stem, machine):
        return {"path": path, "fixed": False, "keep": keep}
    # The last one counts: New-VHD answers the disk too, as it was before it grew.
    files = {PureWindowsPath(one.text("Path")): one for one in facts.all("VirtualHardDisk")}
    file = files.get(PureWindowsPath(drive.text("Path")))
    if file is None and disk and any(kind_of(one) is ErrorKind.BUSY for one in facts.errors):
        return _disk(disk.get("size_gib"), disk.get("parent"), fixed=bool(disk.get("fixed")), keep=keep)
    if file is None:
        return {"path": path, "fixed": False, "keep": keep}
    if is_difference(drive.text("Path")):
        # The file in front says how large the disk is, but not how its base was made: that has not changed.
        parent, fixed = disk.get("parent"), bool(disk.get("fixed"))
    else:
        parent, fixed = file.text("ParentPath"), file.text("VhdType") == "Fixed"
    return _disk(in_units(file.number("Size"), GIB_BYTES), parent, fixed=fixed, keep=keep)


def _disk(gib: float | None, parent: str | None, *, fixed: bool, keep: bool) -> dict[str, Plain]:
    size: dict[str, Plain] = {} if gib is None else {"size_gib": gib}
    on: dict[str, Plain] = {"parent": parent} if parent else {}
    return {**size, **on, "fixed": fixed, "keep": keep}


def remembered(desired: Properties, known: Properties) -> dict[str, Any]:
    """What is desired, with what only the last look knows: whether a disk no more asked for stays, and loose files."""
    asked = desired.get("data_disks") or []
    gone = [one for one in known.get("data_disks") or () if one["location"] not in by_location({"data_disks": asked})]
    files = {name: known.get(name) or [] for name in ("made_disks", "kept_disks")}
    return {**desired, "data_disks": [*asked, *gone], **files}


def loose(now: Found) -> list[str]:
    """The files made for the machine that are in none of its drives."""
    attached = [PureWindowsPath(path) for path in _attached(now)]
    return [one for one in now.values.get("made_disks") or () if PureWindowsPath(one) not in attached]


def removable(now: Found, *, fresh: bool) -> list[str]:
    """The loose files that nothing needs any more.

    None while the machine has a checkpoint, or has just gone back to one (`fresh`): that may hold any of them.
    """
    return [] if fresh or now.facts.first("VMSnapshot") is not None else loose(now)


def file_for(now: Found, location: int) -> str:
    """The file that was made for a place of the machine, whatever its name was then; "" where there is none."""
    files = [*_attached(now), *(now.values.get("made_disks") or ()), *(now.values.get("kept_disks") or ())]
    return next((one for one in files if _home(now.id, one) == location), "")


def _attached(now: Found) -> list[str]:
    return [base_of(drive.text("Path")) for drive in drives(now.facts).values()]


def _home(machine: UUID, path: str) -> int | None:
    """The place that a file was made for; None for one that was not made for the machine."""
    stem = PureWindowsPath(path).stem
    found = _HOME.search(stem_of(stem, machine)) if is_made_for(stem, machine) else None
    return int(found["location"] or OS_LOCATION) if found else None


def is_difference(path: str) -> bool:
    """Whether a file holds what was written since a checkpoint."""
    return PureWindowsPath(path).suffix.lower() == ".avhdx"


def base_of(path: str) -> str:
    """The disk that a drive's file is, or stands in front of: a checkpoint puts NAME_GUID.avhdx before NAME.vhdx."""
    if not is_difference(path):
        return path
    file = PureWindowsPath(path)
    return str(file.with_name(_CHECKPOINT.sub("", file.stem) + ".vhdx"))


def made_path(machine: UUID, desired: Properties, folder: str, location: int) -> str:
    """The file that is made for a slot, in the folder."""
    place = "os" if location == OS_LOCATION else f"data{location}"
    stem = made_name(f"{desired['name']}-{place}", machine)
    return str(PureWindowsPath(folder) / f"{stem}.vhdx")
