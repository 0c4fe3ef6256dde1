"""The disk that a machine starts from: blank, on a parent image, or a file that is there already."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PureWindowsPath
from typing import Annotated
from uuid import UUID

from pydantic import Field, model_validator

from nestedlab.declare import Change, Declared, Plain, Properties
from nestedlab.nouns import GIB_BYTES
from nestedlab.ownership import is_made_for, made_name
from nestedlab.pipeline import Argument, Condition, Facts, Pipeline, PSObject, statement
from nestedlab.resources.names import DiskPath, same_path

# The slot that a Generation 2 machine looks at first, and the only controller that it has when it is new.
SLOT: Mapping[str, Argument] = {"ControllerType": "SCSI", "ControllerNumber": 0, "ControllerLocation": 0}

MAX_GIB = 64 * 1024  # VHDX: 64 TiB (New-VHD)


class Disk(Declared):
    """A virtual disk: blank of `size_gib`, differencing on `parent`, or the existing file at `path`."""

    size_gib: Annotated[int, Field(ge=1, le=MAX_GIB)] | None = None
    """Size of a blank disk, in GiB. It grows in place; it cannot shrink."""
    parent: DiskPath | None = None
    """A sealed image on the host, such as a sysprepped Windows Server. It is never written to: the machine gets a
    differencing disk on it, which is quick to make and small."""
    path: DiskPath | None = None
    """A disk that exists on the host. It is attached as it is, and left where it is when the machine goes."""

    @model_validator(mode="after")
    def _one_of(self) -> Disk:
        given = [name for name in ("size_gib", "parent", "path") if getattr(self, name) is not None]
        if len(given) != 1:
            what = " and ".join(given) if given else "none of them"
            raise ValueError(f"needs exactly one of size_gib, parent and path; given is {what}")
        return self


def same_disk(asked: Properties, found: Properties) -> bool:
    """Whether the disk found is the one asked for; {} stands for an empty slot."""
    if not asked or not found:
        return not asked and not found
    if asked.get("size_gib") is not None:
        return bool(asked["size_gib"] == found.get("size_gib"))
    key = "parent" if asked.get("parent") is not None else "path"
    return found.get(key) is not None and same_path(asked[key], found[key])


def disk_change(found: Properties | None, asked: Properties | None) -> Change:
    """A blank disk grows and an attached file is exchanged while the machine is off; all else needs a new machine.

    A disk that is gone from its slot is put there again, while the machine is off.
    """
    if not found or not asked or (asked.get("path") is not None and found.get("path") is not None):
        return Change.OFF
    if asked.get("size_gib") is not None and found.get("size_gib") is not None:
        grows = asked["size_gib"] >= found["size_gib"]
        return Change.OFF if grows else Change.REPLACE
    return Change.REPLACE


def drive_in_slot(facts: Facts) -> PSObject | None:
    """The drive in the slot that the machine starts from."""
    return next(
        (one for one in facts.all("HardDiskDrive") if all(str(one[key]) == str(value) for key, value in SLOT.items())),
        None,
    )


def disk_found(machine: UUID, facts: Facts) -> dict[str, Plain]:
    """The disk in the slot as a program would ask for it; {} where the slot is empty."""
    drive = drive_in_slot(facts)
    if drive is None:
        return {}
    path = drive.text("Path")
    file = next((one for one in facts.all("VirtualHardDisk") if same_path(one.text("Path"), path)), None)
    if file is None or not is_made_for(PureWindowsPath(path).stem, machine):
        return {"path": path}
    if file.text("ParentPath"):
        return {"parent": file.text("ParentPath")}
    size = file.number("Size")
    return {"size_gib": size / GIB_BYTES if size % GIB_BYTES else size // GIB_BYTES}


def disk_path(machine: UUID, name: str, folder: str, disk: Properties) -> str:
    """Where the disk's file is or is to be."""
    if disk.get("path") is not None:
        return str(disk["path"])
    return str(PureWindowsPath(folder) / f"{made_name(f'{name}-os', machine)}.vhdx")


def make(path: str, disk: Properties) -> list[Pipeline]:
    """What makes the file; a file of this name is there already only where an earlier attempt has made it."""
    if disk.get("size_gib") is not None:
        size = disk["size_gib"] * GIB_BYTES
        making = statement("New-VHD", Path=path, SizeBytes=size, Dynamic=True)
    elif disk.get("parent") is not None:
        making = statement("New-VHD", Path=path, ParentPath=disk["parent"], Differencing=True)
    else:
        return []
    return [making.tolerating(Condition.EXISTS).on_behalf_of("os_disk")]
